//! Images of the crate `image`, as they lie in memory.

use image::DynamicImage;
use ndarray::ArrayView3;

use crate::array::Array;
use crate::error::{Error, Result};
use crate::pixels::Layout;

/// Borrows the pixels of 8 bits per channel: grey or RGB, with alpha or without. Transparency is treated as that of a
/// PIL image is. The crate's own decoders do not always give Pillow's pixels; [`Preprocess::process_path`] does.
///
/// ```
/// use clipprep::{Array, Preprocess, Spec};
///
/// let photo = image::DynamicImage::new_rgb8(640, 480);
/// let preprocess = Preprocess::new(Spec::openai(224));
/// let mut tensor = vec![0.0_f32; preprocess.output_len()];
/// preprocess.process_image(&mut Array::try_from(&photo)?, &mut tensor)?;
/// # Ok::<(), clipprep::Error>(())
/// ```
///
/// [`Preprocess::process_path`]: crate::Preprocess::process_path
impl<'a> TryFrom<&'a DynamicImage> for Array<'a> {
    type Error = Error;

    /// Refuses pixels of other types, such as 16 bits: convert them first, as with [`DynamicImage::to_rgb8`].
    fn try_from(image: &'a DynamicImage) -> Result<Self> {
        let layout = match image {
            DynamicImage::ImageLuma8(_) => Layout::L,
            DynamicImage::ImageLumaA8(_) => Layout::GreyAlpha,
            DynamicImage::ImageRgb8(_) => Layout::Rgb,
            DynamicImage::ImageRgba8(_) => Layout::Rgba,
            other => {
                let found = other.color();
                return Err(Error::unsupported(format!(
                    "expected an image of 8 bits per channel, found {found:?}: convert it, as with to_rgb8()"
                )));
            }
        };
        let shape = (image.height() as usize, image.width() as usize, layout.bytes());
        let pixels = ArrayView3::from_shape(shape, image.as_bytes()).expect("pixels without gaps");
        Ok(Self::new(pixels, layout, None)?.of_image())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Preprocess, Profile, Spec};

    /// The same pixels by way of the crate and as an array of our own.
    #[test]
    fn gives_what_its_bytes_give() {
        let bytes: Vec<u8> = (0..4 * 30 * 20).map(|i| (i * 7 % 251) as u8).collect();
        let image = image::RgbaImage::from_raw(30, 20, bytes.clone()).unwrap();
        let dynamic = DynamicImage::ImageRgba8(image);
        let views = [
            (dynamic.clone(), Layout::Rgba),
            (DynamicImage::ImageRgb8(dynamic.to_rgb8()), Layout::Rgb),
            (DynamicImage::ImageLuma8(dynamic.to_luma8()), Layout::L),
            (DynamicImage::ImageLumaA8(dynamic.to_luma_alpha8()), Layout::GreyAlpha),
        ];
        for profile in Profile::ALL {
            let preprocess = Preprocess::new(Spec { profile, ..Spec::openai(16) });
            for (image, layout) in &views {
                let run = |array: Array<'_>| {
                    let mut out = vec![0.0_f32; preprocess.output_len()];
                    preprocess.process_image(&mut { array }, &mut out).unwrap();
                    out
                };
                let pixels = ArrayView3::from_shape((20, 30, layout.bytes()), image.as_bytes()).unwrap();
                let wanted = run(Array::new(pixels, *layout, None).unwrap().of_image());
                assert_eq!(run(Array::try_from(image).unwrap()), wanted, "{layout:?} {}", profile.name);
            }
        }
    }

    #[test]
    fn refuses_other_types_of_pixels() {
        for image in [DynamicImage::new_rgb16(2, 2), DynamicImage::new_rgba32f(2, 2)] {
            assert!(matches!(Array::try_from(&image), Err(Error::Unsupported(_))));
        }
        assert!(Array::try_from(&DynamicImage::new_rgb8(0, 2)).is_err());
    }
}
