//! What can go wrong with one image, sorted by fault.

use std::fmt;

/// Why an image gave no tensor. The message says what was expected and what was found;
/// whoever holds the source's name adds it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes break the rules of their format.
    #[error("{0}")]
    Decode(String),
    /// The bytes end before the image does.
    #[error("{0}")]
    Truncated(String),
    /// A format, a mode or a variant that the decoders here do not read.
    #[error("{0}")]
    Unsupported(String),
    /// The image is larger than the [`Limits`](crate::Limits) allow.
    #[error("{0}")]
    Limit(String),
    /// The operating system could not hand over the bytes.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// An [`Interrupt`](crate::interrupt::Interrupt) was raised meanwhile.
    #[error("expected to finish, was interrupted")]
    Interrupted,
}

impl Error {
    pub(crate) fn decode(format: &str, found: impl fmt::Display) -> Self {
        Self::Decode(format!("expected a valid {format} file, found: {found}"))
    }

    pub(crate) fn truncated(format: &str, found: impl fmt::Display) -> Self {
        Self::Truncated(format!("expected a whole {format} file, found: {found}"))
    }

    pub(crate) fn unsupported(found: impl fmt::Display) -> Self {
        Self::Unsupported(found.to_string())
    }
}

/// A specialised `Result` for one image.
pub type Result<T> = std::result::Result<T, Error>;
