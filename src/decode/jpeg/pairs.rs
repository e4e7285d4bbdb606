//! Tables of the AC codes of a sequential file that give two coefficients at once.
//!
//! A code is found no sooner than the one before it has been looked up, so the number of look-ups is what reading takes.
//! Photos have about six bits for a coefficient: mostly the bits that one look-up takes have all of a coefficient and
//! the code of the next one.
//!
//! Measured, and slower on a Zen 4: one loop over all blocks of four MCUs, in which the end of a block chooses the next
//! table without a branch (a third more time for codes); the same with a branch, and DC looked up together with
//! the code after it (a tenth more).

use super::bits::{Bits, Irregular};
use super::huffman::{Codes, END_OF_BLOCK, Kind, Table};

/// Bits looked up at once. More of them give more pairs, and tables that leave a processor's first cache.
const LOOKED_UP: u32 = 10;
/// The values that a first coefficient has at the most.
const MOST_OF_A_FIRST: i32 = 127;
/// The step to the place of an end of block, from the coefficient before it.
const END: usize = 128;
/// The last coefficient. After it no code ends the block.
pub(super) const LAST: usize = 63;
/// A step to a place that no other leads to: the code is too long, or there is none.
const UNKNOWN: usize = 2 * 64 + 64;

/// Numbers of places that a [`Block`] is given, of which those beyond the last coefficient are none.
pub(super) const MOST_PLACES: usize = LAST + 256;

/// Where the coefficients of a block go.
pub(super) trait Block {
    /// Sets the one at a place in coded order. The last call for a place has the right value; what is set at places
    /// beyond the last coefficient is none.
    fn set(&mut self, at: usize, value: i16);
}

/// One coefficient with all its bits and, after it, the code of another one or of the end of the block; or one code
/// alone, after a first coefficient of zero. The bits of both (from bit 0), how many of them are the last number's
/// (from bit 6), how many coefficients further the first one belongs (from bit 10) and the last one (from bit 16), the
/// first one's value (from bit 24).
#[derive(Clone, Copy, Debug)]
struct Pair(u32);

impl Pair {
    const UNKNOWN: Self = Self(1 << 10 | (UNKNOWN as u32) << 16);

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
    pairs: [Pair; 1 << LOOKED_UP],
    /// The same codes one by one.
    table: Table,
}

impl Pairs {
    /// `None` where [`Table::new`] has none.
    pub fn new(codes: &Codes) -> Option<Self> {
        let table = Table::new(codes, Kind::Ac)?;
        let mut pairs = [Pair::UNKNOWN; 1 << LOOKED_UP];
        let short: Vec<Code> =
            codes.short(LOOKED_UP as usize).map(|(symbol, bits)| Code::new(symbol, bits)).collect();
        let mut rest = &mut pairs[..];
        for code in &short {
            let entries;
            (entries, rest) = rest.split_at_mut(1 << (LOOKED_UP - code.bits));
            code.fill(&short, entries);
        }
        Some(Self { pairs, table })
    }

    /// Reads the codes of a block after the first, DC; returns the place of the last coefficient in coded order. There are
    /// bits for one code.
    #[inline(always)]
    pub fn read(&self, bits: &mut Bits, window: &[u8], block: &mut impl Block) -> Result<u8, Irregular> {
        let mut at = 0;
        if let Some(last) = self.codes(bits, &mut at, block)? {
            return Ok(last);
        }
        loop {
            bits.refill(window)?;
            if let Some(last) = self.codes(bits, &mut at, block)? {
                return Ok(last);
            }
            if let Some(last) = self.codes(bits, &mut at, block)? {
                return Ok(last);
            }
        }
    }

    /// Reads one or two codes after the coefficient `at`; returns the last coefficient's place if they end the block.
    #[inline(always)]
    fn codes(
        &self,
        bits: &mut Bits,
        at: &mut usize,
        block: &mut impl Block,
    ) -> Result<Option<u8>, Irregular> {
        let buffer = bits.ahead();
        let pair = self.pairs[(buffer >> (64 - LOOKED_UP)) as usize];
        bits.drop(pair.0);
        let next = *at + pair.step();
        block.set(*at + pair.first_step(), pair.first_value());
        block.set(next, pair.number(buffer));
        if next < LAST {
            *at = next;
            return Ok(None);
        }
        if (END..END + LAST).contains(&next) {
            return Ok(Some((next - END) as u8));
        }
        // One code at a time, where a first coefficient may end the block and a code may be long.
        bits.put_back(buffer, pair.0);
        let (entry, coded) = bits.next(&self.table)?;
        let end = *at;
        *at += entry.step();
        if *at > LAST {
            return if entry.step() == END_OF_BLOCK { Ok(Some(end as u8)) } else { Err(Irregular) };
        }
        block.set(*at, entry.number(coded) as i16);
        Ok(if *at == LAST { Some(LAST as u8) } else { None })
    }
}

