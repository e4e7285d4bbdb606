//! A plane of values for each channel, in NEON: the instructions that take pixels apart, and that make fractions
//! of whole numbers.

use std::arch::aarch64::*;

use super::Element;
use super::affine::{Fma, Reciprocal, Steps};

/// Pixels computed at a time.
const PIXELS: usize = 16;
/// No byte, which a lookup fills with zeros.
const NONE: u8 = 255;

impl Fma {
    /// Writes the first three channels of pixels of `S` bytes, a plane each; a pixel of one byte has it three times.
    pub(super) fn write_planes<T: Element, const S: usize>(
        self,
        channels: &[Steps<1>; 3],
        row: &[u8],
        out: [&mut [T]; 3],
        _scratch: &mut Vec<u8>,
    ) {
        // SAFETY: `self` shows that the processor has NEON.
        unsafe {
            // All channels have the same first step.
            if channels[0].first == Reciprocal::of(255.0) {
                write_row::<true, T, S>(self, channels, row.as_chunks().0, out);
            } else {
                write_row::<false, T, S>(self, channels, row.as_chunks().0, out);
            }
        }
    }
}

#[target_feature(enable = "neon")]
fn write_row<const OVER_255: bool, T: Element, const S: usize>(
    proof: Fma,
    channels: &[Steps<1>; 3],
    pixels: &[[u8; S]],
    [first, second, third]: [&mut [T]; 3],
) {
    let len = pixels.len();
    assert!([&first, &second, &third].iter().all(|plane| plane.len() == len), "a value for each pixel");
    let write =
        |pixels: &_, planes: [&mut _; 3]| write_block::<OVER_255, T, S>(proof, channels, pixels, planes);
    if len < PIXELS {
        let (mut block, mut planes) = ([[0; S]; PIXELS], [[T::ZERO; PIXELS]; 3]);
        block[..len].copy_from_slice(pixels);
        write(&block, planes.each_mut());
        for (plane, out) in planes.iter().zip([first, second, third]) {
            out.copy_from_slice(&plane[..len]);
        }
        return;
    }
    let blocks = pixels.as_chunks().0.iter().zip(first.as_chunks_mut().0);
    for (((pixels, first), second), third) in
        blocks.zip(second.as_chunks_mut().0).zip(third.as_chunks_mut().0)
    {
        write(pixels, [first, second, third]);
    }
    // The last block overlaps the one before it.
    if !len.is_multiple_of(PIXELS) {
        let whole = "a whole block";
        let [first, second, third] = [first, second, third].map(|plane| plane.last_chunk_mut().expect(whole));
        write(pixels.last_chunk().expect(whole), [first, second, third]);
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn write_block<const OVER_255: bool, T: Element, const S: usize>(
    proof: Fma,
    channels: &[Steps<1>; 3],
    pixels: &[[u8; S]; PIXELS],
    planes: [&mut [T; PIXELS]; 3],
) {
    let from = pixels.as_flattened().as_ptr();
    // SAFETY: `S` times 16 bytes are read.
    let bytes = unsafe {
        match S {
            1 => [vld1q_u8(from); 3],
            3 => {
                let pixels = vld3q_u8(from);
                [pixels.0, pixels.1, pixels.2]
            }
            4 => {
                let pixels = vld4q_u8(from);
                [pixels.0, pixels.1, pixels.2]
            }
            _ => unreachable!("no layout has such pixels"),
        }
    };
    let [first, second, third] = planes;
    write_values::<OVER_255, T>(proof, &channels[0], bytes[0], first);
    write_values::<OVER_255, T>(proof, &channels[1], bytes[1], second);
    write_values::<OVER_255, T>(proof, &channels[2], bytes[2], third);
}

#[inline]
#[target_feature(enable = "neon")]
fn write_values<const OVER_255: bool, T: Element>(
    proof: Fma,
    steps: &Steps<1>,
    bytes: uint8x16_t,
    out: &mut [T; PIXELS],
) {
    let (mut stored, mut floats) = ([0; PIXELS], [0.0; PIXELS]);
    // SAFETY: 16 bytes are written, and 4 floats each time.
    unsafe {
        vst1q_u8(stored.as_mut_ptr(), bytes);
        for (floats, values) in
            floats.as_chunks_mut::<4>().0.iter_mut().zip(&values::<OVER_255>(steps, bytes))
        {
            vst1q_f32(floats.as_mut_ptr(), *values);
        }
    }
    T::write_block(proof, &stored, &floats, out);
}

/// The values of 16 bytes.
#[inline]
#[target_feature(enable = "neon")]
fn values<const OVER_255: bool>(steps: &Steps<1>, bytes: uint8x16_t) -> [float32x4_t; 4] {
    let mut values = if OVER_255 { quotients(bytes) } else { products(steps.first, bytes) };
    for value in &mut values {
        let centred = vsubq_f32(*value, vdupq_n_f32(steps.mean[0]));
        *value = vfmaq_n_f32(vmulq_n_f32(centred, steps.std_lo[0]), centred, steps.std_hi[0]);
    }
    values
}

/// The bytes divided by 255, rounded. The quotient of `v` is 0.vvvv... to base 256, and an element takes 32 bits of it.
/// Of these a float keeps 24, from the highest set bit on; the rest is `v` again, without the zeros before its highest
/// bit: half of the last kept bit or more, so that the float above is always the nearest. Powers of two are just the
/// half, which would be rounded to even: the last byte is `v` and a half of it instead.
#[inline]
#[target_feature(enable = "neon")]
fn quotients(bytes: uint8x16_t) -> [float32x4_t; 4] {
    let last = vqaddq_u8(bytes, vrshrq_n_u8::<1>(bytes));
    let mut quotients = [vdupq_n_f32(0.0); 4];
    for (quotient, sources) in quotients.iter_mut().zip(&FRACTION) {
        let fractions = vqtbl2q_u8(uint8x16x2_t(last, bytes), register(sources));
        *quotient = vcvtq_n_f32_u32::<32>(vreinterpretq_u32_u8(fractions));
    }
    quotients
}

/// The bytes times a factor, rounded.
#[inline]
#[target_feature(enable = "neon")]
fn products(factor: Reciprocal, bytes: uint8x16_t) -> [float32x4_t; 4] {
    let mut products = [vdupq_n_f32(0.0); 4];
    for (product, sources) in products.iter_mut().zip(&WHOLE) {
        let wide = vcvtq_f32_u32(vreinterpretq_u32_u8(vqtbl1q_u8(bytes, register(sources))));
        *product = vfmaq_n_f32(vmulq_n_f32(wide, factor.lo), wide, factor.hi);
    }
    products
}

#[inline]
#[target_feature(enable = "neon")]
fn register(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: `bytes` is 16 bytes.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

const FRACTION: [[u8; 16]; 4] = sources(true);
const WHOLE: [[u8; 16]; 4] = sources(false);

/// Where the bytes of four times four elements come from: for a fraction, the last one from the first register and
/// the others from the second; else one byte and zeros.
const fn sources(fraction: bool) -> [[u8; 16]; 4] {
    let mut sources = [[NONE; 16]; 4];
    let mut at = 0;
    while at < 64 {
        let pixel = at as u8 / 4;
        if at % 4 == 0 {
            sources[at / 16][at % 16] = pixel;
        } else if fraction {
            sources[at / 16][at % 16] = 16 + pixel;
        }
        at += 1;
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_are_those_of_the_division() {
        for start in (0..=255).step_by(16) {
            let bytes: [u8; 16] = std::array::from_fn(|i| start + i as u8);
            let mut floats = [0.0f32; 16];
            // SAFETY: every 64-bit ARM processor has NEON; four floats are written each time.
            unsafe {
                for (floats, values) in floats.chunks_exact_mut(4).zip(quotients(register(&bytes))) {
                    vst1q_f32(floats.as_mut_ptr(), values);
                }
            }
            assert_eq!(floats, bytes.map(|byte| f32::from(byte) / 255.0));
        }
    }
}
