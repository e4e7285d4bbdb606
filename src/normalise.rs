//! From bytes to the floats that the model was trained on.
//!
//! A value depends on its byte and its channel alone, so the whole float arithmetic of a profile is
//! one table of 256 x 3, computed by the profile's own steps and roundings.

use crate::colour::to_rgb;
use crate::pixels::{Layout, Palette};
use crate::spec::{Profile, Spec};

/// The float of each byte, per channel.
#[derive(Clone, Debug)]
pub struct Table([[f32; 256]; 3]);

impl Table {
    /// The table of a specification.
    pub fn new(spec: &Spec) -> Self {
        Self(std::array::from_fn(|channel| {
            let (mean, std) = (spec.mean[channel] as f32, spec.std[channel] as f32);
            std::array::from_fn(|value| match spec.profile {
                // torchvision: ToTensor divides by 255, Normalize works in place, all in float32.
                Profile::OpenAi => (value as f32 / 255.0 - mean) / std,
                // transformers: the rescale factor is a float64.
                Profile::HfPil => ((value as f64 * (1.0 / 255.0)) as f32 - mean) / std,
                // transformers: rescaling is folded into mean and standard deviation.
                Profile::HfTorchvision => (value as f32 - mean * 255.0) / (std * 255.0),
            })
        }))
    }

    /// Writes a row of pixels as row `y` of each of the three planes of `out`.
    pub(crate) fn write(
        &self,
        layout: Layout,
        palette: Option<&Palette>,
        row: &[u8],
        y: usize,
        out: &mut [f32],
        rgb: &mut Vec<u8>,
    ) {
        match layout {
            Layout::One | Layout::L => self.write_pixels::<1>([0; 3], row, y, out),
            Layout::La => self.write_pixels::<2>([0; 3], row, y, out),
            Layout::Rgb => self.write_pixels::<3>([0, 1, 2], row, y, out),
            Layout::Rgbx | Layout::Rgba | Layout::Llla => self.write_pixels::<4>([0, 1, 2], row, y, out),
            _ => {
                rgb.resize(row.len() / layout.bytes() * 3, 0);
                to_rgb(layout, palette, row, rgb);
                self.write_pixels::<3>([0, 1, 2], rgb, y, out);
            }
        }
    }

    fn write_pixels<const C: usize>(&self, channels: [usize; 3], row: &[u8], y: usize, out: &mut [f32]) {
        let pixels = row.as_chunks::<C>().0;
        let width = pixels.len();
        let plane = out.len() / 3;
        for ((table, channel), plane) in self.0.iter().zip(channels).zip(out.chunks_exact_mut(plane)) {
            let line = &mut plane[y * width..][..width];
            for (out, pixel) in line.iter_mut().zip(pixels) {
                *out = table[usize::from(pixel[channel])];
            }
        }
    }
}
