//! The inverse DCTs of reduced size.

use std::arch::aarch64::*;

use super::{Factors, Place, add_product, dequantised, load_factors, product, transposed};
use crate::decode::jpeg::back::idct::{Group, LANES};
use crate::decode::jpeg::back::reduced::{SHIFTS_OF_FOUR, SHIFTS_OF_TWO};

const UNIT: Place = (0, 7);
const TWO: Place = (1, 6);
const SIX: Place = (1, 7);
const THREE_TO_OUTER: Place = (3, 0);
const ONE_TO_OUTER: Place = (3, 1);
const SEVEN_TO_OUTER: Place = (3, 2);
const FIVE_TO_OUTER: Place = (3, 3);
const THREE_TO_INNER: Place = (3, 4);
const ONE_TO_INNER: Place = (3, 5);
const SEVEN_TO_INNER: Place = (3, 6);
const FIVE_TO_INNER: Place = (3, 7);
/// For two samples.
const ONE: Place = (2, 4);
const THREE: Place = (2, 5);
const FIVE: Place = (2, 6);
const SEVEN: Place = (2, 7);

/// The even and the odd parts of four columns' transform to four samples: their sums are the first two, their
/// differences the others from the last one on.
#[inline]
#[target_feature(enable = "neon")]
fn parts_of_four<const HIGH: bool>(
    f: &[int16x8_t; 4],
    x: &[int16x8_t; 8],
    shift: u32,
) -> [(int32x4_t, int32x4_t); 2] {
    let first = add_product!(HIGH, vdupq_n_s32(1 << (shift - 1)), x[0], f, UNIT);
    let even = product!(HIGH, x[2], f, TWO);
    let even = add_product!(HIGH, even, x[6], f, SIX);
    let outer = product!(HIGH, x[3], f, THREE_TO_OUTER);
    let outer = add_product!(HIGH, outer, x[1], f, ONE_TO_OUTER);
    let outer = add_product!(HIGH, outer, x[7], f, SEVEN_TO_OUTER);
    let outer = add_product!(HIGH, outer, x[5], f, FIVE_TO_OUTER);
    let inner = product!(HIGH, x[3], f, THREE_TO_INNER);
    let inner = add_product!(HIGH, inner, x[1], f, ONE_TO_INNER);
    let inner = add_product!(HIGH, inner, x[7], f, SEVEN_TO_INNER);
    let inner = add_product!(HIGH, inner, x[5], f, FIVE_TO_INNER);
    [(vaddq_s32(first, even), outer), (vsubq_s32(first, even), inner)]
}

