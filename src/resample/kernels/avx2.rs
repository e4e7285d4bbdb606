//! The kernels in AVX2.
//!
//! A 22-bit weight is `hi * 2^16 + lo` with `lo` a signed 16-bit and `hi` a small signed 8-bit
//! number, so that `sum(p * w) = (sum(p * hi) << 16) + sum(p * lo)` in wrapping 32-bit arithmetic,
//! exactly. `pmaddubsw` sums the first in 16 bits: construction checks that no sum of
//! `255 * |hi|` leaves them, and refuses the weights otherwise. `pmaddwd` sums the second.

use std::arch::x86_64::*;

use super::kernel::{HorizontalKernel, Pixel, VerticalKernel};
use super::lanes::{LanePlan, for_channels};
use super::limbs::halves;
use crate::pixels::{BLOCK_ROWS, RowBlock};
use crate::resample::weights::{HALF, PRECISION, Weights};
use crate::simd::Avx2;

/// Sums of `|hi|` up to this keep `255 * sum` in 16 signed bits.
const MAX_HI_SUM: i32 = 128;
/// 128-bit lanes of a register.
const LANES: usize = 2;
/// Columns that the vertical pass computes at a time: rows and output are padded to a multiple of it.
const COLUMNS: usize = 32;
/// Taps inside a 32-bit element: even bytes hold taps 0 and 1, odd bytes taps 2 and 3, so that a
/// mask and a shift widen them to the 16-bit pairs of `pmaddwd`.
const ORDER: [usize; 4] = [0, 2, 1, 3];

/// The parts of a weight; `None` for one of 2^23 or so and more.
fn split(weight: i32) -> Option<(i8, i16)> {
    let (hi, lo) = halves(weight);
    Some((i8::try_from(hi).ok()?, lo))
}

/// The horizontal pass; `None` when the row is too short or the weights too large for it.
pub(super) fn horizontal(proof: Avx2, weights: &Weights, pixel: Pixel) -> Option<Box<dyn HorizontalKernel>> {
    Some(Box::new(HorizontalAvx2::new(proof, weights, pixel)?))
}

/// The vertical pass; `None` when the weights are too large for it.
pub(super) fn vertical(proof: Avx2, weights: &Weights) -> Option<Box<dyn VerticalKernel>> {
    Some(Box::new(VerticalAvx2::new(proof, weights)?))
}

/// Weights of one step for the two outputs of a block.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
struct Step {
    hi: [i8; 32],
    even: [i16; 16],
    odd: [i16; 16],
}

/// The horizontal pass, its weights laid out for the loop.
#[derive(Debug)]
struct HorizontalAvx2 {
    lanes: LanePlan<LANES>,
    steps: Vec<Step>,
    _proof: Avx2,
}

impl HorizontalAvx2 {
    fn new(proof: Avx2, weights: &Weights, pixel: Pixel) -> Option<Self> {
        // Four outputs in a lane take no sums over its elements.
        let neighbours =
            (pixel.bytes == 1).then(|| LanePlan::<LANES>::of_neighbours(weights, ORDER)).flatten();
        Self::with_lanes(proof, weights, neighbours.or_else(|| LanePlan::new(weights, pixel, ORDER))?)
    }

    fn with_lanes(proof: Avx2, weights: &Weights, lanes: LanePlan<LANES>) -> Option<Self> {
        let mut steps = vec![Step { hi: [0; 32], even: [0; 16], odd: [0; 16] }; lanes.steps()];
        // One row of |hi| sums per block: a sum for each 16-bit element of the register.
        let mut sums = vec![[0_i32; 16]; lanes.blocks.len()];
        let mut fits = true;
        lanes.for_each_weight(weights, ORDER, |block, step, lane, byte, weight| {
            let Some((hi, lo)) = split(weight) else {
                fits = false;
                return;
            };
            let at = lane * 16 + byte;
            let step = &mut steps[step];
            step.hi[at] = hi;
            let half = if at.is_multiple_of(2) { &mut step.even } else { &mut step.odd };
            half[at / 2] = lo;
            sums[block][at / 2] += i32::from(hi).abs();
        });
        fits &= sums.iter().flatten().all(|&sum| sum <= MAX_HI_SUM);
        fits.then_some(Self { lanes, steps, _proof: proof })
    }

    /// Bytes that a finished row needs room for: the last store writes a few past its pixels.
    fn out_bytes(&self) -> usize {
        self.lanes.blocks.len() * LANES * self.lanes.channels + 8
    }

