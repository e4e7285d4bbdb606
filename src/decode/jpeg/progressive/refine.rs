//! A refinement of AC coefficients: one more bit of those that are not zero, and new ones among the others.
//!
//! The bits of a block are gathered first, and then added all at once to the coefficients that a map of them names.

use super::store::{Block, Map};
use crate::decode::jpeg::bits::{Bits, Irregular};
use crate::decode::jpeg::header::NATURAL;
use crate::decode::jpeg::huffman::{END_OF_BLOCK, MOST_BITS_OF_RUN, Table};

/// A code of a new coefficient with its sign.
const MOST_BITS_OF_NEW: u32 = 17;

/// A processor's operations on the bits of a map.
pub(super) trait MapBits {
    /// The bits of `map` that the lowest bits of `values` say, in order.
    fn deposit(values: u64, map: Map) -> Map;

    /// The place of that bit of `map` which has `below` others below it.
    fn select(map: Map, below: u32) -> u32;

    /// Adds one unit of `bit` to the magnitude of the coefficients of `map`.
    fn correct(block: &mut Block, map: Map, bit: u8);
}

/// In plain Rust, for ARM too: most blocks have two to six corrections, and a block takes eight registers of NEON, so
/// that a loop over the corrections is shorter than one over the registers.
pub(super) struct Plain;

impl MapBits for Plain {
    #[inline(always)]
    fn deposit(mut values: u64, mut map: Map) -> Map {
        let mut out = 0;
        while values != 0 && map != 0 {
            let lowest = map & map.wrapping_neg();
            out |= lowest & (values & 1).wrapping_neg();
            values >>= 1;
            map ^= lowest;
        }
        out
    }

    #[inline(always)]
    fn select(mut map: Map, below: u32) -> u32 {
        // From the nearer end.
        let above = map.count_ones().wrapping_sub(below + 1);
        if above < below {
            for _ in 0..above {
                map ^= (1_u64 << 63).wrapping_shr(map.leading_zeros());
            }
            63 - map.leading_zeros().min(63)
        } else {
            for _ in 0..below {
                map &= map.wrapping_sub(1);
            }
            map.trailing_zeros()
        }
    }

    #[inline(always)]
    fn correct(block: &mut Block, mut map: Map, bit: u8) {
        while map != 0 {
            let value = &mut block[at_bit(map.trailing_zeros())];
            *value += (*value >> 15 | 1) << bit;
            map &= map - 1;
        }
    }
}

/// The natural place of the coefficient of a map's bit.
#[inline(always)]
pub(super) const fn at_bit(bit: u32) -> usize {
    const PLACES: [u8; 64] = {
        let mut places = [0; 64];
        let mut i = 0;
        while i < 64 {
            places[i] = NATURAL[63 - i];
            i += 1;
        }
        places
    };
    PLACES[(bit & 63) as usize] as usize
}

/// The scan's part of a block.
pub(super) struct Band {
    /// The bits of its coefficients in a map, and the lowest of them.
    map: Map,
    lowest: u32,
    /// The bit of the coefficients that it gives.
    bit: u8,
}

impl Band {
    pub fn new(spectrum: (u8, u8), bit: u8) -> Self {
        let lowest = 63 - u32::from(spectrum.1);
        Self { map: u64::MAX >> spectrum.0 & u64::MAX << lowest, lowest, bit }
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
    block: &mut Block,
    map: &mut Map,
) -> Result<u32, Irregular> {
    let old = *map & band.map;
    let zeros = band.map & !old;
    let mut zeros_left = zeros.count_ones();
    // The bit after which to go on.
    let mut at = 64 - band.map.leading_zeros();
    let (mut corrections, mut new, mut blocks) = (0, 0, 0);
    loop {
        // Looked up before the buffer is refilled, for which the code need not wait.
        let entry = bits.look_up(table).ok_or(Irregular)?;
        bits.refill(window)?;
        let coded = bits.take_entry(entry);
        let step = entry.step() as u32;
        let Some(left) = zeros_left.checked_sub(step) else {
            if step as usize != END_OF_BLOCK {
                return Err(Irregular);
            }
            blocks = entry.blocks(coded);
            let passed = at - band.lowest - zeros_left;
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
        let place = M::select(zeros, left);
        let passed = (at - step).wrapping_sub(place);
        at = place;
        gather(bits, window, passed, Bits::REFILLED - 2 * MOST_BITS_OF_NEW, &mut corrections)?;
        block[at_bit(place)] = entry.value();
        new |= u64::from(entry.has_value()) << (place & 63);
        if place == band.lowest {
            break;
        }
    }
    correct::<M>(block, corrections, old, band.bit);
    *map |= new;
    Ok(blocks)
}

/// Reads a block in which no coefficient is new.
#[inline(always)]
pub(super) fn refine_old<M: MapBits>(
    bits: &mut Bits,
    window: &[u8],
    band: &Band,
    block: &mut Block,
    map: Map,
) -> Result<(), Irregular> {
    let old = map & band.map;
    if old == 0 {
        return Ok(());
    }
    bits.refill(window)?;
    let mut corrections = 0;
    gather(bits, window, old.count_ones(), Bits::REFILLED, &mut corrections)?;
    correct::<M>(block, corrections, old, band.bit);
    Ok(())
}

#[inline(always)]
fn correct<M: MapBits>(block: &mut Block, corrections: u64, old: Map, bit: u8) {
    let map = M::deposit(corrections, old);
    if map != 0 {
        M::correct(block, map, bit);
    }
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
        return gather_many(bits, window, count, gathered);
    }
    *gathered = gathered.wrapping_shl(count) | bits.take(count);
    Ok(())
}

#[cold]
#[inline(never)]
fn gather_many(bits: &mut Bits, window: &[u8], count: u32, gathered: &mut u64) -> Result<(), Irregular> {
    for _ in 0..count {
        bits.refill(window)?;
        *gathered = *gathered << 1 | bits.take(1);
    }
    bits.refill(window)
}
