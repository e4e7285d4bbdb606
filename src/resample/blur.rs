//! SciPy's Gaussian blur and linear zoom of float32 (`ndimage.gaussian_filter`, then `ndimage.zoom` of order 1, both
//! mirrored at the edges), in their order of operations. Sums are float64; what each axis makes is rounded to float32.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::pixels::{BLOCK_ROWS, Rows};

/// One axis: how it is blurred, and between which of its pixels each output pixel lies.
#[derive(Debug)]
pub(crate) struct Axis {
    /// Pixels, with the padding after the image.
    len: usize,
    /// The weights from the outermost one to that of the centre; none where nothing is blurred.
    kernel: Vec<f64>,
    /// Two pixels for each output pixel, with their weights.
    samples: Vec<[(usize, f64); 2]>,
}

impl Axis {
    /// The axis of `len` pixels that become `output`, of which the outputs in `crop` are wanted.
    pub fn new(len: usize, output: usize, crop: Range<usize>) -> Self {
        let scale = len as f64 / output as f64;
        let sample = |x: usize| {
            // Mirrored before its neighbours are weighed.
            let at = if len == 1 { 0.0 } else { ((x as f64 + 0.5) * scale - 0.5).abs() };
            let near = 1.0 - (at - at.floor());
            let first = at.floor() as isize;
            [(mirrored(first, len), near), (mirrored(first + 1, len), 1.0 - near)]
        };
        Self { len, kernel: kernel(((scale - 1.0) / 2.0).max(0.0)), samples: crop.map(sample).collect() }
    }

    /// An upper estimate of the bytes that such an axis holds, `count` outputs of which are wanted, and of those that it
    /// takes while it is made: half of a whole kernel is kept.
    pub fn memory(len: usize, output: usize, count: usize) -> (u64, u64) {
        let half = (2.0 * (len as f64 / output as f64) + 2.0) as u64 * size_of::<f64>() as u64;
        let samples = count as u64 * size_of::<[(usize, f64); 2]>() as u64;
        (half + samples, 3 * half + samples)
    }

    /// The pixel itself, or pairs of pixels at equal distances from it, the farthest pair first, each with a weight.
    fn taps(&self, centre: usize) -> impl Iterator<Item = (usize, usize, f64)> {
        let radius = self.kernel.len().saturating_sub(1);
        let at = move |offset: isize| mirrored(centre as isize + offset, self.len);
        let pairs = (1..=radius as isize).rev().map(move |offset| (at(-offset), at(offset)));
        pairs.zip(&self.kernel).map(|((before, after), &weight)| (before, after, weight))
    }

    /// The weight of the centre.
    fn central(&self) -> f64 {
        self.kernel.last().copied().unwrap_or(1.0)
    }
}

/// A pixel beyond an edge stands for the one as far inside; the edge itself is not repeated.
fn mirrored(at: isize, len: usize) -> usize {
    let period = 2 * (len as isize - 1);
    if period == 0 {
        return 0;
    }
    let at = at.rem_euclid(period);
    at.min(period - at) as usize
}

/// Half of a Gaussian of that deviation, cut off after four of them; the whole sums to 1.
fn kernel(sigma: f64) -> Vec<f64> {
    let radius = (4.0 * sigma + 0.5) as i64;
    if sigma <= 1e-15 {
        return Vec::new();
    }
    let factor = -0.5 / (sigma * sigma);
    let whole: Vec<f64> = (-radius..=radius).map(|x| (factor * (x * x) as f64).exp()).collect();
    let sum = pairwise_sum(&whole);
    whole[..=radius as usize].iter().map(|weight| weight / sum).collect()
}

/// NumPy's sum: eight sums that take turns, or halves of more than 128 numbers.
fn pairwise_sum(numbers: &[f64]) -> f64 {
    if numbers.len() > 128 {
        let half = numbers.len() / 2;
        let (one, other) = numbers.split_at(half - half % 8);
        return pairwise_sum(one) + pairwise_sum(other);
    }
    let (eights, rest) = numbers.as_chunks::<8>();
    let mut sum = 0.0;
    if let Some((first, eights)) = eights.split_first() {
        let mut sums = *first;
        for eight in eights {
            sums.iter_mut().zip(eight).for_each(|(sum, number)| *sum += number);
        }
        let [a, b, c, d, e, f, g, h] = sums;
        sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
    }
    rest.iter().fold(sum, |sum, number| sum + number)
}

/// A blur and a zoom of RGB, padded with black at the right and below to a square, for the rows and columns that
/// survive a crop.
#[derive(Debug)]
pub(crate) struct Blur {
    /// Width and height of the image.
    size: (usize, usize),
    columns: Axis,
    rows: Axis,
    /// The float of each byte, as float32 holds it.
    levels: Box<[f64; 256]>,
}

impl Blur {
    /// `factor` is what a byte is multiplied by first.
    pub fn new(size: (usize, usize), columns: Axis, rows: Axis, factor: f64) -> Self {
        let levels = Box::new(std::array::from_fn(|byte| f64::from((byte as f64 * factor) as f32)));
        Self { size, columns, rows, levels }
    }

    /// Bytes as the rows that come out have them.
    pub fn floats(&self, bytes: &[u8]) -> Vec<u8> {
        bytes.iter().flat_map(|&byte| (self.levels[usize::from(byte)] as f32).to_ne_bytes()).collect()
    }

    /// An upper estimate of the bytes that the image and the buffers take.
    pub fn memory(&self) -> u64 {
        let [width, height, line, samples] =
            [self.size.0, self.size.1, self.columns.len, self.columns.samples.len()].map(|len| len as u64);
        let float = size_of::<f64>() as u64;
        3 * (width * height + 2 * float * line) + 2 * 3 * 2 * float * samples
    }

