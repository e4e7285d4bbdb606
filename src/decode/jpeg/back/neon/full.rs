//! The inverse DCT of whole blocks.

use std::arch::aarch64::*;

use super::{Factors, Place, add_product, dequantised, load_factors, product, transposed};
use crate::decode::jpeg::back::idct::{self, Group, LANES, SHIFTS, at};
use crate::decode::jpeg::back::kernels::LAST_OF_QUARTER;

const UNIT: Place = (0, 0);
const TWO_TO_HIGH: Place = (0, 1);
const SIX_TO_HIGH: Place = (0, 2);
const TWO_TO_LOW: Place = (0, 2);
const SIX_TO_LOW: Place = (0, 3);
const THREE_TO_THREE: Place = (0, 4);
const ONE_TO_THREE: Place = (0, 5);
const THREE_TO_FOUR: Place = (0, 5);
const ONE_TO_FOUR: Place = (0, 6);
const SEVEN_TO_FIRST: Place = (1, 0);
const ONE_TO_FIRST: Place = (1, 1);
const FIVE_TO_SECOND: Place = (1, 2);
const THREE_TO_SECOND: Place = (1, 3);
const FIVE_TO_THIRD: Place = (1, 4);
const THREE_TO_THIRD: Place = (1, 2);
const SEVEN_TO_FOURTH: Place = (1, 5);
const ONE_TO_FOURTH: Place = (1, 0);
/// Where the last four are zero.
const QUARTER_THREE_TO_FIRST: Place = (0, 5);
const QUARTER_ONE_TO_FIRST: Place = (2, 0);
const QUARTER_THREE_TO_SECOND: Place = (2, 1);
const QUARTER_ONE_TO_SECOND: Place = (0, 5);
const QUARTER_THREE_TO_THIRD: Place = (2, 2);
const QUARTER_ONE_TO_THIRD: Place = (0, 6);
const QUARTER_THREE_TO_FOURTH: Place = (0, 4);
const QUARTER_ONE_TO_FOURTH: Place = (2, 3);

/// The rows of the four blocks of a group.
type Rows<'a> = [&'a mut [[u8; 8]; LANES]; 8];

#[target_feature(enable = "neon")]
pub fn inverse_dct(
    factors: &Factors,
    group: &Group,
    quantisation: &Group,
    last: u8,
    out: &mut [u8],
    stride: usize,
) {
    let mut rows = out.chunks_mut(stride);
    let mut rows: Rows<'_> = std::array::from_fn(|_| {
        let row = rows.next().expect("eight rows");
        row.as_chunks_mut().0.first_chunk_mut().expect("room for four blocks")
    });
    if last == 0 {
        return flat(group, quantisation, &mut rows);
    }
    let factors = load_factors(factors);
    for lane in 0..LANES {
        let first = dequantised(group, quantisation, 0, lane);
        let samples =
            if has_extreme(first) {
                extreme_block(group, quantisation, lane)
            } else if last <= LAST_OF_QUARTER {
                let rows = std::array::from_fn(|r| {
                    if r == 0 { first } else { dequantised(group, quantisation, r, lane) }
                });
                second_pass::<true>(&factors, quarter_columns(&factors, rows))
            } else {
                let rows = std::array::from_fn(|r| {
                    if r == 0 { first } else { dequantised(group, quantisation, r, lane) }
                });
                second_pass::<false>(&factors, columns(&factors, rows))
            };
        for (row, samples) in rows.iter_mut().zip(samples) {
            row[lane] = samples.to_le_bytes();
        }
    }
}

/// Blocks that have their first coefficient alone.
#[inline]
#[target_feature(enable = "neon")]
fn flat(group: &Group, quantisation: &Group, rows: &mut Rows<'_>) {
    let mut values = vdup_n_s16(group[at(0, 0)]);
    values = vset_lane_s16::<1>(group[at(0, 1)], values);
    values = vset_lane_s16::<2>(group[at(0, 2)], values);
    values = vset_lane_s16::<3>(group[at(0, 3)], values);
    // libjpeg's shortcut wraps where its long way saturates.
    let columns = vshl_n_s16::<2>(vmul_n_s16(values, quantisation[at(0, 0)]));
    let samples = vqrshrn_n_s16::<{ SHIFTS.1 as i32 - 13 }>(vcombine_s16(columns, columns));
    let samples = veor_u8(vreinterpret_u8_s8(samples), vdup_n_u8(0x80));
    let repeated = |sample: u8| (u64::from(sample) * 0x0101_0101_0101_0101).to_le_bytes();
    let samples = [
        repeated(vget_lane_u8::<0>(samples)),
        repeated(vget_lane_u8::<1>(samples)),
        repeated(vget_lane_u8::<2>(samples)),
        repeated(vget_lane_u8::<3>(samples)),
    ];
    rows.iter_mut().for_each(|row| **row = samples);
}