    #[target_feature(enable = "avx2")]
    fn run_channels<const C: usize>(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        let bytes_per_step = self.lanes.step_bytes;
        let low_bytes = _mm256_set1_epi16(0x00ff);
        let compact = compaction::<C>();
        let mut steps = self.steps.iter();
        for (b, block) in self.lanes.blocks.iter().enumerate() {
            // SAFETY: `shuffle` is 32 bytes.
            let shuffle = unsafe { _mm256_loadu_si256(block.shuffle.as_ptr().cast()) };
            let mut hi = [_mm256_setzero_si256(); BLOCK_ROWS];
            let mut lo = [_mm256_setzero_si256(); BLOCK_ROWS];
            for (i, step) in steps.by_ref().take(block.steps.get()).enumerate() {
                // SAFETY: the three fields are 32 bytes each.
                let (w_hi, w_even, w_odd) = unsafe {
                    (
                        _mm256_load_si256((&raw const step.hi).cast()),
                        _mm256_load_si256((&raw const step.even).cast()),
                        _mm256_load_si256((&raw const step.odd).cast()),
                    )
                };
                for r in 0..BLOCK_ROWS {
                    let row = rows[r].as_ptr();
                    // SAFETY: `LanePlan::new` asserts that the loads of every step end inside
                    // `row_bytes`, and `run` that the rows are that long.
                    let loaded = unsafe {
                        let at = i * bytes_per_step;
                        let first = _mm_loadu_si128(row.add(block.offsets[0] + at).cast());
                        let second = _mm_loadu_si128(row.add(block.offsets[1] + at).cast());
                        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(first), second)
                    };
                    let taps = _mm256_shuffle_epi8(loaded, shuffle);
                    hi[r] = _mm256_add_epi16(hi[r], _mm256_maddubs_epi16(taps, w_hi));
                    let even = _mm256_and_si256(taps, low_bytes);
                    let odd = _mm256_srli_epi16::<8>(taps);
                    lo[r] = _mm256_add_epi32(lo[r], _mm256_madd_epi16(even, w_even));
                    lo[r] = _mm256_add_epi32(lo[r], _mm256_madd_epi16(odd, w_odd));
                }
            }
            let mut sums = [_mm256_setzero_si256(); BLOCK_ROWS];
            for r in 0..BLOCK_ROWS {
                let high = _mm256_slli_epi32::<16>(_mm256_madd_epi16(hi[r], _mm256_set1_epi16(1)));
                let mut sum = _mm256_add_epi32(high, lo[r]);
                // With fewer channels, several elements of a lane sum up one value.
                if C <= 2 {
                    sum = _mm256_add_epi32(sum, _mm256_shuffle_epi32::<0b01_00_11_10>(sum));
                }
                if C == 1 {
                    sum = _mm256_add_epi32(sum, _mm256_shuffle_epi32::<0b10_11_00_01>(sum));
                }
                sums[r] = round(sum);
            }
            let rows01 = _mm256_packs_epi32(sums[0], sums[1]);
            let rows23 = _mm256_packs_epi32(sums[2], sums[3]);
            let bytes = _mm256_packus_epi16(rows01, rows23);
            // Both outputs of a row side by side, then without the unused bytes.
            let pairs = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
            let pairs = _mm256_shuffle_epi8(pairs, compact);
            let (rows01, rows23) = (_mm256_castsi256_si128(pairs), _mm256_extracti128_si256::<1>(pairs));
            let at = b * LANES * C;
            // SAFETY: `run` asserts four rows of at least `out_bytes`, 8 bytes after the last
            // block's first byte.
            unsafe {
                let out = out.as_mut_ptr().add(at);
                _mm_storel_epi64(out.cast(), rows01);
                _mm_storel_epi64(out.add(stride).cast(), _mm_unpackhi_epi64(rows01, rows01));
                _mm_storel_epi64(out.add(2 * stride).cast(), rows23);
                _mm_storel_epi64(out.add(3 * stride).cast(), _mm_unpackhi_epi64(rows23, rows23));
            }
        }
    }
}

impl HorizontalKernel for HorizontalAvx2 {
    fn run(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        self.lanes.check(rows);
        assert!(stride >= self.out_bytes() && out.len() >= BLOCK_ROWS * stride, "out holds four rows");
        // SAFETY: `_proof` shows that the processor has AVX2.
        unsafe { for_channels!(self.lanes.channels, self.run_channels(rows, out, stride)) }
    }
}

/// Sums to integers: rounds half up, still unclamped.
#[inline]
#[target_feature(enable = "avx2")]
fn round(sum: __m256i) -> __m256i {
    let half = _mm256_set1_epi32(HALF);
    _mm256_srai_epi32::<{ PRECISION as i32 }>(_mm256_add_epi32(sum, half))
}

/// Shuffle that drops the unused bytes of two pixels of four bytes each.
#[target_feature(enable = "avx2")]
fn compaction<const C: usize>() -> __m256i {
    let mut shuffle = [0x80_u8; 32];
    for half in 0..4 {
        for i in 0..2 * C {
            shuffle[half * 8 + i] = ((half % 2) * 8 + (i / C) * 4 + i % C) as u8;
        }
    }
    // SAFETY: `shuffle` is 32 bytes.
    unsafe { _mm256_loadu_si256(shuffle.as_ptr().cast()) }
}

