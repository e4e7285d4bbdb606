//! Bounds on what one image may cost, checked from its header before anything is allocated.

use crate::error::{Error, LimitKind, Result};

/// Declares the bounds with their defaults.
macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident = $default:expr,)+) => {
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
                Self { $($name: $default,)+ }
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
    /// Width times height. The default is the bound above which Pillow raises `DecompressionBombError`. For files that
    /// Pillow decodes, Pillow's own bound holds as well.
    max_pixels = Some(178_956_970),
    /// Length of the encoded file in bytes; 1 GiB by default.
    max_bytes = Some(1_073_741_824),
    /// Bytes of memory for decoding, resizing and the image's row of the output, besides the encoded file; 2 GiB by
    /// default. They are estimated from the header, never too low. A JPEG of one scan and a PNG that is not
    /// interlaced take a few rows; other files take the whole image, a JPEG of several scans with two bytes per sample.
    /// A new output array of a batch may not be larger than this, either; an array given as `out=` may.
    max_memory = Some(2_147_483_648),
    /// Scans of a JPEG. Each takes time for the whole image, however short it is, so that thousands of empty scans
    /// would keep a decoder busy for hours; encoders write about ten. A large image may have fewer: its scans
    /// times its pixels may be 4.3 billion (42 scans for 100 megapixels), but 24 scans are always read.
    max_scans = Some(500),
    /// Seconds of processor time, a whole number, that a helper process may take for one file with
    /// `fallback="process"`. Nothing else is bounded by it.
    max_seconds = None,
}

impl Limits {
    /// Refuses an image of more pixels than allowed, or than the machine has addresses for, so that a product of
    /// both sides and up to [`MOST_BYTES`] never overflows, on a processor of 32 bits either.
    pub(crate) fn check_pixels(&self, width: usize, height: usize) -> Result<()> {
        let (width, height) = (width as u64, height as u64);
        let pixels = width.saturating_mul(height);
        check(LimitKind::Pixels { width, height }, self.max_pixels, pixels)?;
        check_addressable(format_args!("an image of {width} x {height}"), pixels.saturating_mul(MOST_BYTES))
    }

    /// Refuses a file of more bytes than allowed.
    pub(crate) fn check_bytes(&self, bytes: u64) -> Result<()> {
        check(LimitKind::Bytes, self.max_bytes, bytes)
    }

    /// Refuses an image that takes more memory than allowed, or than the machine has addresses for.
    pub(crate) fn check_memory(&self, bytes: u64) -> Result<()> {
        check(LimitKind::Memory, self.max_memory, bytes)?;
        check_addressable("an image", bytes)
    }

    /// Refuses a JPEG file of more scans than an image of that many pixels may have.
    pub(crate) fn check_scans(&self, scans: u64, pixels: u64) -> Result<()> {
        check(LimitKind::Scans, self.scans(pixels), scans)
    }

    /// Scans that a JPEG file of that many pixels may have.
    pub(crate) fn scans(&self, pixels: u64) -> Option<u64> {
        self.max_scans
            .map(|max| max.min(MAX_SCANNED_PIXELS.checked_div(pixels).unwrap_or(max).max(SCANS_OF_ALL)))
    }

    /// Makes sure that the system has memory that is about to be allocated in parts, by code that cannot fail.
    pub(crate) fn check_room(what: &str, bytes: u64) -> Result<()> {
        if bytes < SMALL {
            return Ok(());
        }
        let room = usize::try_from(bytes).ok().map(|bytes| Vec::<u8>::new().try_reserve_exact(bytes));
        match room {
            Some(Ok(())) => Ok(()),
            _ => Err(Error::out_of_memory(what, bytes)),
        }
    }
}

/// Pixels of all scans of a JPEG together: some seconds of a processor's time.
const MAX_SCANNED_PIXELS: u64 = 1 << 32;
/// Scans that a JPEG of any size may have, as encoders write them.
const SCANS_OF_ALL: u64 = 24;
/// Bytes below which memory is not asked for beforehand.
const SMALL: u64 = 1 << 20;
/// The most bytes that a decoder holds for a pixel.
const MOST_BYTES: u64 = 8;

fn check(kind: LimitKind, allowed: Option<u64>, found: u64) -> Result<()> {
    match allowed {
        Some(allowed) if found > allowed => Err(Error::limit(kind, allowed, found)),
        _ => Ok(()),
    }
}

/// Refuses more bytes than a buffer can have.
fn check_addressable(what: impl std::fmt::Display, bytes: u64) -> Result<()> {
    if bytes > isize::MAX as u64 { Err(Error::out_of_memory(what, bytes)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn scans_of_large_images_are_bounded_together(pixels in 0..u64::MAX, max in 0..u64::MAX) {
            let scans = Limits { max_scans: Some(max), ..Limits::default() }.scans(pixels).unwrap();
            prop_assert!(scans <= max);
            prop_assert!(scans <= SCANS_OF_ALL || scans.saturating_mul(pixels) <= MAX_SCANNED_PIXELS);
            prop_assert!(scans == max || scans >= SCANS_OF_ALL);
        }
    }

    #[test]
    fn ordinary_images_may_have_all_scans() {
        assert_eq!(Limits::default().scans(8_000_000), Some(500));
        assert_eq!(Limits::default().scans(100_000_000), Some(42));
        assert_eq!(Limits { max_scans: None, ..Limits::default() }.scans(u64::MAX), None);
    }

    #[test]
    fn what_no_address_is_left_for_is_an_error_without_limits() {
        let none = Limits { max_pixels: None, max_memory: None, ..Limits::default() };
        let most = isize::MAX as usize / MOST_BYTES as usize;
        assert!(none.check_pixels(most, 1).is_ok());
        assert!(matches!(none.check_pixels(1, most + 1), Err(Error::OutOfMemory { .. })));
        assert!(matches!(none.check_pixels(usize::MAX, usize::MAX), Err(Error::OutOfMemory { .. })));
        assert!(none.check_memory(isize::MAX as u64).is_ok());
        assert!(matches!(none.check_memory(1 << 63), Err(Error::OutOfMemory { .. })));
    }

    #[test]
    fn memory_that_is_not_there_is_an_error() {
        assert!(Limits::check_room("a test", u64::MAX).is_err());
        assert!(Limits::check_room("a test", 1 << 21).is_ok());
    }
}
