//! Why an image gave no tensor, as types: callers match on a variant, never on words.

use std::fmt;

/// Why an image gave no tensor. The message says what was expected and what was found;
/// whoever holds the source's name adds it.
///
/// ```
/// use clipprep::{Error, LimitKind, Limits, Preprocess, Spec};
///
/// let limits = Limits { max_bytes: Some(10), ..Limits::default() };
/// let preprocess = Preprocess::new(Spec { limits, ..Spec::openai(224) });
/// let mut tensor = vec![0.0_f32; preprocess.output_len()];
/// match preprocess.process_bytes(&[0; 11], &mut tensor) {
///     Err(Error::Limit { kind: LimitKind::Bytes, allowed: 10, found: 11 }) => {}
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes break the rules of their format.
    #[error("expected a valid {format} file, found: {found}")]
    Decode {
        /// The format's name.
        format: String,
        /// The fault that was found.
        found: String,
    },
    /// The bytes end before the image does.
    #[error("expected a whole {format} file, found: {found}")]
    Truncated {
        /// The format's name.
        format: String,
        /// Where the bytes end.
        found: String,
    },
    /// A format, a mode or a variant that the decoders here do not read.
    #[error("{0}")]
    Unsupported(String),
    /// The options rule the image out, whoever decodes it.
    #[error("{0}")]
    RuledOut(String),
    /// The image is larger than the [`Limits`](crate::Limits) allow.
    #[error("expected at most {allowed} {}, found {}", kind.expected(), kind.found(*found))]
    Limit {
        /// The bound that it exceeds.
        kind: LimitKind,
        /// The bound's value.
        allowed: u64,
        /// The image's value, or a lower bound of it.
        found: u64,
    },
    /// The system has too little memory for an image within the limits.
    #[error("expected {}memory for {what}, found less", bytes_of(*bytes))]
    OutOfMemory {
        /// The purpose of the memory.
        what: String,
        /// The number of bytes that were asked for, where it is known.
        bytes: Option<u64>,
    },
    /// The operating system could not hand over the bytes.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// An [`Interrupt`](crate::interrupt::Interrupt) was raised meanwhile.
    #[error("expected to finish, was interrupted")]
    Interrupted,
}

/// The quantity that a limit bounds.
///
/// ```
/// assert_eq!(clipprep::LimitKind::Memory.option(), Some("max_memory"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitKind {
    /// Width times height.
    Pixels {
        /// Of the image that was found.
        width: u64,
        /// Of the image that was found.
        height: u64,
    },
    /// Bytes of the encoded file.
    Bytes,
    /// Bytes that decoding and resizing may take.
    Memory,
    /// Scans of a JPEG file.
    Scans,
    /// Colour profiles of a PNG file, each of which costs time.
    ColourProfiles,
    /// Bytes in the fields of an EXIF block, which may all refer to the same bytes.
    ExifFields,
}

impl LimitKind {
    /// The field of [`Limits`](crate::Limits) that sets the bound; `None` for a fixed one.
    ///
    /// ```
    /// assert_eq!(clipprep::LimitKind::Scans.option(), Some("max_scans"));
    /// ```
    pub fn option(self) -> Option<&'static str> {
        match self {
            Self::Pixels { .. } => Some("max_pixels"),
            Self::Bytes => Some("max_bytes"),
            Self::Memory => Some("max_memory"),
            Self::Scans => Some("max_scans"),
            Self::ColourProfiles | Self::ExifFields => None,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Pixels { .. } => "pixels (max_pixels)",
            Self::Bytes => "encoded bytes (max_bytes)",
            Self::Memory => "bytes of memory (max_memory)",
            Self::Scans => "scans in a JPEG of this size (max_scans)",
            Self::ColourProfiles => "colour profiles in a PNG",
            Self::ExifFields => "bytes in the fields of EXIF",
        }
    }

    fn found(self, found: u64) -> String {
        match self {
            Self::Pixels { width, height } => format!("{width} x {height} = {found}"),
            Self::Memory => format!("an image that may take {found}"),
            _ => found.to_string(),
        }
    }
}

fn bytes_of(bytes: Option<u64>) -> String {
    bytes.map_or_else(String::new, |bytes| format!("{bytes} bytes of "))
}

impl Error {
    /// Whether another decoder may read the file all the same.
    ///
    /// ```
    /// use clipprep::{Preprocess, Spec};
    ///
    /// let preprocess = Preprocess::new(Spec::openai(1));
    /// let error = preprocess.process_bytes(b"no image", &mut [0_u8; 3]).unwrap_err();
    /// assert!(error.is_refusal());
    /// ```
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Decode { .. } | Self::Truncated { .. } | Self::Unsupported(_))
    }

    pub(crate) fn decode(format: &str, found: impl fmt::Display) -> Self {
        Self::Decode { format: format.into(), found: found.to_string() }
    }

    pub(crate) fn truncated(format: &str, found: impl fmt::Display) -> Self {
        Self::Truncated { format: format.into(), found: found.to_string() }
    }

    pub(crate) fn unsupported(found: impl fmt::Display) -> Self {
        Self::Unsupported(found.to_string())
    }

    pub(crate) fn ruled_out(found: impl fmt::Display) -> Self {
        Self::RuledOut(found.to_string())
    }

    pub(crate) fn limit(kind: LimitKind, allowed: u64, found: u64) -> Self {
        Self::Limit { kind, allowed, found }
    }

    /// `bytes` is how much was asked for, if that is known.
    pub(crate) fn out_of_memory(what: impl fmt::Display, bytes: impl Into<Option<u64>>) -> Self {
        Self::OutOfMemory { what: what.to_string(), bytes: bytes.into() }
    }
}

/// A specialised `Result` for one image.
///
/// ```
/// fn side(bytes: &[u8]) -> clipprep::Result<usize> {
///     let (_, image) = clipprep::decode::open(&clipprep::decode::Input::new(bytes), &Default::default())?;
///     Ok(image.header().width)
/// }
/// assert_eq!(side(b"P5 2 1 255 \x00\x80")?, 2);
/// # Ok::<(), clipprep::Error>(())
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;