/// Whether a value is beyond 13 bits and a sign.
#[inline]
#[target_feature(enable = "neon")]
fn has_extreme(v: int16x8_t) -> bool {
    vmaxvq_u16(vreinterpretq_u16_s16(vaddq_s16(v, vdupq_n_s16(8192)))) > 16383
}

/// Values beyond which libjpeg's shortcut for blocks of one row wraps.
#[cold]
#[inline(never)]
fn extreme_block(group: &Group, quantisation: &Group, lane: usize) -> [u64; 8] {
    let mut samples = [0; 8 * 8 * LANES];
    idct::inverse_dct(group, quantisation, lane, &mut samples, 8 * LANES);
    std::array::from_fn(|row| {
        let row = samples[8 * (LANES * row + lane)..].first_chunk().expect("a block's row");
        u64::from_le_bytes(*row)
    })
}

/// The even and the odd parts of four columns' transform, with `rounding` in the even ones: their sums are the first
/// four values, their differences the others from the last one on. With `QUARTER` the last four of `x` are taken for
/// zero.
#[inline]
#[target_feature(enable = "neon")]
fn parts<const HIGH: bool, const QUARTER: bool>(
    f: &[int16x8_t; 4],
    x: &[int16x8_t; 8],
    rounding: i32,
) -> [(int32x4_t, int32x4_t); 4] {
    let rounding = vdupq_n_s32(rounding);
    let (sum, difference, high, low, odd);
    if QUARTER {
        sum = add_product!(HIGH, rounding, x[0], f, UNIT);
        difference = sum;
        high = product!(HIGH, x[2], f, TWO_TO_HIGH);
        low = product!(HIGH, x[2], f, TWO_TO_LOW);
        let first = product!(HIGH, x[3], f, QUARTER_THREE_TO_FIRST);
        let second = product!(HIGH, x[3], f, QUARTER_THREE_TO_SECOND);
        let third = product!(HIGH, x[3], f, QUARTER_THREE_TO_THIRD);
        let fourth = product!(HIGH, x[3], f, QUARTER_THREE_TO_FOURTH);
        odd = [
            add_product!(HIGH, first, x[1], f, QUARTER_ONE_TO_FIRST),
            add_product!(HIGH, second, x[1], f, QUARTER_ONE_TO_SECOND),
            add_product!(HIGH, third, x[1], f, QUARTER_ONE_TO_THIRD),
            add_product!(HIGH, fourth, x[1], f, QUARTER_ONE_TO_FOURTH),
        ];
    } else {
        sum = add_product!(HIGH, rounding, vaddq_s16(x[0], x[4]), f, UNIT);
        difference = add_product!(HIGH, rounding, vsubq_s16(x[0], x[4]), f, UNIT);
        let of_two = product!(HIGH, x[2], f, TWO_TO_HIGH);
        high = add_product!(HIGH, of_two, x[6], f, SIX_TO_HIGH);
        let of_two = product!(HIGH, x[2], f, TWO_TO_LOW);
        low = add_product!(HIGH, of_two, x[6], f, SIX_TO_LOW);
        let (three, four) = (vaddq_s16(x[3], x[7]), vaddq_s16(x[1], x[5]));
        let w3 = product!(HIGH, three, f, THREE_TO_THREE);
        let w3 = add_product!(HIGH, w3, four, f, ONE_TO_THREE);
        let w4 = product!(HIGH, three, f, THREE_TO_FOUR);
        let w4 = add_product!(HIGH, w4, four, f, ONE_TO_FOUR);
        let first = add_product!(HIGH, w4, x[7], f, SEVEN_TO_FIRST);
        let second = add_product!(HIGH, w3, x[5], f, FIVE_TO_SECOND);
        let third = add_product!(HIGH, w4, x[5], f, FIVE_TO_THIRD);
        let fourth = add_product!(HIGH, w3, x[7], f, SEVEN_TO_FOURTH);
        odd = [
            add_product!(HIGH, first, x[1], f, ONE_TO_FIRST),
            add_product!(HIGH, second, x[3], f, THREE_TO_SECOND),
            add_product!(HIGH, third, x[3], f, THREE_TO_THIRD),
            add_product!(HIGH, fourth, x[1], f, ONE_TO_FOURTH),
        ];
    }
    [
        (vaddq_s32(sum, high), odd[0]),
        (vaddq_s32(difference, low), odd[1]),
        (vsubq_s32(difference, low), odd[2]),
        (vsubq_s32(sum, high), odd[3]),
    ]
}

const ROUNDING: (i32, i32) = (1 << (SHIFTS.0 - 1), 1 << (SHIFTS.1 - 1));

