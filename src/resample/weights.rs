//! Filter weights per output pixel, as Pillow computes and rounds them (libImaging/Resample.c).

use std::ops::Range;

use super::{Filter, Products};

/// Fractional bits of a weight.
pub(crate) const PRECISION: u32 = 22;
/// What a sum of weighted bytes begins with, so that shifting by [`PRECISION`] rounds it.
pub(crate) const HALF: i32 = 1 << (PRECISION - 1);

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

impl Tap for f32 {
    fn of(weight: f64) -> Self {
        weight as f32
    }
}

impl Tap for i32 {
    fn of(weight: f64) -> Self {
        fixed(weight, PRECISION)
    }
}

/// A weight with `bits` fractional bits, rounded half away from zero.
pub(super) fn fixed(weight: f64, bits: u32) -> i32 {
    let scaled = weight * f64::from(1 << bits);
    (if weight < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
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
    pub fn new(filter: Filter, products: Products, input: usize, output: usize, crop: Range<usize>) -> Self {
        // Pillow holds the box in float32, which shows from 2^24 pixels on.
        Self::scaled(filter, products, f64::from(input as f32) / output as f64, input, crop)
    }

    /// The same, by the number of input pixels for each output pixel.
    pub fn scaled(filter: Filter, products: Products, scale: f64, input: usize, crop: Range<usize>) -> Self {
        let real = Real::new(filter, products, scale, input);
        let mut builder = Builder::with_capacity(crop.len(), real.max_taps());
        let mut weights = Vec::new();
        for x in crop {
            let start = real.of(x, &mut weights);
            builder.push(start, weights.iter().map(|&weight| T::of(weight)));
        }
        builder.finish()
    }

    /// One input pixel per output pixel: an axis whose size does not change.
    pub fn identity(crop: Range<usize>) -> Self {
        let mut builder = Builder::with_capacity(crop.len(), 1);
        for x in crop {
            builder.push(x, std::iter::once(T::of(1.0)));
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

/// The weights of one axis before they are rounded.
pub(super) struct Real {
    filter: Filter,
    products: Products,
    scale: f64,
    support: f64,
    inverse: f64,
    input: usize,
}

impl Real {
    /// `scale` is input pixels per output pixel.
    pub fn new(filter: Filter, products: Products, scale: f64, input: usize) -> Self {
        let filter_scale = scale.max(1.0);
        Self {
            filter,
            products,
            scale,
            support: filter.support() * filter_scale,
            inverse: 1.0 / filter_scale,
            input,
        }
    }

    /// The largest number of taps that an output pixel may have.
    pub fn max_taps(&self) -> usize {
        (2.0 * self.support).ceil().min(self.input as f64) as usize + 1
    }

    /// Fills `weights` for output pixel `x`, their sum being 1, and returns the first one's input pixel.
    pub fn of(&self, x: usize, weights: &mut Vec<f64>) -> usize {
        let centre = (x as f64 + 0.5) * self.scale;
        // `as` saturates: a negative start is 0, as in Pillow.
        let start = (centre - self.support + 0.5) as usize;
        let end = ((centre + self.support + 0.5) as usize).min(self.input);
        weights.clear();
        // Whole numbers, so that no bit is lost; the compiler converts several 32-bit ones at once.
        let x = |i: i32| (start as f64 + f64::from(i) - centre + 0.5) * self.inverse;
        self.filter.extend(weights, self.products, (0..end.saturating_sub(start) as i32).map(x));
        let sum: f64 = weights.iter().fold(0.0, |sum, weight| sum + weight);
        if sum != 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        start
    }
}

pub(super) struct Builder<T> {
    spans: Vec<Span>,
    taps: Vec<T>,
}

impl<T: Copy> Builder<T> {
    /// Room for that many output pixels of at most that many taps each.
    pub fn with_capacity(outputs: usize, max_taps: usize) -> Self {
        Self { spans: Vec::with_capacity(outputs), taps: Vec::with_capacity(outputs * max_taps) }
    }

    pub fn push(&mut self, start: usize, weights: impl Iterator<Item = T>) {
        let first_tap = self.taps.len();
        self.taps.extend(weights);
        self.spans.push(Span { start, first_tap, taps: self.taps.len() - first_tap });
    }

    pub fn finish(self) -> Weights<T> {
        let start = self.spans.iter().map(|span| span.start).min().unwrap_or(0);
        let end = self.spans.iter().map(|span| span.start + span.taps).max().unwrap_or(0);
        Weights { spans: self.spans, taps: self.taps, inputs: start..end }
    }
}
