//! The Huffman codes of a deflate block as tables.

use super::Fault;
use super::bits::Bits;

/// Flags of an entry; its low byte has the bits that it takes.
/// One or two literals, from bit 16 on; bits 8 to 11 have their number.
pub(super) const LITERAL: u32 = 0x8000;
/// Neither literals nor a length.
pub(super) const EXCEPTION: u32 = 0x4000;
/// Codes that are longer than the table's index: their own table begins at bit 16, and the low byte is its mask.
const LONGER: u32 = 0x2000;
/// The end of the block.
pub(super) const END: u32 = 0x1000;

const LITERAL_BITS: u32 = 12;
const DISTANCE_BITS: u32 = 9;
/// The longest code.
const MAX_BITS: usize = 15;

/// Each table of longer codes has two symbols at least: there are half as many as symbols, of up to 8 and 64 entries.
type Literals = Table<{ (1 << LITERAL_BITS) + 143 * 8 }>;
type Distances = Table<{ (1 << DISTANCE_BITS) + 15 * 64 }>;

/// The order of the lengths of the codes that lengths are coded by.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Whether a block with codes of its own, that is not the last one, may begin with these bits, of which there are at
/// least 48: quickly, and true of few others.
pub(super) fn could_begin(word: u64) -> bool {
    const HEAD: u64 = 0b100;
    let (literals, distances, coded) = (word >> 3 & 31, word >> 8 & 31, (word >> 13 & 15) as u32 + 4);
    if word & 7 != HEAD || literals > 29 || distances > 29 {
        return false;
    }
    // Codes of each length take a part of the 128 values of 7 bits: a byte here.
    const PARTS: u64 = 0x01_02_04_08_10_20_40_00;
    let used: u64 = (0..coded.min(10)).map(|i| PARTS >> (8 * (word >> (17 + 3 * i) & 7)) & 255).sum();
    used <= 128
}

/// What the next bits mean: an entry for each value of as many as the index has, then those of longer codes.
#[derive(Clone)]
struct Table<const N: usize>(Box<[u32; N]>);

impl<const N: usize> Table<N> {
    fn new() -> Self {
        Self(vec![0; N].into_boxed_slice().try_into().expect("N entries"))
    }

    /// The table of codes of these lengths, indexed by `bits` of them, in pairs of literals where these fit;
    /// `None` unless each sequence of bits is a code.
    fn build(&mut self, lengths: &[u8], bits: u32, in_pairs: bool, entry: fn(usize) -> u32) -> Option<()> {
        let mut counts = [0_usize; MAX_BITS + 1];
        lengths.iter().for_each(|&length| counts[length as usize] += 1);
        let longest = (1..=MAX_BITS).rev().find(|&length| counts[length] > 0)?;
        counts[0] = 0;
        let used: usize = (1..=longest).map(|length| counts[length] << (longest - length)).sum();
        if used != 1 << longest {
            return None;
        }
        // Symbols by length, and where those of each one begin.
        let mut starts = [0; MAX_BITS + 2];
        for length in 1..=MAX_BITS {
            starts[length + 1] = starts[length] + counts[length];
        }
        let (mut next, mut symbols) = (starts, [0_u16; 288]);
        for (symbol, &length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            symbols[next[length as usize]] = symbol as u16;
            next[length as usize] += 1;
        }
        let mut codes = [0_u16; 288];
        let mut code = 0;
        let table = &mut self.0[..];
        for length in 1..=bits as usize {
            for i in starts[length]..starts[length + 1] {
                table[code as usize] = entry(symbols[i].into()) | length as u32;
                codes[i] = code;
                code = after(code, length);
            }
            if in_pairs {
                pairs(table, length, &starts, &symbols, &codes);
            }
            if length < bits as usize {
                table.copy_within(..1 << length, 1 << length);
            }
        }
        self.add_longer(bits, longest, &starts, &symbols, code, entry);
        Some(())
    }

