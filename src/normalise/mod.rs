//! From bytes to the floats that the model was trained on.
//!
//! A value depends on its byte and its channel alone, so the whole float arithmetic of a profile is
//! one table of 256 x 3, computed by the profile's own steps and roundings.

mod affine;
mod element;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(not(target_arch = "aarch64"))]
mod planes;
#[cfg(test)]
mod tests;

use affine::{BLOCK_VALUES, Reciprocal, Steps};

use crate::colour::to_rgb;
use crate::pixels::{Layout, Palette};
use crate::plan::Padding;
use crate::simd::Level;
use crate::spec::{ChannelOrder, FloatSteps, Spec, TensorLayout};

pub use element::Element;

/// The float of each byte, per channel, and how rows of bytes become floats.
#[derive(Clone, Debug)]
pub struct Normalise {
    table: [[f32; 256]; 3],
    /// The steps of each channel after rescaling.
    after: [AfterRescale; 3],
    /// The factor of a byte.
    factor: f32,
    layout: TensorLayout,
    channel_order: ChannelOrder,
    /// The table's values by arithmetic, where the processor and the numbers allow it.
    arithmetic: Option<Arithmetic>,
}

#[derive(Clone, Debug)]
struct Arithmetic {
    proof: affine::Fma,
    channels: [Steps<1>; 3],
    pixels: Box<Steps<BLOCK_VALUES>>,
}

/// The steps of a channel after rescaling, each with a rounding of its own.
#[derive(Clone, Copy, Debug)]
struct AfterRescale {
    offset: bool,
    normalize: bool,
    mean: f32,
    std: f32,
    std_twice: bool,
}

impl AfterRescale {
    fn of(self, value: f32) -> f32 {
        self.again(self.once(value))
    }

    fn once(self, value: f32) -> f32 {
        let value = if self.offset { value - 1.0 } else { value };
        if self.normalize { (value - self.mean) / self.std } else { value }
    }

    fn again(self, value: f32) -> f32 {
        if self.std_twice { value / self.std } else { value }
    }
}

impl Normalise {
    /// The table of a specification.
    pub fn new(spec: &Spec, level: Level) -> Self {
        let (mean, std) = (spec.mean.map(|value| value as f32), spec.std.map(|value| value as f32));
        let after = std::array::from_fn(|channel| AfterRescale {
            offset: spec.rescale_offset,
            normalize: spec.normalize,
            mean: mean[channel],
            std: std[channel],
            std_twice: spec.std_twice,
        });
        let table = std::array::from_fn(|channel| {
            let after = after[channel];
            std::array::from_fn(|value| match (spec.profile.floats, spec.rescale_factor) {
                // torchvision: ToTensor divides by 255, Normalize works in place, all in float32.
                (FloatSteps::DivideBy255, _) => after.of(value as f32 / 255.0),
                (_, None) => after.of(value as f32),
                // transformers on arrays: the rescale factor is a float64.
                (FloatSteps::Rescale, Some(factor)) => after.of((value as f64 * factor) as f32),
                // transformers on tensors: rescaling is folded into mean and standard deviation.
                (FloatSteps::FoldRescale, Some(factor)) if spec.normalize && !spec.rescale_offset => {
                    let inverse = (1.0 / factor) as f32;
                    let folded =
                        AfterRescale { mean: after.mean * inverse, std: after.std * inverse, ..after };
                    after.again(folded.once(value as f32))
                }
                // torchvision's version 2, and transformers where it does not fold.
                (_, Some(factor)) => after.of(value as f32 * factor as f32),
            })
        });
        let factor = spec.rescale_factor.unwrap_or(1.0) as f32;
        // Values that these steps do not give are looked up.
        let first = match spec.profile.floats {
            FloatSteps::RescaleInFloat32 => Reciprocal::of_factor(factor),
            FloatSteps::FoldRescale if spec.normalize => Reciprocal::of(1.0),
            _ => Reciprocal::of(255.0),
        };
        let steps = std::array::from_fn(|channel| match (spec.profile.floats, spec.normalize) {
            (_, false) => Steps::new(first, 0.0, 1.0),
            (FloatSteps::FoldRescale, _) => Steps::new(first, mean[channel] * 255.0, std[channel] * 255.0),
            _ => Steps::new(first, mean[channel], std[channel]),
        });
        Self {
            arithmetic: Arithmetic::new(level, steps, &table),
            table,
            after,
            factor,
            layout: spec.layout,
            channel_order: spec.channel_order,
        }
    }

    /// Writes a row of pixels as row `y` of `out`: of each of its three planes, or as pixels side by side.
    pub(crate) fn write<T: Element>(
        &self,
        layout: Layout,
        palette: Option<&Palette>,
        row: &[u8],
        y: usize,
        out: &mut [T],
        scratch: &mut Vec<u8>,
    ) {
        let width = row.len() / layout.bytes();
        match self.layout {
            TensorLayout::Nhwc => {
                let out = &mut out[3 * y * width..][..3 * width];
                let rgb = if layout == Layout::Rgb { row } else { rgb_of(layout, palette, row, scratch) };
                self.write_pixels(rgb, out);
                if self.channel_order == ChannelOrder::Bgr {
                    out.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
                }
            }
            TensorLayout::Nchw => {
                let plane = out.len() / 3;
                let mut planes = out.chunks_exact_mut(plane).map(|plane| &mut plane[y * width..][..width]);
                let mut lines = std::array::from_fn(|_| planes.next().expect("three planes"));
                if self.channel_order == ChannelOrder::Bgr {
                    lines.reverse();
                }
                match layout {
                    Layout::L => self.write_planes::<_, 1>(row, lines, scratch),
                    Layout::Rgb => self.write_planes::<_, 3>(row, lines, scratch),
                    Layout::Rgbx | Layout::Rgba => self.write_planes::<_, 4>(row, lines, scratch),
                    _ => {
                        let mut rgb = Vec::new();
                        rgb_of(layout, palette, row, &mut rgb);
                        self.write_planes::<_, 3>(&rgb, lines, scratch);
                    }
                }
            }
        }
    }

