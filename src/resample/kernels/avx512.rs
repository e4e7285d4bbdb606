//! The kernels in AVX-512 with VNNI and VBMI.
//!
//! A weight is three signed bytes, `a * 2^16 + b * 2^8 + c`. `vpdpbusd` multiplies four source bytes
//! with four such bytes and adds all products to a 32-bit element without rounding or saturation, so
//! that `(sum(p * a) << 16) + (sum(p * b) << 8) + sum(p * c)` is the exact sum.

mod dense;
mod lanes;
mod registers;
mod vertical;

use super::kernel::{HorizontalKernel, Pixel, VerticalKernel};
use super::lanes::taps_per_lane;
use crate::resample::weights::Weights;
use crate::simd::Avx512;
use dense::HorizontalDense;
use lanes::{HorizontalLanes, LANES};
use vertical::VerticalAvx512;

/// The horizontal pass; `None` when the row is too short or the weights too large for it.
pub(super) fn horizontal(
    proof: Avx512,
    weights: &Weights,
    pixel: Pixel,
) -> Option<Box<dyn HorizontalKernel>> {
    let mut shapes = SHAPES;
    shapes.sort_by_cached_key(|shape| shape.cost(weights, pixel.channels));
    shapes.into_iter().find_map(|shape| -> Option<Box<dyn HorizontalKernel>> {
        Some(match shape {
            Shape::Values { values, loads } => {
                Box::new(HorizontalDense::new(proof, weights, pixel, loads, values)?)
            }
            Shape::Lanes { share } => Box::new(HorizontalLanes::new(proof, weights, pixel, share)?),
        })
    })
}

/// What a register of the horizontal pass sums up. Which shapes are possible depends on how far apart the windows of
/// neighbouring outputs are.
#[derive(Clone, Copy)]
enum Shape {
    /// Values that follow each other in the output row, from one load or two.
    Values { values: usize, loads: usize },
    /// Outputs with a lane each, or with two or four that share their taps, from one load.
    Lanes { share: usize },
}

const SHAPES: [Shape; 9] = [
    Shape::Values { values: 16, loads: 1 },
    // Fewer values lie closer together, those of whole pixels above all.
    Shape::Values { values: 15, loads: 1 },
    Shape::Values { values: 12, loads: 1 },
    Shape::Values { values: 16, loads: 2 },
    Shape::Values { values: 15, loads: 2 },
    Shape::Values { values: 12, loads: 2 },
    Shape::Lanes { share: 1 },
    Shape::Lanes { share: 2 },
    Shape::Lanes { share: 4 },
];

impl Shape {
    /// The time for a row, about, in hundredths of a nanosecond on a Zen 4: that of the steps, and that of the blocks.
    fn cost(self, weights: &Weights, channels: usize) -> usize {
        let (values, taps, of_step, of_block) = match self {
            Self::Values { values, loads: 1 } => (values, dense::TAPS, 115, 105),
            Self::Values { values, .. } => (values, dense::TAPS, 155, 135),
            Self::Lanes { share } => (LANES / share * channels, taps_per_lane(channels) * share, 105, 200),
        };
        let all = weights.len() * channels;
        let cost = |value: usize| {
            let outputs = value / channels..(value + values).min(all).div_ceil(channels);
            registers::steps(weights, outputs, taps) * of_step + of_block
        };
        (0..all).step_by(values).map(cost).sum()
    }
}

/// The vertical pass; `None` when the weights are too large for it.
pub(super) fn vertical(proof: Avx512, weights: &Weights) -> Option<Box<dyn VerticalKernel>> {
    Some(Box::new(VerticalAvx512::new(proof, weights)?))
}
