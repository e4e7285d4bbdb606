//! Upsampling and colours, 16 pixels at a time.

use std::arch::aarch64::*;

use crate::decode::jpeg::back::colour::{Chroma, Sampling, YccRow};
use crate::decode::jpeg::back::factors::{BLUE, GREEN, RED};

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
fn rgb(y: uint8x8_t, blue: int16x8_t, red: int16x8_t) -> [uint8x8_t; 3] {
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

/// Writes pixels, of 16 of which `chroma` gives the even and the odd ones' from the first one on.
#[inline]
#[target_feature(enable = "neon")]
fn pixels(row: &YccRow<'_>, out: &mut [u8], chroma: impl Fn(usize) -> ([int16x8_t; 2], [int16x8_t; 2])) {
    let padded = row.width.next_multiple_of(PIXELS);
    let luma = row.luma[..padded].as_chunks::<PIXELS>().0;
    let out = out[..3 * padded].as_chunks_mut::<{ 3 * PIXELS }>().0;
    for (i, (luma, out)) in luma.iter().zip(out).enumerate() {
        let (y, (blue, red)) = (even_and_odd(luma), chroma(PIXELS * i));
        let even = rgb(y[0], blue[0], red[0]);
        let odd = rgb(y[1], blue[1], red[1]);
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

#[target_feature(enable = "neon")]
pub fn rgb_row(row: &YccRow<'_>, sums: &mut [Vec<u16>; 2], out: &mut [u8]) {
    match row.sampling {
        Sampling::Full => pixels(row, out, |x| {
            let full = |chroma: Chroma<'_>| {
                let [even, odd] = even_and_odd(chunk(chroma.near, x + 1));
                [less_middle(even), less_middle(odd)]
            };
            (full(row.blue), full(row.red))
        }),
        Sampling::HalfHeight => pixels(row, out, |x| {
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
        Sampling::HalfWidth => pixels(row, out, |x| {
            let half = |chroma: Chroma<'_>| {
                let [before, this, after] = around(chunk(chroma.near, x / 2));
                half_width::<2>([widened(before), widened(this), widened(after)], [1, 2])
            };
            (half(row.blue), half(row.red))
        }),
        Sampling::Quarter => {
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
            pixels(row, out, |x| {
                let half = |sums: &[u16]| {
                    let [before, this, after] = around(chunk(sums, x / 2));
                    half_width::<4>([load_sums(before), load_sums(this), load_sums(after)], [8, 7])
                };
                (half(blue), half(red))
            });
        }
    }
}
