//! What the kernels of AVX-512 share: the weights and the loads of a register, and sums to bytes.

use std::arch::x86_64::*;
use std::ops::Range;

use crate::resample::kernels::limbs;
use crate::resample::weights::{HALF, PRECISION, Weights};

/// Bytes of a register.
pub const BYTES: usize = 64;
/// Elements of a register, each of which sums up four taps of a step.
pub const ELEMENTS: usize = 16;

/// Weights of one step for the outputs of a block.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Step([[i32; ELEMENTS]; 3]);

/// The outputs that one register computes.
#[derive(Debug)]
pub struct Block {
    /// Byte offset of the first load in the row.
    pub base: usize,
    pub steps: usize,
    /// Which loaded byte goes where.
    pub index: [u8; BYTES],
}

/// Steps of `taps` taps each that the longest of these outputs takes, at least one.
pub fn steps(weights: &Weights, outputs: Range<usize>, taps: usize) -> usize {
    let longest = outputs.map(|output| weights.get(output).1.len()).max().unwrap_or(0);
    longest.div_ceil(taps).max(1)
}

impl Step {
    /// With weights of zero alone.
    pub const EMPTY: Self = Self([[0; ELEMENTS]; 3]);

    /// Gives these elements the weights of four taps of an output: those from `tap` on, counted from `lead` taps before
    /// its first one. Where there is no such tap the weight is zero. `None` where a weight is too large.
    pub fn set(&mut self, elements: Range<usize>, weights: &[i32], tap: usize, lead: usize) -> Option<()> {
        let weight =
            |i: usize| (tap + i).checked_sub(lead).and_then(|tap| weights.get(tap)).copied().unwrap_or(0);
        let words = limbs::words(std::array::from_fn(weight))?;
        for (limb, word) in self.0.iter_mut().zip(words) {
            limb[elements.clone()].fill(word);
        }
        Some(())
    }

    /// A register of each limb.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn load(&self) -> [__m512i; 3] {
        let mut limbs = [_mm512_setzero_si512(); 3];
        for (limb, words) in limbs.iter_mut().zip(&self.0) {
            // SAFETY: each limb is 64 bytes, at a multiple of 64.
            *limb = unsafe { _mm512_load_si512(words.as_ptr().cast()) };
        }
        limbs
    }
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
