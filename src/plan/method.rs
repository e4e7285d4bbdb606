//! How the pixels of an output come from those of the source.

use std::ops::Range;

use super::geometry::Geometry;
use crate::error::{Error, Result};
use crate::pixels::{Layout, Sample, Window};
use crate::resample::blur::{Axis, Blur};
use crate::resample::floats::Floats;
use crate::resample::{
    Order, Pixel, Tap, TwoPass, Weights, Wide, floats, nearest_indices, nearest_indices_16_bit, torch,
};
use crate::simd::Level;
use crate::spec::{PillowBuild, Resampler, Spec};

#[derive(Debug)]
pub(crate) enum Method {
    /// Source pixels are copied: the column and the row of each output pixel, within the window.
    Pick { columns: Vec<usize>, rows: Vec<usize> },
    /// A convolution of bytes.
    TwoPass(TwoPass),
    /// Pillow's convolution of samples of 16 and 32 bits.
    Wide(Wide),
    /// torch's convolution of float32.
    Floats(Floats),
    /// SciPy's blur and zoom of float32.
    Blur(Blur),
}

impl Method {
    /// How the visible columns and rows of a resized image are computed, and the source pixels that they need.
    pub(super) fn new(spec: &Spec, layout: Layout, level: Level, geometry: &Geometry) -> (Window, Self) {
        let Geometry { from, to, columns, rows, .. } = geometry.clone();
        if spec.profile.resampler == Resampler::Scipy {
            let side = from.0.max(from.1);
            let (columns, rows) = (Axis::new(side, to.0, columns), Axis::new(side, to.1, rows));
            let window = Window { columns: 0..from.0, rows: 0..from.1 };
            let factor = spec.rescale_factor.unwrap_or(1.0);
            return (window, Self::Blur(Blur::new(from, columns, rows, factor)));
        }
        if from == to {
            return pick(columns.collect(), rows.collect());
        }
        if spec.profile.resampler == Resampler::TorchFloats {
            let (window, columns, rows) = both_axes(geometry, floats::weights);
            let factor = spec.rescale_factor.unwrap_or(1.0) as f32;
            return (window, Self::Floats(Floats::new(level, columns, rows, factor)));
        }
        let is_torch = spec.profile.resampler == Resampler::Torch;
        if spec.filter.is_nearest() || layout.nearest_only() {
            if is_torch {
                let (columns, rows) = torch::nearest_indices(spec.filter, from, to, columns, rows);
                return pick(columns, rows);
            }
            let indices = match layout.sample() {
                Some(Sample::U16Le | Sample::U16Be) => nearest_indices_16_bit,
                _ => nearest_indices,
            };
            return pick(indices(from.0, to.0, columns), indices(from.1, to.1, rows));
        }
        let filter = spec.filter;
        if is_torch {
            let of_axis = if spec.antialias { torch::weights } else { torch::neighbours };
            let weights = |input, output, crop| of_axis(filter, input, output, crop);
            let (window, columns, rows) = both_axes(geometry, weights);
            let passes = TwoPass::new(level, &columns, rows, Pixel::of(layout), Order::HorizontalFirst);
            return (window, Self::TwoPass(passes));
        }
        let products = spec.pillow.products();
        let order = pass_order(spec.pillow, from, to);
        if let Some(sample) = layout.sample() {
            let weights = |input, output, crop| Weights::new(filter, products, input, output, crop);
            let (window, columns, rows) = both_axes(geometry, weights);
            return (window, Self::Wide(Wide::new(columns, rows, order, sample, products)));
        }
        let weights = |input, output, crop| Weights::new(filter, products, input, output, crop);
        let (window, columns, rows) = both_axes(geometry, weights);
        (window, Self::TwoPass(TwoPass::new(level, &columns, rows, Pixel::of(layout), order)))
    }

    /// Whether rows of float32 come out.
    pub fn makes_floats(&self) -> bool {
        matches!(self, Self::Floats(_) | Self::Blur(_))
    }

    /// The same for an image whose decoder hands out one pixel for every `reduction` x `reduction`. The last column
    /// and row of such an image may stand for fewer pixels than the others, so the full size decides where its
    /// pixels lie.
    pub(super) fn reduced(
        spec: &Spec,
        layout: Layout,
        level: Level,
        geometry: &Geometry,
        reduction: usize,
    ) -> (Window, Self) {
        let axis = |input: usize, output: usize, crop: &Range<usize>| {
            let scale = input as f64 / (reduction * output) as f64;
            Weights::scaled(
                spec.filter,
                spec.pillow.products(),
                scale,
                input.div_ceil(reduction),
                crop.clone(),
            )
        };
        let Geometry { from, to, columns, rows, .. } = geometry;
        let (columns, rows) = (axis(from.0, to.0, columns), axis(from.1, to.1, rows));
        let window = Window { columns: columns.inputs(), rows: rows.inputs() };
        let passes = TwoPass::new(level, &columns, rows, Pixel::of(layout), Order::HorizontalFirst);
        (window, Self::TwoPass(passes))
    }
}

