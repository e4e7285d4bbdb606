//! Colours multiplied by their alpha before an image is resized, and divided by it after.

use crate::pixels::Layout;
use crate::simd::{Level, best};

/// `a * b / 255`, rounded, as Pillow's `MULDIV255`. Sixteen bits hold all of it.
#[inline(always)]
pub(super) fn muldiv255(a: u8, b: u8) -> u8 {
    let t = u16::from(a) * u16::from(b) + 128;
    (((t >> 8) + t) >> 8) as u8
}

/// For each alpha a little more than 255 / alpha, with 16 fractional bits: so little that its products with bytes have
/// the whole parts of the quotients. For 0 it is 1.
static INVERSE: [u32; 256] = {
    let mut table = [1 << 16; 256];
    let mut alpha = 1;
    while alpha < 256 {
        table[alpha] = (255 << 16) / alpha as u32 + 1;
        alpha += 1;
    }
    table
};

/// A colour divided by its alpha; where that is 0 Pillow leaves the colour as it is.
#[inline]
pub(super) fn divide(value: u8, alpha: u8) -> u8 {
    ((u32::from(value) * INVERSE[usize::from(alpha)]) >> 16).min(255) as u8
}

/// Multiplies and divides pixels of a layout with alpha.
#[derive(Clone, Copy)]
pub(crate) struct ByAlpha {
    /// Multiplies the colours of each pixel by its alpha: LA to La, RGBA to RGBa.
    pub premultiply: fn(&[u8], &mut [u8]),
    /// Divides the colours of each pixel by its alpha: La to LA, RGBa to RGBA.
    pub unpremultiply: fn(&mut [u8]),
}

impl ByAlpha {
    pub fn of(level: Level, layout: Layout) -> Self {
        match layout.bytes() {
            2 => Self::of_size::<2>(level),
            _ => Self::of_size::<4>(level),
        }
    }

    fn of_size<const C: usize>(level: Level) -> Self {
        best! { level;
            "x86_64" Avx2 => |proof| Some(x86::by_alpha::<C>(proof)),
            "aarch64" Neon => |proof| (C == 4).then(|| neon::rgba(proof)),
            _ => Self { premultiply: premultiply::<C>, unpremultiply: unpremultiply::<C> },
        }
    }
}

/// The loops compiled for AVX2.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::ByAlpha;
    use crate::simd::Avx2;

    pub(super) fn by_alpha<const C: usize>(_proof: Avx2) -> ByAlpha {
        ByAlpha {
            // SAFETY: the processor has AVX2, as the proof shows.
            premultiply: |row, out| unsafe { premultiply::<C>(row, out) },
            // SAFETY: as above.
            unpremultiply: |row| unsafe { unpremultiply::<C>(row) },
        }
    }

    #[target_feature(enable = "avx2")]
    fn premultiply<const C: usize>(row: &[u8], out: &mut [u8]) {
        super::premultiply::<C>(row, out);
    }

    #[target_feature(enable = "avx2")]
    fn unpremultiply<const C: usize>(row: &mut [u8]) {
        super::unpremultiply::<C>(row);
    }
}

/// RGBA multiplied with NEON. The other loops are as short there as the compiler makes them: it takes NEON for granted.
#[cfg(target_arch = "aarch64")]
mod neon {
    use std::arch::aarch64::*;

    use super::ByAlpha;
    use crate::simd::Neon;

    pub(super) fn rgba(_proof: Neon) -> ByAlpha {
        ByAlpha {
            // SAFETY: the processor has NEON, as the proof shows.
            premultiply: |row, out| unsafe { premultiply(row, out) },
            unpremultiply: super::unpremultiply::<4>,
        }
    }

