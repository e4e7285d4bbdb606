//! Sources of images: files, encoded bytes, pixels.

use std::path::Path;

use ndarray::ArrayView3;

use crate::pixels::Layout;

/// An image to process.
///
/// ```
/// use clipprep::pixels::Layout;
/// use clipprep::{Preprocess, Source, Spec};
/// use ndarray::arr3;
///
/// let pixels = arr3(&[[[1, 2, 3]]]);
/// let mut out = [0_u8; 3];
/// Preprocess::new(Spec::openai(1)).process(&Source::Pixels(pixels.view(), Layout::Rgb), &mut out)?;
/// assert_eq!(out, [1, 2, 3]);
/// # Ok::<(), clipprep::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Source<'a> {
    /// The path of a regular file.
    Path(&'a Path),
    /// The bytes of an encoded file.
    Bytes(&'a [u8]),
    /// Pixels of shape (H, W, bytes of the layout), of any strides.
    Pixels(ArrayView3<'a, u8>, Layout),
}

impl Source<'_> {
    /// About how long it takes, in units of its own. A file is not looked at, and may be large.
    pub(crate) fn cost(&self) -> u64 {
        match self {
            Self::Path(_) => u64::MAX,
            // A byte of a photo's file costs as much as ten or twenty of its pixels.
            Self::Bytes(bytes) => 16 * bytes.len() as u64,
            Self::Pixels(pixels, _) => pixels.len() as u64,
        }
    }
}
