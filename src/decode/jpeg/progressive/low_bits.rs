//! What refinements give, added to the coefficients of a block all at once.

use super::refine::Plain;
use super::store::{AddLowBits, Block, Maps};
use crate::decode::jpeg::header::NATURAL;

/// For ARM too: a block takes eight registers of NEON, and most have few bits to add, so that a loop over these is
/// shorter than one over the registers.
impl AddLowBits for Plain {
    #[inline(always)]
    fn add(block: &mut Block, maps: &Maps, refined: &[u8]) {
        for &low in refined {
            let mut map = maps.low_bits[usize::from(low)];
            while map != 0 {
                let bit = map.trailing_zeros();
                let value = &mut block[at_bit(bit)];
                // All ones where the coefficient is negative, or zero and becomes negative.
                let sign = *value >> 15 | -((maps.negative >> bit) as i16 & 1);
                *value += (1 << low ^ sign) - sign;
                map &= map - 1;
            }
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