    /// The entry of a longer code, of which `word` has the bits after the index.
    #[inline(always)]
    fn longer(&self, entry: u32, word: u64) -> u32 {
        self.0[(entry >> 16) as usize + (word as u32 & entry & 255) as usize]
    }

    /// Adds the codes that are longer than the index, from `code` on.
    fn add_longer(
        &mut self,
        bits: u32,
        longest: usize,
        starts: &[usize; MAX_BITS + 2],
        symbols: &[u16; 288],
        mut code: u16,
        entry: fn(usize) -> u32,
    ) {
        let bits = bits as usize;
        if longest <= bits {
            return;
        }
        let (index, size) = ((1_u16 << bits) - 1, 1 << (longest - bits));
        let (mut prefix, mut start) = (None, 1 << bits);
        for length in bits + 1..=longest {
            for &symbol in &symbols[starts[length]..starts[length + 1]] {
                if prefix.is_some_and(|prefix| prefix != code & index) {
                    start += size;
                }
                prefix = Some(code & index);
                self.0[(code & index) as usize] =
                    (start as u32) << 16 | EXCEPTION | LONGER | (size - 1) as u32;
                for i in ((code >> bits) as usize..size).step_by(1 << (length - bits)) {
                    self.0[start + i] = entry(symbol.into()) | length as u32;
                }
                code = after(code, length);
            }
        }
    }
}

/// The next code of that many bits, of which the first is the lowest.
fn after(code: u16, bits: usize) -> u16 {
    let ones = (code << (16 - bits)).leading_ones() as usize;
    match bits.checked_sub(ones + 1) {
        Some(bit) => code & ((1 << bit) - 1) | 1 << bit,
        None => code,
    }
}

/// Enters the pairs of literals that take `length` bits together.
fn pairs(
    table: &mut [u32],
    length: usize,
    starts: &[usize; MAX_BITS + 2],
    symbols: &[u16; 288],
    codes: &[u16; 288],
) {
    for first_length in 1..length {
        let second_length = length - first_length;
        for first in starts[first_length]..starts[first_length + 1] {
            if symbols[first] > 255 {
                break;
            }
            for second in starts[second_length]..starts[second_length + 1] {
                if symbols[second] > 255 {
                    break;
                }
                let literals = u32::from(symbols[first]) << 16 | u32::from(symbols[second]) << 24;
                table[(codes[first] | codes[second] << first_length) as usize] =
                    literals | LITERAL | 2 << 8 | length as u32;
            }
        }
    }
}

fn literal(symbol: usize) -> u32 {
    match symbol {
        0..256 => (symbol as u32) << 16 | LITERAL | 1 << 8,
        256 => EXCEPTION | END,
        257..285 => range(symbol as u32 - 257, 4, 3),
        285 => 258 << 16,
        _ => EXCEPTION,
    }
}

fn distance(symbol: usize) -> u32 {
    if symbol < 30 { range(symbol as u32, 2, 1) } else { EXCEPTION }
}

/// Numbers from `first` on, in ranges of which `step` after each other are of one length, a power of two.
fn range(i: u32, step: u32, first: u32) -> u32 {
    let extra = (i / step).saturating_sub(1);
    let base = if i < 2 * step { i } else { (step + i % step) << extra };
    (base + first) << 16 | extra << 8
}

/// The base of a length or distance with its bits added, and how many bits it takes.
#[inline(always)]
fn number(entry: u32, word: u64) -> (usize, u32) {
    let (bits, extra) = (entry & 255, entry >> 8 & 15);
    ((entry >> 16) as usize + ((word >> bits) as usize & ((1 << extra) - 1)), bits + extra)
}

/// The codes of a block.
#[derive(Clone)]
pub(super) struct Codes {
    literals: Literals,
    distances: Distances,
}

impl Codes {
    pub fn new() -> Self {
        Self { literals: Table::new(), distances: Table::new() }
    }

