//! torch's bilinear resizing of float32 tensors with antialiasing (`UpSampleKernel.cpp`), in its order of
//! operations.
//!
//! torch's build for AVX2 and later, which its wheels for x86-64 pick on every processor of the last ten
//! years, multiplies the taps after the first one four at a time, adds these products one by one, and fuses
//! what is left over. Each sum here has the same roundings, on any processor.

use std::collections::VecDeque;
use std::ops::Range;

use super::weights::{Builder, Weights};
use crate::error::Result;
use crate::pixels::Rows;
use crate::simd::{Level, best};

/// Taps that torch's compiler takes together, and does not fuse.
const GROUP: usize = 4;

/// A resize of RGB in two passes, columns first, for the rows and columns that survive a crop.
#[derive(Debug)]
pub(crate) struct Floats {
    columns: Weights<f32>,
    rows: Weights<f32>,
    /// The float of each byte.
    levels: Box<[f32; 256]>,
    kernel: Kernel,
}

/// How sums are computed; the bits are the same.
#[derive(Clone, Copy, Debug)]
enum Kernel {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2(crate::simd::Avx2),
}

impl Floats {
    /// `factor` is what a byte is multiplied by before it is resized.
    pub fn new(level: Level, columns: Weights<f32>, rows: Weights<f32>, factor: f32) -> Self {
        let levels = Box::new(std::array::from_fn(|byte| byte as f32 * factor));
        let kernel = best! { level;
            "x86_64" Avx2 => |proof| Some(Kernel::Avx2(proof)),
            _ => Kernel::Scalar,
        };
        Self { columns, rows, levels, kernel }
    }

    /// Bytes as rows that are resized have them.
    pub fn floats(&self, bytes: &[u8]) -> Vec<u8> {
        bytes.iter().flat_map(|&byte| self.levels[usize::from(byte)].to_ne_bytes()).collect()
    }

    /// An upper estimate of the bytes that the buffers take.
    pub fn memory(&self) -> u64 {
        let rows = (self.rows.max_taps() + 3) as u64 * self.columns.len() as u64;
        (rows + self.columns.inputs().len() as u64) * 3 * size_of::<f32>() as u64
    }

    /// Feeds `source` through both passes and hands each finished row to `sink`, top to bottom: three float32
    /// a pixel, in the machine's order.
    pub fn run(&self, source: &mut dyn Rows, mut sink: impl FnMut(usize, &[u8])) -> Result<()> {
        let mut ring: VecDeque<Vec<f32>> = VecDeque::with_capacity(self.rows.max_taps());
        let mut spare: Vec<Vec<f32>> = Vec::new();
        let (mut line, mut sums, mut bytes) = (Vec::new(), vec![0.0; 3 * self.columns.len()], Vec::new());
        let mut dropped = 0;
        for (y, (start, taps)) in self.rows.iter().enumerate() {
            while dropped + ring.len() < start + taps.len() {
                line.clear();
                line.extend(source.next(1)?[0].iter().map(|&byte| self.levels[usize::from(byte)]));
                let mut row = spare.pop().unwrap_or_else(|| vec![0.0; 3 * self.columns.len()]);
                self.horizontal(&line, &mut row);
                ring.push_back(row);
            }
            spare.extend(ring.drain(..start - dropped));
            dropped = start;
            self.vertical(taps, &ring, &mut sums);
            bytes.clear();
            bytes.extend(sums.iter().flat_map(|sum| sum.to_ne_bytes()));
            sink(y, &bytes);
        }
        Ok(())
    }

    fn horizontal(&self, line: &[f32], out: &mut [f32]) {
        match self.kernel {
            Kernel::Scalar => horizontal(&self.columns, line, out),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof shows that the processor has AVX2 and FMA.
            Kernel::Avx2(_) => unsafe { horizontal_avx2(&self.columns, line, out) },
        }
    }

    fn vertical(&self, taps: &[f32], rows: &VecDeque<Vec<f32>>, sums: &mut [f32]) {
        match self.kernel {
            Kernel::Scalar => vertical(taps, rows, sums),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof shows that the processor has AVX2 and FMA.
            Kernel::Avx2(_) => unsafe { vertical_avx2(taps, rows, sums) },
        }
    }
}

