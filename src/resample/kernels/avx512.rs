//! The kernels in AVX-512 with VNNI and VBMI.
//!
//! A weight is three signed bytes, `a * 2^16 + b * 2^8 + c`. `vpdpbusd` multiplies four source bytes
//! with four such bytes and adds all products to a 32-bit element without rounding or saturation, so
//! that `(sum(p * a) << 16) + (sum(p * b) << 8) + sum(p * c)` is the exact sum. `vpermb` brings the
//! bytes of up to four neighbouring outputs from one load of 64 bytes into place.

use std::arch::x86_64::*;

use super::avx512_dense::HorizontalDense;
use super::kernel::{HorizontalKernel, Pixel, VerticalKernel};
use super::lanes::{for_channels, lane_map, taps_per_lane};
use super::limbs;
use crate::pixels::{BLOCK_ROWS, RowBlock};
use crate::resample::weights::{HALF, PRECISION, Weights};
use crate::simd::Avx512;

/// 128-bit lanes of a register.
const LANES: usize = 4;
pub(super) const BYTES: usize = 64;
/// Taps inside a 32-bit element, in their own order.
const ORDER: [usize; 4] = [0, 1, 2, 3];

/// The horizontal pass; `None` when the row is too short or the weights too large for it.
pub(super) fn horizontal(
    proof: Avx512,
    weights: &Weights,
    pixel: Pixel,
) -> Option<Box<dyn HorizontalKernel>> {
    if let Some(kernel) = HorizontalDense::new(proof, weights, pixel) {
        return Some(Box::new(kernel));
    }
    let kernel = |share| HorizontalAvx512::with_share(proof, weights, pixel, share);
    Some(Box::new([1, 2, 4].into_iter().find_map(kernel)?))
}

/// The vertical pass; `None` when the weights are too large for it.
pub(super) fn vertical(proof: Avx512, weights: &Weights) -> Option<Box<dyn VerticalKernel>> {
    Some(Box::new(VerticalAvx512::new(proof, weights)?))
}

/// Weights of one step for the outputs of a block.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Step(pub [[i8; BYTES]; 3]);

/// The outputs that one register computes.
#[derive(Debug)]
pub(super) struct Block {
    /// Byte offset of the first load in the row.
    pub base: usize,
    pub steps: usize,
    /// Which loaded byte goes where.
    pub index: [u8; BYTES],
}

/// The horizontal pass, its weights laid out for the loop.
#[derive(Debug)]
struct HorizontalAvx512 {
    blocks: Vec<Block>,
    steps: Vec<Step>,
    pixel: Pixel,
    /// Lanes that share one output: one while four windows fit into a load, else two or four.
    share: usize,
    row_bytes: usize,
    _proof: Avx512,
}

