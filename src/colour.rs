//! Pillow's colour arithmetic on rows of bytes (libImaging/Convert.c).

use crate::pixels::{Layout, Palette};

/// `a * b / 255`, rounded, as Pillow's `MULDIV255`.
#[inline]
fn muldiv255(a: u8, b: u8) -> u8 {
    let t = u32::from(a) * u32::from(b) + 128;
    (((t >> 8) + t) >> 8) as u8
}

/// Multiplies the colours of each pixel by its alpha: LA to La, RGBA to RGBa.
pub(crate) fn premultiply(layout: Layout, row: &[u8], out: &mut [u8]) {
    fn pixels<const C: usize>(row: &[u8], out: &mut [u8]) {
        for (pixel, out) in row.as_chunks::<C>().0.iter().zip(out.as_chunks_mut::<C>().0) {
            let alpha = pixel[C - 1];
            *out = pixel.map(|value| muldiv255(value, alpha));
            out[C - 1] = alpha;
        }
    }
    match layout.bytes() {
        2 => pixels::<2>(row, out),
        _ => pixels::<4>(row, out),
    }
}

/// Divides the colours of each pixel by its alpha: La to LA, RGBa to RGBA.
pub(crate) fn unpremultiply(layout: Layout, row: &mut [u8]) {
    fn pixels<const C: usize>(row: &mut [u8]) {
        for pixel in row.as_chunks_mut::<C>().0 {
            let alpha = pixel[C - 1];
            if alpha != 0 && alpha != 255 {
                for value in &mut pixel[..C - 1] {
                    *value = (255 * u32::from(*value) / u32::from(alpha)).min(255) as u8;
                }
            }
        }
    }
    match layout.bytes() {
        2 => pixels::<2>(row),
        _ => pixels::<4>(row),
    }
}

/// Converts a row to RGB as `Image.convert("RGB")`: alpha is dropped, nothing is composited.
pub(crate) fn to_rgb(layout: Layout, palette: Option<&Palette>, row: &[u8], out: &mut [u8]) {
    let (out, _) = out.as_chunks_mut::<3>();
    match layout {
        Layout::One | Layout::L => {
            out.iter_mut().zip(row).for_each(|(out, &grey)| *out = [grey; 3]);
        }
        Layout::La => {
            out.iter_mut().zip(row.as_chunks::<2>().0).for_each(|(out, pixel)| *out = [pixel[0]; 3]);
        }
        Layout::P => {
            let palette = palette.expect("an image of mode P has a palette");
            out.iter_mut().zip(row).for_each(|(out, &index)| *out = palette[usize::from(index)]);
        }
        Layout::Rgb => {
            out.iter_mut().zip(row.as_chunks::<3>().0).for_each(|(out, pixel)| *out = *pixel);
        }
        Layout::Rgbx | Layout::Rgba | Layout::Llla => {
            for (out, &[r, g, b, _]) in out.iter_mut().zip(row.as_chunks::<4>().0) {
                *out = [r, g, b];
            }
        }
        Layout::Cmyk => {
            for (out, &[c, m, y, k]) in out.iter_mut().zip(row.as_chunks::<4>().0) {
                let light = 255 - k;
                *out = [c, m, y].map(|ink| light - muldiv255(ink, light));
            }
        }
    }
}