    /// Reads all of `source` and hands each finished row to `sink`, top to bottom: three float32 a pixel, in the
    /// machine's order.
    pub fn run(&self, source: &mut dyn Rows, mut sink: impl FnMut(usize, &[u8])) -> Result<()> {
        let bytes = self.collected(source)?;
        let mut line = vec![0.0; 3 * self.columns.len];
        // The rows that the last output pixel lay between.
        let mut known = [(usize::MAX, Vec::new()), (usize::MAX, Vec::new())];
        let mut out = Vec::new();
        for (y, &[(first, above), (second, below)]) in self.rows.samples.iter().enumerate() {
            if known[1].0 == first {
                known.swap(0, 1);
            }
            for (row, (at, sampled)) in [first, second].into_iter().zip(&mut known) {
                if *at != row {
                    self.blur_vertically(&bytes, row, &mut line);
                    self.sample(&line, sampled);
                    *at = row;
                }
            }
            out.clear();
            let pairs = known[0].1.as_chunks::<6>().0.iter().zip(known[1].1.as_chunks::<6>().0);
            for (&[(_, left), (_, right)], (upper, lower)) in self.columns.samples.iter().zip(pairs) {
                for channel in 0..3 {
                    let (near, far) = (channel, channel + 3);
                    let sum = upper[near] * above * left
                        + upper[far] * above * right
                        + lower[near] * below * left
                        + lower[far] * below * right;
                    out.extend((sum as f32).to_ne_bytes());
                }
            }
            sink(y, &out);
        }
        Ok(())
    }

    /// The whole image.
    fn collected(&self, source: &mut dyn Rows) -> Result<Vec<u8>> {
        let (width, height) = self.size;
        let len = 3 * width * height;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| Error::out_of_memory("an image to blur", len as u64))?;
        for y in (0..height).step_by(BLOCK_ROWS) {
            let count = BLOCK_ROWS.min(height - y);
            source.next(count)?[..count].iter().for_each(|row| bytes.extend_from_slice(row));
        }
        Ok(bytes)
    }

    /// Row `y` of the padded image, blurred along its columns.
    fn blur_vertically(&self, bytes: &[u8], y: usize, line: &mut [f64]) {
        let row_bytes = 3 * self.size.0;
        let row = |y: usize| bytes.get(y * row_bytes..(y + 1) * row_bytes);
        let sums = &mut line[..row_bytes];
        let value = |byte: &u8| self.levels[usize::from(*byte)];
        let central = self.rows.central();
        match row(y) {
            Some(row) => sums.iter_mut().zip(row).for_each(|(sum, byte)| *sum = value(byte) * central),
            None => sums.fill(0.0),
        }
        for (before, after, weight) in self.rows.taps(y) {
            match (row(before), row(after)) {
                (Some(one), Some(other)) => {
                    for ((sum, one), other) in sums.iter_mut().zip(one).zip(other) {
                        *sum += (value(one) + value(other)) * weight;
                    }
                }
                (Some(one), None) | (None, Some(one)) => {
                    sums.iter_mut().zip(one).for_each(|(sum, one)| *sum += value(one) * weight);
                }
                (None, None) => (),
            }
        }
        sums.iter_mut().for_each(|sum| *sum = f64::from(*sum as f32));
    }

    /// The pixels of a row that outputs lie between, blurred along it.
    fn sample(&self, line: &[f64], sampled: &mut Vec<f64>) {
        sampled.clear();
        let pixels = line.as_chunks::<3>().0;
        let central = self.columns.central();
        for &(x, _) in self.columns.samples.as_flattened() {
            let mut sums = pixels[x].map(|value| value * central);
            for (before, after, weight) in self.columns.taps(x) {
                for (channel, sum) in sums.iter_mut().enumerate() {
                    *sum += (pixels[before][channel] + pixels[after][channel]) * weight;
                }
            }
            sampled.extend(sums.map(|sum| f64::from(sum as f32)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_beyond_an_edge_are_mirrored() {
        let mirror = |len| (-5..8).map(|at| mirrored(at, len)).collect::<Vec<_>>();
        assert_eq!(mirror(4), [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(mirror(1), [0; 13]);
        assert_eq!(mirror(2), [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    }

    #[test]
    fn a_kernel_sums_to_one() {
        for sigma in [0.01, 0.3, 1.0, 2.7, 40.0] {
            let half = kernel(sigma);
            let sum = 2.0 * half.iter().sum::<f64>() - half[half.len() - 1];
            assert!((sum - 1.0).abs() < 1e-12, "{sigma}: {sum}");
        }
        assert!(kernel(0.0).is_empty());
    }

    #[test]
    fn an_axis_takes_no_more_memory_than_estimated() {
        for (len, output) in [(1, 1), (3, 9), (50, 50), (51, 50), (1000, 7), (1 << 20, 3)] {
            let axis = Axis::new(len, output, 0..1);
            let bytes = size_of_val(&axis.kernel[..]) + size_of_val(&axis.samples[..]);
            let (held, while_made) = Axis::memory(len, output, 1);
            assert!(bytes as u64 <= held && held <= 64 + 64 * len as u64, "{len} {output}: {bytes}, {held}");
            assert!(3 * size_of_val(&axis.kernel[..]) as u64 <= while_made + 8);
        }
    }

    #[test]
    fn sums_of_any_length() {
        for len in [0, 1, 7, 8, 9, 128, 129, 300] {
            let numbers: Vec<f64> = (0..len).map(f64::from).collect();
            assert_eq!(pairwise_sum(&numbers), f64::from(len * (len - 1) / 2));
        }
    }
}
