//! The horizontal pass in AVX-512 where the windows of neighbouring outputs overlap or lie close together.
//!
//! A 32-bit element belongs to one channel of one output, and the elements of a register to values that follow each other in
//! the output row: at most a few are left empty, and no sum is spread over elements. All their taps of a step come from one or two loads of
//! 64 bytes. Where the windows are further apart, a register has fewer outputs: `lanes` does that.

use std::arch::x86_64::*;

use super::registers::{self, BYTES, Block, Step, combine, pack, round};
use crate::pixels::{BLOCK_ROWS, RowBlock};
use crate::resample::kernels::kernel::{HorizontalKernel, Pixel};
use crate::resample::weights::Weights;
use crate::simd::Avx512;

/// Values that a register sums up at most.
const VALUES: usize = 16;
/// Taps of a value in a step.
pub const TAPS: usize = 4;

/// The horizontal pass, its weights laid out for the loop.
#[derive(Debug)]
pub struct HorizontalDense {
    blocks: Vec<Block>,
    steps: Vec<Step>,
    /// Values that a block sums up.
    values: usize,
    /// Loads of a step: one or two.
    loads: usize,
    /// From the first byte of a step's loads to that of the next one's.
    step_bytes: usize,
    row_bytes: usize,
    _proof: Avx512,
}

impl HorizontalDense {
    /// `None` when the row is too short, a step's taps do not fit into that many loads or the weights are too large.
    pub fn new(
        proof: Avx512,
        weights: &Weights,
        Pixel { bytes, channels }: Pixel,
        loads: usize,
        values: usize,
    ) -> Option<Self> {
        let width = weights.inputs().len();
        let row_bytes = width * bytes;
        let (all, step_bytes) = (weights.len() * channels, TAPS * bytes);
        let count = |value: usize| {
            registers::steps(weights, value / channels..(value + values).min(all).div_ceil(channels), TAPS)
        };
        let starts = (0..all).step_by(values);
        let mut blocks = Vec::with_capacity(starts.len());
        let mut steps = Vec::with_capacity(starts.clone().map(count).sum());
        for value in starts {
            let used = values.min(all - value);
            // Elements after the block's last value read what that one does.
            let place = |element: usize| value + element.min(used - 1);
            let output = |element: usize| weights.get(place(element) / channels);
            let count = count(value);
            // Each output's first tap moves left until all its steps end inside the row; the weights
            // of the taps before it are zero.
            let last_first = width.checked_sub(count * TAPS)?;
            let first = |element: usize| output(element).0.min(last_first);
            let last_base = row_bytes.checked_sub(loads * BYTES + (count - 1) * step_bytes)?;
            let base = (0..used).map(first).min().map_or(0, |first| first * bytes).min(last_base);
            let mut block = Block { base, steps: count, index: [0; BYTES] };
            let first_step = steps.len();
            steps.resize(first_step + count, Step::EMPTY);
            for (element, index) in block.index.chunks_exact_mut(TAPS).enumerate() {
                let at = first(element) * bytes + place(element) % channels - base;
                if at + (TAPS - 1) * bytes >= loads * BYTES {
                    return None;
                }
                index.iter_mut().enumerate().for_each(|(tap, index)| *index = (at + tap * bytes) as u8);
            }
            let mut element = 0;
            while element < used {
                let (start, taps) = output(element);
                let lead = start - first(element);
                let end = (element + channels - place(element) % channels).min(used);
                for (i, step) in steps[first_step..].iter_mut().enumerate() {
                    step.set(element..end, taps, i * TAPS, lead)?;
                }
                element = end;
            }
            // The kernel's loads rely on this.
            assert!(
                base + (count - 1) * step_bytes + loads * BYTES <= row_bytes,
                "a load would leave the row"
            );
            blocks.push(block);
        }
        Some(Self { blocks, steps, values, loads, step_bytes, row_bytes, _proof: proof })
    }

    /// Bytes that a finished row needs room for: the last store writes a few past its pixels.
    fn out_bytes(&self) -> usize {
        self.blocks.len() * self.values + VALUES
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
    fn run_loads<const LOADS: usize>(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        // From four values of each row in a lane to a row in a lane.
        let transpose = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
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
                    let taps = unsafe {
                        let at = rows[r].as_ptr().add(block.base + i * self.step_bytes);
                        let first = _mm512_loadu_si512(at.cast());
                        if LOADS == 1 {
                            _mm512_permutexvar_epi8(index, first)
                        } else {
                            _mm512_permutex2var_epi8(first, index, _mm512_loadu_si512(at.add(BYTES).cast()))
                        }
                    };
                    for limb in 0..3 {
                        sums[r][limb] = _mm512_dpbusd_epi32(sums[r][limb], taps, weights[limb]);
                    }
                }
            }
            let mut rounded = [_mm512_setzero_si512(); BLOCK_ROWS];
            for r in 0..BLOCK_ROWS {
                rounded[r] = round(combine(sums[r]));
            }
            let rows = _mm512_permutexvar_epi32(transpose, pack(rounded));
            // SAFETY: `run` asserts four rows of at least `out_bytes`, 16 bytes and more after the
            // last block's first byte.
            unsafe {
                let out = out.as_mut_ptr().add(b * self.values);
                _mm_storeu_si128(out.cast(), _mm512_castsi512_si128(rows));
                _mm_storeu_si128(out.add(stride).cast(), _mm512_extracti32x4_epi32::<1>(rows));
                _mm_storeu_si128(out.add(2 * stride).cast(), _mm512_extracti32x4_epi32::<2>(rows));
                _mm_storeu_si128(out.add(3 * stride).cast(), _mm512_extracti32x4_epi32::<3>(rows));
            }
        }
    }
}

impl HorizontalKernel for HorizontalDense {
    fn run(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        assert!(rows.iter().all(|row| row.len() >= self.row_bytes), "rows hold the window");
        assert!(stride >= self.out_bytes() && out.len() >= BLOCK_ROWS * stride, "out holds four rows");
        match self.loads {
            // SAFETY: `_proof` shows that the processor has these instructions.
            1 => unsafe { self.run_loads::<1>(rows, out, stride) },
            // SAFETY: as above.
            _ => unsafe { self.run_loads::<2>(rows, out, stride) },
        }
    }
}
