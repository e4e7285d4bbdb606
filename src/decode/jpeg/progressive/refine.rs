//! A refinement of AC coefficients: one more bit of those that are not zero, and new ones among the others.
//!
//! The bits of a block are gathered first, and then spread over a map of its coefficients all at once.

use super::store::{Map, Maps};
use crate::decode::jpeg::bits::{Bits, Irregular};
use crate::decode::jpeg::huffman::{END_OF_BLOCK, MOST_BITS_OF_RUN, Table};

/// A code of a new coefficient with its sign.
const MOST_BITS_OF_NEW: u32 = 17;

/// A processor's operations on the bits of a map.
pub(super) trait MapBits {
    /// The bits of `map` that the lowest bits of `values` say, in order.
    fn deposit(values: u64, map: Map) -> Map;

    /// The bits of a map that are not passed yet.
    type Rest;

    fn rest(map: Map) -> Self::Rest;

    /// Passes the next `step` bits, from the highest one down; returns the last of them. There are at least that many.
    fn pass(rest: &mut Self::Rest, step: u32) -> Map;
}

/// Plain Rust, for any processor.
pub(super) struct Plain;

impl MapBits for Plain {
    #[inline(always)]
    fn deposit(mut values: u64, mut map: Map) -> Map {
        let mut out = 0;
        while values != 0 {
            let lowest = map & map.wrapping_neg();
            out |= lowest & (values & 1).wrapping_neg();
            values >>= 1;
            map ^= lowest;
        }
        out
    }

    /// With the highest bit lowest, where one is cleared in the fewest steps.
    type Rest = Map;

    #[inline(always)]
    fn rest(map: Map) -> Map {
        map.reverse_bits()
    }

    #[inline(always)]
    fn pass(rest: &mut Map, step: u32) -> Map {
        for _ in 1..step {
            *rest &= rest.wrapping_sub(1);
        }
        let place = rest.trailing_zeros();
        *rest &= rest.wrapping_sub(1);
        (1_u64 << 63).wrapping_shr(place)
    }
}

/// The scan's part of a block.
pub(super) struct Band {
    /// Its coefficients.
    map: Map,
    /// The place in coded order of the one before the first, and of the last.
    before: u32,
    last: u32,
    /// The bit of the coefficients that it gives.
    bit: u8,
}

impl Band {
    pub fn new(spectrum: (u8, u8), bit: u8) -> Self {
        let (first, last) = spectrum;
        let map = u64::MAX >> first & u64::MAX << (63 - last);
        Self { map, before: u32::from(first) - 1, last: last.into(), bit }
    }
}

/// Reads the next block; returns how many blocks end with it, if it ends before its band does. Before and after there
/// are enough bits for a code.
#[inline(always)]
pub(super) fn refine<M: MapBits>(
    bits: &mut Bits,
    window: &[u8],
    table: &Table,
    band: &Band,
    maps: &mut Maps,
) -> Result<u32, Irregular> {
    let old = maps.nonzero & band.map;
    let zeros = band.map & !old;
    let mut zeros_left = zeros.count_ones();
    // What is found of the next code is what the one after it waits for, so each step counts.
    let mut rest = M::rest(zeros);
    let mut at = band.before;
    let (mut corrections, mut new, mut signs, mut blocks) = (0, 0, 0, 0);
    loop {
        // Looked up before the buffer is refilled, for which the code need not wait.
        let entry = bits.look_up(table);
        bits.refill(window)?;
        let coded = bits.take_entry(entry);
        let step = entry.step() as u32;
        let Some(left) = zeros_left.checked_sub(step) else {
            if step as usize != END_OF_BLOCK {
                return Err(Irregular);
            }
            blocks = entry.blocks(coded);
            let passed = band.last - at - zeros_left;
            gather(
                bits,
                window,
                passed,
                Bits::REFILLED - MOST_BITS_OF_RUN - MOST_BITS_OF_NEW,
                &mut corrections,
            )?;
            break;
        };
        zeros_left = left;
        let bit = M::pass(&mut rest, step);
        let place = bit.leading_zeros();
        let passed = place.wrapping_sub(at + step);
        at = place;
        gather(bits, window, passed, Bits::REFILLED - 2 * MOST_BITS_OF_NEW, &mut corrections)?;
        new |= bit;
        signs = signs << 1 | entry.sign();
        if !entry.has_value() {
            (new, signs) = without_last(new, bit, signs);
        }
        if place == band.last {
            break;
        }
    }
    maps.nonzero |= new;
    maps.negative |= M::deposit(signs, new);
    maps.low_bits[usize::from(band.bit)] |= new | M::deposit(corrections, old);
    Ok(blocks)
}

/// After sixteen zeros, which is rare, so that it is a branch.
#[cold]
#[inline(never)]
fn without_last(new: Map, bit: Map, signs: u64) -> (Map, u64) {
    (new ^ bit, signs >> 1)
}

/// Reads a block in which no coefficient is new.
#[inline(always)]
pub(super) fn refine_old<M: MapBits>(
    bits: &mut Bits,
    window: &[u8],
    band: &Band,
    maps: &mut Maps,
) -> Result<(), Irregular> {
    let old = maps.nonzero & band.map;
    bits.refill(window)?;
    let mut corrections = 0;
    gather(bits, window, old.count_ones(), Bits::REFILLED, &mut corrections)?;
    maps.low_bits[usize::from(band.bit)] |= M::deposit(corrections, old);
    Ok(())
}

/// Takes `count` bits, of which `there` are in the buffer, to the end of `gathered`.
#[inline(always)]
fn gather(
    bits: &mut Bits,
    window: &[u8],
    count: u32,
    there: u32,
    gathered: &mut u64,
) -> Result<(), Irregular> {
    if count > there {
        (*bits, *gathered) = gather_many(*bits, window, count, *gathered)?;
    } else {
        *gathered = gathered.wrapping_shl(count) | bits.take(count);
    }
    Ok(())
}

/// By value, so that the loop that it is called from has both in registers.
#[cold]
#[inline(never)]
fn gather_many(
    mut bits: Bits,
    window: &[u8],
    count: u32,
    mut gathered: u64,
) -> Result<(Bits, u64), Irregular> {
    for _ in 0..count {
        bits.refill(window)?;
        gathered = gathered << 1 | bits.take(1);
    }
    bits.refill(window)?;
    Ok((bits, gathered))
}
