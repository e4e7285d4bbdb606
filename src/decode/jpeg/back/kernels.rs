//! The two inner loops of the back half, and their truth in plain Rust.

use super::colour::{YccRow, rgb_row};
use super::idct::{Group, LANES, inverse_dct};
use super::reduced;

/// Bytes that a kernel may read after the last sample of a row, and write after its last pixel.
pub const SLACK: usize = 256;

/// The last coefficient in coded order for which the lower half of the columns and of the rows are zero.
pub const LAST_OF_QUARTER: u8 = 9;

/// Zeroes the rows of a group that are not zero already, by its last coefficient in coded order.
pub fn clear(group: &mut Group, last: u8) {
    let rows = match last {
        0 => 1,
        1..=LAST_OF_QUARTER => 4,
        _ => 8,
    };
    group[..8 * LANES * rows].fill(0);
}

/// An implementation of the inner loops; all of them give the same bits.
pub trait Kernels {
    /// The samples of a group, `side` x `side` of each block, written to `out`, whose rows are `stride` apart; the
    /// group is zeroed. All of its coefficients after `last`, in coded order, are zero.
    fn inverse_dct(
        &self,
        group: &mut Group,
        quantisation: &Group,
        last: u8,
        side: usize,
        out: &mut [u8],
        stride: usize,
    );

    /// The pixels of a row. All rows of samples have [`SLACK`], and `out` does.
    fn rgb_row(&self, row: &YccRow<'_>, sums: &mut [Vec<u16>; 2], out: &mut [u8]);
}

/// Plain Rust, which says what the others have to give.
pub struct Scalar;

impl Kernels for Scalar {
    fn inverse_dct(
        &self,
        group: &mut Group,
        quantisation: &Group,
        last: u8,
        side: usize,
        out: &mut [u8],
        stride: usize,
    ) {
        for lane in 0..LANES {
            match side {
                8 => inverse_dct(group, quantisation, lane, out, stride),
                _ => reduced::inverse_dct(group, quantisation, lane, side, out, stride),
            }
        }
        clear(group, last);
    }

    fn rgb_row(&self, row: &YccRow<'_>, _sums: &mut [Vec<u16>; 2], out: &mut [u8]) {
        rgb_row(row, out);
    }
}
