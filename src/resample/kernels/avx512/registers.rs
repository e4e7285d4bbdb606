//! What the kernels of AVX-512 share: the weights and the loads of a register, and sums to bytes.

use std::arch::x86_64::*;

use crate::resample::kernels::limbs;
use crate::resample::weights::{HALF, PRECISION};

/// Bytes of a register.
pub const BYTES: usize = 64;

/// Weights of one step for the outputs of a block.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Step(pub [[i8; BYTES]; 3]);

/// The outputs that one register computes.
#[derive(Debug)]
pub struct Block {
    /// Byte offset of the first load in the row.
    pub base: usize,
    pub steps: usize,
    /// Which loaded byte goes where.
    pub index: [u8; BYTES],
}

/// Writes the weights of an output to byte `at` of its steps: in each that of the tap whose number `tap` gives, or zero
/// where there is no such tap. `None` where a weight is too large.
pub fn lay_out(
    steps: &mut [Step],
    at: usize,
    weights: &[i32],
    tap: impl Fn(usize) -> Option<usize>,
) -> Option<()> {
    for (step, Step(limbs)) in steps.iter_mut().enumerate() {
        let weight = tap(step).and_then(|tap| weights.get(tap)).copied().unwrap_or(0);
        for (limb, part) in limbs.iter_mut().zip(limbs::bytes(weight)?) {
            limb[at] = part;
        }
    }
    Some(())
}

/// The sum that the sums of the three weight bytes make up.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub fn combine([a, b, c]: [__m512i; 3]) -> __m512i {
    _mm512_add_epi32(_mm512_add_epi32(_mm512_slli_epi32::<16>(a), _mm512_slli_epi32::<8>(b)), c)
}

/// Sums to integers: rounds half up, still unclamped.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub fn round(sum: __m512i) -> __m512i {
    let half = _mm512_set1_epi32(HALF);
    _mm512_srai_epi32::<PRECISION>(_mm512_add_epi32(sum, half))
}

/// Four registers of integers to one of bytes, clamped, lane by lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub fn pack(sums: [__m512i; 4]) -> __m512i {
    let low = _mm512_packs_epi32(sums[0], sums[1]);
    let high = _mm512_packs_epi32(sums[2], sums[3]);
    _mm512_packus_epi16(low, high)
}
