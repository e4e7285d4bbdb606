//! The resampler in plain Rust: the truth that every SIMD kernel is tested against.

use super::kernel::{HorizontalKernel, Pixel, VerticalKernel};
use crate::pixels::RowBlock;
use crate::resample::weights::{HALF, PRECISION, Weights};

/// The horizontal pass, for any weights.
pub(super) fn horizontal(weights: &Weights, pixel: Pixel) -> Box<dyn HorizontalKernel> {
    let weights = weights.clone();
    match (pixel.bytes, pixel.channels) {
        (1, _) => Box::new(HorizontalScalar::<1, 1>(weights)),
        (2, _) => Box::new(HorizontalScalar::<2, 2>(weights)),
        (3, _) => Box::new(HorizontalScalar::<3, 3>(weights)),
        (_, 3) => Box::new(HorizontalScalar::<4, 3>(weights)),
        _ => Box::new(HorizontalScalar::<4, 4>(weights)),
    }
}

/// The vertical pass, for any weights.
pub(super) fn vertical(weights: &Weights) -> Box<dyn VerticalKernel> {
    Box::new(VerticalScalar(weights.clone()))
}

#[derive(Debug)]
struct HorizontalScalar<const P: usize, const C: usize>(Weights);

impl<const P: usize, const C: usize> HorizontalKernel for HorizontalScalar<P, C> {
    fn run(&self, rows: &RowBlock<'_>, out: &mut [u8], stride: usize) {
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(stride)) {
            resize_row::<P, C>(&self.0, row, out);
        }
    }
}

#[derive(Debug)]
struct VerticalScalar(Weights);

impl VerticalKernel for VerticalScalar {
    fn run(&self, y: usize, rows: &[&[u8]], out: &mut [u8], len: usize) {
        combine_rows(self.0.get(y).1, rows, &mut out[..len]);
    }
}

/// Rounds a sum of byte times weight to a byte.
#[inline]
fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// One row of pixels of `P` bytes to one row of `weights.len()` pixels, which have the first `C` of them.
pub fn resize_row<const P: usize, const C: usize>(weights: &Weights, row: &[u8], out: &mut [u8]) {
    for ((start, taps), out) in weights.iter().zip(out.as_chunks_mut::<C>().0) {
        let mut sums = [HALF; C];
        let (pixels, _) = row[start * P..(start + taps.len()) * P].as_chunks::<P>();
        for (pixel, &weight) in pixels.iter().zip(taps) {
            for (sum, &value) in sums.iter_mut().zip(pixel) {
                *sum += i32::from(value) * weight;
            }
        }
        *out = sums.map(to_byte);
    }
}

/// As many rows as there are `taps` to one row of the same length.
pub fn combine_rows(taps: &[i32], rows: &[&[u8]], out: &mut [u8]) {
    for (x, out) in out.iter_mut().enumerate() {
        let sum = rows.iter().zip(taps).fold(HALF, |sum, (row, &weight)| sum + i32::from(row[x]) * weight);
        *out = to_byte(sum);
    }
}
