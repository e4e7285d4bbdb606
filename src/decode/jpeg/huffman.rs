//! Huffman tables laid out for looking up a code and all that is known of what follows it.

/// Bits looked up at once; few codes of photos are longer.
const LOOKED_UP: u32 = 10;
/// Bits of a code at the most.
const LONGEST: u32 = 16;
/// The bits that a code and the number after it take at the most.
pub(super) const MOST_BITS: u32 = LONGEST + MOST_OF_A_DIFFERENCE;
/// The same of a code that ends several blocks, and the bits that tell how many.
pub(super) const MOST_BITS_OF_RUN: u32 = LONGEST + 14;
/// The same of an AC coefficient.
pub(super) const MOST_BITS_OF_AC: u32 = LONGEST + MOST_OF_A_COEFFICIENT;
/// The largest numbers of 8-bit images (ITU T.81, tables F.1 and F.2).
pub(super) const MOST_OF_A_DIFFERENCE: u32 = 11;
const MOST_OF_A_COEFFICIENT: u32 = 10;

/// The meaning of a table's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Differences of DC coefficients.
    Dc,
    /// AC coefficients of a sequential file.
    Ac,
    /// The first bits of AC coefficients in a progressive file.
    First,
    /// AC coefficients that a later scan makes the first bit of, in a progressive file.
    Refinement,
}

/// A code and what follows it: the bits of both (from bit 0), how many coefficients further it belongs (from bit 8),
/// and a one for each bit of the number that follows (from bit 16); in a refinement whether there is a new coefficient
/// (bit 16), and whether it is negative (bit 31).
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry(u32);

/// The step that ends a block.
pub(super) const END_OF_BLOCK: usize = 64;
/// The step of no code.
const NO_STEP: usize = 255;

impl Entry {
    /// A code longer than what is looked up, or none.
    const LONG: Self = Self(0);
    /// No code: a step out of any block, which is no end of one.
    const NONE: Self = Self((NO_STEP as u32) << 8 | 1);

    fn of(kind: Kind, symbol: u8, bits: u32) -> Self {
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        let (step, number) = match kind {
            Kind::Dc => (1, u32::from(symbol)),
            // Fifteen zeros and one more are fifteen and a value of zero.
            _ if size > 0 || run == 15 => (run + 1, size),
            Kind::Ac => (END_OF_BLOCK as u32, 0),
            _ => (END_OF_BLOCK as u32, run),
        };
        Self(((1 << number) - 1) << 16 | step << 8 | (bits + number))
    }

    /// A new coefficient of a refinement; `bits` are those of its code without the sign.
    fn of_new(symbol: u8, bits: u32, is_positive: bool) -> Self {
        Self(u32::from(!is_positive) << 31 | 1 << 16 | (u32::from(symbol >> 4) + 1) << 8 | (bits + 1))
    }

    /// Whether there is no such code.
    #[inline(always)]
    pub fn is_none(self) -> bool {
        self.step() == NO_STEP
    }

    #[inline(always)]
    fn is_long(self) -> bool {
        self.0 == 0
    }

    /// The bits of the code and of the number.
    #[inline(always)]
    pub fn bits(self) -> u8 {
        self.0 as u8
    }

    /// The bits after them.
    #[inline(always)]
    pub fn drop_from(self, buffer: u64) -> u64 {
        // The processor looks at no more of the number than this does.
        buffer.wrapping_shl(self.0)
    }

    #[inline(always)]
    pub fn step(self) -> usize {
        usize::from((self.0 >> 8) as u8)
    }

