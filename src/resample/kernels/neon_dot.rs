//! The horizontal pass with ARM's products of four bytes: signed ones (dotprod), or a signed one and
//! one without sign (i8mm). The vertical pass would gain nothing: its rows would have to be
//! interleaved first.
//!
//! A weight is three signed bytes, `a * 2^16 + b * 2^8 + c`. An instruction multiplies four source
//! bytes with four such bytes and adds all products to a 32-bit element, so that
//! `(sum(p * a) << 16) + (sum(p * b) << 8) + sum(p * c)` is the exact sum. Where both factors are
//! signed, the sum is that of `p - 128`, and `128 * sum(w)` is added, which each output knows.

use std::arch::aarch64::*;
use std::arch::asm;
use std::fmt::Debug;

use super::kernel::{HorizontalKernel, Pixel};
use super::lanes::{LanePlan, for_channels};
use super::limbs;
use super::neon::{ORDER, check_room, first_sum, store_pixels, vector};
use crate::pixels::{BLOCK_ROWS, RowBlock};
use crate::resample::weights::{HALF, Weights};
use crate::simd::{NeonDotprod, NeonI8mm};

/// The horizontal pass; `None` when the row is too short or the weights too large for it.
pub(super) fn horizontal<P: Product>(
    proof: P,
    weights: &Weights,
    pixel: Pixel,
) -> Option<Box<dyn HorizontalKernel>> {
    Some(Box::new(HorizontalDot::new(proof, weights, pixel)?))
}

/// An instruction that multiplies bytes and adds the products of four to an element.
pub(super) trait Product: Copy + Debug + Send + Sync + 'static {
    /// Whether source bytes are signed to the instruction, so that 128 is taken off each.
    const SIGNED: bool;

    /// `sum + pixels * weights`, element by element.
    fn elements(self, sum: int32x4_t, pixels: uint8x16_t, weights: int8x16_t) -> int32x4_t;

    /// The same, with element `E` of the weights for all.
    fn by_element<const E: usize>(self, sum: int32x4_t, pixels: uint8x16_t, weights: int8x16_t) -> int32x4_t;
}

// The library has no stable functions for these instructions.
macro_rules! product {
    ($proof:ident: $feature:literal, $instruction:literal, signed: $signed:literal) => {
        impl Product for $proof {
            const SIGNED: bool = $signed;

            #[inline(always)]
            fn elements(self, mut sum: int32x4_t, pixels: uint8x16_t, weights: int8x16_t) -> int32x4_t {
                // SAFETY: the instruction works on registers alone, and `self` shows that the
                // processor has it.
                unsafe {
                    asm!(
                        concat!(".arch_extension ", $feature),
                        concat!($instruction, " {sum:v}.4s, {pixels:v}.16b, {weights:v}.16b"),
                        sum = inlateout(vreg) sum,
                        pixels = in(vreg) pixels,
                        weights = in(vreg) weights,
                        options(pure, nomem, nostack, preserves_flags),
                    );
                }
                sum
            }

            #[inline(always)]
            fn by_element<const E: usize>(
                self,
                mut sum: int32x4_t,
                pixels: uint8x16_t,
                weights: int8x16_t,
            ) -> int32x4_t {
                // SAFETY: as in `elements`.
                unsafe {
                    asm!(
                        concat!(".arch_extension ", $feature),
                        concat!($instruction, " {sum:v}.4s, {pixels:v}.16b, {weights:v}.4b[{element}]"),
                        sum = inlateout(vreg) sum,
                        pixels = in(vreg) pixels,
                        weights = in(vreg) weights,
                        element = const E,
                        options(pure, nomem, nostack, preserves_flags),
                    );
                }
                sum
            }
        }
    };
}

product!(NeonDotprod: "dotprod", "sdot", signed: true);
product!(NeonI8mm: "i8mm", "usdot", signed: false);

/// What the sum of these weights begins with: half of a byte's step, for the rounding, and the correction.
fn first_of<P: Product>(taps: &[i32]) -> i32 {
    if P::SIGNED { 128 * taps.iter().sum::<i32>() + HALF } else { HALF }
}

/// Source bytes as the instruction takes them.
#[inline]
#[target_feature(enable = "neon")]
fn factors<P: Product>(pixels: uint8x16_t) -> uint8x16_t {
    if P::SIGNED { veorq_u8(pixels, vdupq_n_u8(0x80)) } else { pixels }
}

