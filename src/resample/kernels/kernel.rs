//! The interface of the kernels of both passes, whichever instruction set they are written in.

use std::fmt::Debug;

use crate::pixels::{Layout, RowBlock};

/// Rows are stored this many bytes apart, or a multiple: what the widest kernel loads at once.
const ALIGN: usize = 64;

/// How the pixels of a source row lie: a result has their channels alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pixel {
    /// From the first byte of a pixel to that of the next one.
    pub bytes: usize,
    /// The bytes that are resized, from the first one on.
    pub channels: usize,
}

impl Pixel {
    /// All bytes of a pixel but those that mean nothing.
    pub fn of(layout: Layout) -> Self {
        let bytes = layout.bytes();
        Self { bytes, channels: if layout == Layout::Rgbx { 3 } else { bytes } }
    }
}

/// Resizes four rows, by weights that its constructor has laid out.
pub(super) trait HorizontalKernel: Debug + Send + Sync {
    /// Four rows that hold the weights' inputs to four rows of `out`, [`stride`] bytes apart.
    fn run(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize);
}

/// Combines rows to one, by weights that its constructor has laid out.
pub(super) trait VerticalKernel: Debug + Send + Sync {
    /// The first `len` bytes of output row `y` from its source rows; all rows are [`stride`] long.
    fn run(&self, y: usize, rows: &[&[u8]], out: &mut [u8], len: usize);
}

/// Bytes between rows of `bytes` bytes: room for the stores past a row's end, whole registers to load.
pub(crate) fn stride(bytes: usize) -> usize {
    (bytes + ALIGN).next_multiple_of(ALIGN)
}
