//! Filter weights per output pixel, as Pillow computes and rounds them (libImaging/Resample.c).

use std::ops::Range;

use super::Filter;

/// Fractional bits of a weight.
pub(crate) const PRECISION: u32 = 22;

/// Which input pixels one output pixel is the weighted sum of.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    first_tap: usize,
    taps: usize,
}

/// How a weight is held: as computed for samples of more than a byte, in fixed point for bytes.
pub(crate) trait Tap: Copy {
    fn of(weight: f64) -> Self;
}

impl Tap for f64 {
    fn of(weight: f64) -> Self {
        weight
    }
}

impl Tap for i32 {
    /// Rounds half away from zero.
    fn of(weight: f64) -> Self {
        let scaled = weight * f64::from(1 << PRECISION);
        (if weight < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
    }
}

/// The weights of a run of output pixels along one axis.
#[derive(Clone, Debug)]
pub(crate) struct Weights<T = i32> {
    spans: Vec<Span>,
    taps: Vec<T>,
    inputs: Range<usize>,
}

impl<T: Tap> Weights<T> {
    /// Weights for resizing `input` pixels to `output`, for the outputs in `crop` alone: a weight
    /// depends on its own output pixel only, so a crop changes no bit.
    pub fn new(filter: Filter, input: usize, output: usize, crop: Range<usize>) -> Self {
        // Pillow holds the box in float32, which shows from 2^24 pixels on.
        let scale = f64::from(input as f32) / output as f64;
        let filter_scale = scale.max(1.0);
        let support = filter.support() * filter_scale;
        let inverse = 1.0 / filter_scale;
        let mut real = Vec::new();
        let mut builder = Builder::with_capacity(crop.len());
        for x in crop {
            let centre = (x as f64 + 0.5) * scale;
            // `as` saturates: a negative start is 0, as in Pillow.
            let start = (centre - support + 0.5) as usize;
            let end = ((centre + support + 0.5) as usize).min(input);
            real.clear();
            real.extend((start..end).map(|i| filter.at((i as f64 - centre + 0.5) * inverse)));
            let sum: f64 = real.iter().fold(0.0, |sum, weight| sum + weight);
            if sum != 0.0 {
                real.iter_mut().for_each(|weight| *weight /= sum);
            }
            builder.push(start, real.iter().copied());
        }
        builder.finish()
    }

    /// One input pixel per output pixel: an axis whose size does not change.
    pub fn identity(crop: Range<usize>) -> Self {
        let mut builder = Builder::with_capacity(crop.len());
        for x in crop {
            builder.push(x, std::iter::once(1.0));
        }
        builder.finish()
    }

    /// The input pixels that have a weight anywhere.
    pub fn inputs(&self) -> Range<usize> {
        self.inputs.clone()
    }

    /// Number of output pixels.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// The first input of output pixel `x`, counted from the start of [`Self::inputs`], and its weights.
    pub fn get(&self, x: usize) -> (usize, &[T]) {
        let span = self.spans[x];
        (span.start - self.inputs.start, &self.taps[span.first_tap..span.first_tap + span.taps])
    }

    /// All output pixels in order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[T])> {
        (0..self.len()).map(|x| self.get(x))
    }

    /// The largest number of taps of any output pixel.
    pub fn max_taps(&self) -> usize {
        self.spans.iter().map(|span| span.taps).max().unwrap_or(0)
    }
}

struct Builder<T> {
    spans: Vec<Span>,
    taps: Vec<T>,
}

impl<T: Tap> Builder<T> {
    fn with_capacity(outputs: usize) -> Self {
        Self { spans: Vec::with_capacity(outputs), taps: Vec::new() }
    }

    fn push(&mut self, start: usize, weights: impl Iterator<Item = f64>) {
        let first_tap = self.taps.len();
        self.taps.extend(weights.map(T::of));
        self.spans.push(Span { start, first_tap, taps: self.taps.len() - first_tap });
    }

    fn finish(self) -> Weights<T> {
        let start = self.spans.iter().map(|span| span.start).min().unwrap_or(0);
        let end = self.spans.iter().map(|span| span.start + span.taps).max().unwrap_or(0);
        Weights { spans: self.spans, taps: self.taps, inputs: start..end }
    }
}
