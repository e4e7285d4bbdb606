//! Low bits added with AVX2.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi16, _mm256_and_si256, _mm256_cmpeq_epi16, _mm256_loadu_si256, _mm256_or_si256,
    _mm256_set1_epi16, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srai_epi16,
    _mm256_storeu_si256, _mm256_sub_epi16, _mm256_xor_si256,
};

use super::TakeBlocks;
use super::low_bits::at_bit;
use super::store::{self, AddLowBits, Block, Blocks, HandOver, Map, Maps};
use crate::simd::Avx2;

pub(super) fn hand_over(_proof: Avx2) -> HandOver {
    // SAFETY: the processor has AVX2, as the proof shows.
    |components, back| unsafe { compiled(components, back) }
}

#[target_feature(enable = "avx2")]
fn compiled(components: &mut [Blocks], back: &mut dyn TakeBlocks) {
    store::hand_over::<Wide>(components, back);
}

struct Wide;

/// For each coefficient in natural order the byte of a map that has its bit, and that bit, in 16-bit lanes.
const BYTES: [[u8; 32]; 4] = lanes(false);
const BITS: [[u8; 32]; 4] = lanes(true);

const fn lanes(is_bit: bool) -> [[u8; 32]; 4] {
    let mut lanes = [[0; 32]; 4];
    let mut bit = 0;
    while bit < 64 {
        let place = at_bit(bit);
        let lane = &mut lanes[place / 16];
        let at = place % 16 * 2;
        lane[at] = if is_bit { 1 << (bit % 8) } else { (bit / 8) as u8 };
        // The upper half of a lane stays zero.
        lane[at + 1] = if is_bit { 0 } else { 0x80 };
        bit += 1;
    }
    lanes
}

/// All ones in the lanes of the register `i` of a block whose coefficients `map` has.
#[inline]
#[target_feature(enable = "avx2")]
fn mask(map: Map, i: usize) -> __m256i {
    // SAFETY: the arrays are as long as a register.
    let (bytes, bits) = unsafe {
        (_mm256_loadu_si256(BYTES[i].as_ptr().cast()), _mm256_loadu_si256(BITS[i].as_ptr().cast()))
    };
    let bytes = _mm256_shuffle_epi8(_mm256_set1_epi64x(map as i64), bytes);
    _mm256_cmpeq_epi16(_mm256_and_si256(bytes, bits), bits)
}

impl AddLowBits for Wide {
    #[inline(always)]
    fn add(block: &mut Block, maps: &Maps, refined: &[u8]) {
        // SAFETY: only `compiled` uses this type, for which AVX2 is known.
        unsafe { add(block, maps, refined) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(block: &mut Block, maps: &Maps, refined: &[u8]) {
    for (i, values) in block.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        // SAFETY: the array is as long as a register.
        let first = unsafe { _mm256_loadu_si256(values.as_ptr().cast()) };
        let mut magnitude = _mm256_setzero_si256();
        for &bit in refined {
            let has = mask(maps.low_bits[usize::from(bit)], i);
            magnitude = _mm256_or_si256(magnitude, _mm256_and_si256(has, _mm256_set1_epi16(1 << bit)));
        }
        let negative = _mm256_or_si256(_mm256_srai_epi16::<15>(first), mask(maps.negative, i));
        let low = _mm256_sub_epi16(_mm256_xor_si256(magnitude, negative), negative);
        // SAFETY: the array is as long as a register.
        unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), _mm256_add_epi16(first, low)) }
    }
}
