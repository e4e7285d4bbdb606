//! Pillow's colour arithmetic on rows of bytes (libImaging/Convert.c).

mod alpha;

use crate::error::{Error, Result};
use crate::pixels::{Layout, Palette};
pub(crate) use alpha::ByAlpha;
use alpha::{divide, muldiv255};

/// Refuses what [`to_rgb`] does not know how to convert.
pub(crate) fn check_convertible(layout: Layout) -> Result<()> {
    if layout == Layout::Lab {
        return Err(Error::unsupported(
            "expected a mode that becomes RGB by arithmetic, found LAB, which needs colour management",
        ));
    }
    Ok(())
}

/// Converts a row to RGB as `Image.convert("RGB")`: alpha is dropped, nothing is composited.
pub(crate) fn to_rgb(layout: Layout, palette: Option<&Palette>, row: &[u8], out: &mut [u8]) {
    // Without a palette all colours are black, as they are in a new one of Pillow's.
    let colour = |index: u8| palette.map_or([0; 3], |palette| palette[usize::from(index)]);
    match layout {
        // Drawing leaves bytes other than 0 and 255 in an image of bits.
        Layout::One => each(row, out, |[bit]| [if bit == 0 { 0 } else { 255 }; 3]),
        Layout::L => each(row, out, |[grey]| [grey; 3]),
        Layout::GreyAlpha => each(row, out, |[grey, _]| [grey; 3]),
        Layout::P => each(row, out, |[index]| colour(index)),
        Layout::IndexAlpha => each(row, out, |[index, ..]: [u8; 4]| colour(index)),
        Layout::Rgb => each(row, out, |rgb| rgb),
        Layout::GreyAlphaWide => each(row, out, |[grey, _, _, _]| [grey; 3]),
        Layout::Rgbx | Layout::Rgba | Layout::RgbAndX => each(row, out, |[r, g, b, _]| [r, g, b]),
        Layout::RgbPremultiplied => {
            each(row, out, |[r, g, b, alpha]| [r, g, b].map(|value| divide(value, alpha)));
        }
        Layout::Cmyk => each(row, out, |[c, m, y, k]| {
            let light = 255 - k;
            [c, m, y].map(|ink| light - muldiv255(ink, light))
        }),
        Layout::YCbCr => each(row, out, |[y, cb, cr, _]| from_ycbcr(y, cb, cr)),
        Layout::Hsv => each(row, out, |[h, s, v, _]| from_hsv(h, s, v)),
        Layout::Lab => unreachable!("refused by check_convertible"),
        Layout::I16 | Layout::I16L | Layout::I16N => {
            each(row, out, |pair| [u16::from_le_bytes(pair).min(255) as u8; 3]);
        }
        Layout::I16B => each(row, out, |pair| [u16::from_be_bytes(pair).min(255) as u8; 3]),
        Layout::I => each(row, out, |four| [i32::from_ne_bytes(four).clamp(0, 255) as u8; 3]),
        // The cast cuts the fraction off, clips, and makes 0 of what is no number.
        Layout::F => each(row, out, |four| [f32::from_ne_bytes(four) as u8; 3]),
    }
}

/// The arithmetic that lays transparent pixels over white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpha {
    /// `Image.alpha_composite` (libImaging/AlphaComposite.c).
    Pillow,
    /// transformers on NumPy arrays: float64.
    Numpy,
    /// transformers on torch's tensors: float32.
    Torch,
}

impl Alpha {
    fn over_white(self, value: u8, alpha: u8) -> u8 {
        match self {
            Self::Pillow => {
                let (value, alpha) = (u32::from(value), u32::from(alpha));
                let sum = (value * alpha + 255 * (255 - alpha) + 128) << 7;
                (((sum >> 8) + sum) >> 8 >> 7) as u8
            }
            Self::Numpy => {
                let alpha = f64::from(alpha) / 255.0;
                (alpha * f64::from(value) + (1.0 - alpha) * 255.0).round_ties_even() as u8
            }
            Self::Torch => {
                let [value, alpha] = [value, alpha].map(|byte| f32::from(byte) * (1.0 / 255.0));
                ((value * alpha + (1.0 - alpha)) * 255.999) as u8
            }
        }
    }
}

