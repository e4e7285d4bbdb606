//! The kernels in AVX2: two blocks at a time.

use std::arch::x86_64::{
    __m256i as Register, _mm_setr_epi8, _mm_storeu_si128, _mm256_add_epi16 as add16,
    _mm256_add_epi32 as add32, _mm256_adds_epi16 as adds16, _mm256_broadcastsi128_si256,
    _mm256_castsi256_si128, _mm256_cmpgt_epi16, _mm256_extracti128_si256, _mm256_loadu_si256,
    _mm256_madd_epi16 as madd, _mm256_movemask_epi8, _mm256_mullo_epi16 as mullo16, _mm256_or_si256,
    _mm256_packs_epi16 as packs16, _mm256_packs_epi32 as packs32, _mm256_permute4x64_epi64,
    _mm256_set1_epi8 as set8, _mm256_set1_epi16 as set16, _mm256_set1_epi32 as set32,
    _mm256_shuffle_epi8 as shuffle8, _mm256_shuffle_epi32 as shuffle32, _mm256_slli_epi16 as slli16,
    _mm256_srai_epi16 as srai16, _mm256_srai_epi32 as srai32, _mm256_storeu_si256, _mm256_sub_epi16 as sub16,
    _mm256_sub_epi32 as sub32, _mm256_unpackhi_epi16 as unpackhi16, _mm256_unpackhi_epi32 as unpackhi32,
    _mm256_unpackhi_epi64 as unpackhi64, _mm256_unpacklo_epi16 as unpacklo16,
    _mm256_unpacklo_epi32 as unpacklo32, _mm256_unpacklo_epi64 as unpacklo64, _mm256_xor_si256 as xor,
};

use super::factors::*;
use super::idct::{Group, LANES, SHIFTS};
use super::kernels::{LAST_OF_QUARTER, clear};
use super::reduced::{self, SHIFTS_OF_FOUR, SHIFTS_OF_TWO};
use super::x86::*;
use crate::simd::Avx2;

/// Lanes of 16 bits.
const WIDTH: usize = 16;
type Shift = i32;

#[inline]
#[target_feature(enable = "avx2")]
fn load16(values: &[i16]) -> Register {
    let values: &[i16; WIDTH] = values.first_chunk().expect("a register's values");
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

/// A shuffle that brings the bytes of two halves together.
#[inline]
#[target_feature(enable = "avx2")]
fn pairs_of_bytes() -> Register {
    _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15))
}

/// A shuffle that makes rows of columns of four bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed_bytes() -> Register {
    _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15))
}

#[inline]
#[target_feature(enable = "avx2")]
fn to_bytes(v: Register) -> [u8; 2 * WIDTH] {
    let mut bytes = [0; 2 * WIDTH];
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), v) }
    bytes
}

/// Whether a value is beyond 13 bits and a sign.
#[inline]
#[target_feature(enable = "avx2")]
fn has_extreme(v: Register) -> bool {
    let beyond = _mm256_or_si256(_mm256_cmpgt_epi16(v, set16(8191)), _mm256_cmpgt_epi16(set16(-8192), v));
    _mm256_movemask_epi8(beyond) != 0
}

/// Two rows of two blocks.
#[inline]
#[target_feature(enable = "avx2")]
fn store_two_rows(v: Register, out: &mut [u8], stride: usize) {
    let v = _mm256_permute4x64_epi64::<0b11_01_10_00>(v);
    for (row, half) in [_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v)].into_iter().enumerate() {
        let out: &mut [u8; WIDTH] = out[row * stride..].first_chunk_mut().expect("room for two blocks");
        // SAFETY: the array is as long as what is stored.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), half) }
    }
}

kernels!("avx2", Avx2);
