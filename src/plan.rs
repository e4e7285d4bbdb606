//! What will be done with an image, decided from its header alone.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::pixels::{Header, Layout, Palette, Window};
use crate::resample::{
    Filter, Order, Sample, Tap, TwoPass, Weights, Wide, nearest_indices, nearest_indices_16_bit, torch,
};
use crate::simd::Level;
use crate::spec::{Fill, PassOrder, Profile, Resampler, ResizeMode, Spec};

/// The geometry of one image, and how its pixels are resized.
#[derive(Debug)]
pub struct Plan {
    /// Width and height after resizing, before the crop.
    pub resized: (usize, usize),
    /// Left and top of the crop in the resized image; negative where the crop is the larger one.
    pub crop: (isize, isize),
    /// How many pixels per side each source pixel stands for, where the decoder reduces the image.
    pub reduction: usize,
    /// The source pixels that matter.
    pub window: Window,
    /// The layout that is resized: RGB where the profile converts first.
    pub(crate) layout: Layout,
    pub(crate) method: Method,
    /// What surrounds the image where it does not fill the crop.
    pub(crate) frame: Option<Frame>,
    /// An upper estimate of the bytes that the weights hold.
    weights: u64,
}

#[derive(Debug)]
pub(crate) enum Method {
    /// Source pixels are copied: the column and the row of each output pixel, within the window.
    Pick { columns: Vec<usize>, rows: Vec<usize> },
    /// A convolution of bytes.
    TwoPass(TwoPass),
    /// Pillow's convolution of samples of 16 and 32 bits.
    Wide(Wide),
}

/// The pixels of an output that lie outside the image.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Rows above the image.
    pub top: usize,
    /// Rows below it.
    pub bottom: usize,
    /// A row that the image has no part in.
    pub empty: Vec<u8>,
    /// Where the image's part of a row begins in bytes.
    pub left: usize,
}

impl Plan {
    /// The plan for an image of that header.
    pub fn new(spec: &Spec, header: &Header, level: Level) -> Result<Self> {
        Self::reduced(spec, header, 1, level)
    }

    /// The plan for an image of that header whose decoder hands out a pixel for every `reduction` x `reduction`.
    pub fn reduced(spec: &Spec, header: &Header, reduction: usize, level: Level) -> Result<Self> {
        let from = (header.width, header.height);
        let resized = resized_size(spec, from)?;
        let (height, width) = spec.size;
        let crop =
            (crop_offset(spec.profile, resized.0, width), crop_offset(spec.profile, resized.1, height));
        let (columns, rows) = (visible(crop.0, width, resized.0), visible(crop.1, height, resized.1));
        let layout = if spec.profile.rgb_first { Layout::Rgb } else { header.layout };
        let frame = frame(spec, crop, (columns.len(), rows.len()), layout)?;
        let (held, made) = weights_memory(spec, layout, from, resized, (columns.len(), rows.len()));
        spec.limits.check_memory(made)?;
        let (window, method) = if resized == from {
            pick(columns.collect(), rows.collect())
        } else {
            check_size(spec, from, resized)?;
            match reduction {
                1 => resize(spec, layout, level, from, resized, columns, rows),
                _ => resize_reduced(spec, layout, level, from, reduction, resized, columns, rows),
            }
        };
        Ok(Self { resized, crop, reduction, window, layout, method, frame, weights: held })
    }

    /// The palette after resizing. Pillow's convolution leaves PA with a new one, in which every colour
    /// is black.
    pub(crate) fn palette<'a>(&self, header: &'a Header) -> Option<&'a Palette> {
        match self.method {
            Method::TwoPass(_) => None,
            _ => header.palette.as_deref(),
        }
    }

    /// An upper estimate of the bytes that resizing holds.
    pub fn memory(&self) -> u64 {
        let rows = match &self.method {
            Method::Pick { .. } => 0,
            Method::TwoPass(passes) => passes.memory(),
            Method::Wide(passes) => passes.memory(),
        };
        rows as u64 + self.weights
    }

    /// What happens to the pixels, in a word: the order of the passes, "nearest" or "none".
    pub fn order(&self, header: &Header) -> &'static str {
        let order = match &self.method {
            _ if self.resized == (header.width, header.height) => return "none",
            Method::Pick { .. } => return "nearest",
            Method::TwoPass(passes) => passes.order(),
            Method::Wide(passes) => passes.order(),
        };
        match order {
            Order::HorizontalFirst => "horizontal-first",
            Order::VerticalFirst => "vertical-first",
        }
    }
}

