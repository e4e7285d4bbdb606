//! What refinements give, added to the coefficients of a block all at once.

use super::refine::Plain;
use super::store::{AddLowBits, Block, Maps};
use crate::decode::jpeg::header::NATURAL;

/// For ARM too: a block takes eight registers of NEON, and most have few coefficients, so that a loop over these is
/// shorter than one over the registers.
impl AddLowBits for Plain {
    #[inline(always)]
    fn add(block: &mut Block, maps: &Maps, refined: &[u8]) {
        let mut map = maps.low_bits.iter().fold(0, |all, map| all | map);
        while map != 0 {
            let bit = map.trailing_zeros();
            let has = |map: u64| (map >> bit) as i16 & 1;
            let low = |&low: &u8| has(maps.low_bits[usize::from(low)]) << low;
            let magnitude: i16 = refined.iter().map(low).sum();
            let value = &mut block[at_bit(bit)];
            *value += if *value < 0 || has(maps.negative) == 1 { -magnitude } else { magnitude };
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
