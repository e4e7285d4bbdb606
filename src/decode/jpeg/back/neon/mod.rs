//! The kernels in NEON: a block at a time.

mod full;
mod reduced;

use std::arch::aarch64::*;

use super::factors::*;
use super::idct::{Group, LANES, at};
use super::kernels::clear;
use crate::simd::Neon;

/// The kernels of this instruction set.
pub struct Kernels {
    factors: Factors,
    _proof: Neon,
}

impl Kernels {
    pub fn new(proof: Neon) -> Self {
        Self { factors: FACTORS, _proof: proof }
    }
}

impl super::kernels::Kernels for Kernels {
    fn inverse_dct(
        &self,
        group: &mut Group,
        quantisation: &Group,
        last: u8,
        side: usize,
        out: &mut [u8],
        stride: usize,
    ) {
        // SAFETY: `_proof` shows that the processor has NEON.
        unsafe {
            match side {
                8 => full::inverse_dct(&self.factors, group, quantisation, last, out, stride),
                4 => reduced::inverse_dct_to_four(&self.factors, group, quantisation, out, stride),
                2 => reduced::inverse_dct_to_two(&self.factors, group, quantisation, out, stride),
                side => {
                    for lane in 0..LANES {
                        super::reduced::inverse_dct(group, quantisation, lane, side, out, stride);
                    }
                }
            }
        }
        clear(group, last);
    }
}

/// Factors as they lie in registers, of which an instruction takes one lane. The value is read from memory at run
/// time: a compiler that knows it spends a register on each factor.
type Factors = [[i16; 8]; 4];

/// The register of a factor, and its lane.
type Place = (usize, i32);

const FACTORS: Factors = [
    [
        1 << 13,
        first(EVEN[0]),
        second(EVEN[0]),
        second(EVEN[1]),
        first(ODD_SUMS[0]),
        second(ODD_SUMS[0]),
        second(ODD_SUMS[1]),
        1 << 14,
    ],
    [
        first(ODD[0]),
        second(ODD[0]),
        first(ODD[1]),
        second(ODD[1]),
        first(ODD[2]),
        first(ODD[3]),
        first(FOUR_EVEN),
        second(FOUR_EVEN),
    ],
    [
        second(ODD_OF_QUARTER[0]),
        first(ODD_OF_QUARTER[1]),
        first(ODD_OF_QUARTER[2]),
        second(ODD_OF_QUARTER[3]),
        first(TWO_ODD[0]),
        second(TWO_ODD[0]),
        first(TWO_ODD[1]),
        second(TWO_ODD[1]),
    ],
    [
        first(FOUR_OUTER[0]),
        second(FOUR_OUTER[0]),
        first(FOUR_OUTER[1]),
        second(FOUR_OUTER[1]),
        first(FOUR_INNER[0]),
        second(FOUR_INNER[0]),
        first(FOUR_INNER[1]),
        second(FOUR_INNER[1]),
    ],
];

const fn first(pair: i32) -> i16 {
    pair as i16
}

const fn second(pair: i32) -> i16 {
    (pair >> 16) as i16
}

#[inline]
#[target_feature(enable = "neon")]
fn load_factors(factors: &Factors) -> [int16x8_t; 4] {
    [load(&factors[0]), load(&factors[1]), load(&factors[2]), load(&factors[3])]
}

#[inline]
#[target_feature(enable = "neon")]
fn load(values: &[i16]) -> int16x8_t {
    let values: &[i16; 8] = values.first_chunk().expect("a register's values");
    // SAFETY: the array is as long as the register.
    unsafe { vld1q_s16(values.as_ptr()) }
}

/// A row of a block, dequantised. Both wrap at 16 bits.
#[inline]
#[target_feature(enable = "neon")]
fn dequantised(group: &Group, quantisation: &Group, row: usize, lane: usize) -> int16x8_t {
    let at = at(row, lane);
    vmulq_s16(load(&group[at..]), load(&quantisation[at..]))
}

/// A product of the lower or the higher half of lanes with the factor at a place.
macro_rules! product {
    ($high:expr, $x:expr, $factors:expr, $place:ident) => {{
        const PLACE: crate::decode::jpeg::back::neon::Place = $place;
        if $high {
            vmull_high_laneq_s16::<{ PLACE.1 }>($x, $factors[PLACE.0])
        } else {
            vmull_laneq_s16::<{ PLACE.1 }>(vget_low_s16($x), $factors[PLACE.0])
        }
    }};
}
use product;

/// The same added to a sum.
macro_rules! add_product {
    ($high:expr, $sum:expr, $x:expr, $factors:expr, $place:ident) => {{
        const PLACE: crate::decode::jpeg::back::neon::Place = $place;
        if $high {
            vmlal_high_laneq_s16::<{ PLACE.1 }>($sum, $x, $factors[PLACE.0])
        } else {
            vmlal_laneq_s16::<{ PLACE.1 }>($sum, vget_low_s16($x), $factors[PLACE.0])
        }
    }};
}
use add_product;

/// Columns for rows, of eight by eight.
#[inline]
#[target_feature(enable = "neon")]
fn transposed(x: [int16x8_t; 8]) -> [int16x8_t; 8] {
    let pairs = |a, b| {
        let (even, odd) = (vtrn1q_s16(a, b), vtrn2q_s16(a, b));
        (vreinterpretq_s32_s16(even), vreinterpretq_s32_s16(odd))
    };
    // Of two rows the even columns and the odd ones; of four rows every fourth column from 0 on, and so on.
    let ((a, b), (c, d)) = (pairs(x[0], x[1]), pairs(x[2], x[3]));
    let ((e, f), (g, h)) = (pairs(x[4], x[5]), pairs(x[6], x[7]));
    let wide = vreinterpretq_s64_s32;
    let upper =
        [wide(vtrn1q_s32(a, c)), wide(vtrn1q_s32(b, d)), wide(vtrn2q_s32(a, c)), wide(vtrn2q_s32(b, d))];
    let lower =
        [wide(vtrn1q_s32(e, g)), wide(vtrn1q_s32(f, h)), wide(vtrn2q_s32(e, g)), wide(vtrn2q_s32(f, h))];
    std::array::from_fn(|i| {
        let (upper, lower) = (upper[i % 4], lower[i % 4]);
        vreinterpretq_s16_s64(if i < 4 { vtrn1q_s64(upper, lower) } else { vtrn2q_s64(upper, lower) })
    })
}