/// The weights of both axes, and the source pixels that have one.
fn both_axes<T: Tap>(
    geometry: &Geometry,
    weights: impl Fn(usize, usize, Range<usize>) -> Weights<T>,
) -> (Window, Weights<T>, Weights<T>) {
    let axis = |input, output, crop: &Range<usize>| match input == output {
        true => Weights::identity(crop.clone()),
        false => weights(input, output, crop.clone()),
    };
    let Geometry { from, to, columns, rows, .. } = geometry;
    let (columns, rows) = (axis(from.0, to.0, columns), axis(from.1, to.1, rows));
    (Window { columns: columns.inputs(), rows: rows.inputs() }, columns, rows)
}

/// Copies these columns and rows of the source.
fn pick(mut columns: Vec<usize>, mut rows: Vec<usize>) -> (Window, Method) {
    let from_zero = |indices: &mut Vec<usize>| {
        let (first, last) = (indices[0], indices[indices.len() - 1]);
        indices.iter_mut().for_each(|index| *index -= first);
        first..last + 1
    };
    let window = Window { columns: from_zero(&mut columns), rows: from_zero(&mut rows) };
    (window, Method::Pick { columns, rows })
}

/// The order of the passes of `Image.resize` (libImaging/Resample.c).
fn pass_order(build: PillowBuild, (width, height): (usize, usize), resized: (usize, usize)) -> Order {
    let (width, height) = (width as i64, height as i64);
    let shrink = height - resized.1 as i64;
    let vertical_first = match build {
        PillowBuild::Pillow12 | PillowBuild::Pillow12Arm => height > 100 * width && shrink > 0,
        PillowBuild::Pillow13 | PillowBuild::Pillow13Arm => {
            shrink > 0 && shrink > 2 * (width - resized.0 as i64)
        }
    };
    if vertical_first { Order::VerticalFirst } else { Order::HorizontalFirst }
}

/// Bytes of a column and of a row of the output besides those of their taps, at the most: where they begin, and the step
/// that the taps fill in part.
const COLUMN: u64 = 320;
const ROW: u64 = 48;

/// About the bytes that the weights of that many columns and rows of the output hold, and at the most those that they
/// take while they are made: those of the columns are laid out for the kernels.
pub(super) fn weights_memory(spec: &Spec, layout: Layout, geometry: &Geometry) -> (u64, u64) {
    let Geometry { from, to, columns, rows, .. } = geometry;
    if spec.profile.resampler == Resampler::Scipy {
        let side = from.0.max(from.1);
        let (columns, rows) = (Axis::memory(side, to.0, columns.len()), Axis::memory(side, to.1, rows.len()));
        return (columns.0 + rows.0, columns.1 + rows.1);
    }
    if spec.filter.is_nearest() || layout.nearest_only() {
        return (0, 0);
    }
    let taps = |input: usize, output: usize, crop: usize| {
        if input == output {
            return 0;
        }
        let scale = (input as f64 / output as f64).max(1.0);
        (crop as f64 * (2.0 * spec.filter.support() * scale + 1.0).min(input as f64)) as u64
    };
    let apart = columns.len() as u64 * COLUMN + rows.len() as u64 * ROW;
    let (columns, rows) = (taps(from.0, to.0, columns.len()), taps(from.1, to.1, rows.len()));
    let column_bytes = if layout.bytes() == 1 { 16 } else { 24 };
    (columns * column_bytes / 2 + rows * 4, columns * column_bytes + rows * 16 + apart)
}

/// Refuses what Pillow cannot hold: its weights for one axis must be fewer than 2^31 bytes.
pub(super) fn check_size(spec: &Spec, geometry: &Geometry) -> Result<()> {
    let Geometry { from, to, .. } = geometry;
    if from == to {
        return Ok(());
    }
    let bytes = |input: usize, output: usize| {
        let scale = (input as f64 / output as f64).max(1.0);
        let taps = match spec.filter {
            filter if filter.is_nearest() => 0.5,
            filter => (filter.support() * scale).ceil() * 2.0 + 1.0,
        };
        output as f64 * taps * 8.0
    };
    if bytes(from.0, to.0).max(bytes(from.1, to.1)) > f64::from(i32::MAX) {
        return Err(Error::ruled_out(format!(
            "expected a size that Pillow can resize, found {} x {}, which would become {} x {}",
            from.0, from.1, to.0, to.1
        )));
    }
    Ok(())
}
