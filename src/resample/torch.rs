//! torch's resizing of bytes with antialiasing (`UpSampleKernel.cpp`), by Pillow's engine.
//!
//! torch holds a weight in 16 bits, with as many fractional bits as the largest weight of the axis
//! leaves room for. Such a weight, filled up with zeros to the engine's 22 fractional bits, gives the
//! same sums times a power of two, and so the same bytes.

use std::ops::Range;

use super::weights::{Builder, PRECISION, Real, Weights, fixed};
use super::{Filter, Products};

/// Weights for resizing `input` pixels to `output`, for the outputs in `crop` alone.
pub(crate) fn weights(filter: Filter, input: usize, output: usize, crop: Range<usize>) -> Weights {
    let real = Real::new(filter, Products::Rounded, input as f64 / output as f64, input);
    let mut weights = Vec::new();
    let mut largest = 0.0_f64;
    // A crop has no say in the precision.
    for x in 0..output {
        real.of(x, &mut weights);
        largest = weights.iter().copied().fold(largest, f64::max);
    }
    let bits = bits_of(largest);
    let mut builder = Builder::with_capacity(crop.len(), real.max_taps());
    for x in crop {
        let start = real.of(x, &mut weights);
        builder.push(start, weights.iter().map(|&weight| fixed(weight, bits) << (PRECISION - bits)));
    }
    builder.finish()
}

/// The fractional bits of a weight in 16 bits, by the largest weight of its axis.
fn bits_of(largest: f64) -> u32 {
    (0..PRECISION).find(|bits| fixed(largest, bits + 1) >= 1 << 15).unwrap_or(PRECISION)
}

/// The same without antialiasing: two neighbours, or four of a cubic with a = -0.75. Those beyond an edge count for the
/// pixel at the edge.
pub(crate) fn neighbours(filter: Filter, input: usize, output: usize, crop: Range<usize>) -> Weights {
    let scale = input as f64 / output as f64;
    let taps = |x: usize| {
        let at = scale * (x as f64 + 0.5) - 0.5;
        let at = if filter == Filter::Bicubic { at } else { at.max(0.0) };
        let first = (at.floor() as isize).min(input as isize - 1);
        let part = (at - first as f64).clamp(0.0, 1.0);
        let (before, weights) = match filter {
            Filter::Bicubic => (1, [part + 1.0, part, 1.0 - part, 2.0 - part].map(cubic).to_vec()),
            _ => (0, vec![1.0 - part, part]),
        };
        let start = (first - before).clamp(0, input as isize - 1);
        let end = (first - before + weights.len() as isize).clamp(start + 1, input as isize);
        let mut merged = vec![0.0_f64; (end - start) as usize];
        for (i, weight) in (first - before..).zip(weights) {
            merged[(i.clamp(start, end - 1) - start) as usize] += weight;
        }
        (start as usize, merged)
    };
    // A crop has no say in the precision. Of a long axis all weights together would take gigabytes.
    let largest = (0..output).flat_map(|x| taps(x).1).fold(0.0, f64::max);
    let bits = bits_of(largest);
    let mut builder = Builder::with_capacity(crop.len(), 4);
    for (start, weights) in crop.map(taps) {
        builder.push(start, weights.iter().map(|&weight| fixed(weight, bits) << (PRECISION - bits)));
    }
    builder.finish()
}

/// torch's cubic without antialiasing, at a distance of 0 to 2.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.75;
    if x <= 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else {
        ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A
    }
}

/// The source columns and rows of a crop of an image resized to `to` by torch's "nearest" or "nearest-exact",
/// whose positions are float32. The latter has two kernels, and takes the one for small outputs up to 128 pixels
/// of height and width together.
pub(crate) fn nearest_indices(
    filter: Filter,
    from: (usize, usize),
    to: (usize, usize),
    columns: Range<usize>,
    rows: Range<usize>,
) -> (Vec<usize>, Vec<usize>) {
    let small = to.0 + to.1 <= 128;
    let axis = |input: usize, output: usize, crop: Range<usize>| {
        let scale = input as f32 / output as f32;
        let index = |x: usize| match small {
            _ if filter == Filter::NearestFloor => x as f32 * scale,
            true => ((x as f64 + 0.5) * f64::from(scale)) as f32,
            // Compiled with fused multiply-add; the halves cancel but for their roundings.
            false => ((x as f32 + 0.5).mul_add(scale, -0.5).max(0.0) as f64 + 0.5) as f32,
        };
        crop.map(|x| (index(x) as usize).min(input - 1)).collect()
    };
    (axis(from.0, to.0, columns), axis(from.1, to.1, rows))
}