/// Writes the weights of an output to byte `at` of its steps: in each that of the tap whose number `tap` gives, or zero
/// where there is no such tap. `None` where a weight is too large.
pub(super) fn lay_out(
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

impl HorizontalAvx512 {
    fn with_share(proof: Avx512, weights: &Weights, pixel: Pixel, share: usize) -> Option<Self> {
        let width = weights.inputs().len();
        let Pixel { bytes, channels } = pixel;
        let row_bytes = width * bytes;
        let map = lane_map(channels, ORDER);
        let lane_taps = taps_per_lane(channels);
        let (outputs, step_taps) = (LANES / share, lane_taps * share);
        let mut blocks = Vec::with_capacity(weights.len().div_ceil(outputs));
        let mut steps = Vec::new();
        for x in (0..weights.len()).step_by(outputs) {
            let end = (x + outputs).min(weights.len());
            let taps = (x..end).map(|x| weights.get(x).1.len()).max().unwrap_or(0);
            let count = taps.div_ceil(step_taps).max(1);
            // Each output's first tap moves left until all its steps end inside the row; the weights
            // of the taps before it are zero.
            let last_first = width.checked_sub(count * step_taps)?;
            let firsts: [usize; LANES] =
                std::array::from_fn(|i| weights.get((x + i).min(end - 1)).0.min(last_first));
            let last_base = row_bytes.checked_sub(BYTES + (count - 1) * step_taps * bytes)?;
            let base = firsts.iter().map(|first| first * bytes).min().unwrap_or(0).min(last_base);
            let mut block = Block { base, steps: count, index: [0; BYTES] };
            let first_step = steps.len();
            steps.resize(first_step + count, Step([[0; BYTES]; 3]));
            for lane in 0..LANES {
                let (output, part) = (lane / share, lane % share);
                for (slot, &source) in map.iter().enumerate() {
                    let Some((tap, channel)) = source else { continue };
                    let tap = part * lane_taps + tap;
                    let at = lane * 16 + slot;
                    let index = (firsts[output] + tap) * bytes + channel - base;
                    block.index[at] = u8::try_from(index).ok().filter(|&index| usize::from(index) < BYTES)?;
                    if x + output >= end {
                        continue;
                    }
                    let (start, taps) = weights.get(x + output);
                    let moved = start - firsts[output];
                    lay_out(&mut steps[first_step..], at, taps, |step| {
                        (step * step_taps + tap).checked_sub(moved)
                    })?;
                }
            }
            // The kernel's loads rely on this.
            assert!(
                base + (count - 1) * step_taps * bytes + BYTES <= row_bytes,
                "a load would leave the row"
            );
            blocks.push(block);
        }
        Some(Self { blocks, steps, pixel, share, row_bytes, _proof: proof })
    }

    /// Bytes that a finished row needs room for: the last store writes a few past its pixels.
    fn out_bytes(&self) -> usize {
        self.blocks.len() * LANES / self.share * self.pixel.channels + 16
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
    fn run_channels<const C: usize>(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        let bytes_per_step = self.pixel.bytes * taps_per_lane(C) * self.share;
        let outputs = LANES / self.share;
        let compact = compaction(C, self.share);
        let mut steps = self.steps.iter();
        for (b, block) in self.blocks.iter().enumerate() {
            // SAFETY: `index` is 64 bytes.
            let index = unsafe { _mm512_loadu_si512(block.index.as_ptr().cast()) };
            let mut sums = [[_mm512_setzero_si512(); 3]; BLOCK_ROWS];
            for (i, Step(limbs)) in steps.by_ref().take(block.steps).enumerate() {
                let mut weights = [_mm512_setzero_si512(); 3];
                for limb in 0..3 {
                    // SAFETY: each limb is 64 bytes.
                    weights[limb] = unsafe { _mm512_load_si512(limbs[limb].as_ptr().cast()) };
                }
                for r in 0..BLOCK_ROWS {
                    // SAFETY: construction asserts that the loads of every step end inside
                    // `row_bytes`, and `run` that the rows are that long.
                    let loaded = unsafe {
                        _mm512_loadu_si512(rows[r].as_ptr().add(block.base + i * bytes_per_step).cast())
                    };
                    let taps = _mm512_permutexvar_epi8(index, loaded);
                    for limb in 0..3 {
                        sums[r][limb] = _mm512_dpbusd_epi32(sums[r][limb], taps, weights[limb]);
                    }
                }
            }
            let mut rounded = [_mm512_setzero_si512(); BLOCK_ROWS];
            for r in 0..BLOCK_ROWS {
                let mut sum = combine(sums[r]);
                // With fewer channels, several elements of a lane sum up one value.
                if C <= 2 {
                    sum = _mm512_add_epi32(sum, _mm512_shuffle_epi32::<0b01_00_11_10>(sum));
                }
                if C == 1 {
                    sum = _mm512_add_epi32(sum, _mm512_shuffle_epi32::<0b10_11_00_01>(sum));
                }
                // And so do several lanes that share an output.
                if self.share >= 2 {
                    sum = _mm512_add_epi32(sum, _mm512_shuffle_i32x4::<0b10_11_00_01>(sum, sum));
                }
                if self.share == 4 {
                    sum = _mm512_add_epi32(sum, _mm512_shuffle_i32x4::<0b01_00_11_10>(sum, sum));
                }
                rounded[r] = round(sum);
            }
            let bytes = pack(rounded);
            let rows = _mm512_permutexvar_epi8(compact, bytes);
            // SAFETY: `run` asserts four rows of at least `out_bytes`, 16 bytes after the last
            // block's first byte.
            unsafe {
                let out = out.as_mut_ptr().add(b * outputs * C);
                _mm_storeu_si128(out.cast(), _mm512_castsi512_si128(rows));
                _mm_storeu_si128(out.add(stride).cast(), _mm512_extracti32x4_epi32::<1>(rows));
                _mm_storeu_si128(out.add(2 * stride).cast(), _mm512_extracti32x4_epi32::<2>(rows));
                _mm_storeu_si128(out.add(3 * stride).cast(), _mm512_extracti32x4_epi32::<3>(rows));
            }
        }
    }
}

impl HorizontalKernel for HorizontalAvx512 {
    fn run(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        assert!(rows.iter().all(|row| row.len() >= self.row_bytes), "rows hold the window");
        assert!(stride >= self.out_bytes() && out.len() >= BLOCK_ROWS * stride, "out holds four rows");
        // SAFETY: `_proof` shows that the processor has these instructions.
        unsafe { for_channels!(self.pixel.channels, self.run_channels(rows, out, stride)) }
    }
}

/// The sum that the sums of the three weight bytes make up.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn combine([a, b, c]: [__m512i; 3]) -> __m512i {
    _mm512_add_epi32(_mm512_add_epi32(_mm512_slli_epi32::<16>(a), _mm512_slli_epi32::<8>(b)), c)
}

/// Sums to integers: rounds half up, still unclamped.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn round(sum: __m512i) -> __m512i {
    let half = _mm512_set1_epi32(HALF);
    _mm512_srai_epi32::<PRECISION>(_mm512_add_epi32(sum, half))
}

