//! Huffman tables laid out for looking up a code and all that is known of what follows it.

/// Bits looked up at once; few codes of photos are longer.
const LOOKED_UP: u32 = 10;
const LONGEST: u32 = 16;
/// The bits that a code and the number behind it take at the most.
pub(super) const MOST_BITS: u32 = LONGEST + MOST_OF_A_DIFFERENCE;
/// The largest numbers of 8-bit images (ITU T.81, tables F.1 and F.2).
const MOST_OF_A_DIFFERENCE: u32 = 11;
const MOST_OF_A_COEFFICIENT: u32 = 10;

/// A code and the number behind it: the bits of both (from bit 0), how many coefficients further it belongs (from
/// bit 8), and a one for each bit of the number (from bit 16).
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry(u32);

/// A step out of the block: its end.
pub(super) const END_OF_BLOCK: usize = 64;

impl Entry {
    /// A code longer than what is looked up, or none.
    const LONG: Self = Self(0);

    fn of(symbol: u8, bits: u32) -> Self {
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        // Fifteen zeros and one more are fifteen and a value of zero.
        let step = if size == 0 && run < 15 { END_OF_BLOCK as u32 } else { run + 1 };
        Self(((1 << size) - 1) << 16 | step << 8 | (bits + size))
    }

    #[inline(always)]
    pub fn is_long(self) -> bool {
        self.0 == 0
    }

    /// The bits of the code and of the number.
    #[inline(always)]
    pub fn bits(self) -> u8 {
        self.0 as u8
    }

    /// What stands behind them.
    #[inline(always)]
    pub fn drop_from(self, buffer: u64) -> u64 {
        // The processor looks at no more of the number than this does.
        buffer.wrapping_shl(self.0)
    }

    #[inline(always)]
    pub fn step(self) -> usize {
        usize::from((self.0 >> 8) as u8)
    }

    /// The number, of which the first bit is 0 if it is negative (ITU T.81, F.2.2.1); `buffer` begins with the code.
    #[inline(always)]
    pub fn number(self, buffer: u64) -> i32 {
        let ones = (self.0 >> 16) as i32;
        let number = buffer.wrapping_shr(0_u32.wrapping_sub(self.0)) as i32 & ones;
        // All ones for a negative number.
        let negative = (2 * number - ones) >> 31;
        number - (ones & negative)
    }
}

/// A Huffman table as a file defines it: how many codes of each length from 1 on, and their symbols in order.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    counts: [u8; LONGEST as usize],
    symbols: [u8; 256],
    total: usize,
}

impl Codes {
    /// `None` where the symbols are more than 256, or not as many as the counts say.
    pub fn new(counts: &[u8; LONGEST as usize], symbols: &[u8]) -> Option<Self> {
        let mut codes = Self { counts: *counts, symbols: [0; 256], total: symbols.len() };
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        codes.symbols.get_mut(..total)?.copy_from_slice(symbols.get(..total)?);
        (total == symbols.len()).then_some(codes)
    }

    fn symbols(&self) -> &[u8] {
        &self.symbols[..self.total]
    }
}

/// A table of codes.
#[derive(Clone, Debug)]
pub(super) struct Table {
    entries: [Entry; 1 << LOOKED_UP],
    /// For each length the first code behind its last one, moved up to [`LONGEST`] bits.
    ends: [u32; LONGEST as usize + 1],
    /// For each length, what to add to a code of it to have its symbol's place.
    places: [i32; LONGEST as usize + 1],
    symbols: [u8; 256],
}

impl Table {
    /// `None` where there are more codes than bits for them, or larger numbers than in images of 8 bits.
    pub fn new(codes: &Codes, is_dc: bool) -> Option<Self> {
        let known = |&symbol: &u8| match is_dc {
            true => u32::from(symbol) <= MOST_OF_A_DIFFERENCE,
            false => u32::from(symbol & 15) <= MOST_OF_A_COEFFICIENT,
        };
        if !codes.symbols().iter().all(known) {
            return None;
        }
        let mut table = Self { symbols: codes.symbols, ..Self::default() };
        let (mut code, mut place) = (0_u32, 0_usize);
        for (bits, &count) in (1..=LONGEST).zip(&codes.counts) {
            table.places[bits as usize] = place as i32 - code as i32;
            for &symbol in &codes.symbols[place..place + usize::from(count)] {
                if bits <= LOOKED_UP {
                    let free = LOOKED_UP - bits;
                    let first = (code << free) as usize;
                    table.entries.get_mut(first..first + (1 << free))?.fill(Entry::of(symbol, bits));
                }
                code += 1;
            }
            // No code is all ones.
            if count > 0 && code >= 1 << bits {
                return None;
            }
            place += usize::from(count);
            table.ends[bits as usize] = code << (LONGEST - bits);
            code <<= 1;
        }
        Some(table)
    }

    /// What stands in front of `buffer`.
    #[inline(always)]
    pub fn look_up(&self, buffer: u64) -> Option<Entry> {
        let entry = self.entries[(buffer >> (64 - LOOKED_UP)) as usize];
        if entry.is_long() { self.long_code(buffer) } else { Some(entry) }
    }

    #[cold]
    #[inline(never)]
    fn long_code(&self, buffer: u64) -> Option<Entry> {
        let next = (buffer >> (64 - LONGEST)) as u32;
        let bits = (LOOKED_UP + 1..=LONGEST).find(|&bits| next < self.ends[bits as usize])?;
        let place = (next >> (LONGEST - bits)) as i32 + self.places[bits as usize];
        Some(Entry::of(self.symbols[usize::try_from(place).ok()?.min(255)], bits))
    }
}

impl Default for Table {
    /// A table of no codes.
    fn default() -> Self {
        Self {
            entries: [Entry::LONG; 1 << LOOKED_UP],
            ends: [0; LONGEST as usize + 1],
            places: [0; LONGEST as usize + 1],
            symbols: [0; 256],
        }
    }
}
