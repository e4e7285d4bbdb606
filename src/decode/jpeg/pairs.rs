//! Tables of the AC codes of a sequential file that give two coefficients at once.
//!
//! A code is found no sooner than the one before it has been looked up, so the number of look-ups is what reading takes.
//! Photos have about six bits for a coefficient: mostly the bits that one look-up takes have all of a coefficient and
//! the code of the next one.

use super::bits::{Bits, Irregular};
use super::huffman::{END_OF_BLOCK, Table};

/// Bits looked up at once. More of them give more pairs, and tables that leave a processor's first cache.
const LOOKED_UP: u32 = 10;
/// Values that a first coefficient has at the most.
const MOST_OF_A_FIRST: i32 = 127;
/// The step to the place of an end of block, from the coefficient before it.
const END: usize = 128;
/// The last coefficient. After it no code ends the block.
const LAST: usize = 63;
/// A step to a place that no other leads to: the code is too long, or there is none.
const UNKNOWN: usize = 2 * 64 + 64;

/// One coefficient with all its bits and, after it, the code of another one or of the end of the block; or one code
/// alone, after a first coefficient of zero. The bits of both (from bit 0), how many of them are the last number's
/// (from bit 6), how many coefficients further the first one belongs (from bit 10) and the last one (from bit 16), the
/// first one's value (from bit 24).
#[derive(Clone, Copy, Debug)]
struct Pair(u32);

impl Pair {
    fn new(bits: u32, size: u32, first: (usize, i32), step: usize) -> Self {
        Self(bits | size << 6 | (first.0 as u32) << 10 | (step as u32) << 16 | (first.1 as u32) << 24)
    }

    #[inline(always)]
    fn first_step(self) -> usize {
        (self.0 >> 10 & 63) as usize
    }

    #[inline(always)]
    fn first_value(self) -> i16 {
        (self.0 as i32 >> 24) as i16
    }

    #[inline(always)]
    fn step(self) -> usize {
        (self.0 >> 16 & 255) as usize
    }

    /// The last number, of which the first bit is 0 if it is negative; `buffer` begins with the first code.
    #[inline(always)]
    fn number(self, buffer: u64) -> i16 {
        let ones = (1_i32 << (self.0 >> 6 & 15)) - 1;
        let number = buffer.wrapping_shr(0_u32.wrapping_sub(self.0)) as i32 & ones;
        // All ones for a negative number.
        let negative = (2 * number - ones) >> 31;
        (number - (ones & negative)) as i16
    }
}

/// A table of AC codes.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    pairs: Box<[Pair; 1 << LOOKED_UP]>,
    /// The same codes one by one.
    table: Table,
}

impl Pairs {
    /// Of a table of AC codes.
    pub fn new(table: Table) -> Self {
        let pair = |i: usize| pair(&table, (i as u64) << (64 - LOOKED_UP));
        Self { pairs: Box::new(std::array::from_fn(pair)), table }
    }

    /// Reads the codes of a block after the first, DC; returns the place of the last coefficient in coded order. `set` is
    /// given values and their places in any order that ends with the right one; at places beyond the last coefficient
    /// there are none. There are bits for one code.
    #[inline(always)]
    pub fn read(
        &self,
        bits: &mut Bits,
        window: &[u8],
        mut set: impl FnMut(u8, i16),
    ) -> Result<usize, Irregular> {
        let mut at = 0;
        // The last coefficient's place, once the block is over.
        let mut codes = |bits: &mut Bits| {
            let buffer = bits.ahead();
            let pair = self.pairs[(buffer >> (64 - LOOKED_UP)) as usize];
            bits.drop(pair.0);
            let next = at + pair.step();
            set((at + pair.first_step()) as u8, pair.first_value());
            set(next as u8, pair.number(buffer));
            if next < LAST {
                at = next;
                return Ok(None);
            }
            if (END..END + LAST).contains(&next) {
                return Ok(Some(next - END));
            }
            // One code at a time, where a first coefficient may end the block and a code may be long.
            bits.put_back(buffer, pair.0);
            let (entry, coded) = bits.next(&self.table)?;
            let end = at;
            at += entry.step();
            if at > LAST {
                return if entry.step() == END_OF_BLOCK { Ok(Some(end)) } else { Err(Irregular) };
            }
            set(at as u8, entry.number(coded) as i16);
            Ok(if at == LAST { Some(LAST) } else { None })
        };
        if let Some(last) = codes(bits)? {
            return Ok(last);
        }
        loop {
            bits.refill(window)?;
            if let Some(last) = codes(bits)? {
                return Ok(last);
            }
            if let Some(last) = codes(bits)? {
                return Ok(last);
            }
        }
    }
}

/// What begins with the bits of `buffer` that are looked up.
fn pair(table: &Table, buffer: u64) -> Pair {
    let known =
        |buffer: u64, bits: u32| table.look_up_short(buffer).filter(|entry| entry.bits_of_code() <= bits);
    let Some(first) = known(buffer, LOOKED_UP) else { return Pair::new(0, 0, (1, 0), UNKNOWN) };
    let of = |step: usize| if step == END_OF_BLOCK { END } else { step };
    let single = Pair::new(first.bits().into(), first.bits_of_number(), (1, 0), of(first.step()));
    let bits = u32::from(first.bits());
    let value = first.number(buffer);
    if first.step() == END_OF_BLOCK || bits >= LOOKED_UP || value.abs() > MOST_OF_A_FIRST {
        return single;
    }
    let Some(second) = known(first.drop_from(buffer), LOOKED_UP - bits) else { return single };
    let step = first.step() + of(second.step());
    Pair::new(bits + u32::from(second.bits()), second.bits_of_number(), (first.step(), value), step)
}
