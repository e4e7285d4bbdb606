//! Where an image's pixels go: its size after resizing, and the crop.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::spec::{Position, ResizeMode, Rounding, Spec};

/// Sizes are width and height.
#[derive(Clone, Debug)]
pub(super) struct Geometry {
    /// Left and top of what is resized, in the source.
    pub origin: (usize, usize),
    /// The size of what is resized: the source, or its centre.
    pub from: (usize, usize),
    /// Its size after resizing.
    pub to: (usize, usize),
    /// Left and top of the crop in the resized image.
    pub crop: (isize, isize),
    /// The columns of the resized image that the crop shows.
    pub columns: Range<usize>,
    /// The rows of the resized image that the crop shows.
    pub rows: Range<usize>,
}

impl Geometry {
    /// The geometry of a source of that size.
    pub fn new(spec: &Spec, source: (usize, usize)) -> Result<Self> {
        let from = with_pixels(source, resized_part(spec, source))?;
        let origin = ((source.0 - from.0) / 2, (source.1 - from.1) / 2);
        let to = resized_size(spec, from)?;
        let (height, width) = spec.size;
        if spec.position == Position::TopLeft && (to.0 > width || to.1 > height) {
            return Err(Error::unsupported(format!(
                "expected an image that fits into {width} x {height} with position \"top-left\", found {} x {}, which would become {} x {}",
                source.0, source.1, to.0, to.1
            )));
        }
        let crop = (crop_offset(spec, to.0, width), crop_offset(spec, to.1, height));
        let (columns, rows) = (visible(crop.0, width, to.0), visible(crop.1, height, to.1));
        Ok(Self { origin, from, to, crop, columns, rows })
    }
}

/// Width and height of the centre that is resized.
fn resized_part(spec: &Spec, (width, height): (usize, usize)) -> (usize, usize) {
    if spec.resize_mode != ResizeMode::Perceiver {
        return (width, height);
    }
    let shorter = width.min(height) as f64;
    let side = |output: usize, of: usize| ((output as f64 / of as f64) * shorter) as usize;
    let (part_height, part_width) =
        (side(spec.size.0, spec.resize_size.0), side(spec.size.1, spec.resize_size.1));
    (part_width.min(width), part_height.min(height))
}

/// Width and height after the first of two steps, where there are two and it changes the size.
pub(super) fn first_step(spec: &Spec, source: (usize, usize)) -> Result<Option<(usize, usize)>> {
    if spec.resize_mode != ResizeMode::Donut {
        return Ok(None);
    }
    let first = with_pixels(source, shortest(spec.resize_size.0.min(spec.resize_size.1), source))?;
    Ok((first != source).then_some(first))
}

/// Width and height after resizing, in its last step.
pub(crate) fn resized_size(spec: &Spec, (width, height): (usize, usize)) -> Result<(usize, usize)> {
    let (to_height, to_width) = spec.resize_size;
    let ratios = (height as f64 / to_height as f64, width as f64 / to_width as f64);
    // open_clip's and timm's `ResizeKeepRatio`, with Python's `round`.
    let keep_ratio = |ratio: f64| {
        let side = |side: usize| (side as f64 / ratio).round_ties_even() as usize;
        (side(width), side(height))
    };
    // The image into a square, by a rule for its sides.
    let scaled = |side: fn(f64) -> usize| {
        let scale = to_height as f64 / width.max(height) as f64;
        (side(width as f64 * scale), side(height as f64 * scale))
    };
    let rounded = |side: f64| side.round_ties_even() as usize;
    let resized = match spec.resize_mode {
        ResizeMode::Shortest if to_width == to_height => shortest(to_width, (width, height)),
        ResizeMode::Shortest => keep_ratio(ratios.0.min(ratios.1)),
        ResizeMode::Longest => keep_ratio(ratios.0.max(ratios.1)),
        ResizeMode::Squash => (to_width, to_height),
        ResizeMode::Keep => (width, height),
        ResizeMode::BridgeTower => divisible(to_height, (width, height)),
        ResizeMode::Janus => scaled(|side| (side.round_ties_even() as usize).max(14)),
        ResizeMode::DeepseekOcr => scaled(rounded),
        ResizeMode::Sam => scaled(|side| (side + 0.5) as usize),
        ResizeMode::Aria => {
            let sides = scaled(|side| (side as usize).max(336));
            if width >= height { (to_height, sides.1) } else { (sides.0, to_height) }
        }
        ResizeMode::Fit => {
            let scale = (to_height as f64 / height as f64).min(to_width as f64 / width as f64);
            ((width as f64 * scale) as usize, (height as f64 * scale) as usize)
        }
        ResizeMode::Detr => bounded(spec.resize_size, (width, height)),
        ResizeMode::Donut => thumbnail((to_width, to_height), (width, height)),
        ResizeMode::Tvp => {
            let shorter =
                |short: usize, long: usize| (to_height as f64 * (short as f64 / long as f64)) as usize;
            if height >= width {
                (shorter(width, height), to_height)
            } else {
                (to_height, shorter(height, width))
            }
        }
        ResizeMode::PpLcNet => {
            let scale = to_height as f64 / width.min(height) as f64;
            let side = |side: usize| (side as f64 * scale).round_ties_even() as usize;
            (side(width), side(height))
        }
        ResizeMode::Perceiver => (spec.size.1, spec.size.0),
    };
    with_pixels((width, height), resized)
}