/// How the surviving columns and rows of a resized image come about, and the source pixels they need.
fn resize(
    spec: &Spec,
    layout: Layout,
    level: Level,
    from: (usize, usize),
    to: (usize, usize),
    columns: Range<usize>,
    rows: Range<usize>,
) -> (Window, Method) {
    let is_torch = spec.profile.resampler == Resampler::Torch;
    if spec.filter == Filter::Nearest || layout.nearest_only() {
        if is_torch {
            let (columns, rows) = torch::nearest_indices(from, to, columns, rows);
            return pick(columns, rows);
        }
        let indices = match layout.sample() {
            Some(Sample::U16Le | Sample::U16Be) => nearest_indices_16_bit,
            _ => nearest_indices,
        };
        return pick(indices(from.0, to.0, columns), indices(from.1, to.1, rows));
    }
    if is_torch {
        let (window, columns, rows) = axes(from, to, columns, rows, |input, output, crop| {
            torch::weights(spec.filter, input, output, crop)
        });
        let passes = TwoPass::new(level, &columns, rows, layout.bytes(), Order::HorizontalFirst);
        return (window, Method::TwoPass(passes));
    }
    let order = pass_order(spec.pass_order, from, to);
    if let Some(sample) = layout.sample() {
        let (window, columns, rows) = axes(from, to, columns, rows, |input, output, crop| {
            Weights::new(spec.filter, input, output, crop)
        });
        return (window, Method::Wide(Wide::new(columns, rows, order, sample)));
    }
    let (window, columns, rows) =
        axes(from, to, columns, rows, |input, output, crop| Weights::new(spec.filter, input, output, crop));
    (window, Method::TwoPass(TwoPass::new(level, &columns, rows, layout.bytes(), order)))
}

/// The same from an image that its decoder has reduced. The last column and row of such an image may stand for
/// fewer pixels than the others, so it is the full size that decides where its pixels lie.
#[expect(clippy::too_many_arguments, reason = "as many as `resize` has, and one")]
fn resize_reduced(
    spec: &Spec,
    layout: Layout,
    level: Level,
    from: (usize, usize),
    reduction: usize,
    to: (usize, usize),
    columns: Range<usize>,
    rows: Range<usize>,
) -> (Window, Method) {
    let axis = |input: usize, output: usize, crop| {
        let scale = input as f64 / (reduction * output) as f64;
        Weights::scaled(spec.filter, scale, input.div_ceil(reduction), crop)
    };
    let (columns, rows) = (axis(from.0, to.0, columns), axis(from.1, to.1, rows));
    let window = Window { columns: columns.inputs(), rows: rows.inputs() };
    (window, Method::TwoPass(TwoPass::new(level, &columns, rows, layout.bytes(), Order::HorizontalFirst)))
}

/// The weights of both axes, and the source pixels that have one.
fn axes<T: Tap>(
    from: (usize, usize),
    to: (usize, usize),
    columns: Range<usize>,
    rows: Range<usize>,
    weights: impl Fn(usize, usize, Range<usize>) -> Weights<T>,
) -> (Window, Weights<T>, Weights<T>) {
    let axis = |input, output, crop| match input == output {
        true => Weights::identity(crop),
        false => weights(input, output, crop),
    };
    let (columns, rows) = (axis(from.0, to.0, columns), axis(from.1, to.1, rows));
    (Window { columns: columns.inputs(), rows: rows.inputs() }, columns, rows)
}

fn pick(mut columns: Vec<usize>, mut rows: Vec<usize>) -> (Window, Method) {
    let from_zero = |indices: &mut Vec<usize>| {
        let (first, last) = (indices[0], indices[indices.len() - 1]);
        indices.iter_mut().for_each(|index| *index -= first);
        first..last + 1
    };
    let window = Window { columns: from_zero(&mut columns), rows: from_zero(&mut rows) };
    (window, Method::Pick { columns, rows })
}

/// Width and height after resizing.
pub(crate) fn resized_size(spec: &Spec, (width, height): (usize, usize)) -> Result<(usize, usize)> {
    let (to_height, to_width) = spec.resize_size;
    let ratios = (height as f64 / to_height as f64, width as f64 / to_width as f64);
    // open_clip's and timm's `ResizeKeepRatio`, with Python's `round`.
    let keep_ratio = |ratio: f64| {
        let side = |side: usize| (side as f64 / ratio).round_ties_even() as usize;
        (side(width), side(height))
    };
    let resized = match spec.resize_mode {
        // torchvision's `Resize(n)`: the shorter side becomes n, the longer one is truncated.
        ResizeMode::Shortest if to_width == to_height => {
            let scaled =
                |long: usize, short: usize| ((to_width as f64 * long as f64) / short as f64) as usize;
            if width <= height {
                (to_width, scaled(height, width))
            } else {
                (scaled(width, height), to_width)
            }
        }
        ResizeMode::Shortest => keep_ratio(ratios.0.min(ratios.1)),
        ResizeMode::Longest => keep_ratio(ratios.0.max(ratios.1)),
        ResizeMode::Squash => (to_width, to_height),
        ResizeMode::Keep => (width, height),
    };
    if resized.0 == 0 || resized.1 == 0 {
        return Err(Error::unsupported(format!(
            "expected an image that keeps a pixel per side, found {width} x {height}, which would become {} x {}",
            resized.0, resized.1
        )));
    }
    Ok(resized)
}

