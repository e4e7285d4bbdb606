//! The kernels in NEON.

use std::arch::aarch64::*;

use super::kernel::{HorizontalKernel, Pixel, VerticalKernel};
use super::lanes::{LanePlan, for_channels};
use super::limbs::halves;
use crate::pixels::{BLOCK_ROWS, RowBlock};
use crate::resample::weights::{HALF, PRECISION, Weights};
use crate::simd::Neon;

/// Taps inside a 32-bit element, in their own order.
pub(super) const ORDER: [usize; 4] = [0, 1, 2, 3];
/// Columns that the vertical pass computes at a time: rows and output are padded to a multiple of it.
const COLUMNS: usize = 32;

/// The horizontal pass; `None` when the row is too short for it.
pub(super) fn horizontal(proof: Neon, weights: &Weights, pixel: Pixel) -> Option<Box<dyn HorizontalKernel>> {
    Some(Box::new(HorizontalNeon::new(proof, weights, pixel)?))
}

/// The vertical pass.
pub(super) fn vertical(proof: Neon, weights: &Weights) -> Option<Box<dyn VerticalKernel>> {
    Some(Box::new(VerticalNeon::new(proof, weights)))
}

/// The horizontal pass: the four taps that an element of a load holds take turns to be the whole
/// element, which is multiplied and added in 32 bits.
#[derive(Debug)]
struct HorizontalNeon {
    lanes: LanePlan<1>,
    /// [`vectors_per_step`] of each step: a weight for each of the four taps where all elements are
    /// channels of one pixel, else, for each of the four, a weight for each element.
    weights: Vec<[i32; 4]>,
    _proof: Neon,
}

const fn vectors_per_step(channels: usize) -> usize {
    if channels >= 3 { 1 } else { 4 }
}

impl HorizontalNeon {
    fn new(proof: Neon, weights: &Weights, pixel: Pixel) -> Option<Self> {
        let channels = pixel.channels;
        let lanes = LanePlan::<1>::new(weights, pixel, ORDER)?;
        let mut vectors = vec![[0; 4]; lanes.steps() * vectors_per_step(channels)];
        lanes.for_each_weight(weights, ORDER, |_, step, _, byte, weight| {
            let (element, tap) = (byte / 4, byte % 4);
            match vectors_per_step(channels) {
                1 => vectors[step][tap] = weight,
                n => vectors[n * step + tap][element] = weight,
            }
        });
        Some(Self { lanes, weights: vectors, _proof: proof })
    }

    #[target_feature(enable = "neon")]
    fn run_channels<const C: usize>(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        check_room(self.lanes.blocks.len(), C, out, stride);
        let bytes_per_step = self.lanes.step_bytes;
        let mut next = self.weights.as_slice();
        // The first index says what all are: the others follow each other from it on. It changes near the row's end.
        let Some(first) = self.lanes.blocks.first() else { return };
        let start = vector(&first_sum(C, HALF));
        let (mut skip, mut indices) = (first.shuffle[0][0], tap_indices(&first.shuffle[0]));
        for (x, block) in self.lanes.blocks.iter().enumerate() {
            let [offset] = block.offsets;
            if block.shuffle[0][0] != skip {
                skip = block.shuffle[0][0];
                indices = tap_indices(&block.shuffle[0]);
            }
            let mut sums = [start; BLOCK_ROWS];
            let (weights, rest) = next.split_at(block.steps.get() * const { vectors_per_step(C) });
            next = rest;
            for (i, weights) in weights.chunks_exact(const { vectors_per_step(C) }).enumerate() {
                for r in 0..BLOCK_ROWS {
                    // SAFETY: `LanePlan::new` asserts that the loads of every step end inside
                    // `row_bytes`, and `run` that the rows are that long.
                    let loaded = unsafe { vld1q_u8(rows[r].as_ptr().add(offset + i * bytes_per_step)) };
                    sums[r] = add_taps::<C>(sums[r], loaded, &indices, weights);
                }
            }
            // SAFETY: there is room for as many pixels as there are blocks.
            unsafe { store_pixels::<C>(sums, out.as_mut_ptr().add(x * C), stride) };
        }
    }
}

impl HorizontalKernel for HorizontalNeon {
    fn run(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        self.lanes.check(rows);
        // SAFETY: `_proof` shows that the processor has NEON.
        unsafe { for_channels!(self.lanes.channels, self.run_channels(rows, out, stride)) }
    }
}

