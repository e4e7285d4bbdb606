//! Bounds on what one image may cost, checked from its header before anything is allocated.

use crate::error::{Error, LimitKind, Result};

/// Declares the bounds with their defaults.
macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident = $default:literal,)+) => {
        /// Upper bounds for one image; `None` lifts a bound.
        ///
        /// ```
        /// use clipprep::{Limits, Preprocess, Spec};
        ///
        /// let limits = Limits { max_pixels: Some(1 << 24), ..Limits::default() };
        /// let preprocess = Preprocess::new(Spec { limits, ..Spec::openai(224) });
        /// let mut tensor = vec![0.0_f32; preprocess.output_len()];
        /// assert!(preprocess.process_bytes(b"P5 5000 5000 255 ", &mut tensor).is_err());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: Option<u64>,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: Some($default),)+ }
            }
        }

        #[cfg(feature = "python")]
        impl Limits {
            /// Every bound, for the binding.
            pub(crate) const TABLE: &[Bound] = &[$(Bound {
                name: stringify!($name),
                doc: concat!($($doc, "\n"),+),
                field: |limits| &mut limits.$name,
            }),+];
        }
    };
}

/// A field of [`Limits`].
#[cfg(feature = "python")]
pub(crate) struct Bound {
    pub name: &'static str,
    pub doc: &'static str,
    pub field: fn(&mut Limits) -> &mut Option<u64>,
}

limits! {
    /// Width times height. The default is where Pillow raises `DecompressionBombError`; its own bound holds as
    /// well for files that Pillow decodes.
    max_pixels = 178_956_970,
    /// Length of the encoded file in bytes, 1 GiB.
    max_bytes = 1_073_741_824,
    /// Bytes that decoding and resizing take besides the encoded file and the output, by an upper estimate from the
    /// header, 2 GiB. A JPEG of one scan and a PNG that is not interlaced take a few rows; other files take
    /// the whole image, and a JPEG of several scans two bytes per sample.
    max_memory = 2_147_483_648,
    /// Scans of a JPEG. Each costs time for the whole image however short it is, so that thousands of empty ones
    /// keep a decoder busy for hours; encoders write about ten.
    max_scans = 500,
}

impl Limits {
    /// Refuses an image of more pixels than allowed.
    pub(crate) fn check_pixels(&self, width: usize, height: usize) -> Result<()> {
        let (width, height) = (width as u64, height as u64);
        check(LimitKind::Pixels { width, height }, self.max_pixels, width.saturating_mul(height))
    }

    /// Refuses a file of more bytes than allowed.
    pub(crate) fn check_bytes(&self, bytes: u64) -> Result<()> {
        check(LimitKind::Bytes, self.max_bytes, bytes)
    }

    /// Refuses an image that takes more memory than allowed.
    pub(crate) fn check_memory(&self, bytes: u64) -> Result<()> {
        check(LimitKind::Memory, self.max_memory, bytes)
    }

    /// Refuses a JPEG file of more scans than allowed.
    pub(crate) fn check_scans(&self, scans: u64) -> Result<()> {
        check(LimitKind::Scans, self.max_scans, scans)
    }
}

fn check(kind: LimitKind, allowed: Option<u64>, found: u64) -> Result<()> {
    match allowed {
        Some(allowed) if found > allowed => Err(Error::limit(kind, allowed, found)),
        _ => Ok(()),
    }
}
