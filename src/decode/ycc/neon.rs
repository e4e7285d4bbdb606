//! The kernel in NEON: 16 pixels at a time.

use std::arch::aarch64::*;

use super::{Chroma, LIBJPEG_ROUNDINGS, LIBWEBP_ROUNDINGS, Sampling, Sums, YccRow, libjpeg, libwebp};
use crate::simd::Neon;

/// The kernel of this instruction set.
pub struct Kernel {
    _proof: Neon,
}

impl Kernel {
    pub fn new(proof: Neon) -> Self {
        Self { _proof: proof }
    }
}

impl super::Kernel for Kernel {
    fn rgb_row(&self, row: &YccRow<'_>, sums: &mut Sums, out: &mut [u8]) {
        // SAFETY: `_proof` shows that the processor has NEON.
        unsafe { rgb_row(row, sums, out) }
    }
}

/// Pixels at a time: eight even ones and eight odd ones.
const PIXELS: usize = 16;
const LANES: usize = PIXELS / 2;
/// Values around those of eight pixels: one before, and one after.
const AROUND: usize = LANES + 2;

/// What is taken off chroma.
const MIDDLE: i16 = 128;

#[inline]
#[target_feature(enable = "neon")]
fn load(values: &[u8; LANES]) -> uint8x8_t {
    // SAFETY: the array is as long as the register.
    unsafe { vld1_u8(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_sums(values: &[u16; LANES]) -> int16x8_t {
    // SAFETY: the array is as long as the register.
    vreinterpretq_s16_u16(unsafe { vld1q_u16(values.as_ptr()) })
}

/// Even and odd bytes.
#[inline]
#[target_feature(enable = "neon")]
fn even_and_odd(bytes: &[u8; PIXELS]) -> [uint8x8_t; 2] {
    // SAFETY: the array is as long as both registers.
    let uint8x8x2_t(even, odd) = unsafe { vld2_u8(bytes.as_ptr()) };
    [even, odd]
}

/// The values before, at and after each of eight.
#[inline(always)]
fn around<T>(values: &[T; AROUND]) -> [&[T; LANES]; 3] {
    [0, 1, 2].map(|i| values[i..].first_chunk().expect("eight of ten"))
}

#[inline(always)]
fn chunk<T, const N: usize>(values: &[T], from: usize) -> &[T; N] {
    values[from..].first_chunk().expect("rows are followed by slack")
}

/// Red, green and blue; of chroma [`MIDDLE`] has been taken off.
#[inline]
#[target_feature(enable = "neon")]
fn rgb_of_libjpeg(y: uint8x8_t, blue: int16x8_t, red: int16x8_t) -> [uint8x8_t; 3] {
    use libjpeg::{BLUE, GREEN, RED};
    const OF_BLUE: i16 = GREEN as i16;
    const OF_RED: i16 = (GREEN >> 16) as i16;
    let low = vmlal_n_s16(vmull_n_s16(vget_low_s16(blue), OF_BLUE), vget_low_s16(red), OF_RED);
    let high = vmlal_high_n_s16(vmull_high_n_s16(blue, OF_BLUE), red, OF_RED);
    let green = vrshrn_high_n_s32::<15>(vrshrn_n_s32::<15>(low), high);
    let red = vqrdmulhq_n_s16(vaddq_s16(red, red), RED);
    let blue = vqrdmulhq_n_s16(vaddq_s16(blue, blue), BLUE);
    [red, green, blue]
        .map(|difference| vqmovun_s16(vreinterpretq_s16_u16(vaddw_u8(vreinterpretq_u16_s16(difference), y))))
}

/// The same by libwebp. Blue's sum takes all 16 bits.
#[inline]
#[target_feature(enable = "neon")]
fn rgb_of_libwebp(y: uint8x8_t, blue: int16x8_t, red: int16x8_t) -> [uint8x8_t; 3] {
    use libwebp::*;
    let scaled = |values: uint16x8_t, factor: u16| {
        let low = vshrn_n_u32::<8>(vmull_n_u16(vget_low_u16(values), factor));
        vshrn_high_n_u32::<8>(low, vmull_high_n_u16(values, factor))
    };
    let whole = |chroma: int16x8_t| vreinterpretq_u16_s16(vaddq_s16(chroma, vdupq_n_s16(MIDDLE)));
    let (from_red, to_green, from_blue) =
        (vdupq_n_u16(FROM_RED), vdupq_n_u16(TO_GREEN), vdupq_n_u16(FROM_BLUE));
    let (y, blue, red) = (scaled(vmovl_u8(y), LUMA), whole(blue), whole(red));
    let of_green = vaddq_u16(scaled(blue, GREEN_OF_BLUE), scaled(red, GREEN_OF_RED));
    let with_sign =
        [vsubq_u16(vaddq_u16(y, scaled(red, RED)), from_red), vaddq_u16(vsubq_u16(y, of_green), to_green)];
    let [red, green] = with_sign.map(|sum| vqshrun_n_s16::<6>(vreinterpretq_s16_u16(sum)));
    [red, green, vqshrn_n_u16::<6>(vqsubq_u16(vaddq_u16(y, scaled(blue, BLUE)), from_blue))]
}

/// Writes pixels, of 16 of which `chroma` gives the even and the odd ones' from the first one on.
#[inline]
#[target_feature(enable = "neon")]
fn pixels<const OF_LIBWEBP: bool>(
    row: &YccRow<'_>,
    out: &mut [u8],
    chroma: impl Fn(usize) -> ([int16x8_t; 2], [int16x8_t; 2]),
) {
    let padded = row.width.next_multiple_of(PIXELS);
    let luma = row.luma[..padded].as_chunks::<PIXELS>().0;
    let out = out[..3 * padded].as_chunks_mut::<{ 3 * PIXELS }>().0;
    for (i, (luma, out)) in luma.iter().zip(out).enumerate() {
        let (y, (blue, red)) = (even_and_odd(luma), chroma(PIXELS * i));
        let (even, odd) = match OF_LIBWEBP {
            true => (rgb_of_libwebp(y[0], blue[0], red[0]), rgb_of_libwebp(y[1], blue[1], red[1])),
            false => (rgb_of_libjpeg(y[0], blue[0], red[0]), rgb_of_libjpeg(y[1], blue[1], red[1])),
        };
        let whole = |i: usize| {
            let upper = vdup_n_u8(0);
            vzip1q_u8(vcombine_u8(even[i], upper), vcombine_u8(odd[i], upper))
        };
        // SAFETY: the array is as long as the three registers.
        unsafe { vst3q_u8(out.as_mut_ptr(), uint8x16x3_t(whole(0), whole(1), whole(2))) };
    }
}

/// Upsampled chroma of even and odd pixels less [`MIDDLE`], from samples in units of `1 << SHIFT` quarters.
#[inline]
#[target_feature(enable = "neon")]
fn half_width<const SHIFT: i32>(around: [int16x8_t; 3], rounding: [i16; 2]) -> [int16x8_t; 2] {
    let [before, this, after] = around;
    let sum = |rounding: i16, next| {
        let base = vdupq_n_s16(rounding - (MIDDLE << SHIFT));
        vshrq_n_s16::<SHIFT>(vaddq_s16(vmlaq_n_s16(base, this, 3), next))
    };
    [sum(rounding[0], before), sum(rounding[1], after)]
}

#[inline]
#[target_feature(enable = "neon")]
fn widened(values: &[u8; LANES]) -> int16x8_t {
    vreinterpretq_s16_u16(vmovl_u8(load(values)))
}

#[inline]
#[target_feature(enable = "neon")]
fn less_middle(values: uint8x8_t) -> int16x8_t {
    vreinterpretq_s16_u16(vsubl_u8(values, vdup_n_u8(MIDDLE as u8)))
}

/// Three times the one and the other.
#[inline]
#[target_feature(enable = "neon")]
fn three_to_one(near: uint8x8_t, far: uint8x8_t) -> uint16x8_t {
    vaddw_u8(vmull_u8(near, vdup_n_u8(3)), far)
}

/// The pixels of a row with a quarter of the chroma.
#[inline]
#[target_feature(enable = "neon")]
fn quarter<const OF_LIBWEBP: bool>(row: &YccRow<'_>, sums: &mut Sums, out: &mut [u8]) {
    for (sums, chroma) in sums.iter_mut().zip([row.blue, row.red]) {
        // Those before the first and after the last pixel too.
        let padded = (row.width / 2 + 2).next_multiple_of(LANES);
        let near = chroma.near[..padded].as_chunks().0.iter();
        let far = chroma.far[..padded].as_chunks().0;
        for ((near, far), sums) in near.zip(far).zip(sums[..padded].as_chunks_mut::<LANES>().0) {
            let sum = three_to_one(load(near), load(far));
            // SAFETY: the array is as long as the register.
            unsafe { vst1q_u16(sums.as_mut_ptr(), sum) };
        }
    }
    let [blue, red] = &*sums;
    pixels::<OF_LIBWEBP>(row, out, |x| {
        let half = |sums: &[u16]| {
            let [before, this, after] = around(chunk(sums, x / 2));
            let around = [load_sums(before), load_sums(this), load_sums(after)];
            half_width::<4>(around, if OF_LIBWEBP { LIBWEBP_ROUNDINGS } else { LIBJPEG_ROUNDINGS })
        };
        (half(blue), half(red))
    });
}

#[target_feature(enable = "neon")]
fn rgb_row(row: &YccRow<'_>, sums: &mut Sums, out: &mut [u8]) {
    match row.sampling {
        Sampling::Full => pixels::<false>(row, out, |x| {
            let full = |chroma: Chroma<'_>| {
                let [even, odd] = even_and_odd(chunk(chroma.near, x + 1));
                [less_middle(even), less_middle(odd)]
            };
            (full(row.blue), full(row.red))
        }),
        Sampling::HalfHeight => pixels::<false>(row, out, |x| {
            let base = vdupq_n_s16(row.rounding_of_height() as i16 - (MIDDLE << 2));
            let half = |chroma: Chroma<'_>| {
                let near = even_and_odd(chunk(chroma.near, x + 1));
                let far = even_and_odd(chunk(chroma.far, x + 1));
                let value = |near, far| {
                    vshrq_n_s16::<2>(vaddq_s16(vreinterpretq_s16_u16(three_to_one(near, far)), base))
                };
                [value(near[0], far[0]), value(near[1], far[1])]
            };
            (half(row.blue), half(row.red))
        }),
        Sampling::HalfWidth => pixels::<false>(row, out, |x| {
            let half = |chroma: Chroma<'_>| {
                let [before, this, after] = around(chunk(chroma.near, x / 2));
                half_width::<2>([widened(before), widened(this), widened(after)], [1, 2])
            };
            (half(row.blue), half(row.red))
        }),
        Sampling::Quarter => quarter::<false>(row, sums, out),
        Sampling::QuarterOfLibwebp => quarter::<true>(row, sums, out),
    }
}
