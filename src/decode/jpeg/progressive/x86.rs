//! Maps of coefficients with the bit instructions of x86 and AVX2.

use std::arch::x86_64::{
    __cpuid, __m256i, _mm_cvtsi32_si128, _mm256_add_epi16, _mm256_and_si256, _mm256_cmpeq_epi16,
    _mm256_loadu_si256, _mm256_or_si256, _mm256_set1_epi16, _mm256_set1_epi64x, _mm256_shuffle_epi8,
    _mm256_sll_epi16, _mm256_srai_epi16, _mm256_storeu_si256, _pdep_u64,
};

use super::index::ScanPart;
use super::reader::{Extent, Loops, Piece, Reader};
use super::refine::{Band, MapBits, at_bit};
use super::store::{Block, Map, Store};
use super::{Irregular, ReadRow, Scans};
use crate::decode::jpeg::huffman::Table;
use crate::simd::Avx2;

/// The reader, if the processor has all that it uses, and is fast at it.
pub(super) fn read_row(_proof: Avx2) -> Option<ReadRow> {
    let has = std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
        && std::arch::is_x86_feature_detected!("lzcnt")
        && std::arch::is_x86_feature_detected!("popcnt")
        && !has_slow_deposit();
    // SAFETY: the processor has AVX2, as the proof shows, and the other features, as is asked above.
    has.then_some(|scans, extents, mcus, store| unsafe { row(scans, extents, mcus, store) })
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn row(scans: &mut Scans, extents: &[Extent], mcus: usize, store: &mut Store) -> Result<(), Irregular> {
    scans.row::<X86>(extents, mcus, store)
}

/// Whether `pdep` is made of hundreds of steps: in AMD's first two Zens.
fn has_slow_deposit() -> bool {
    let family = __cpuid(1).eax;
    let family = (family >> 8 & 15) + (family >> 20 & 255);
    let vendor = __cpuid(0);
    let is_amd = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).as_flattened() == b"AuthenticAMD";
    family == 0x18 || is_amd && family == 0x17
}

struct X86;

impl Loops for X86 {
    fn first(reader: &mut Reader, scan: &ScanPart, table: &Table, piece: Piece<'_>) -> Result<(), Irregular> {
        // SAFETY: only `row` uses this type, for which the features are known.
        unsafe { first(reader, scan, table, piece) }
    }

    fn refinement(
        reader: &mut Reader,
        table: &Table,
        band: &Band,
        piece: Piece<'_>,
    ) -> Result<(), Irregular> {
        // SAFETY: as above.
        unsafe { refinement(reader, table, band, piece) }
    }
}

#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn first(reader: &mut Reader, scan: &ScanPart, table: &Table, piece: Piece<'_>) -> Result<(), Irregular> {
    reader.first(scan, table, piece)
}

#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn refinement(reader: &mut Reader, table: &Table, band: &Band, piece: Piece<'_>) -> Result<(), Irregular> {
    reader.refinement::<X86>(table, band, piece)
}

impl MapBits for X86 {
    #[inline(always)]
    fn deposit(values: u64, map: Map) -> Map {
        // SAFETY: only `row` uses this type, for which BMI2 is known.
        unsafe { _pdep_u64(values, map) }
    }

    #[inline(always)]
    fn select(map: Map, below: u32) -> u32 {
        // SAFETY: as above.
        unsafe { _pdep_u64(1_u64.wrapping_shl(below), map) }.trailing_zeros()
    }

    #[inline(always)]
    fn correct(block: &mut Block, map: Map, bit: u8) {
        // SAFETY: as above, and AVX2 is known.
        unsafe { correct(block, map, bit) }
    }
}

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

#[target_feature(enable = "avx2")]
fn correct(block: &mut Block, map: Map, bit: u8) {
    let map = _mm256_set1_epi64x(map as i64);
    let one = _mm256_set1_epi16(1);
    let shift = _mm_cvtsi32_si128(bit.into());
    for (i, values) in block.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        // SAFETY: all of them are arrays as long as a register.
        let (bytes, bits, old) = unsafe {
            (
                _mm256_loadu_si256(BYTES[i].as_ptr().cast()),
                _mm256_loadu_si256(BITS[i].as_ptr().cast()),
                _mm256_loadu_si256(values.as_ptr().cast()),
            )
        };
        let is_meant = _mm256_cmpeq_epi16(_mm256_and_si256(_mm256_shuffle_epi8(map, bytes), bits), bits);
        let unit = _mm256_sll_epi16(_mm256_or_si256(_mm256_srai_epi16(old, 15), one), shift);
        let new = _mm256_add_epi16(old, _mm256_and_si256(unit, is_meant));
        // SAFETY: the array is as long as a register.
        unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast::<__m256i>(), new) }
    }
}
