//! The vertical pass in AVX-512.

use std::arch::x86_64::*;

use super::registers::{BYTES, combine, pack, round};
use crate::resample::kernels::kernel::VerticalKernel;
use crate::resample::kernels::limbs;
use crate::resample::weights::Weights;
use crate::simd::Avx512;

/// Weights of four source rows: the four bytes of each limb.
type Quad = [i32; 3];

/// The vertical pass, its weights laid out for the loop.
#[derive(Debug)]
pub struct VerticalAvx512 {
    /// The quads of all outputs one after the other, and where each output's begin.
    quads: Vec<Quad>,
    firsts: Vec<usize>,
    _proof: Avx512,
}

impl VerticalAvx512 {
    /// `None` when the weights are too large.
    pub fn new(proof: Avx512, weights: &Weights) -> Option<Self> {
        let mut quads = Vec::with_capacity(weights.iter().map(|(_, taps)| taps.len().div_ceil(4)).sum());
        let mut firsts = Vec::with_capacity(weights.len() + 1);
        firsts.push(0);
        for (_, taps) in weights.iter() {
            for four in taps.chunks(4) {
                let weight = |tap| four.get(tap).copied().unwrap_or(0);
                quads.push(limbs::words(std::array::from_fn(weight))?);
            }
            firsts.push(quads.len());
        }
        Some(Self { quads, firsts, _proof: proof })
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn run_quads(&self, quads: &[Quad], rows: &[&[u8]], out: &mut [u8]) {
        for (x, out) in out.as_chunks_mut::<BYTES>().0.iter_mut().enumerate() {
            let mut sums = [[_mm512_setzero_si512(); 3]; 4];
            for (limbs, four) in quads.iter().zip(rows.chunks(4)) {
                let mut loaded = [_mm512_setzero_si512(); 4];
                for i in 0..4 {
                    // Rows after the last one have weights of zero.
                    let row = four[i.min(four.len() - 1)];
                    // SAFETY: `run` asserts that every row is as long as the padded output.
                    loaded[i] = unsafe { _mm512_loadu_si512(row.as_ptr().add(x * BYTES).cast()) };
                }
                let [a, b, c, d] = loaded;
                let (low_ab, high_ab) = (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
                let (low_cd, high_cd) = (_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
                let taps = [
                    _mm512_unpacklo_epi16(low_ab, low_cd),
                    _mm512_unpackhi_epi16(low_ab, low_cd),
                    _mm512_unpacklo_epi16(high_ab, high_cd),
                    _mm512_unpackhi_epi16(high_ab, high_cd),
                ];
                for limb in 0..3 {
                    let weights = _mm512_set1_epi32(limbs[limb]);
                    for part in 0..4 {
                        sums[part][limb] = _mm512_dpbusd_epi32(sums[part][limb], taps[part], weights);
                    }
                }
            }
            let mut rounded = [_mm512_setzero_si512(); 4];
            for part in 0..4 {
                rounded[part] = round(combine(sums[part]));
            }
            // The in-lane packs undo the in-lane unpacks.
            let bytes = pack(rounded);
            // SAFETY: `out` is 64 bytes.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), bytes) };
        }
    }
}

impl VerticalKernel for VerticalAvx512 {
    fn run(&self, y: usize, rows: &[&[u8]], out: &mut [u8], len: usize) {
        let quads = &self.quads[self.firsts[y]..self.firsts[y + 1]];
        let padded = len.next_multiple_of(BYTES);
        assert_eq!(quads.len(), rows.len().div_ceil(4), "as many rows as taps");
        assert!(rows.iter().all(|row| row.len() >= padded), "source rows are padded");
        assert!(out.len() >= padded, "the output row is padded");
        // SAFETY: `_proof` shows that the processor has these instructions.
        unsafe { self.run_quads(quads, rows, &mut out[..padded]) }
    }
}
