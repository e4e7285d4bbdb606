//! The kernel in AVX-512 with BW and VBMI: 64 pixels at a time.

use std::arch::x86_64::{
    __m512i as Register, _mm256_loadu_si256, _mm512_add_epi16 as add16, _mm512_add_epi32 as add32,
    _mm512_and_si512 as and, _mm512_cvtepu8_epi16, _mm512_loadu_si512, _mm512_madd_epi16 as madd,
    _mm512_mask_permutexvar_epi8, _mm512_mulhi_epu16 as mulhi, _mm512_mulhrs_epi16 as mulhrs,
    _mm512_packs_epi32 as packs32, _mm512_packus_epi16, _mm512_permutex2var_epi8, _mm512_set1_epi16 as set16,
    _mm512_set1_epi32 as set32, _mm512_slli_epi16 as slli16, _mm512_srai_epi16 as srai16,
    _mm512_srai_epi32 as srai32, _mm512_srli_epi16 as srli16, _mm512_storeu_si512, _mm512_sub_epi16 as sub16,
    _mm512_subs_epu16 as subs_unsigned, _mm512_unpackhi_epi16 as unpackhi16,
    _mm512_unpacklo_epi16 as unpacklo16,
};

use super::x86::kernels;
use super::{Chroma, LIBJPEG_ROUNDINGS, LIBWEBP_ROUNDINGS, Sampling, Sums, YccRow, libjpeg, libwebp};
use crate::simd::Avx512;

/// Lanes of 16 bits.
const WIDTH: usize = 32;
type Shift = u32;

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn load_sums(values: &[u16]) -> Register {
    let values: &[u16; WIDTH] = values.first_chunk().expect("a register's values");
    // SAFETY: the array is as long as the register.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn load_bytes(values: &[u8]) -> Register {
    let values: &[u8; 2 * WIDTH] = values.first_chunk().expect("a register's values");
    // SAFETY: the array is as long as the register.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn widened(values: &[u8]) -> Register {
    let values: &[u8; WIDTH] = values.first_chunk().expect("half a register's bytes");
    // SAFETY: the array is as long as what is loaded.
    _mm512_cvtepu8_epi16(unsafe { _mm256_loadu_si256(values.as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn store16(v: Register, out: &mut [u16]) {
    let out: &mut [u16; WIDTH] = out.first_chunk_mut().expect("room for a register");
    // SAFETY: the array is as long as the register.
    unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), v) }
}

/// Which byte goes to each place of a third of 64 pixels: of red and, from 64 on, of green; of blue, and where.
struct Interleaving {
    red_and_green: [u8; 64],
    blue: [u8; 64],
    is_blue: u64,
}

const INTERLEAVING: [Interleaving; 3] = [interleaving(0), interleaving(1), interleaving(2)];

const fn interleaving(part: usize) -> Interleaving {
    let mut places = Interleaving { red_and_green: [0; 64], blue: [0; 64], is_blue: 0 };
    let mut i = 0;
    while i < 64 {
        let byte = 64 * part + i;
        let pixel = byte / 3;
        // Of 16 pixels the even ones come first.
        let at = (pixel / 16 * 16 + pixel % 16 / 2 + 8 * (pixel % 2)) as u8;
        match byte % 3 {
            0 => places.red_and_green[i] = at,
            1 => places.red_and_green[i] = at + 64,
            _ => {
                places.blue[i] = at;
                places.is_blue |= 1 << i;
            }
        }
        i += 1;
    }
    places
}

/// 64 pixels of three bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn store_pixels(even: [Register; 3], odd: [Register; 3], out: &mut [u8]) {
    let [red, green, blue]: [Register; 3] = [
        _mm512_packus_epi16(even[0], odd[0]),
        _mm512_packus_epi16(even[1], odd[1]),
        _mm512_packus_epi16(even[2], odd[2]),
    ];
    let out: &mut [u8; 6 * WIDTH] = out.first_chunk_mut().expect("room for pixels");
    for (out, places) in out.as_chunks_mut::<{ 2 * WIDTH }>().0.iter_mut().zip(&INTERLEAVING) {
        let part = _mm512_permutex2var_epi8(red, load_bytes(&places.red_and_green), green);
        let part = _mm512_mask_permutexvar_epi8(part, places.is_blue, load_bytes(&places.blue), blue);
        // SAFETY: the array is as long as the register.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), part) }
    }
}

kernels!("avx512f,avx512bw,avx512vbmi", Avx512);