    /// Writes a row of rescaled pixels, three float32 each, as row `y` of `out`.
    pub(crate) fn write_floats<T: Element>(&self, row: &[u8], y: usize, out: &mut [T]) {
        let pixels = row.as_chunks::<12>().0;
        let (width, plane) = (pixels.len(), out.len() / 3);
        for (x, pixel) in pixels.iter().enumerate() {
            for (channel, (sample, after)) in pixel.as_chunks::<4>().0.iter().zip(self.after).enumerate() {
                let value = f32::from_ne_bytes(*sample);
                let channel = if self.channel_order == ChannelOrder::Bgr { 2 - channel } else { channel };
                let at = match self.layout {
                    TensorLayout::Nhwc => 3 * (y * width + x) + channel,
                    TensorLayout::Nchw => channel * plane + y * width + x,
                };
                T::write(&[self.byte(value)], &[after.of(value)], &mut out[at..=at]);
            }
        }
    }

    /// Makes an output of that height and width 0 where there is padding.
    pub(crate) fn clear<T: Element>(
        &self,
        padding: &Padding,
        (height, width): (usize, usize),
        out: &mut [T],
    ) {
        let values = match self.layout {
            TensorLayout::Nchw => 1,
            TensorLayout::Nhwc => 3,
        };
        let covered = padding.top..height - padding.bottom;
        for (y, row) in out.chunks_exact_mut(width * values).enumerate() {
            if covered.contains(&(y % height)) {
                row[..padding.columns.start * values].fill(T::ZERO);
                row[padding.columns.end * values..].fill(T::ZERO);
            } else {
                row.fill(T::ZERO);
            }
        }
    }

    /// The bytes nearest to rescaled pixels, three float32 each.
    pub(crate) fn bytes(&self, row: &[u8]) -> impl Iterator<Item = u8> {
        row.as_chunks::<4>().0.iter().map(|sample| self.byte(f32::from_ne_bytes(*sample)))
    }

    fn byte(&self, value: f32) -> u8 {
        (value / self.factor).round_ties_even() as u8
    }

    /// Writes the first three channels of pixels of `S` bytes, a plane each; a pixel of one byte has it three times.
    fn write_planes<T: Element, const S: usize>(
        &self,
        row: &[u8],
        out: [&mut [T]; 3],
        scratch: &mut Vec<u8>,
    ) {
        if let Some(Arithmetic { proof, channels, .. }) = &self.arithmetic {
            return proof.write_planes::<T, S>(channels, row, out, scratch);
        }
        for (channel, (table, out)) in self.table.iter().zip(out).enumerate() {
            look_up(row.as_chunks().0, out, |_, pixel: [u8; S]| {
                let byte = pixel[if S == 1 { 0 } else { channel }];
                (byte, table[usize::from(byte)])
            });
        }
    }

    fn write_pixels<T: Element>(&self, rgb: &[u8], out: &mut [T]) {
        if let Some(Arithmetic { proof, pixels, .. }) = &self.arithmetic {
            return proof.write(pixels, rgb, out);
        }
        look_up(rgb, out, |i, byte| (byte, self.table[i % 3][usize::from(byte)]));
    }
}

impl Arithmetic {
    fn new(level: Level, channels: [Steps<1>; 3], table: &[[f32; 256]; 3]) -> Option<Self> {
        let proof = affine::Fma::of(level)?;
        let exact = channels.iter().zip(table).all(|(steps, table)| steps.give(proof, table));
        exact.then(|| Self { proof, pixels: Box::new(Steps::of_pixels(&channels)), channels })
    }
}

/// Writes what `value` gives, byte and float, for each position and sample.
fn look_up<S: Copy, T: Element>(samples: &[S], out: &mut [T], value: impl Fn(usize, S) -> (u8, f32)) {
    assert_eq!(samples.len(), out.len(), "a value for each sample");
    let (mut bytes, mut floats) = ([0; BLOCK_VALUES], [0.0; BLOCK_VALUES]);
    for (start, (samples, out)) in
        (0..).step_by(BLOCK_VALUES).zip(samples.chunks(BLOCK_VALUES).zip(out.chunks_mut(BLOCK_VALUES)))
    {
        for (i, ((byte, float), &sample)) in bytes.iter_mut().zip(&mut floats).zip(samples).enumerate() {
            (*byte, *float) = value(start + i, sample);
        }
        T::write(&bytes[..samples.len()], &floats[..samples.len()], out);
    }
}

/// A row in RGB.
fn rgb_of<'a>(layout: Layout, palette: Option<&Palette>, row: &[u8], rgb: &'a mut Vec<u8>) -> &'a [u8] {
    rgb.resize(row.len() / layout.bytes() * 3, 0);
    to_rgb(layout, palette, row, rgb);
    rgb
}