    /// Whether there is a number, or a new coefficient.
    #[inline(always)]
    pub fn has_value(self) -> bool {
        self.0 >> 16 != 0
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

    /// The number of blocks that end here, of which this is the first.
    #[inline(always)]
    pub fn blocks(self, buffer: u64) -> u32 {
        let ones = self.0 >> 16;
        (buffer.wrapping_shr(0_u32.wrapping_sub(self.0)) as u32 & ones) + ones + 1
    }

    /// One where a new coefficient is negative.
    #[inline(always)]
    pub fn sign(self) -> u64 {
        u64::from(self.0 >> 31)
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

    /// The symbols of the codes of up to `longest` bits in the order of the codes, with the bits of each. Of the numbers
    /// of `longest` bits the first ones begin with the first code, and so on.
    pub fn short(&self, longest: usize) -> impl Iterator<Item = (u8, u32)> {
        let lengths = (1..).zip(&self.counts[..longest]);
        let bits = lengths.flat_map(|(bits, &count)| std::iter::repeat_n(bits, count.into()));
        self.symbols.into_iter().zip(bits)
    }
}

/// A table of codes.
#[derive(Clone, Debug)]
pub(super) struct Table {
    kind: Kind,
    entries: [Entry; 1 << LOOKED_UP],
    /// For each length the first code after its last one, moved up to [`LONGEST`] bits.
    ends: [u32; LONGEST as usize + 1],
    /// For each length, what to add to a code of it to have its symbol's place.
    places: [i32; LONGEST as usize + 1],
    symbols: [u8; 256],
}

impl Table {
    /// `None` where there are more codes than bits for them, or larger numbers than in images of 8 bits.
    pub fn new(codes: &Codes, kind: Kind) -> Option<Self> {
        let known = |&symbol: &u8| match kind {
            Kind::Dc => u32::from(symbol) <= MOST_OF_A_DIFFERENCE,
            Kind::Ac | Kind::First => u32::from(symbol & 15) <= MOST_OF_A_COEFFICIENT,
            Kind::Refinement => symbol & 15 <= 1,
        };
        if !codes.symbols().iter().all(known) {
            return None;
        }
        let mut table = Self {
            kind,
            entries: [Entry::LONG; 1 << LOOKED_UP],
            ends: [0; LONGEST as usize + 1],
            places: [0; LONGEST as usize + 1],
            symbols: codes.symbols,
        };
        let (mut code, mut place) = (0_u32, 0_usize);
        for (bits, &count) in (1..=LONGEST).zip(&codes.counts) {
            table.places[bits as usize] = place as i32 - code as i32;
            for &symbol in &codes.symbols[place..place + usize::from(count)] {
                table.fill(symbol, code, bits)?;
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

    /// Sets all entries that begin with a code, if it is not too long; `None` where it is more than its bits allow.
    fn fill(&mut self, symbol: u8, code: u32, bits: u32) -> Option<()> {
        let mut set = |code: u32, bits: u32, entry: Entry| {
            if bits <= LOOKED_UP {
                let free = LOOKED_UP - bits;
                let first = (code << free) as usize;
                self.entries.get_mut(first..first + (1 << free))?.fill(entry);
            }
            Some(())
        };
        match self.kind {
            // The sign is looked up with the code.
            Kind::Refinement if symbol & 15 == 1 => {
                set(2 * code, bits + 1, Entry::of_new(symbol, bits, false))?;
                set(2 * code + 1, bits + 1, Entry::of_new(symbol, bits, true))
            }
            kind => set(code, bits, Entry::of(kind, symbol, bits)),
        }
    }

    /// The entry for the code that `buffer` begins with. Where there is none, its step is longer than any, and ends no block.
    #[inline(always)]
    pub fn look_up(&self, buffer: u64) -> Entry {
        let entry = self.entries[(buffer >> (64 - LOOKED_UP)) as usize];
        if entry.is_long() { self.long_code(buffer) } else { entry }
    }

    #[cold]
    #[inline(never)]
    fn long_code(&self, buffer: u64) -> Entry {
        let next = (buffer >> (64 - LONGEST)) as u32;
        // Of a refinement's codes those of all bits looked up have no sign there.
        let Some(bits) = (LOOKED_UP..=LONGEST).find(|&bits| next < self.ends[bits as usize]) else {
            return Entry::NONE;
        };
        let place = (next >> (LONGEST - bits)) as i32 + self.places[bits as usize];
        let Some(&symbol) = usize::try_from(place).ok().and_then(|place| self.symbols.get(place)) else {
            return Entry::NONE;
        };
        match self.kind {
            Kind::Refinement if symbol & 15 == 1 => Entry::of_new(symbol, bits, buffer << bits >> 63 == 1),
            kind => Entry::of(kind, symbol, bits),
        }
    }
}
