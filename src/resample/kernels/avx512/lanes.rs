//! The horizontal pass in AVX-512 where the windows of neighbouring outputs are far apart.
//!
//! A lane belongs to one output, or two or four lanes share one; `vpermb` brings the bytes of up to four neighbouring outputs
//! from one load of 64 bytes into place.

use std::arch::x86_64::*;

use super::registers::{self, BYTES, Block, Step, combine, pack, round};
use crate::pixels::{BLOCK_ROWS, RowBlock};
use crate::resample::kernels::kernel::{HorizontalKernel, Pixel};
use crate::resample::kernels::lanes::{for_channels, lane_map, taps_per_lane};
use crate::resample::weights::Weights;
use crate::simd::Avx512;

/// 128-bit lanes of a register.
pub const LANES: usize = 4;
/// Taps inside a 32-bit element, in their own order.
const ORDER: [usize; 4] = [0, 1, 2, 3];

/// The horizontal pass, its weights laid out for the loop.
#[derive(Debug)]
pub struct HorizontalLanes {
    blocks: Vec<Block>,
    steps: Vec<Step>,
    pixel: Pixel,
    /// Lanes that share one output: one while four windows fit into a load, else two or four.
    share: usize,
    row_bytes: usize,
    _proof: Avx512,
}

impl HorizontalLanes {
    /// `None` when the row is too short, a step's taps do not fit into a load or the weights are too large.
    pub fn new(proof: Avx512, weights: &Weights, pixel: Pixel, share: usize) -> Option<Self> {
        let width = weights.inputs().len();
        let Pixel { bytes, channels } = pixel;
        let row_bytes = width * bytes;
        let map = lane_map(channels, ORDER);
        let lane_taps = taps_per_lane(channels);
        let (outputs, step_taps) = (LANES / share, lane_taps * share);
        let end = |x: usize| (x + outputs).min(weights.len());
        let count = |x: usize| registers::steps(weights, x..end(x), step_taps);
        let starts = (0..weights.len()).step_by(outputs);
        let mut blocks = Vec::with_capacity(starts.len());
        let mut steps = Vec::with_capacity(starts.clone().map(count).sum());
        for x in starts {
            let (end, count) = (end(x), count(x));
            // Each output's first tap moves left until all its steps end inside the row; the weights
            // of the taps before it are zero.
            let last_first = width.checked_sub(count * step_taps)?;
            let firsts: [usize; LANES] =
                std::array::from_fn(|i| weights.get((x + i).min(end - 1)).0.min(last_first));
            let last_base = row_bytes.checked_sub(BYTES + (count - 1) * step_taps * bytes)?;
            let base = firsts.iter().map(|first| first * bytes).min().unwrap_or(0).min(last_base);
            let mut block = Block { base, steps: count, index: [0; BYTES] };
            let first_step = steps.len();
            steps.resize(first_step + count, Step::EMPTY);
            for lane in 0..LANES {
                let (output, lane_tap) = (lane / share, lane % share * lane_taps);
                let at = (firsts[output] + lane_tap) * bytes - base;
                for (index, &source) in block.index[lane * 16..].iter_mut().zip(&map) {
                    let Some((tap, channel)) = source else { continue };
                    let at = at + tap * bytes + channel;
                    *index = u8::try_from(at).ok().filter(|_| at < BYTES)?;
                }
                if x + output >= end {
                    continue;
                }
                let (start, taps) = weights.get(x + output);
                for (i, step) in steps[first_step..].iter_mut().enumerate() {
                    // With fewer channels than three, a lane has several elements for each channel.
                    for (group, tap) in (0..lane_taps).step_by(4).enumerate() {
                        let element = lane * 4 + group * channels;
                        let tap = i * step_taps + lane_tap + tap;
                        step.set(element..element + channels, taps, tap, start - firsts[output])?;
                    }
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
            for (i, step) in steps.by_ref().take(block.steps).enumerate() {
                let weights = step.load();
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
            let mut joined = [_mm512_setzero_si512(); BLOCK_ROWS];
            for r in 0..BLOCK_ROWS {
                joined[r] = combine(sums[r]);
            }
            // Lanes that share an output are summed up, those of several rows at once.
            let [r0, r1, r2, r3] = joined;
            let bytes = match self.share {
                1 => pack([to_values::<C>(r0), to_values::<C>(r1), to_values::<C>(r2), to_values::<C>(r3)]),
                2 => {
                    let (r01, r23) = (to_values::<C>(paired(r0, r1)), to_values::<C>(paired(r2, r3)));
                    pack([r01, r23, r01, r23])
                }
                _ => pack([to_values::<C>(paired(paired(r0, r1), paired(r2, r3))); 4]),
            };
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

impl HorizontalKernel for HorizontalLanes {
    fn run(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        assert!(rows.iter().all(|row| row.len() >= self.row_bytes), "rows hold the window");
        assert!(stride >= self.out_bytes() && out.len() >= BLOCK_ROWS * stride, "out holds four rows");
        // SAFETY: `_proof` shows that the processor has these instructions.
        unsafe { for_channels!(self.pixel.channels, self.run_channels(rows, out, stride)) }
    }
}

/// Neighbouring lanes summed up: those of `a` in the first two lanes, those of `b` in the others.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn paired(a: __m512i, b: __m512i) -> __m512i {
    let even = _mm512_shuffle_i32x4::<0b10_00_10_00>(a, b);
    _mm512_add_epi32(even, _mm512_shuffle_i32x4::<0b11_01_11_01>(a, b))
}

/// Sums to values, rounded: with fewer channels than three, several elements of a lane sum up one.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn to_values<const C: usize>(mut sum: __m512i) -> __m512i {
    if C <= 2 {
        sum = _mm512_add_epi32(sum, _mm512_shuffle_epi32::<0b01_00_11_10>(sum));
    }
    if C == 1 {
        sum = _mm512_add_epi32(sum, _mm512_shuffle_epi32::<0b10_11_00_01>(sum));
    }
    round(sum)
}

/// Permutation that puts the pixels of each row side by side, 16 bytes a row.
#[target_feature(enable = "avx512f")]
fn compaction(channels: usize, share: usize) -> __m512i {
    let mut index = [0_u8; BYTES];
    for row in 0..BLOCK_ROWS {
        for output in 0..LANES / share {
            for channel in 0..channels {
                let (lane, part) = match share {
                    1 => (output, row),
                    2 => (row % 2 * 2 + output, row / 2),
                    _ => (row, 0),
                };
                index[row * 16 + output * channels + channel] = (lane * 16 + part * 4 + channel) as u8;
            }
        }
    }
    // SAFETY: `index` is 64 bytes.
    unsafe { _mm512_loadu_si512(index.as_ptr().cast()) }
}