/// The first pass, over columns; returns columns of its results.
#[inline]
#[target_feature(enable = "neon")]
fn columns(factors: &[int16x8_t; 4], rows: [int16x8_t; 8]) -> [int16x8_t; 8] {
    const SHIFT: i32 = SHIFTS.0 as i32;
    let low = parts::<false, false>(factors, &rows, ROUNDING.0);
    let high = parts::<true, false>(factors, &rows, ROUNDING.0);
    transposed(std::array::from_fn(|i| {
        let ((a, b), (c, d)) = if i < 4 { (low[i], high[i]) } else { (low[7 - i], high[7 - i]) };
        let (low, high) =
            if i < 4 { (vaddq_s32(a, b), vaddq_s32(c, d)) } else { (vsubq_s32(a, b), vsubq_s32(c, d)) };
        vqshrn_high_n_s32::<SHIFT>(vqshrn_n_s32::<SHIFT>(low), high)
    }))
}

/// The same where the last four columns and rows are zero.
#[inline]
#[target_feature(enable = "neon")]
fn quarter_columns(factors: &[int16x8_t; 4], rows: [int16x8_t; 8]) -> [int16x8_t; 8] {
    const SHIFT: i32 = SHIFTS.0 as i32;
    let parts = parts::<false, true>(factors, &rows, ROUNDING.0);
    // Of four columns row `i` and row `i + 4`.
    let [a, b, c, d]: [int16x8_t; 4] = std::array::from_fn(|i| {
        let upper = vaddq_s32(parts[i].0, parts[i].1);
        let lower = vsubq_s32(parts[3 - i].0, parts[3 - i].1);
        vqshrn_high_n_s32::<SHIFT>(vqshrn_n_s32::<SHIFT>(upper), lower)
    });
    let wide = vreinterpretq_s32_s16;
    let (even, odd) = (wide(vtrn1q_s16(a, b)), wide(vtrn2q_s16(a, b)));
    let (next_even, next_odd) = (wide(vtrn1q_s16(c, d)), wide(vtrn2q_s16(c, d)));
    let zero = vdupq_n_s16(0);
    [
        vreinterpretq_s16_s32(vtrn1q_s32(even, next_even)),
        vreinterpretq_s16_s32(vtrn1q_s32(odd, next_odd)),
        vreinterpretq_s16_s32(vtrn2q_s32(even, next_even)),
        vreinterpretq_s16_s32(vtrn2q_s32(odd, next_odd)),
        zero,
        zero,
        zero,
        zero,
    ]
}

/// The second pass, over rows, of which `x` has columns; returns rows of samples.
#[inline]
#[target_feature(enable = "neon")]
fn second_pass<const QUARTER: bool>(factors: &[int16x8_t; 4], x: [int16x8_t; 8]) -> [u64; 8] {
    // What is left of the shift after the upper halves are taken.
    const SHIFT: i32 = SHIFTS.1 as i32 - 16;
    let low = parts::<false, QUARTER>(factors, &x, ROUNDING.1);
    let high = parts::<true, QUARTER>(factors, &x, ROUNDING.1);
    // Columns `i` and `i + 4`.
    let [a, b, c, d]: [uint8x16_t; 4] = std::array::from_fn(|i| {
        let left = vaddhn_high_s32(vaddhn_s32(low[i].0, low[i].1), high[i].0, high[i].1);
        let (low, high) = (low[3 - i], high[3 - i]);
        let right = vsubhn_high_s32(vsubhn_s32(low.0, low.1), high.0, high.1);
        let bytes = vqshrn_high_n_s16::<SHIFT>(vqshrn_n_s16::<SHIFT>(left), right);
        veorq_u8(vreinterpretq_u8_s8(bytes), vdupq_n_u8(0x80))
    });
    let pairs = |a, b| {
        let (even, odd) = (vtrn1q_u8(a, b), vtrn2q_u8(a, b));
        (vreinterpretq_u16_u8(even), vreinterpretq_u16_u8(odd))
    };
    let ((even, odd), (next_even, next_odd)) = (pairs(a, b), pairs(c, d));
    let wide = vreinterpretq_u32_u16;
    // The left and the right halves of two rows that are four apart.
    let rows = [
        wide(vtrn1q_u16(even, next_even)),
        wide(vtrn1q_u16(odd, next_odd)),
        wide(vtrn2q_u16(even, next_even)),
        wide(vtrn2q_u16(odd, next_odd)),
    ];
    let whole = |a, b| (vreinterpretq_u64_u32(vuzp1q_u32(a, b)), vreinterpretq_u64_u32(vuzp2q_u32(a, b)));
    let ((a, c), (b, d)) = (whole(rows[0], rows[1]), whole(rows[2], rows[3]));
    [
        vgetq_lane_u64::<0>(a),
        vgetq_lane_u64::<1>(a),
        vgetq_lane_u64::<0>(b),
        vgetq_lane_u64::<1>(b),
        vgetq_lane_u64::<0>(c),
        vgetq_lane_u64::<1>(c),
        vgetq_lane_u64::<0>(d),
        vgetq_lane_u64::<1>(d),
    ]
}
