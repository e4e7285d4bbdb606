//! The interface of the kernels of both passes, whichever instruction set they are written in.

use std::fmt::Debug;

use crate::pixels::RowBlock;

/// Rows are stored this many bytes apart, or a multiple: what the widest kernel loads at once.
const ALIGN: usize = 64;

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