    /// What the next bits mean, but for long codes.
    #[inline(always)]
    pub fn index(&self, word: u64) -> u32 {
        self.literals.0[(word & ((1 << LITERAL_BITS) - 1)) as usize]
    }

    /// What an entry stands for that is neither literals nor a length.
    #[inline(always)]
    pub fn long_literal(&self, entry: u32, word: u64) -> u32 {
        if entry & LONGER == 0 { entry } else { self.literals.longer(entry, word >> LITERAL_BITS) }
    }

    /// What the next bits mean.
    pub fn literal(&self, word: u64) -> u32 {
        self.long_literal(self.index(word), word)
    }

    /// The length, the distance and the bits of a repeat that begins with `entry`; `word` has 48 bits of it.
    #[inline(always)]
    pub fn repeat(&self, entry: u32, word: u64) -> Result<(usize, usize, u32), Fault> {
        if entry & EXCEPTION != 0 {
            return Err(Fault);
        }
        let (length, taken) = number(entry, word);
        let word = word >> taken;
        let mut entry = self.distances.0[(word & ((1 << DISTANCE_BITS) - 1)) as usize];
        if entry & EXCEPTION != 0 {
            if entry & LONGER != 0 {
                entry = self.distances.longer(entry, word >> DISTANCE_BITS);
            }
            if entry & EXCEPTION != 0 {
                return Err(Fault);
            }
        }
        let (distance, more) = number(entry, word);
        Ok((length, distance, taken + more))
    }

    /// The codes that blocks without any of their own have.
    pub fn fixed() -> Self {
        let mut lengths = [8; 288];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        let mut codes = Self::new();
        codes.build(&lengths, &[5; 32]).expect("these codes are complete");
        codes
    }

    /// Reads the codes of a block after its three first bits, strictly: what is refused here may be sound elsewhere.
    pub fn read(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let literals = bits.take(5)? as usize + 257;
        let distances = bits.take(5)? as usize + 1;
        let coded = bits.take(4)? as usize + 4;
        if literals > 286 || distances > 30 {
            return None;
        }
        let mut lengths = [0; 19];
        for &place in &ORDER[..coded] {
            lengths[place] = bits.take(3)? as u8;
        }
        let mut by = Table::<128>::new();
        by.build(&lengths, 7, false, |symbol| (symbol as u32) << 16)?;
        let mut lengths = [0_u8; 286 + 30];
        let lengths = &mut lengths[..literals + distances];
        let mut at = 0;
        while at < lengths.len() {
            bits.refill();
            let entry = by.0[(bits.near.word & 127) as usize];
            bits.take(entry & 15)?;
            let (value, count) = match entry >> 16 {
                16 => (*lengths.get(at.checked_sub(1)?)?, 3 + bits.take(2)?),
                17 => (0, 3 + bits.take(3)?),
                18 => (0, 11 + bits.take(7)?),
                length => (length as u8, 1),
            };
            lengths.get_mut(at..at + count as usize)?.fill(value);
            at += count as usize;
        }
        let (literals, distances) = lengths.split_at(literals);
        if literals[256] == 0 {
            return None;
        }
        self.build(literals, distances)
    }

    fn build(&mut self, literals: &[u8], distances: &[u8]) -> Option<()> {
        self.literals.build(literals, LITERAL_BITS, true, literal)?;
        let table = &mut self.distances;
        match distances.iter().filter(|length| **length > 0).count() {
            // Blocks of literals have none, and those of runs a single one, of one bit.
            0 => table.0.fill(EXCEPTION),
            1 => {
                let symbol = distances.iter().position(|&length| length == 1)?;
                let entries = [distance(symbol) | 1, EXCEPTION];
                table.0.as_chunks_mut::<2>().0.fill(entries);
            }
            _ => table.build(distances, DISTANCE_BITS, false, distance)?,
        }
        Some(())
    }
}
