//! The padding of an image that does not fill the crop.

use std::ops::Range;

use super::geometry::Geometry;
use crate::error::{Error, Result};
use crate::pixels::Layout;
use crate::spec::{Fill, Spec};

/// The pixels of an output that lie outside the image.
#[derive(Debug)]
pub(crate) struct Padding {
    /// Rows above the image.
    pub top: usize,
    /// Rows below it.
    pub bottom: usize,
    /// A row of padding.
    pub empty: Vec<u8>,
    /// Bytes of a row before the image.
    pub left: usize,
    /// Columns of the output that the image covers.
    pub columns: Range<usize>,
}

impl Padding {
    /// The padding of an image of that geometry, if there is any.
    pub(super) fn new(spec: &Spec, geometry: &Geometry, layout: Layout) -> Result<Option<Self>> {
        let (height, width) = spec.size;
        let Geometry { crop, columns, rows, .. } = geometry;
        if (columns.len(), rows.len()) == (width, height) {
            return Ok(None);
        }
        let pixel = fill_pixel(spec.fill, layout)?;
        let before = |offset: isize| offset.min(0).unsigned_abs();
        Ok(Some(Self {
            top: before(crop.1),
            bottom: height - rows.len() - before(crop.1),
            left: before(crop.0) * pixel.len(),
            columns: before(crop.0)..before(crop.0) + columns.len(),
            empty: pixel.repeat(width),
        }))
    }
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
        // These pixels are no one's: the output is written over.
        (Fill::Zero, _) => Ok(vec![0; layout.bytes()]),
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