/// Weights of two source rows.
#[derive(Clone, Copy, Debug)]
struct Pair {
    /// Two signed bytes, twice.
    hi: i32,
    /// Two signed 16-bit numbers.
    lo: i32,
}

/// The vertical pass, its weights laid out for the loop.
#[derive(Debug)]
struct VerticalAvx2 {
    /// The pairs of all outputs one after the other, and where each output's begin.
    pairs: Vec<Pair>,
    firsts: Vec<usize>,
    _proof: Avx2,
}

impl VerticalAvx2 {
    fn new(proof: Avx2, weights: &Weights) -> Option<Self> {
        let mut pairs = Vec::new();
        let mut firsts = vec![0];
        for (_, taps) in weights.iter() {
            let mut sum = 0;
            for two in taps.chunks(2) {
                let (hi0, lo0) = split(two[0])?;
                let (hi1, lo1) = split(two.get(1).copied().unwrap_or(0))?;
                sum += i32::from(hi0).abs() + i32::from(hi1).abs();
                let [hi0, hi1] = [hi0 as u8, hi1 as u8];
                let ([a, b], [c, d]) = (lo0.to_le_bytes(), lo1.to_le_bytes());
                pairs.push(Pair {
                    hi: i32::from_le_bytes([hi0, hi1, hi0, hi1]),
                    lo: i32::from_le_bytes([a, b, c, d]),
                });
            }
            if sum > MAX_HI_SUM {
                return None;
            }
            firsts.push(pairs.len());
        }
        Some(Self { pairs, firsts, _proof: proof })
    }

    #[target_feature(enable = "avx2")]
    fn run_pairs(&self, pairs: &[Pair], rows: &[&[u8]], out: &mut [u8], padded: usize) {
        let zero = _mm256_setzero_si256();
        for x in (0..padded).step_by(COLUMNS) {
            let mut lo = [zero; 4];
            let mut hi = [zero; 2];
            for (pair, two) in pairs.iter().zip(rows.chunks(2)) {
                let w_hi = _mm256_set1_epi32(pair.hi);
                let w_lo = _mm256_set1_epi32(pair.lo);
                // SAFETY: `run` asserts that every row has `padded` bytes.
                let (first, second) = unsafe {
                    (
                        _mm256_loadu_si256(two[0].as_ptr().add(x).cast()),
                        _mm256_loadu_si256(two[two.len() - 1].as_ptr().add(x).cast()),
                    )
                };
                let low = _mm256_unpacklo_epi8(first, second);
                let high = _mm256_unpackhi_epi8(first, second);
                hi[0] = _mm256_add_epi16(hi[0], _mm256_maddubs_epi16(low, w_hi));
                hi[1] = _mm256_add_epi16(hi[1], _mm256_maddubs_epi16(high, w_hi));
                let wide = [
                    _mm256_unpacklo_epi8(low, zero),
                    _mm256_unpackhi_epi8(low, zero),
                    _mm256_unpacklo_epi8(high, zero),
                    _mm256_unpackhi_epi8(high, zero),
                ];
                for part in 0..4 {
                    lo[part] = _mm256_add_epi32(lo[part], _mm256_madd_epi16(wide[part], w_lo));
                }
            }
            // Interleaving with zero below shifts the 16-bit sums up by 16.
            let sums = [
                round(_mm256_add_epi32(lo[0], _mm256_unpacklo_epi16(zero, hi[0]))),
                round(_mm256_add_epi32(lo[1], _mm256_unpackhi_epi16(zero, hi[0]))),
                round(_mm256_add_epi32(lo[2], _mm256_unpacklo_epi16(zero, hi[1]))),
                round(_mm256_add_epi32(lo[3], _mm256_unpackhi_epi16(zero, hi[1]))),
            ];
            // The in-lane packs undo the in-lane unpacks.
            let low = _mm256_packs_epi32(sums[0], sums[1]);
            let high = _mm256_packs_epi32(sums[2], sums[3]);
            // SAFETY: `run` asserts that the output has `padded` bytes.
            unsafe {
                _mm256_storeu_si256(out.as_mut_ptr().add(x).cast(), _mm256_packus_epi16(low, high));
            }
        }
    }
}

impl VerticalKernel for VerticalAvx2 {
    fn run(&self, y: usize, rows: &[&[u8]], out: &mut [u8], len: usize) {
        let pairs = &self.pairs[self.firsts[y]..self.firsts[y + 1]];
        let padded = len.next_multiple_of(COLUMNS);
        assert_eq!(pairs.len(), rows.len().div_ceil(2), "as many rows as taps");
        assert!(rows.iter().all(|row| row.len() >= padded), "source rows are padded");
        assert!(out.len() >= padded, "the output row is padded");
        // SAFETY: `_proof` shows that the processor has AVX2.
        unsafe { self.run_pairs(pairs, rows, out, padded) }
    }
}