/// torchvision's `Resize(n)`: the shorter side becomes n, the longer one is truncated.
fn shortest(n: usize, (width, height): (usize, usize)) -> (usize, usize) {
    let scaled = |long: usize, short: usize| ((n as f64 * long as f64) / short as f64) as usize;
    if width <= height { (n, scaled(height, width)) } else { (scaled(width, height), n) }
}

/// The shorter side becomes `shortest`, or what leaves `longest` to the longer one (`get_size_with_aspect_ratio` of
/// transformers).
fn bounded((shortest, longest): (usize, usize), (width, height): (usize, usize)) -> (usize, usize) {
    let (short, long) = (width.min(height) as f64, width.max(height) as f64);
    let (mut side, mut exact) = (shortest, shortest as f64);
    if long / short * shortest as f64 > longest as f64 {
        exact = longest as f64 * short / long;
        side = exact.round_ties_even() as usize;
    }
    if width.min(height) == side {
        return (width, height);
    }
    let scaled = |long: usize, short: usize| (exact * long as f64 / short as f64) as usize;
    if width < height { (side, scaled(height, width)) } else { (scaled(width, height), side) }
}

/// A size that fits into `to`, where an image is larger: of its longer side what fits, and the other by that.
fn thumbnail(to: (usize, usize), (width, height): (usize, usize)) -> (usize, usize) {
    let (to_width, to_height) = (width.min(to.0), height.min(to.1));
    let scaled = |side: usize, to: usize, of: usize| ((side as u64 * to as u64) as f64 / of as f64) as usize;
    if (to_width, to_height) == (width, height) {
        (width, height)
    } else if height > width {
        (scaled(width, to_height, height), to_height)
    } else if width > height {
        (to_width, scaled(height, to_width, width))
    } else {
        (to_width, to_height)
    }
}

/// The size that a source is cut or resized to. Refuses one without pixels.
fn with_pixels((width, height): (usize, usize), made: (usize, usize)) -> Result<(usize, usize)> {
    if made.0 == 0 || made.1 == 0 {
        return Err(Error::unsupported(format!(
            "expected an image that keeps a pixel per side, found {width} x {height}, which would become {} x {}",
            made.0, made.1
        )));
    }
    Ok(made)
}

/// Width and height of BridgeTower's resizing, to a shorter side of `shorter` pixels before it is rounded.
fn divisible(shorter: usize, (width, height): (usize, usize)) -> (usize, usize) {
    const DIVISOR: usize = 32;
    let (shorter, longer) = (shorter as f64, (1333.0 / 800.0 * shorter as f64).floor());
    let scale = shorter / width.min(height) as f64;
    let mut resized =
        if height < width { (scale * width as f64, shorter) } else { (shorter, scale * height as f64) };
    let longest = resized.0.max(resized.1);
    if longest > longer {
        let scale = longer / longest;
        resized = (scale * resized.0, scale * resized.1);
    }
    let side = |side: f64| (side + 0.5) as usize / DIVISOR * DIVISOR;
    (side(resized.0), side(resized.1))
}

/// Where a crop of `n` begins: after half of the margin, or before the image by half of the padding.
fn crop_offset(spec: &Spec, size: usize, n: usize) -> isize {
    if spec.position == Position::TopLeft {
        return 0;
    }
    let padding = if spec.resize_mode.pads_less_before() { Rounding::Down } else { spec.profile.padding };
    match size.checked_sub(n) {
        Some(margin) => spec.profile.crop.half(margin) as isize,
        None => -(padding.half(n - size) as isize),
    }
}

/// The pixels of a resized axis that a crop of `n` from `offset` on shows.
fn visible(offset: isize, n: usize, size: usize) -> Range<usize> {
    let start = offset.max(0) as usize;
    start..(start + n).min(size)
}
