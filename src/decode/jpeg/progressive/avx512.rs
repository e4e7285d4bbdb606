//! Low bits added with AVX-512.

use std::arch::x86_64::{
    _mm512_add_epi16, _mm512_loadu_si512, _mm512_mask_add_epi16, _mm512_movm_epi16, _mm512_or_si512,
    _mm512_set1_epi16, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_srai_epi16,
    _mm512_storeu_si512, _mm512_sub_epi16, _mm512_test_epi8_mask, _mm512_xor_si512,
};

use super::TakeBlocks;
use super::low_bits::at_bit;
use super::store::{self, AddLowBits, Block, Blocks, HandOver, Map, Maps};
use crate::simd::Avx512;

pub(super) fn hand_over(_proof: Avx512) -> HandOver {
    // SAFETY: the processor has AVX-512 with BW, as the proof shows.
    |components, back| unsafe { compiled(components, back) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn compiled(components: &mut [Blocks], back: &mut dyn TakeBlocks) {
    store::hand_over::<Wide>(components, back);
}

struct Wide;

impl AddLowBits for Wide {
    #[inline(always)]
    fn add(block: &mut Block, maps: &Maps, refined: &[u8]) {
        // SAFETY: only `compiled` uses this type, for which the features are known.
        unsafe { add(block, maps, refined) }
    }
}

/// For each coefficient in natural order the byte of a map that has its bit, and that bit.
const BYTES: [u8; 64] = lanes(false);
const BITS: [u8; 64] = lanes(true);

const fn lanes(is_bit: bool) -> [u8; 64] {
    let mut lanes = [0; 64];
    let mut bit = 0;
    while bit < 64 {
        lanes[at_bit(bit)] = if is_bit { 1 << (bit % 8) } else { (bit / 8) as u8 };
        bit += 1;
    }
    lanes
}

/// The bits of a map in natural order, the first one lowest.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn natural(map: Map) -> u64 {
    // SAFETY: the arrays are as long as a register.
    let (bytes, bits) =
        unsafe { (_mm512_loadu_si512(BYTES.as_ptr().cast()), _mm512_loadu_si512(BITS.as_ptr().cast())) };
    _mm512_test_epi8_mask(_mm512_shuffle_epi8(_mm512_set1_epi64(map as i64), bytes), bits)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn add(block: &mut Block, maps: &Maps, refined: &[u8]) {
    let mut magnitudes = [_mm512_setzero_si512(); 2];
    for &bit in refined {
        let (has, value) = (natural(maps.low_bits[usize::from(bit)]), _mm512_set1_epi16(1 << bit));
        for (i, magnitude) in magnitudes.iter_mut().enumerate() {
            *magnitude = _mm512_mask_add_epi16(*magnitude, (has >> (32 * i)) as u32, *magnitude, value);
        }
    }
    let negative = natural(maps.negative);
    for (i, values) in block.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        // SAFETY: the array is as long as a register.
        let first = unsafe { _mm512_loadu_si512(values.as_ptr().cast()) };
        let new = _mm512_movm_epi16((negative >> (32 * i)) as u32);
        let negative = _mm512_or_si512(_mm512_srai_epi16::<15>(first), new);
        let low = _mm512_sub_epi16(_mm512_xor_si512(magnitudes[i], negative), negative);
        // SAFETY: the array is as long as a register.
        unsafe { _mm512_storeu_si512(values.as_mut_ptr().cast(), _mm512_add_epi16(first, low)) }
    }
}
