//! The kernels in AVX-512 with BW and VBMI: four blocks, or 64 pixels, at a time.

use std::arch::x86_64::{
    __m512i as Register, _mm_setr_epi8, _mm256_loadu_si256, _mm256_storeu_si256, _mm512_add_epi16 as add16,
    _mm512_add_epi32 as add32, _mm512_adds_epi16 as adds16, _mm512_and_si512 as and, _mm512_broadcast_i32x4,
    _mm512_castsi512_si256, _mm512_cmpgt_epu16_mask, _mm512_cvtepu8_epi16, _mm512_extracti64x4_epi64,
    _mm512_loadu_si512, _mm512_madd_epi16 as madd, _mm512_mask_permutexvar_epi8,
    _mm512_mulhrs_epi16 as mulhrs, _mm512_mullo_epi16 as mullo16, _mm512_packs_epi16 as packs16,
    _mm512_packs_epi32 as packs32, _mm512_packus_epi16, _mm512_permutex2var_epi8, _mm512_permutexvar_epi64,
    _mm512_set1_epi8 as set8, _mm512_set1_epi16 as set16, _mm512_set1_epi32 as set32, _mm512_setr_epi64,
    _mm512_shuffle_epi8 as shuffle8, _mm512_shuffle_epi32 as shuffle32, _mm512_slli_epi16 as slli16,
    _mm512_srai_epi16 as srai16, _mm512_srai_epi32 as srai32, _mm512_srli_epi16 as srli16,
    _mm512_storeu_si512, _mm512_sub_epi16 as sub16, _mm512_sub_epi32 as sub32,
    _mm512_unpackhi_epi16 as unpackhi16, _mm512_unpackhi_epi32 as unpackhi32,
    _mm512_unpackhi_epi64 as unpackhi64, _mm512_unpacklo_epi16 as unpacklo16,
    _mm512_unpacklo_epi32 as unpacklo32, _mm512_unpacklo_epi64 as unpacklo64, _mm512_xor_si512 as xor,
};

use super::colour::{Chroma, Sampling, YccRow};
use super::factors::*;
use super::idct::{Group, LANES, SHIFTS};
use super::kernels::{LAST_OF_QUARTER, clear};
use super::reduced::{self, SHIFTS_OF_FOUR, SHIFTS_OF_TWO};
use super::x86::*;
use crate::simd::Avx512;

/// Lanes of 16 bits.
const WIDTH: usize = 32;
type Shift = u32;

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn load16(values: &[i16]) -> Register {
    let values: &[i16; WIDTH] = values.first_chunk().expect("a register's values");
    // SAFETY: the array is as long as the register.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

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

/// A shuffle that brings the bytes of two halves together.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn pairs_of_bytes() -> Register {
    _mm512_broadcast_i32x4(_mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15))
}

/// A shuffle that makes rows of columns of four bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn transposed_bytes() -> Register {
    _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn to_bytes(v: Register) -> [u8; 2 * WIDTH] {
    let mut bytes = [0; 2 * WIDTH];
    // SAFETY: the array is as long as the register.
    unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), v) }
    bytes
}

/// Whether a value is beyond 13 bits and a sign.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn has_extreme(v: Register) -> bool {
    _mm512_cmpgt_epu16_mask(add16(v, set16(8192)), set16(16383)) != 0
}

/// Two rows of four blocks.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn store_two_rows(v: Register, out: &mut [u8], stride: usize) {
    let v = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), v);
    for (row, half) in [_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64::<1>(v)].into_iter().enumerate()
    {
        let out: &mut [u8; WIDTH] = out[row * stride..].first_chunk_mut().expect("room for four blocks");
        // SAFETY: the array is as long as what is stored.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), half) }
    }
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
    let [red, green, blue]: [Register; 3] = std::array::from_fn(|i| _mm512_packus_epi16(even[i], odd[i]));
    let out: &mut [u8; 6 * WIDTH] = out.first_chunk_mut().expect("room for pixels");
    for (out, places) in out.as_chunks_mut::<{ 2 * WIDTH }>().0.iter_mut().zip(&INTERLEAVING) {
        let part = _mm512_permutex2var_epi8(red, load_bytes(&places.red_and_green), green);
        let part = _mm512_mask_permutexvar_epi8(part, places.is_blue, load_bytes(&places.blue), blue);
        // SAFETY: the array is as long as the register.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), part) }
    }
}

kernels!("avx512f,avx512bw,avx512vbmi", Avx512);
