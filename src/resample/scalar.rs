//! The resampler in plain Rust: the truth that every SIMD kernel is tested against.

use super::weights::{PRECISION, Weights};

const HALF: i32 = 1 << (PRECISION - 1);

/// Rounds a sum of byte times weight to a byte.
#[inline]
fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// One row of pixels of `C` channels to one row of `weights.len()` pixels.
pub(crate) fn horizontal<const C: usize>(weights: &Weights, row: &[u8], out: &mut [u8]) {
    for ((start, taps), out) in weights.iter().zip(out.as_chunks_mut::<C>().0) {
        let mut sums = [HALF; C];
        let (pixels, _) = row[start * C..(start + taps.len()) * C].as_chunks::<C>();
        for (pixel, &weight) in pixels.iter().zip(taps) {
            for (sum, &value) in sums.iter_mut().zip(pixel) {
                *sum += i32::from(value) * weight;
            }
        }
        *out = sums.map(to_byte);
    }
}

/// As many rows as there are `taps` to one row of the same length.
pub(crate) fn vertical(taps: &[i32], rows: &[&[u8]], out: &mut [u8]) {
    for (x, out) in out.iter_mut().enumerate() {
        let sum = rows.iter().zip(taps).fold(HALF, |sum, (row, &weight)| sum + i32::from(row[x]) * weight);
        *out = to_byte(sum);
    }
}