/// Weights for resizing `input` pixels to `output`, for the outputs in `crop` alone.
pub(crate) fn weights(input: usize, output: usize, crop: Range<usize>) -> Weights<f32> {
    let scale = input as f32 / output as f32;
    let support = scale.max(1.0);
    let inverse = if scale >= 1.0 { (1.0 / f64::from(scale)) as f32 } else { 1.0 };
    let max_taps = (2.0 * support).ceil().min(input as f32) as usize + 1;
    let mut builder = Builder::with_capacity(crop.len(), max_taps);
    let mut taps = Vec::new();
    for x in crop {
        let centre = (f64::from(scale) * (x as f64 + 0.5)) as f32;
        // `as` saturates: a negative start is 0, as in torch.
        let start = (f64::from(centre - support) + 0.5) as usize;
        let end = ((f64::from(centre + support) + 0.5) as usize).min(input);
        taps.clear();
        taps.extend((start..end).map(|i| {
            let distance = ((f64::from(i as f32 - centre) + 0.5) * f64::from(inverse)) as f32;
            (1.0 - distance.abs()).max(0.0)
        }));
        let sum = taps.iter().fold(0.0, |sum, tap| sum + tap);
        builder.push(start, taps.iter().map(|tap| tap / sum));
    }
    builder.finish()
}

/// The number of taps after the first one that are not fused.
#[inline(always)]
fn unfused(taps: usize) -> usize {
    taps.saturating_sub(1) / GROUP * GROUP
}

#[inline(always)]
fn horizontal(columns: &Weights<f32>, line: &[f32], out: &mut [f32]) {
    let pixels = line.as_chunks::<3>().0;
    for ((start, taps), out) in columns.iter().zip(out.as_chunks_mut::<3>().0) {
        let (pixels, apart) = (&pixels[start..start + taps.len()], 1 + unfused(taps.len()));
        let mut sums = pixels[0].map(|value| value * taps[0]);
        for (pixel, tap) in pixels[1..apart].iter().zip(&taps[1..apart]) {
            (0..3).for_each(|channel| sums[channel] += pixel[channel] * tap);
        }
        for (pixel, &tap) in pixels[apart..].iter().zip(&taps[apart..]) {
            (0..3).for_each(|channel| sums[channel] = pixel[channel].mul_add(tap, sums[channel]));
        }
        *out = sums;
    }
}

#[inline(always)]
fn vertical(taps: &[f32], rows: &VecDeque<Vec<f32>>, sums: &mut [f32]) {
    let apart = 1 + unfused(taps.len());
    for (i, (row, &tap)) in rows.iter().zip(taps).enumerate() {
        let values = sums.iter_mut().zip(row);
        match i {
            0 => values.for_each(|(sum, value)| *sum = value * tap),
            _ if i < apart => values.for_each(|(sum, value)| *sum += value * tap),
            _ => values.for_each(|(sum, value)| *sum = value.mul_add(tap, *sum)),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn horizontal_avx2(columns: &Weights<f32>, line: &[f32], out: &mut [f32]) {
    horizontal(columns, line, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn vertical_avx2(taps: &[f32], rows: &VecDeque<Vec<f32>>, sums: &mut [f32]) {
    vertical(taps, rows, sums);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{Header, Image, Layout, Whole};
    use crate::simd::levels_to_test;

    fn resized(level: Level, (width, height): (usize, usize), to: (usize, usize)) -> Vec<u8> {
        let data = (0..width * height * 3).map(|i| (i as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0]);
        let header = Header { width, height, layout: Layout::Rgb, palette: None };
        let mut image = Whole { header, data: data.collect() };
        let (columns, rows) = (weights(width, to.0, 0..to.0), weights(height, to.1, 0..to.1));
        let window = crate::pixels::Window { columns: columns.inputs(), rows: rows.inputs() };
        let passes = Floats::new(level, columns, rows, 1.0 / 255.0);
        let mut out = Vec::new();
        passes.run(image.rows(&window).unwrap().as_mut(), |_, row| out.extend_from_slice(row)).unwrap();
        out
    }

    #[test]
    fn every_level_has_the_bits_of_the_scalar_one() {
        for level in levels_to_test() {
            for (from, to) in
                [((61, 90), (40, 40)), ((500, 33), (60, 64)), ((7, 5), (20, 31)), ((1, 1), (3, 2))]
            {
                assert_eq!(
                    resized(level, from, to),
                    resized(Level::Scalar, from, to),
                    "{level:?} {from:?} {to:?}"
                );
            }
        }
    }

    #[test]
    fn weights_of_an_axis_sum_to_one() {
        for (input, output) in [(61, 40), (500, 7), (3, 50), (1, 1)] {
            for (_, taps) in weights(input, output, 0..output).iter() {
                let sum: f32 = taps.iter().sum();
                assert!((sum - 1.0).abs() < 1e-5, "{input} {output}: {sum}");
            }
        }
    }
}