/// Four registers of integers to one of bytes, clamped, lane by lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn pack(sums: [__m512i; 4]) -> __m512i {
    let low = _mm512_packs_epi32(sums[0], sums[1]);
    let high = _mm512_packs_epi32(sums[2], sums[3]);
    _mm512_packus_epi16(low, high)
}

/// Permutation that puts the pixels of each row side by side, 16 bytes a row.
#[target_feature(enable = "avx512f")]
fn compaction(channels: usize, share: usize) -> __m512i {
    let mut index = [0_u8; BYTES];
    for row in 0..BLOCK_ROWS {
        for output in 0..LANES / share {
            for channel in 0..channels {
                index[row * 16 + output * channels + channel] =
                    (output * share * 16 + row * 4 + channel) as u8;
            }
        }
    }
    // SAFETY: `index` is 64 bytes.
    unsafe { _mm512_loadu_si512(index.as_ptr().cast()) }
}

/// Weights of four source rows: the four bytes of each limb.
type Quad = [i32; 3];

/// The vertical pass, its weights laid out for the loop.
#[derive(Debug)]
struct VerticalAvx512 {
    /// The quads of all outputs one after the other, and where each output's begin.
    quads: Vec<Quad>,
    firsts: Vec<usize>,
    _proof: Avx512,
}

impl VerticalAvx512 {
    fn new(proof: Avx512, weights: &Weights) -> Option<Self> {
        let mut quads = Vec::new();
        let mut firsts = vec![0];
        for (_, taps) in weights.iter() {
            for four in taps.chunks(4) {
                let mut limbs = [[0_u8; 4]; 3];
                for (i, &weight) in four.iter().enumerate() {
                    for (limb, part) in limbs.iter_mut().zip(limbs::bytes(weight)?) {
                        limb[i] = part as u8;
                    }
                }
                quads.push(limbs.map(i32::from_le_bytes));
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
