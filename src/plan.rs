//! What will be done with an image, decided from its header alone.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::pixels::{Header, Layout, Palette, Window};
use crate::resample::{
    Filter, Level, Order, Sample, Tap, TwoPass, Weights, Wide, nearest_indices, nearest_indices_16_bit,
};
use crate::spec::{PassOrder, Profile, Spec};

/// The geometry of one image, and how its pixels are resized.
#[derive(Debug)]
pub struct Plan {
    /// The side of the output.
    pub size: usize,
    /// Width and height after resizing, before the crop.
    pub resized: (usize, usize),
    /// Left and top of the crop in the resized image.
    pub crop: (usize, usize),
    /// The source pixels that matter.
    pub window: Window,
    /// The layout that is resized: RGB where the profile converts first.
    pub(crate) layout: Layout,
    pub(crate) method: Method,
}

#[derive(Debug)]
pub(crate) enum Method {
    /// Source pixels are copied: the column and the row of each output pixel, within the window.
    Pick { columns: Vec<usize>, rows: Vec<usize> },
    /// Pillow's convolution of bytes.
    TwoPass(TwoPass),
    /// Pillow's convolution of samples of 16 and 32 bits.
    Wide(Wide),
    /// torch's convolution over the whole image, cropped afterwards.
    Torch,
}

impl Plan {
    /// The plan for an image of that header.
    pub fn new(spec: &Spec, header: &Header, level: Level) -> Result<Self> {
        let (width, height) = (header.width, header.height);
        let resized = resized_size(width, height, spec.size);
        let crop = (
            crop_offset(spec.profile, resized.0, spec.size),
            crop_offset(spec.profile, resized.1, spec.size),
        );
        let columns = crop.0..crop.0 + spec.size;
        let rows = crop.1..crop.1 + spec.size;
        let layout = if spec.profile.rgb_first() { Layout::Rgb } else { header.layout };
        let plan = |window, method| Self { size: spec.size, resized, crop, window, layout, method };
        if resized == (width, height) {
            let (columns, rows) = (columns.collect(), rows.collect());
            return Ok(pick(columns, rows, plan));
        }
        check_size(spec, (width, height), resized)?;
        if spec.profile == Profile::HfTorchvision {
            return Ok(plan(Window { columns: 0..width, rows: 0..height }, Method::Torch));
        }
        if spec.filter == Filter::Nearest || layout.nearest_only() {
            let indices = match layout.sample() {
                Some(Sample::U16Le | Sample::U16Be) => nearest_indices_16_bit,
                _ => nearest_indices,
            };
            return Ok(pick(indices(width, resized.0, columns), indices(height, resized.1, rows), plan));
        }
        let order = pass_order(spec.pass_order, (width, height), resized);
        if let Some(sample) = layout.sample() {
            let (window, columns, rows) = axes(spec.filter, (width, height), resized, columns, rows);
            return Ok(plan(window, Method::Wide(Wide::new(columns, rows, order, sample))));
        }
        let (window, columns, rows) = axes(spec.filter, (width, height), resized, columns, rows);
        let passes = TwoPass::new(level, &columns, rows, layout.bytes(), order);
        Ok(plan(window, Method::TwoPass(passes)))
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
        match &self.method {
            Method::Pick { .. } => 0,
            Method::TwoPass(passes) => passes.memory() as u64,
            Method::Wide(passes) => passes.memory() as u64,
            Method::Torch => {
                let (from, to) = ((self.window.columns.len(), self.window.rows.len()), self.resized);
                3 * (from.0 * from.1 + to.0 * from.1 + to.0 * to.1) as u64
            }
        }
    }

    /// What happens to the pixels, in a word: the order of the passes, "nearest" or "none".
    pub fn order(&self, header: &Header) -> &'static str {
        let order = match &self.method {
            _ if self.resized == (header.width, header.height) => return "none",
            Method::Pick { .. } => return "nearest",
            Method::TwoPass(passes) => passes.order(),
            Method::Wide(passes) => passes.order(),
            Method::Torch => Order::HorizontalFirst,
        };
        match order {
            Order::HorizontalFirst => "horizontal-first",
            Order::VerticalFirst => "vertical-first",
        }
    }
}

/// The weights of the surviving columns and rows, and the source pixels that have one.
fn axes<T: Tap>(
    filter: Filter,
    from: (usize, usize),
    to: (usize, usize),
    columns: Range<usize>,
    rows: Range<usize>,
) -> (Window, Weights<T>, Weights<T>) {
    let (columns, rows) = (axis(filter, from.0, to.0, columns), axis(filter, from.1, to.1, rows));
    (Window { columns: columns.inputs(), rows: rows.inputs() }, columns, rows)
}

fn axis<T: Tap>(filter: Filter, input: usize, output: usize, crop: Range<usize>) -> Weights<T> {
    if input == output { Weights::identity(crop) } else { Weights::new(filter, input, output, crop) }
}

fn pick(mut columns: Vec<usize>, mut rows: Vec<usize>, plan: impl Fn(Window, Method) -> Plan) -> Plan {
    let from_zero = |indices: &mut Vec<usize>| {
        let (first, last) = (indices[0], indices[indices.len() - 1]);
        indices.iter_mut().for_each(|index| *index -= first);
        first..last + 1
    };
    let window = Window { columns: from_zero(&mut columns), rows: from_zero(&mut rows) };
    plan(window, Method::Pick { columns, rows })
}

/// torchvision's `Resize(n)`: the shorter side becomes `n`, the longer one is truncated.
fn resized_size(width: usize, height: usize, n: usize) -> (usize, usize) {
    let scaled = |long: usize, short: usize| ((n as f64 * long as f64) / short as f64) as usize;
    if width <= height { (n, scaled(height, width)) } else { (scaled(width, height), n) }
}

/// Where a crop of `n` begins: half the margin, rounded half to even by torchvision (as Python's
/// `round`), down by transformers.
fn crop_offset(profile: Profile, size: usize, n: usize) -> usize {
    let margin = size - n;
    match profile {
        Profile::OpenAi => margin / 2 + usize::from(margin % 4 == 3),
        Profile::HfPil | Profile::HfTorchvision => margin / 2,
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
