//! The reader with the bit instructions of x86.

use std::arch::x86_64::{__cpuid, _pdep_u64};

use super::index::ScanPart;
use super::reader::{Extent, Loops, Piece, Reader};
use super::refine::{Band, MapBits};
use super::store::{Map, Store};
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

    /// A map, and a bit that has as many others below it as bits of the map are left.
    type Rest = (Map, u64);

    #[inline(always)]
    fn rest(map: Map) -> (Map, u64) {
        (map, 1 << map.count_ones())
    }

    #[inline(always)]
    fn pass((map, one): &mut (Map, u64), step: u32) -> Map {
        *one >>= step;
        // SAFETY: as above.
        unsafe { _pdep_u64(*one, *map) }
    }
}