/// For each of the four taps, a shuffle that makes it the whole element: the tap's byte at the
/// bottom, and zeros, which an index past the register stands for.
#[inline]
#[target_feature(enable = "neon")]
fn tap_indices(shuffle: &[u8; 16]) -> [uint8x16_t; 4] {
    // SAFETY: `shuffle` is 16 bytes.
    let shuffle = vreinterpretq_u32_u8(unsafe { vld1q_u8(shuffle.as_ptr()) });
    let zeros = vdupq_n_u32(0xffff_ff00);
    [
        vreinterpretq_u8_u32(vorrq_u32(shuffle, zeros)),
        vreinterpretq_u8_u32(vorrq_u32(vshrq_n_u32::<8>(shuffle), zeros)),
        vreinterpretq_u8_u32(vorrq_u32(vshrq_n_u32::<16>(shuffle), zeros)),
        vreinterpretq_u8_u32(vorrq_u32(vshrq_n_u32::<24>(shuffle), zeros)),
    ]
}

/// Adds the taps of a load, weighted by the vectors of its step.
#[inline]
#[target_feature(enable = "neon")]
fn add_taps<const C: usize>(
    sum: int32x4_t,
    loaded: uint8x16_t,
    [a, b, c, d]: &[uint8x16_t; 4],
    weights: &[[i32; 4]],
) -> int32x4_t {
    let a = vreinterpretq_s32_u8(vqtbl1q_u8(loaded, *a));
    let b = vreinterpretq_s32_u8(vqtbl1q_u8(loaded, *b));
    let c = vreinterpretq_s32_u8(vqtbl1q_u8(loaded, *c));
    let d = vreinterpretq_s32_u8(vqtbl1q_u8(loaded, *d));
    if C >= 3 {
        let weights = vector(&weights[0]);
        let sum = vmlaq_laneq_s32::<0>(sum, a, weights);
        let sum = vmlaq_laneq_s32::<1>(sum, b, weights);
        let sum = vmlaq_laneq_s32::<2>(sum, c, weights);
        vmlaq_laneq_s32::<3>(sum, d, weights)
    } else {
        let sum = vmlaq_s32(sum, a, vector(&weights[0]));
        let sum = vmlaq_s32(sum, b, vector(&weights[1]));
        let sum = vmlaq_s32(sum, c, vector(&weights[2]));
        vmlaq_s32(sum, d, vector(&weights[3]))
    }
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn vector(numbers: &[i32; 4]) -> int32x4_t {
    // SAFETY: `numbers` is 16 bytes.
    unsafe { vld1q_s32(numbers.as_ptr()) }
}

/// Bytes that [`store_pixels`] writes from a pixel's first one on: of three, the fourth belongs to the
/// next pixel or to the padding.
const STORED: usize = 4;

/// Panics if `out` has no room for four rows of that many pixels, with what [`store_pixels`] writes past
/// the last one.
pub(super) fn check_room(pixels: usize, channels: usize, out: &[u8], stride: usize) {
    assert!(pixels * channels + STORED <= stride && out.len() >= BLOCK_ROWS * stride, "out holds four rows");
}

/// What the elements of a sum begin with, so that each value gets `number` once: with fewer channels than three,
/// several elements sum up one value.
pub(super) fn first_sum(channels: usize, number: i32) -> [i32; 4] {
    std::array::from_fn(|element| if element < channels { number } else { 0 })
}

/// Stores the pixels that the sums of four rows give, which began with [`HALF`], `stride` bytes apart.
///
/// # Safety
/// [`STORED`] bytes can be written at `out` and at the same place of the next three rows.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn store_pixels<const C: usize>(
    [a, b, c, d]: [int32x4_t; BLOCK_ROWS],
    out: *mut u8,
    stride: usize,
) {
    // SAFETY: nothing is written but the bytes that the caller vouches for.
    unsafe {
        match C {
            1 => {
                let sums = vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
                let bytes = to_bytes(sums, sums);
                vst1_lane_u8::<0>(out, bytes);
                vst1_lane_u8::<1>(out.add(stride), bytes);
                vst1_lane_u8::<2>(out.add(2 * stride), bytes);
                vst1_lane_u8::<3>(out.add(3 * stride), bytes);
            }
            2 => {
                let (ab, cd) = (vcombine_s32(halved(a), halved(b)), vcombine_s32(halved(c), halved(d)));
                let pixels = vreinterpret_u16_u8(to_bytes(ab, cd));
                vst1_lane_u16::<0>(out.cast(), pixels);
                vst1_lane_u16::<1>(out.add(stride).cast(), pixels);
                vst1_lane_u16::<2>(out.add(2 * stride).cast(), pixels);
                vst1_lane_u16::<3>(out.add(3 * stride).cast(), pixels);
            }
            _ => {
                let (ab, cd) = (vreinterpret_u32_u8(to_bytes(a, b)), vreinterpret_u32_u8(to_bytes(c, d)));
                vst1_lane_u32::<0>(out.cast(), ab);
                vst1_lane_u32::<1>(out.add(stride).cast(), ab);
                vst1_lane_u32::<0>(out.add(2 * stride).cast(), cd);
                vst1_lane_u32::<1>(out.add(3 * stride).cast(), cd);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn halved(sum: int32x4_t) -> int32x2_t {
    vadd_s32(vget_low_s32(sum), vget_high_s32(sum))
}

/// Sums that began with [`HALF`] to bytes: shifted, in two steps, and clamped.
#[inline]
#[target_feature(enable = "neon")]
fn to_bytes(low: int32x4_t, high: int32x4_t) -> uint8x8_t {
    let wide = vqshrun_high_n_s32::<16>(vqshrun_n_s32::<16>(low), high);
    vqshrn_n_u16::<{ PRECISION as i32 - 16 }>(wide)
}

/// The vertical pass, with weights in halves of 16 bits. The sums of the high halves wrap around in
/// 16 bits: what they lose would leave the 32 bits of the whole sum.
#[derive(Debug)]
struct VerticalNeon {
    /// The halves of all outputs' weights one after the other, high and low, and where each output's
    /// begin.
    weights: Vec<(i16, i16)>,
    firsts: Vec<usize>,
    _proof: Neon,
}

impl VerticalNeon {
    fn new(proof: Neon, weights: &Weights) -> Self {
        let (mut all, mut firsts) = (Vec::new(), vec![0]);
        for (_, taps) in weights.iter() {
            all.extend(taps.iter().map(|&weight| halves(weight)));
            firsts.push(all.len());
        }
        Self { weights: all, firsts, _proof: proof }
    }
}

impl VerticalKernel for VerticalNeon {
    fn run(&self, y: usize, rows: &[&[u8]], out: &mut [u8], len: usize) {
        let weights = &self.weights[self.firsts[y]..self.firsts[y + 1]];
        let padded = len.next_multiple_of(COLUMNS);
        assert_eq!(weights.len(), rows.len(), "as many rows as taps");
        assert!(rows.iter().all(|row| row.len() >= padded), "source rows are padded");
        // SAFETY: `_proof` shows that the processor has NEON.
        unsafe { combine_rows(weights, rows, &mut out[..padded]) }
    }
}

/// One output row from its source rows, which are at least as long.
#[target_feature(enable = "neon")]
fn combine_rows(weights: &[(i16, i16)], rows: &[&[u8]], out: &mut [u8]) {
    for (x, out) in out.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate() {
        let (mut low, mut high) = ([vdupq_n_s32(HALF); 8], [vdupq_n_s16(0); 4]);
        for (&(weight_high, weight_low), row) in weights.iter().zip(rows) {
            // SAFETY: the row has these columns, since it is as long as the output.
            let (first, second) = unsafe {
                let row = row.as_ptr().add(x * COLUMNS);
                (vld1q_u8(row), vld1q_u8(row.add(16)))
            };
            let wide = [
                vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(first))),
                vreinterpretq_s16_u16(vmovl_high_u8(first)),
                vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(second))),
                vreinterpretq_s16_u16(vmovl_high_u8(second)),
            ];
            for i in 0..4 {
                high[i] = vmlaq_n_s16(high[i], wide[i], weight_high);
                low[2 * i] = vmlal_n_s16(low[2 * i], vget_low_s16(wide[i]), weight_low);
                low[2 * i + 1] = vmlal_high_n_s16(low[2 * i + 1], wide[i], weight_low);
            }
        }
        for i in 0..4 {
            let bytes = to_bytes(joined_low(high[i], low[2 * i]), joined_high(high[i], low[2 * i + 1]));
            // SAFETY: four times eight bytes are the columns.
            unsafe { vst1_u8(out.as_mut_ptr().add(8 * i), bytes) };
        }
    }
}

/// `(high << 16) + low` for the first four of the eight high halves.
#[inline]
#[target_feature(enable = "neon")]
fn joined_low(high: int16x8_t, low: int32x4_t) -> int32x4_t {
    vaddq_s32(low, vreinterpretq_s32_s16(vzip1q_s16(vdupq_n_s16(0), high)))
}

/// The same for the last four.
#[inline]
#[target_feature(enable = "neon")]
fn joined_high(high: int16x8_t, low: int32x4_t) -> int32x4_t {
    vaddq_s32(low, vreinterpretq_s32_s16(vzip2q_s16(vdupq_n_s16(0), high)))
}