#[target_feature(enable = "neon")]
pub fn inverse_dct_to_four(
    factors: &Factors,
    group: &Group,
    quantisation: &Group,
    out: &mut [u8],
    stride: usize,
) {
    const SHIFT: i32 = SHIFTS_OF_FOUR.0 as i32;
    // What is left of the shift after the upper halves are taken.
    const REST: i32 = SHIFTS_OF_FOUR.1 as i32 - 16;
    let factors = load_factors(factors);
    let columns = |lane: usize| -> [int16x8_t; 4] {
        let x = std::array::from_fn(|r| dequantised(group, quantisation, r, lane));
        let [outer, inner] = parts_of_four::<false>(&factors, &x, SHIFTS_OF_FOUR.0);
        let [high_outer, high_inner] = parts_of_four::<true>(&factors, &x, SHIFTS_OF_FOUR.0);
        let narrow = |low, high| vqshrn_high_n_s32::<SHIFT>(vqshrn_n_s32::<SHIFT>(low), high);
        [
            narrow(vaddq_s32(outer.0, outer.1), vaddq_s32(high_outer.0, high_outer.1)),
            narrow(vaddq_s32(inner.0, inner.1), vaddq_s32(high_inner.0, high_inner.1)),
            narrow(vsubq_s32(inner.0, inner.1), vsubq_s32(high_inner.0, high_inner.1)),
            narrow(vsubq_s32(outer.0, outer.1), vsubq_s32(high_outer.0, high_outer.1)),
        ]
    };
    for two in 0..LANES / 2 {
        let ([a, b, c, d], [e, f, g, h]) = (columns(2 * two), columns(2 * two + 1));
        // Four rows of each of two blocks.
        let x = transposed([a, b, c, d, e, f, g, h]);
        let [outer, inner] = parts_of_four::<false>(&factors, &x, SHIFTS_OF_FOUR.1);
        let [high_outer, high_inner] = parts_of_four::<true>(&factors, &x, SHIFTS_OF_FOUR.1);
        let sum = |low: (_, _), high: (_, _)| vaddhn_high_s32(vaddhn_s32(low.0, low.1), high.0, high.1);
        let difference =
            |low: (_, _), high: (_, _)| vsubhn_high_s32(vsubhn_s32(low.0, low.1), high.0, high.1);
        let (first, second) = (sum(outer, high_outer), sum(inner, high_inner));
        let (third, fourth) = (difference(inner, high_inner), difference(outer, high_outer));
        let bytes = |a, b| vqshrn_high_n_s16::<REST>(vqshrn_n_s16::<REST>(a), b);
        // Columns one and three, two and four: from here on, of each row two neighbours, then four.
        let (odd, even) = (bytes(first, third), bytes(second, fourth));
        let (left, right) = (vzip1q_s8(odd, even), vzip2q_s8(odd, even));
        let (left, right) = (vreinterpretq_s16_s8(left), vreinterpretq_s16_s8(right));
        for (block, rows) in [vzip1q_s16(left, right), vzip2q_s16(left, right)].into_iter().enumerate() {
            let rows = veorq_u8(vreinterpretq_u8_s16(rows), vdupq_n_u8(0x80));
            for (row, samples) in bytes_of(rows).as_chunks::<4>().0.iter().enumerate() {
                out[row * stride + 4 * (2 * two + block)..][..4].copy_from_slice(samples);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn bytes_of(v: uint8x16_t) -> [u8; 16] {
    let mut bytes = [0; 16];
    // SAFETY: the array is as long as the register.
    unsafe { vst1q_u8(bytes.as_mut_ptr(), v) };
    bytes
}

/// The even and the odd part of four columns' transform to two samples, which are the sum and the difference.
#[inline]
#[target_feature(enable = "neon")]
fn parts_of_two<const HIGH: bool>(
    f: &[int16x8_t; 4],
    x: [int16x8_t; 5],
    shift: u32,
) -> (int32x4_t, int32x4_t) {
    let first = if HIGH { vshll_high_n_s16::<15>(x[0]) } else { vshll_n_s16::<15>(vget_low_s16(x[0])) };
    let odd = product!(HIGH, x[1], f, ONE);
    let odd = add_product!(HIGH, odd, x[2], f, THREE);
    let odd = add_product!(HIGH, odd, x[3], f, FIVE);
    let odd = add_product!(HIGH, odd, x[4], f, SEVEN);
    (vaddq_s32(first, vdupq_n_s32(1 << (shift - 1))), odd)
}

#[target_feature(enable = "neon")]
pub fn inverse_dct_to_two(
    factors: &Factors,
    group: &Group,
    quantisation: &Group,
    out: &mut [u8],
    stride: usize,
) {
    const SHIFT: i32 = SHIFTS_OF_TWO.0 as i32;
    const REST: i32 = SHIFTS_OF_TWO.1 as i32 - 16;
    let factors = load_factors(factors);
    let columns = |lane: usize| -> [int16x8_t; 2] {
        let x = [0, 1, 3, 5, 7].map(|r| dequantised(group, quantisation, r, lane));
        let low = parts_of_two::<false>(&factors, x, SHIFTS_OF_TWO.0);
        let high = parts_of_two::<true>(&factors, x, SHIFTS_OF_TWO.0);
        let narrow = |low, high| vqshrn_high_n_s32::<SHIFT>(vqshrn_n_s32::<SHIFT>(low), high);
        [
            narrow(vaddq_s32(low.0, low.1), vaddq_s32(high.0, high.1)),
            narrow(vsubq_s32(low.0, low.1), vsubq_s32(high.0, high.1)),
        ]
    };
    let ([a, b], [c, d], [e, f], [g, h]) = (columns(0), columns(1), columns(2), columns(3));
    // Two rows of each of four blocks.
    let x = transposed([a, b, c, d, e, f, g, h]);
    let x = [x[0], x[1], x[3], x[5], x[7]];
    let low = parts_of_two::<false>(&factors, x, SHIFTS_OF_TWO.1);
    let high = parts_of_two::<true>(&factors, x, SHIFTS_OF_TWO.1);
    let left = vaddhn_high_s32(vaddhn_s32(low.0, low.1), high.0, high.1);
    let right = vsubhn_high_s32(vsubhn_s32(low.0, low.1), high.0, high.1);
    let (left, right) = (vqshrn_n_s16::<REST>(left), vqshrn_n_s16::<REST>(right));
    let (upper, lower) =
        (vreinterpret_u16_s8(vzip1_s8(left, right)), vreinterpret_u16_s8(vzip2_s8(left, right)));
    for (row, samples) in [vuzp1_u16(upper, lower), vuzp2_u16(upper, lower)].into_iter().enumerate() {
        let samples = veor_u8(vreinterpret_u8_u16(samples), vdup_n_u8(0x80));
        let samples = vget_lane_u64::<0>(vreinterpret_u64_u8(samples)).to_le_bytes();
        out[row * stride..][..2 * LANES].copy_from_slice(&samples);
    }
}
