//! The kernel in AVX2: 32 pixels at a time.

use std::arch::x86_64::{
    __m256i as Register, _mm_loadu_si128, _mm256_add_epi16 as add16, _mm256_add_epi32 as add32,
    _mm256_and_si256 as and, _mm256_broadcastsi128_si256, _mm256_cvtepu8_epi16, _mm256_loadu_si256,
    _mm256_madd_epi16 as madd, _mm256_mulhi_epu16 as mulhi, _mm256_mulhrs_epi16 as mulhrs, _mm256_or_si256,
    _mm256_packs_epi32 as packs32, _mm256_packus_epi16, _mm256_permute2x128_si256,
    _mm256_set1_epi16 as set16, _mm256_set1_epi32 as set32, _mm256_shuffle_epi8 as shuffle8,
    _mm256_slli_epi16 as slli16, _mm256_srai_epi16 as srai16, _mm256_srai_epi32 as srai32,
    _mm256_srli_epi16 as srli16, _mm256_storeu_si256, _mm256_sub_epi16 as sub16,
    _mm256_subs_epu16 as subs_unsigned, _mm256_unpackhi_epi16 as unpackhi16,
    _mm256_unpacklo_epi16 as unpacklo16,
};

use super::x86::kernels;
use super::{Chroma, LIBJPEG_ROUNDINGS, LIBWEBP_ROUNDINGS, Sampling, Sums, YccRow, libjpeg, libwebp};
use crate::simd::Avx2;

/// Lanes of 16 bits.
const WIDTH: usize = 16;
type Shift = i32;

#[inline]
#[target_feature(enable = "avx2")]
fn load_sums(values: &[u16]) -> Register {
    let values: &[u16; WIDTH] = values.first_chunk().expect("a register's values");
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_bytes(values: &[u8]) -> Register {
    let values: &[u8; 2 * WIDTH] = values.first_chunk().expect("a register's values");
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn widened(values: &[u8]) -> Register {
    let values: &[u8; WIDTH] = values.first_chunk().expect("half a register's bytes");
    // SAFETY: the array is as long as what is loaded.
    _mm256_cvtepu8_epi16(unsafe { _mm_loadu_si128(values.as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "avx2")]
fn store16(v: Register, out: &mut [u16]) {
    let out: &mut [u16; WIDTH] = out.first_chunk_mut().expect("room for a register");
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), v) }
}

/// Where the bytes of `channel` go in the third `part` of 16 pixels, of which the even ones come first.
const fn interleaving(part: usize, channel: usize) -> [i8; 16] {
    let mut places = [-1; 16];
    let mut i = 0;
    while i < 16 {
        let byte = 16 * part + i;
        if byte % 3 == channel {
            let pixel = byte / 3;
            places[i] = (pixel / 2 + 8 * (pixel % 2)) as i8;
        }
        i += 1;
    }
    places
}

const INTERLEAVING: [[[i8; 16]; 3]; 3] = [
    [interleaving(0, 0), interleaving(0, 1), interleaving(0, 2)],
    [interleaving(1, 0), interleaving(1, 1), interleaving(1, 2)],
    [interleaving(2, 0), interleaving(2, 1), interleaving(2, 2)],
];

/// 32 pixels of three bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn store_pixels(even: [Register; 3], odd: [Register; 3], out: &mut [u8]) {
    let channels: [Register; 3] = [
        _mm256_packus_epi16(even[0], odd[0]),
        _mm256_packus_epi16(even[1], odd[1]),
        _mm256_packus_epi16(even[2], odd[2]),
    ];
    let part = |part: usize| {
        let of_channel = |i: usize| {
            // SAFETY: the array is as long as what is loaded.
            let places = unsafe { _mm_loadu_si128(INTERLEAVING[part][i].as_ptr().cast()) };
            shuffle8(channels[i], _mm256_broadcastsi128_si256(places))
        };
        _mm256_or_si256(_mm256_or_si256(of_channel(0), of_channel(1)), of_channel(2))
    };
    let (a, b, c) = (part(0), part(1), part(2));
    let parts = [
        _mm256_permute2x128_si256::<0x20>(a, b),
        _mm256_permute2x128_si256::<0x30>(c, a),
        _mm256_permute2x128_si256::<0x31>(b, c),
    ];
    let out: &mut [u8; 6 * WIDTH] = out.first_chunk_mut().expect("room for pixels");
    for (out, part) in out.as_chunks_mut::<{ 2 * WIDTH }>().0.iter_mut().zip(parts) {
        // SAFETY: the array is as long as the register.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), part) }
    }
}

kernels!("avx2", Avx2);