/// Converts a row to RGB as transformers does: what is transparent shows white.
pub(crate) fn to_rgb_over_white(
    over: Alpha,
    layout: Layout,
    palette: Option<&Palette>,
    row: &[u8],
    out: &mut [u8],
) {
    let blend = |rgb: [u8; 3], alpha| rgb.map(|value| over.over_white(value, alpha));
    match layout {
        Layout::GreyAlpha => each(row, out, |[grey, alpha]| blend([grey; 3], alpha)),
        Layout::GreyAlphaWide => each(row, out, |[grey, _, _, alpha]| blend([grey; 3], alpha)),
        Layout::Rgba => each(row, out, |[r, g, b, alpha]| blend([r, g, b], alpha)),
        Layout::IndexAlpha => each(row, out, |[index, _, _, alpha]| {
            blend(palette.map_or([0; 3], |palette| palette[usize::from(index)]), alpha)
        }),
        _ => to_rgb(layout, palette, row, out),
    }
}

fn each<const C: usize>(row: &[u8], out: &mut [u8], rgb: impl Fn([u8; C]) -> [u8; 3]) {
    for (&pixel, out) in row.as_chunks::<C>().0.iter().zip(out.as_chunks_mut::<3>().0) {
        *out = rgb(pixel);
    }
}

/// JFIF's conversion in Pillow's fixed point of 6 bits (libImaging/ConvertYCbCr.c).
fn from_ycbcr(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let part = |factor: f64, chroma: u8| (factor * 64.0 * (f64::from(chroma) - 128.0) + 0.5) as i32;
    let red = part(1.402, cr);
    let green = part(-0.34414, cb) + part(-0.71414, cr);
    let blue = part(1.772, cb);
    [red, green, blue].map(|part| (i32::from(y) + (part >> 6)).clamp(0, 255) as u8)
}

/// Pillow's conversion, with float32 and float64 where it has them.
fn from_hsv(h: u8, s: u8, v: u8) -> [u8; 3] {
    let sixths = f64::from(h) * 6.0 / 255.0;
    let within = (sixths - sixths.floor()) as f32;
    let saturation = (f64::from(s) / 255.0) as f32;
    let value = |less: f64| (f64::from(v) * (1.0 - less)).round() as u8;
    let low = value(saturation.into());
    let falling = value((saturation * within).into());
    let rising = value(f64::from(saturation) * (1.0 - f64::from(within)));
    match sixths as u8 % 6 {
        _ if s == 0 => [v; 3],
        0 => [v, rising, low],
        1 => [falling, v, low],
        2 => [low, v, rising],
        3 => [low, falling, v],
        4 => [rising, low, v],
        _ => [v, low, falling],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rgb(layout: Layout, pixel: &[u8]) -> [u8; 3] {
        let mut out = [0; 3];
        to_rgb(layout, None, pixel, &mut out);
        out
    }

    #[test]
    fn colours_that_pillow_gives() {
        assert_eq!(rgb(Layout::YCbCr, &[76, 85, 255, 9]), [254, 0, 0]);
        assert_eq!(rgb(Layout::YCbCr, &[128, 128, 128, 0]), [128; 3]);
        assert_eq!(rgb(Layout::YCbCr, &[200, 7, 250, 0]), [255, 154, 0]);
        assert_eq!(rgb(Layout::Hsv, &[255, 255, 200, 0]), [200, 0, 0]);
        assert_eq!(rgb(Layout::Hsv, &[100, 77, 200, 0]), [140, 200, 161]);
        assert_eq!(rgb(Layout::RgbPremultiplied, &[10, 100, 200, 128]), [19, 199, 255]);
        assert_eq!(rgb(Layout::RgbPremultiplied, &[10, 100, 200, 0]), [10, 100, 200]);
    }

    #[test]
    fn bytes_that_pillow_leaves_undefined_change_nothing() {
        assert_eq!([0, 1, 7, 255].map(|bit| rgb(Layout::One, &[bit])[0]), [0, 255, 255, 255]);
        assert_eq!(rgb(Layout::GreyAlphaWide, &[108, 3, 200, 9]), [108; 3]);
        let mut out = [0; 3];
        to_rgb_over_white(Alpha::Numpy, Layout::GreyAlphaWide, None, &[108, 3, 200, 255], &mut out);
        assert_eq!(out, [108; 3]);
    }

    #[test]
    fn samples_beyond_a_byte_are_clipped() {
        assert_eq!(rgb(Layout::I16, &[7, 0]), [7; 3]);
        assert_eq!(rgb(Layout::I16, &[0, 1]), [255; 3]);
        assert_eq!(rgb(Layout::I16B, &[0, 7]), [7; 3]);
        assert_eq!([-5, 300, 77].map(|value: i32| rgb(Layout::I, &value.to_ne_bytes())[0]), [0, 255, 77]);
        let floats = [-0.5, 254.99, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        assert_eq!(floats.map(|value| rgb(Layout::F, &value.to_ne_bytes())[0]), [0, 254, 0, 255, 0]);
    }
}
