//! Huffman tables laid out for looking up a code and the number behind it at once.

/// Bits looked up at once. Most codes of photos with the numbers behind them are no longer.
const LOOKED_UP: u32 = 11;
const LONGEST: u32 = 16;

/// What the next bits stand for: a symbol, and with it the number that follows where that is short enough.
///
/// From the lowest bit on: the bits to drop (6), the coefficients of zero in front (7), which of the three it is
/// (2), and in the upper half the value, or the symbol where that is all there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry(u32);

const RUN: u32 = 6;
const SYMBOL: u32 = 1 << 13;
const VALUE: u32 = 1 << 14;
/// More zeros than a block has coefficients: its end.
const END_OF_BLOCK: u32 = 64;

impl Entry {
    /// A code longer than what is looked up, or none.
    const LONG: Self = Self(0);

    fn of(symbol: u8, is_dc: bool, code_bits: u32, behind: u32, behind_bits: u32) -> Self {
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        if size > behind_bits {
            return Self(u32::from(symbol) << 16 | SYMBOL | code_bits);
        }
        let run = if size == 0 && run < 15 && !is_dc { END_OF_BLOCK } else { run };
        // Fifteen zeros and one more are fifteen and a value of zero.
        let value = extend(behind >> (behind_bits - size), size);
        Self((value as u32) << 16 | VALUE | run << RUN | (code_bits + size))
    }

    /// The bits of the code, and of the number if it is known.
    #[inline(always)]
    pub fn bits(self) -> u32 {
        self.0 & 63
    }

    #[inline(always)]
    pub fn has_value(self) -> bool {
        self.0 & VALUE != 0
    }

    #[inline(always)]
    pub fn run(self) -> usize {
        (self.0 >> RUN & 127) as usize
    }

    #[inline(always)]
    pub fn is_end_of_block(self) -> bool {
        self.run() == END_OF_BLOCK as usize
    }

    #[inline(always)]
    pub fn value(self) -> i32 {
        self.0 as i32 >> 16
    }

    /// The symbol of an entry without a value; `None` for a long code.
    #[inline(always)]
    pub fn symbol(self) -> Option<u32> {
        (self.0 & SYMBOL != 0).then_some(self.0 >> 16)
    }
}

/// A number of `size` bits, of which the first is 0 for a negative one (ITU T.81, F.2.2.1).
#[inline(always)]
pub(super) fn extend(number: u32, size: u32) -> i32 {
    let number = number as i32;
    if size > 0 && number < 1 << (size - 1) { number + 1 - (1 << size) } else { number }
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
    /// The table of `counts` codes of each length from 1 on, in the order of their `symbols`. `None` where
    /// there are more codes than bits for them, or other symbols than libjpeg takes.
    pub fn new(counts: &[u8; 16], symbols: &[u8], is_dc: bool) -> Option<Box<Self>> {
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        if total > 256 || symbols.len() != total || (is_dc && symbols.iter().any(|&symbol| symbol > 15)) {
            return None;
        }
        let mut table = Box::new(Self {
            entries: [Entry::LONG; 1 << LOOKED_UP],
            ends: [0; LONGEST as usize + 1],
            places: [0; LONGEST as usize + 1],
            symbols: [0; 256],
        });
        table.symbols[..total].copy_from_slice(symbols);
        let (mut code, mut place) = (0_u32, 0_usize);
        for (bits, &count) in (1..=LONGEST).zip(counts) {
            table.places[bits as usize] = place as i32 - code as i32;
            for &symbol in &symbols[place..place + usize::from(count)] {
                if bits <= LOOKED_UP {
                    let free = LOOKED_UP - bits;
                    let first = (code << free) as usize;
                    for (behind, entry) in
                        table.entries.get_mut(first..first + (1 << free))?.iter_mut().enumerate()
                    {
                        *entry = Entry::of(symbol, is_dc, bits, behind as u32, free);
                    }
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

    #[inline(always)]
    pub fn look_up(&self, buffer: u64) -> Entry {
        self.entries[(buffer >> (64 - LOOKED_UP)) as usize]
    }

    /// The symbol and the length of a code that is longer than what is looked up.
    #[cold]
    pub fn long_code(&self, buffer: u64) -> Option<(u32, u32)> {
        let next = (buffer >> (64 - LONGEST)) as u32;
        let bits = (LOOKED_UP + 1..=LONGEST).find(|&bits| next < self.ends[bits as usize])?;
        let place = (next >> (LONGEST - bits)) as i32 + self.places[bits as usize];
        Some((self.symbols[usize::try_from(place).ok()?.min(255)].into(), bits))
    }
}
