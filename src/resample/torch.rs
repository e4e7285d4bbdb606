//! torch's uint8 antialias kernel, through `fast_image_resize`.
//!
//! torch resizes the width first and the height second, each rounded to bytes; one call of the
//! library does the height first, so it is called twice.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::error::{Error, Result};

/// Resizes an RGB image of `width` x `height` pixels to `new_width` x `new_height`, bicubic.
pub(crate) fn resize(
    pixels: Vec<u8>,
    (width, height): (usize, usize),
    (new_width, new_height): (usize, usize),
) -> Result<Vec<u8>> {
    let wide = pass(pixels, (width, height), (new_width, height))?;
    pass(wide, (new_width, height), (new_width, new_height))
}

fn pass(pixels: Vec<u8>, from: (usize, usize), to: (usize, usize)) -> Result<Vec<u8>> {
    if from == to {
        return Ok(pixels);
    }
    let size = |(width, height): (usize, usize)| -> Result<(u32, u32)> {
        match (u32::try_from(width), u32::try_from(height)) {
            (Ok(width), Ok(height)) => Ok((width, height)),
            _ => Err(Error::unsupported(format!("expected sides below 2^32, found {width} x {height}"))),
        }
    };
    let ((width, height), (new_width, new_height)) = (size(from)?, size(to)?);
    let options =
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom)).use_alpha(false);
    let source = ImageRef::new(width, height, &pixels, PixelType::U8x3)
        .map_err(|error| Error::unsupported(error.to_string()))?;
    let mut resized = Image::new(new_width, new_height, PixelType::U8x3);
    Resizer::new()
        .resize(&source, &mut resized, &options)
        .map_err(|error| Error::unsupported(error.to_string()))?;
    Ok(resized.into_vec())
}