/// The sum that the sums of the three weight bytes make up.
#[inline]
#[target_feature(enable = "neon")]
fn joined([a, b, c]: [int32x4_t; 3]) -> int32x4_t {
    vaddq_s32(vshlq_n_s32::<8>(vaddq_s32(vshlq_n_s32::<8>(a), b)), c)
}

/// The horizontal pass, its weights laid out for the loop.
#[derive(Debug)]
struct HorizontalDot<P> {
    lanes: LanePlan<1>,
    /// [`vectors_per_step`] of each step: an element for each of the three bytes of the weights where
    /// all elements of a load are channels of one pixel, else a vector for each.
    weights: Vec<[i8; 16]>,
    /// The start of the sum of each output.
    firsts: Vec<[i32; 4]>,
    proof: P,
}

const fn vectors_per_step(channels: usize) -> usize {
    if channels >= 3 { 1 } else { 3 }
}

impl<P: Product> HorizontalDot<P> {
    fn new(proof: P, weights: &Weights, pixel: Pixel) -> Option<Self> {
        let channels = pixel.channels;
        let lanes = LanePlan::<1>::new(weights, pixel, ORDER)?;
        let mut vectors = vec![[0; 16]; lanes.steps() * vectors_per_step(channels)];
        let mut fits = true;
        lanes.for_each_weight(weights, ORDER, |_, step, _, byte, weight| {
            let parts = limbs::bytes(weight).unwrap_or_else(|| {
                fits = false;
                [0; 3]
            });
            for (i, part) in parts.into_iter().enumerate() {
                match vectors_per_step(channels) {
                    1 => vectors[step][4 * i + byte % 4] = part,
                    n => vectors[n * step + i][byte] = part,
                }
            }
        });
        let firsts = weights.iter().map(|(_, taps)| first_sum(channels, first_of::<P>(taps))).collect();
        fits.then_some(Self { lanes, weights: vectors, firsts, proof })
    }

    #[target_feature(enable = "neon")]
    fn run_channels<const C: usize>(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        check_room(self.lanes.blocks.len(), C, out, stride);
        let bytes_per_step = self.lanes.step_bytes;
        let mut next = self.weights.as_slice();
        for (x, (block, first)) in self.lanes.blocks.iter().zip(&self.firsts).enumerate() {
            let [offset] = block.offsets;
            // SAFETY: a shuffle is 16 bytes.
            let shuffle = unsafe { vld1q_u8(block.shuffle[0].as_ptr()) };
            let zero = vdupq_n_s32(0);
            let mut sums = [[zero, zero, vector(first)]; BLOCK_ROWS];
            let (weights, rest) = next.split_at(block.steps.get() * const { vectors_per_step(C) });
            next = rest;
            for (i, weights) in weights.chunks_exact(const { vectors_per_step(C) }).enumerate() {
                for r in 0..BLOCK_ROWS {
                    // SAFETY: `LanePlan::new` asserts that the loads of every step end inside
                    // `row_bytes`, and `run` that the rows are that long.
                    let loaded = unsafe { vld1q_u8(rows[r].as_ptr().add(offset + i * bytes_per_step)) };
                    let taps = factors::<P>(vqtbl1q_u8(loaded, shuffle));
                    let [a, b, c] = sums[r];
                    sums[r] = if C >= 3 {
                        let weights = parts(&weights[0]);
                        [
                            self.proof.by_element::<0>(a, taps, weights),
                            self.proof.by_element::<1>(b, taps, weights),
                            self.proof.by_element::<2>(c, taps, weights),
                        ]
                    } else {
                        [
                            self.proof.elements(a, taps, parts(&weights[0])),
                            self.proof.elements(b, taps, parts(&weights[1])),
                            self.proof.elements(c, taps, parts(&weights[2])),
                        ]
                    };
                }
            }
            let [a, b, c, d] = sums;
            let sums = [joined(a), joined(b), joined(c), joined(d)];
            // SAFETY: there is room for as many pixels as there are blocks.
            unsafe { store_pixels::<C>(sums, out.as_mut_ptr().add(x * C), stride) };
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn parts(bytes: &[i8; 16]) -> int8x16_t {
    // SAFETY: `bytes` is 16 bytes.
    unsafe { vld1q_s8(bytes.as_ptr()) }
}

impl<P: Product> HorizontalKernel for HorizontalDot<P> {
    fn run(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        self.lanes.check(rows);
        // SAFETY: the levels of these proofs include NEON.
        unsafe { for_channels!(self.lanes.channels, self.run_channels(rows, out, stride)) }
    }
}
