//! The kernels of each instruction set against the scalar ones, and those against libjpeg's.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::idct::{Group, LANES, at, inverse_dct, quantisation_of_group};
use super::kernels_for;
use super::reduced;
use crate::decode::jpeg::header::NATURAL;
use crate::simd::{Level, levels_to_test};

#[cfg(target_arch = "x86_64")]
unsafe extern "C" {
    fn jsimd_idct_islow_avx2(table: *const i16, block: *const i16, rows: *const *mut u8, column: u32);
}

/// Four blocks of coefficients up to `last`, of sizes that make sums wrap and saturate.
fn blocks(rng: &mut TestRng, last: u8) -> ([[i16; 64]; LANES], [u16; 64]) {
    let (most, most_of_table) =
        [(3, 4), (60, 60), (1023, 255), (2047, 20), (32767, 65535)][rng.random_range(0..5)];
    let share = [0.05, 0.5, 1.0][rng.random_range(0..3)];
    let mut blocks = [[0; 64]; LANES];
    for block in &mut blocks {
        for &place in &NATURAL[..=usize::from(last)] {
            if rng.random_bool(share) {
                block[usize::from(place)] = rng.random_range(-most..=most);
            }
        }
    }
    (blocks, std::array::from_fn(|_| rng.random_range(0..=most_of_table)))
}

fn group_of(blocks: &[[i16; 64]; LANES]) -> Group {
    let mut group = [0; 64 * LANES];
    for (lane, block) in blocks.iter().enumerate() {
        for (row, values) in block.as_chunks::<8>().0.iter().enumerate() {
            group[at(row, lane)..][..8].copy_from_slice(values);
        }
    }
    group
}

#[test]
fn inverse_dct_is_libjpegs_in_each_instruction_set() {
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    for level in levels_to_test() {
        let kernels = kernels_for(level);
        for round in 0..60_000_u32 {
            let last = [0, 1, 4, 9, 10, 35, 63][round as usize % 7];
            let (blocks, table) = blocks(&mut rng, last);
            let (mut group, quantisation) = (group_of(&blocks), quantisation_of_group(&table));
            let mut scalar = [0; 8 * 8 * LANES];
            (0..LANES).for_each(|lane| inverse_dct(&group, &quantisation, lane, &mut scalar, 8 * LANES));
            let mut found = [0; 8 * 8 * LANES];
            kernels.inverse_dct(&mut group, &quantisation, last, 8, &mut found, 8 * LANES);
            assert!(found == scalar, "{level:?} {last} {blocks:?} {table:?}");
            assert!(group == [0; 64 * LANES]);
            if cfg!(target_arch = "x86_64") && Level::Avx2.is_supported() {
                assert!(libjpegs(&blocks, &table) == scalar, "{last} {blocks:?} {table:?}");
            }
        }
    }
}

#[test]
fn reduced_inverse_dcts_are_the_same_in_each_instruction_set() {
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    for level in levels_to_test() {
        let kernels = kernels_for(level);
        for round in 0..5000_u32 {
            let (last, side) = ([0, 4, 9, 63][round as usize % 4], [4, 2, 1][round as usize % 3]);
            let (blocks, table) = blocks(&mut rng, last);
            let (mut group, quantisation) = (group_of(&blocks), quantisation_of_group(&table));
            let (mut scalar, mut found) = ([0; 8 * 8 * LANES], [0; 8 * 8 * LANES]);
            (0..LANES).for_each(|lane| {
                reduced::inverse_dct(&group, &quantisation, lane, side, &mut scalar, 8 * LANES);
            });
            kernels.inverse_dct(&mut group, &quantisation, last, side, &mut found, 8 * LANES);
            assert!(found == scalar, "{level:?} {last} {side} {blocks:?} {table:?}");
            assert!(group == [0; 64 * LANES]);
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn libjpegs(_blocks: &[[i16; 64]; LANES], _table: &[u16; 64]) -> [u8; 64 * LANES] {
    unreachable!("called for x86 alone")
}

#[cfg(target_arch = "x86_64")]
fn libjpegs(blocks: &[[i16; 64]; LANES], table: &[u16; 64]) -> [u8; 64 * LANES] {
    #[repr(align(64))]
    struct Aligned([i16; 64]);
    let table = Aligned(table.map(|value| value as i16));
    let mut out = [0_u8; 64 * LANES];
    let rows: [*mut u8; 8] = std::array::from_fn(|row| out[8 * LANES * row..].as_mut_ptr());
    for (lane, block) in blocks.iter().enumerate() {
        let block = Aligned(*block);
        // SAFETY: the processor has AVX2, as the caller has asked; the tables are aligned; eight bytes of each of
        // eight rows are written, from that column on.
        unsafe { jsimd_idct_islow_avx2(table.0.as_ptr(), block.0.as_ptr(), rows.as_ptr(), 8 * lane as u32) }
    }
    out
}
