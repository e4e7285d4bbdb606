//! The inner loop of the back half, and its truth in plain Rust.

use super::idct::{Group, LANES, inverse_dct};
use super::reduced;

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

/// An implementation of the inverse transforms; all of them give the same bits.
pub trait Kernels: Send {
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
}
