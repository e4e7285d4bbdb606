//! Pillow's nearest neighbour (libImaging/Geometry.c: its affine transform, which has two ways to scale).

use std::ops::Range;

/// The source pixel of each output pixel in `crop`. Pillow adds the scale up step by step, and
/// so do we: the rounding of each addition is part of the result.
pub(crate) fn indices(input: usize, output: usize, crop: Range<usize>) -> Vec<usize> {
    let scale = f64::from(input as f32) / output as f64;
    let mut at = scale * 0.5;
    for _ in 0..crop.start {
        at += scale;
    }
    crop.map(|_| {
        let index = (at as usize).min(input - 1);
        at += scale;
        index
    })
    .collect()
}

/// The same for pixels of 16 bits, whose positions Pillow multiplies out one by one.
pub(crate) fn indices_16_bit(input: usize, output: usize, crop: Range<usize>) -> Vec<usize> {
    let scale = f64::from(input as f32) / output as f64;
    crop.map(|x| (((x as f64 + 0.5) * scale) as usize).min(input - 1)).collect()
}
