//! From the coefficients of a block to fewer samples than 64: libjpeg's inverse DCTs of reduced size.

use super::idct::{Group, at};

/// Weights of the eight coefficients of a column or row for each of four samples, in fixed point with 14 bits.
const OF_FOUR: [[i32; 8]; 4] = [
    [16384, 20995, 15137, 7373, 0, -4926, -6270, -4176],
    [16384, 8697, -15137, -17799, 0, 11893, 6270, -1730],
    [16384, -8697, -15137, 17799, 0, -11893, 6270, 1730],
    [16384, -20995, 15137, -7373, 0, 4926, -6270, 4176],
];
/// The bits by which the columns' results are scaled down, and the rows'.
pub const SHIFTS_OF_FOUR: (u32, u32) = (12, 19);
/// The same for two samples, with 15 bits.
const OF_TWO: [[i32; 8]; 2] =
    [[32768, 29692, 0, -10426, 0, 6967, 0, -5906], [32768, -29692, 0, 10426, 0, -6967, 0, 5906]];
pub const SHIFTS_OF_TWO: (u32, u32) = (13, 20);

/// The `side` x `side` samples of one block of a group, to its place in `out`, whose rows are `stride` apart.
pub fn inverse_dct(
    group: &Group,
    quantisation: &Group,
    lane: usize,
    side: usize,
    out: &mut [u8],
    stride: usize,
) {
    let out = &mut out[side * lane..];
    match side {
        4 => block(group, quantisation, lane, &OF_FOUR, SHIFTS_OF_FOUR, out, stride),
        2 => block(group, quantisation, lane, &OF_TWO, SHIFTS_OF_TWO, out, stride),
        _ => {
            let first = group[at(0, lane)].wrapping_mul(quantisation[at(0, lane)]);
            out[0] = sample((i32::from(first) + 4) >> 3);
        }
    }
}

fn block<const SIDE: usize>(
    group: &Group,
    quantisation: &Group,
    lane: usize,
    weights: &[[i32; 8]; SIDE],
    shifts: (u32, u32),
    out: &mut [u8],
    stride: usize,
) {
    let mut columns = [[0; 8]; SIDE];
    for c in 0..8 {
        let value = |r: usize| {
            let i = at(r, lane) + c;
            i32::from(group[i].wrapping_mul(quantisation[i]))
        };
        let column: [i32; 8] = std::array::from_fn(value);
        for (row, weights) in columns.iter_mut().zip(weights) {
            row[c] = scaled(&column, weights, shifts.0).clamp(-32768, 32767);
        }
    }
    for (r, row) in columns.iter().enumerate() {
        for (sample_out, weights) in out[r * stride..][..SIDE].iter_mut().zip(weights) {
            *sample_out = sample(scaled(row, weights, shifts.1));
        }
    }
}

fn scaled(values: &[i32; 8], weights: &[i32; 8], shift: u32) -> i32 {
    let sum = values.iter().zip(weights).fold(0_i32, |sum, (value, weight)| sum.wrapping_add(value * weight));
    sum.wrapping_add(1 << (shift - 1)) >> shift
}

fn sample(value: i32) -> u8 {
    (value.clamp(-128, 127) + 128) as u8
}