    #[target_feature(enable = "neon")]
    fn premultiply(row: &[u8], out: &mut [u8]) {
        let (groups, rest) = row.as_chunks::<64>();
        let (out, rest_out) = out.split_at_mut(64 * groups.len());
        for (pixels, out) in groups.iter().zip(out.as_chunks_mut::<64>().0) {
            // SAFETY: 16 pixels of four bytes are read.
            let uint8x16x4_t(red, green, blue, alpha) = unsafe { vld4q_u8(pixels.as_ptr()) };
            let [red, green, blue] = [red, green, blue].map(|colour| muldiv255(colour, alpha));
            // SAFETY: as many are written.
            unsafe { vst4q_u8(out.as_mut_ptr(), uint8x16x4_t(red, green, blue, alpha)) };
        }
        super::premultiply::<4>(rest, rest_out);
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn muldiv255(a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        let (low, high) = (vmull_u8(vget_low_u8(a), vget_low_u8(b)), vmull_high_u8(a, b));
        // Both the shift and the sum's upper half are rounded, which adds the 128.
        let low_half = vraddhn_u16(low, vrshrq_n_u16::<8>(low));
        vraddhn_high_u16(low_half, high, vrshrq_n_u16::<8>(high))
    }
}

/// The bits of alpha, which comes last, in a pixel of `C` bytes as a number.
const fn alpha_bits(channels: usize) -> u32 {
    8 * (channels as u32 - 1)
}

/// Pixels as numbers of 32 bits: the compiler makes vector code of arithmetic on them.
#[inline(always)]
fn number<const C: usize>(pixel: &[u8; C]) -> u32 {
    let mut bytes = [0; 4];
    bytes[..C].copy_from_slice(pixel);
    u32::from_le_bytes(bytes)
}

#[inline(always)]
fn premultiply<const C: usize>(row: &[u8], out: &mut [u8]) {
    /// Bytes, each in the lower half of 16 bits.
    const BYTES: u32 = 0x00ff_00ff;
    for (pixel, out) in row.as_chunks::<C>().0.iter().zip(out.as_chunks_mut::<C>().0) {
        let pixel = number(pixel);
        let alpha = pixel >> alpha_bits(C);
        // Of two colours at once: as `muldiv255`.
        let multiplied = |colours: u32| {
            let t = colours * alpha + 0x0080_0080;
            ((t >> 8 & BYTES) + t) >> 8 & BYTES
        };
        let colours = pixel ^ alpha << alpha_bits(C);
        let result = multiplied(colours & BYTES) | multiplied(colours >> 8 & BYTES) << 8;
        out.copy_from_slice(&(result | alpha << alpha_bits(C)).to_le_bytes()[..C]);
    }
}

#[inline(always)]
fn unpremultiply<const C: usize>(row: &mut [u8]) {
    /// Pixels that are divided together: as many as a register holds numbers.
    const TOGETHER: usize = 8;
    let (groups, rest) = row.as_chunks_mut::<C>().0.as_chunks_mut::<TOGETHER>();
    for group in groups {
        let inverses: [u32; TOGETHER] = std::array::from_fn(|i| INVERSE[usize::from(group[i][C - 1])]);
        for (pixel, inverse) in group.iter_mut().zip(inverses) {
            let whole = number(pixel);
            // Alpha stays what it is.
            let mut result = whole >> alpha_bits(C) << alpha_bits(C);
            for channel in 0..C - 1 {
                let value = whole >> (8 * channel) & 255;
                result |= ((value * inverse) >> 16).min(255) << (8 * channel);
            }
            pixel.copy_from_slice(&result.to_le_bytes()[..C]);
        }
    }
    for pixel in rest {
        let alpha = pixel[C - 1];
        for value in &mut pixel[..C - 1] {
            *value = divide(*value, alpha);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::levels_to_test;

    #[test]
    fn alpha_multiplies_and_divides_as_in_pillow() {
        let all = || (0..=u8::MAX).flat_map(|value| (0..=u8::MAX).map(move |alpha| (value, alpha)));
        for (value, alpha) in all() {
            let (v, a) = (u32::from(value), u32::from(alpha));
            let t = v * a + 128;
            assert_eq!(u32::from(muldiv255(value, alpha)), ((t >> 8) + t) >> 8, "{value} {alpha}");
            let quotient = (255 * v).checked_div(a).map_or(v, |quotient| quotient.min(255));
            assert_eq!(u32::from(divide(value, alpha)), quotient, "{value} {alpha}");
        }
        for (level, layout) in
            levels_to_test().into_iter().flat_map(|level| [(level, Layout::GreyAlpha), (level, Layout::Rgba)])
        {
            let (size, by_alpha) = (layout.bytes(), ByAlpha::of(level, layout));
            // Every colour with every alpha, each in all channels; then rows of any length.
            let every: Vec<u8> = all()
                .flat_map(|(value, alpha)| {
                    let colours = (0..size - 1).map(move |channel| value.wrapping_add(85 * channel as u8));
                    colours.chain([alpha])
                })
                .collect();
            let rows = (0..30).map(|len| (0..size * len).map(|i| (i * 97 + 31) as u8).collect());
            for row in rows.chain([every]) {
                let row: Vec<u8> = row;
                let (mut multiplied, mut divided) = (vec![0; row.len()], row.clone());
                (by_alpha.premultiply)(&row, &mut multiplied);
                (by_alpha.unpremultiply)(&mut divided);
                for (i, (pixel, (multiplied, divided))) in
                    row.chunks(size).zip(multiplied.chunks(size).zip(divided.chunks(size))).enumerate()
                {
                    let (colours, alpha) = pixel.split_at(size - 1);
                    let of = |by: fn(u8, u8) -> u8| -> Vec<u8> {
                        colours.iter().map(|&colour| by(colour, alpha[0])).chain([alpha[0]]).collect()
                    };
                    assert_eq!(multiplied, of(muldiv255), "{level:?}, pixel {i} {pixel:?}");
                    assert_eq!(divided, of(divide), "{level:?}, pixel {i} {pixel:?}");
                }
            }
        }
    }
}