/// A code that is looked up.
struct Code {
    /// Its own bits, and those of the number after it.
    bits: u32,
    size: u32,
    step: usize,
}

impl Code {
    fn new(symbol: u8, bits: u32) -> Self {
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        let step = if size > 0 || run == 15 { run + 1 } else { END };
        Self { bits, size, step }
    }

    /// Sets all entries that begin with this code.
    fn fill(&self, short: &[Self], entries: &mut [Pair]) {
        let (bits, numbers) = (self.bits + self.size, 1 << self.size);
        let alone = Pair::new(bits, self.size, (1, 0), self.step);
        if self.step == END || bits >= LOOKED_UP || numbers > MOST_OF_A_FIRST + 1 {
            return entries.fill(alone);
        }
        let left = LOOKED_UP - bits;
        for (number, entries) in entries.chunks_exact_mut(1 << left).enumerate() {
            let number = number as i32;
            let value = if 2 * number < numbers { number - (numbers - 1) } else { number };
            let mut rest = entries;
            for next in short.iter().take_while(|next| next.bits <= left) {
                let both;
                (both, rest) = rest.split_at_mut(1 << (left - next.bits));
                let step = self.step + next.step;
                both.fill(Pair::new(bits + next.bits + next.size, next.size, (self.step, value), step));
            }
            rest.fill(alone);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::{RngAlgorithm, TestRng};

    use super::*;

    /// Codes of any lengths, the most frequent symbols of photos often among the short ones.
    fn codes(rng: &mut TestRng) -> Codes {
        let mut symbols: Vec<u8> = (0..=255_u8).filter(|symbol| symbol & 15 <= 10).collect();
        for i in (1..symbols.len()).rev() {
            symbols.swap(i, rng.random_range(0..=i));
        }
        let short = rng.random_range(0..4);
        symbols.splice(0..0, [0x00, 0x01, 0x11, 0xf0].into_iter().take(short));
        // The codes of a length that are free, one of which is kept for the longer ones.
        let (mut free, mut used, mut counts) = (2_usize, 0, [0; 16]);
        for count in &mut counts {
            let most = (free - 1).min(symbols.len() - used);
            let taken = rng.random_range(0..=most).min(rng.random_range(0..40));
            *count = taken as u8;
            used += taken;
            free = 2 * (free - taken);
        }
        Codes::new(&counts, &symbols[..used]).expect("as many as the counts say")
    }

    struct Coefficients([i16; 64]);

    impl Block for Coefficients {
        fn set(&mut self, at: usize, value: i16) {
            if let Some(coefficient) = self.0.get_mut(at) {
                *coefficient = value;
            }
        }
    }

    /// A block read one code after the other.
    fn read(
        table: &Table,
        bits: &mut Bits,
        window: &[u8],
        block: &mut Coefficients,
    ) -> Result<u8, Irregular> {
        let mut at = 0;
        loop {
            bits.refill(window)?;
            let (entry, coded) = bits.next(table)?;
            let last = at;
            at += entry.step();
            match at {
                0..LAST => block.set(at, entry.number(coded) as i16),
                LAST => {
                    block.set(at, entry.number(coded) as i16);
                    return Ok(LAST as u8);
                }
                _ if entry.step() == END_OF_BLOCK => return Ok(last as u8),
                _ => return Err(Irregular),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn two_codes_at_once_are_one_after_the_other(seed in any::<[u8; 32]>()) {
            let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
            let codes = codes(&mut rng);
            let (pairs, table) = (Pairs::new(&codes).unwrap(), Table::new(&codes, Kind::Ac).unwrap());
            let window: Vec<u8> = (0..8192).map(|_| rng.random()).collect();
            let (mut of_pairs, mut alone) = (Bits::default(), Bits::default());
            for _ in 0..20 {
                let (mut found, mut expected) = (Coefficients([0; 64]), Coefficients([0; 64]));
                of_pairs.refill(&window).unwrap();
                let last = pairs.read(&mut of_pairs, &window, &mut found).ok();
                prop_assert_eq!(last, read(&table, &mut alone, &window, &mut expected).ok());
                if last.is_none() {
                    break;
                }
                // The first one is DC's, which is set later.
                prop_assert_eq!(&found.0[1..], &expected.0[1..]);
                prop_assert_eq!(of_pairs.left(window.len()), alone.left(window.len()));
            }
        }
    }
}
