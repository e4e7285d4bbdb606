//! Where an image's pixels go: its size after resizing, and the crop.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::spec::{Profile, ResizeMode, Spec};

/// Sizes are width and height.
#[derive(Clone, Debug)]
pub(super) struct Geometry {
    /// The size of the source.
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
    pub fn new(spec: &Spec, from: (usize, usize)) -> Result<Self> {
        let to = resized_size(spec, from)?;
        let (height, width) = spec.size;
        let crop = (crop_offset(spec.profile, to.0, width), crop_offset(spec.profile, to.1, height));
        let (columns, rows) = (visible(crop.0, width, to.0), visible(crop.1, height, to.1));
        Ok(Self { from, to, crop, columns, rows })
    }
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