/// Where a crop of `n` begins: after half of the margin, or before the image by half of the padding.
fn crop_offset(profile: &Profile, size: usize, n: usize) -> isize {
    match size.checked_sub(n) {
        Some(margin) => profile.crop.half(margin) as isize,
        None => -(profile.padding.half(n - size) as isize),
    }
}

/// The pixels of a resized axis that a crop of `n` from `offset` on shows.
fn visible(offset: isize, n: usize, size: usize) -> Range<usize> {
    let start = offset.max(0) as usize;
    start..(start + n).min(size)
}

/// What surrounds the `inner` columns and rows in the output, if anything does.
fn frame(spec: &Spec, crop: (isize, isize), inner: (usize, usize), layout: Layout) -> Result<Option<Frame>> {
    let (height, width) = spec.size;
    if inner == (width, height) {
        return Ok(None);
    }
    let pixel = fill_pixel(spec.fill, layout)?;
    let before = |offset: isize| offset.min(0).unsigned_abs();
    Ok(Some(Frame {
        top: before(crop.1),
        bottom: height - inner.1 - before(crop.1),
        left: before(crop.0) * pixel.len(),
        empty: pixel.repeat(width),
    }))
}

/// A pixel of the fill in the mode that is cropped.
fn fill_pixel(fill: Fill, layout: Layout) -> Result<Vec<u8>> {
    match (fill, layout) {
        (Fill::Level(level), Layout::One) => Ok(vec![if level == 0 { 0 } else { 255 }]),
        (Fill::Level(level), Layout::I16 | Layout::I16L | Layout::I16N) => Ok(vec![level, 0]),
        (Fill::Level(level), Layout::I16B) => Ok(vec![0, level]),
        (Fill::Level(level), Layout::I) => Ok(i32::from(level).to_ne_bytes().into()),
        (Fill::Level(level), Layout::F) => Ok(f32::from(level).to_ne_bytes().into()),
        (Fill::Level(level), _) => Ok(vec![level; layout.bytes()]),
        (Fill::Bands(bands), Layout::Rgb) => Ok(bands.into()),
        (Fill::Bands([a, b, c]), Layout::Rgbx | Layout::YCbCr | Layout::Hsv | Layout::Lab) => {
            Ok(vec![a, b, c, 0])
        }
        (Fill::Bands(_), _) => Err(Error::unsupported(format!(
            "expected an image of three bands for a fill_color of three numbers, found mode {:?}",
            layout.mode()
        ))),
    }
}

/// The order of the passes of `Image.resize` (libImaging/Resample.c).
fn pass_order(rule: PassOrder, (width, height): (usize, usize), resized: (usize, usize)) -> Order {
    let shrink = height as i64 - resized.1 as i64;
    let vertical_first = match rule {
        PassOrder::Pillow12 => height > 100 * width && shrink > 0,
        PassOrder::Pillow13 => shrink > 0 && shrink > 2 * (width as i64 - resized.0 as i64),
    };
    if vertical_first { Order::VerticalFirst } else { Order::HorizontalFirst }
}

/// An upper estimate of the bytes that the weights of so many columns and rows of the output hold, and of those
/// that they take while they are made: their lists grow, and those of the columns are laid out for the kernels.
fn weights_memory(
    spec: &Spec,
    layout: Layout,
    from: (usize, usize),
    to: (usize, usize),
    crop: (usize, usize),
) -> (u64, u64) {
    if spec.filter == Filter::Nearest || layout.nearest_only() {
        return (0, 0);
    }
    let taps = |input: usize, output: usize, crop: usize| {
        if input == output {
            return 0;
        }
        let scale = (input as f64 / output as f64).max(1.0);
        (crop as f64 * (2.0 * spec.filter.support() * scale + 1.0).min(input as f64)) as u64
    };
    let (columns, rows) = (taps(from.0, to.0, crop.0), taps(from.1, to.1, crop.1));
    let column_bytes = if layout.bytes() == 1 { 16 } else { 24 };
    (columns * column_bytes / 2 + rows * 4, columns * column_bytes + rows * 16)
}

/// Refuses what Pillow cannot hold: its weights for one axis must be fewer than 2^31 bytes.
fn check_size(spec: &Spec, from: (usize, usize), to: (usize, usize)) -> Result<()> {
    let bytes = |input: usize, output: usize| {
        let scale = (input as f64 / output as f64).max(1.0);
        let taps = match spec.filter {
            Filter::Nearest => 0.5,
            filter => (filter.support() * scale).ceil() * 2.0 + 1.0,
        };
        output as f64 * taps * 8.0
    };
    if bytes(from.0, to.0).max(bytes(from.1, to.1)) > f64::from(i32::MAX) {
        return Err(Error::unsupported(format!(
            "expected a size that Pillow can resize, found {} x {}, which would become {} x {}",
            from.0, from.1, to.0, to.1
        )));
    }
    Ok(())
}
