//! The memory that libwebp takes for the codes of a lossless image, of which a small file can have many.
//!
//! The image is divided into blocks, and each block has a group of five Huffman codes. libwebp allocates tables of up
//! to 20 KB for each of up to 65,536 groups. Which groups there are stands in a small image of its own, before the
//! codes; this reads as far, and keeps no pixel.

use crate::error::Result;
use crate::interrupt;
use crate::limits::Limits;

/// Symbols of the codes of a group: greens and lengths, reds, blues, alphas, distances.
const ALPHABETS: [usize; 5] = [LITERALS + LENGTHS, LITERALS, LITERALS, LITERALS, 40];
const LITERALS: usize = 256;
const LENGTHS: usize = 24;
/// The order in which the lengths of the code of code lengths are stored.
const LENGTH_ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const MOST_CACHE_BITS: u32 = 11;
const MOST_GROUPS: u64 = 1 << 16;
/// The number of groups up to which libwebp also makes those that no block has.
const FEW_GROUPS: u64 = 1000;
/// Pixels between two polls.
const POLL: usize = 1 << 16;

/// Refuses an image whose tables, besides `held` bytes, take more memory than allowed.
pub(super) fn check_memory(
    limits: &Limits,
    held: u64,
    stream: &[u8],
    (width, height): (u32, u32),
) -> Result<()> {
    let blocks = u64::from(width.div_ceil(4)) * u64::from(height.div_ceil(4));
    let most = table_bytes(blocks.clamp(FEW_GROUPS, MOST_GROUPS), MOST_CACHE_BITS);
    if limits.check_memory(held + most).is_ok() {
        return Ok(());
    }
    let found = groups(&mut Bits { bytes: stream, at: 0 }, width, height);
    interrupt::check()?;
    limits.check_memory(held + found.map_or(most, |(groups, cache)| table_bytes(groups, cache)))
}

/// Bytes of the tables of `groups` groups.
fn table_bytes(groups: u64, cache_bits: u32) -> u64 {
    // libwebp's bounds for tables of eight bits (`kTableSize`), four bytes an entry, and the group itself.
    let greens = [654, 656, 658, 662, 670, 686, 718, 782, 912, 1168, 1680, 2704][cache_bits as usize];
    groups * (4 * (3 * 630 + 410 + greens) + 576)
}

/// The number of groups of a stream, and the bits of its colour cache; none where it is damaged.
fn groups(bits: &mut Bits<'_>, mut width: u32, height: u32) -> Option<(u64, u32)> {
    let divided = |side: u32, by: u32| side.div_ceil(1 << by);
    let mut seen = [false; 4];
    while bits.read(1)? == 1 {
        let transform = bits.read(2)?;
        if std::mem::replace(&mut seen[transform as usize], true) {
            return None;
        }
        match transform {
            // Prediction, and colours from one another: a small image each.
            0 | 1 => {
                let by = 2 + bits.read(3)?;
                bits.pass_image(divided(width, by), divided(height, by), |_| {})?;
            }
            // Green subtracted.
            2 => {}
            // A palette, with several pixels in one if it is small.
            _ => {
                let colours = bits.read(8)? + 1;
                bits.pass_image(colours, 1, |_| {})?;
                width = divided(
                    width,
                    match colours {
                        1..=2 => 3,
                        3..=4 => 2,
                        5..=16 => 1,
                        _ => 0,
                    },
                );
            }
        }
    }
    let cache = bits.cache_bits()?;
    if bits.read(1)? == 0 {
        return Some((1, cache));
    }
    let by = 2 + bits.read(3)?;
    let mut used = vec![false; MOST_GROUPS as usize];
    bits.pass_image(divided(width, by), divided(height, by), |group| used[usize::from(group)] = true)?;
    let count = used.iter().filter(|used| **used).count() as u64;
    let last = used.iter().rposition(|used| *used).map_or(0, |last| last as u64 + 1);
    Some((count.max(last.min(FEW_GROUPS)), cache))
}

/// Bits of a stream, lowest first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u32> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Some(bit.into())
    }

    fn read(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, place| Some(value | self.bit()? << place))
    }

    /// The bits of a colour cache; 0 for none.
    fn cache_bits(&mut self) -> Option<u32> {
        match self.read(1)? {
            0 => Some(0),
            _ => self.read(4).filter(|bits| (1..=MOST_CACHE_BITS).contains(bits)),
        }
    }

    /// Passes over a small image. `visit` gets red and green of its literals as one number, which the other pixels
    /// repeat.
    fn pass_image(&mut self, width: u32, height: u32, mut visit: impl FnMut(u16)) -> Option<()> {
        let cache = self.cache_bits()?;
        let cached = if cache > 0 { 1 << cache } else { 0 };
        let mut codes = Vec::with_capacity(ALPHABETS.len());
        for (index, alphabet) in ALPHABETS.into_iter().enumerate() {
            codes.push(self.code(alphabet + if index == 0 { cached } else { 0 })?);
        }
        let count = width as usize * height as usize;
        let (mut pixel, mut poll) = (0, POLL);
        while pixel < count {
            if pixel >= poll {
                interrupt::check().ok()?;
                poll = pixel + POLL;
            }
            let green = self.symbol(&codes[0])?;
            if green < LITERALS {
                let red = self.symbol(&codes[1])?;
                self.symbol(&codes[2])?;
                self.symbol(&codes[3])?;
                visit((red << 8 | green) as u16);
                pixel += 1;
            } else if green < LITERALS + LENGTHS {
                pixel += self.prefixed(green - LITERALS)?;
                let distance = self.symbol(&codes[4])?;
                self.prefixed(distance)?;
            } else {
                // A colour of the cache, which is zero at first.
                visit(0);
                pixel += 1;
            }
        }
        Some(())
    }

    /// A length or a distance, of which `symbol` gives the highest bits.
    fn prefixed(&mut self, symbol: usize) -> Option<usize> {
        if symbol < 4 {
            return Some(symbol + 1);
        }
        let extra = (symbol - 2) >> 1;
        Some(((2 + (symbol & 1)) << extra) + self.read(extra as u32)? as usize + 1)
    }

    /// Reads a code of that many symbols.
    fn code(&mut self, alphabet: usize) -> Option<Code> {
        let mut lengths = vec![0; alphabet.max(LITERALS)];
        if self.read(1)? == 1 {
            let two = self.read(1)? == 1;
            let len = if self.read(1)? == 1 { 8 } else { 1 };
            lengths[self.read(len)? as usize] = 1;
            if two {
                lengths[self.read(8)? as usize] = 1;
            }
            return Code::new(&lengths[..alphabet]);
        }
        let mut of_lengths = [0; LENGTH_ORDER.len()];
        for place in &LENGTH_ORDER[..self.read(4)? as usize + 4] {
            of_lengths[*place] = self.read(3)? as u8;
        }
        let of_lengths = Code::new(&of_lengths)?;
        let mut left = alphabet;
        if self.read(1)? == 1 {
            let len = 2 + 2 * self.read(3)?;
            left = 2 + self.read(len)? as usize;
            if left > alphabet {
                return None;
            }
        }
        let (mut at, mut last) = (0, 8);
        while at < alphabet && left > 0 {
            left -= 1;
            let (value, count) = match self.symbol(&of_lengths)? {
                16 => (last, 3 + self.read(2)?),
                17 => (0, 3 + self.read(3)?),
                18 => (0, 11 + self.read(7)?),
                length => (length as u8, 1),
            };
            if value > 0 {
                last = value;
            }
            lengths[..alphabet].get_mut(at..at + count as usize)?.fill(value);
            at += count as usize;
        }
        Code::new(&lengths[..alphabet])
    }

    fn symbol(&mut self, code: &Code) -> Option<usize> {
        if let [only] = code.symbols[..] {
            return Some(only.into());
        }
        let (mut value, mut first, mut index) = (0, 0, 0);
        for &count in &code.counts[1..] {
            value |= self.bit()? as usize;
            if value < first + count {
                return Some(code.symbols[index + value - first].into());
            }
            index += count;
            (value, first) = (value << 1, (first + count) << 1);
        }
        None
    }
}

/// A Huffman code: the number of codes of each length, and the symbols by length. One symbol alone takes no bits.
struct Code {
    counts: [usize; 16],
    symbols: Vec<u16>,
}

impl Code {
    /// None where the lengths are not those of a whole code.
    fn new(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0; 16];
        lengths.iter().filter(|&&length| length > 0).for_each(|&length| counts[usize::from(length)] += 1);
        let mut symbols: Vec<u16> =
            (0..lengths.len() as u16).filter(|&at| lengths[usize::from(at)] > 0).collect();
        symbols.sort_by_key(|&at| lengths[usize::from(at)]);
        let share: usize = (1..16).map(|length| counts[length] << (15 - length)).sum();
        (symbols.len() == 1 || share == 1 << 15).then_some(Self { counts, symbols })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits as they are written, lowest first.
    #[derive(Default)]
    struct Writer {
        bytes: Vec<u8>,
        len: usize,
    }

    impl Writer {
        fn put(&mut self, value: usize, count: usize) {
            for place in 0..count {
                if self.len.is_multiple_of(8) {
                    self.bytes.push(0);
                }
                *self.bytes.last_mut().unwrap() |= ((value >> place & 1) as u8) << (self.len % 8);
                self.len += 1;
            }
        }

        /// A code of one symbol.
        fn put_single(&mut self) {
            self.put(0b0001, 4);
        }

        /// A code in which each of 256 literals has eight bits, and none of `others` any.
        fn put_bytes(&mut self, others: usize) {
            self.put(0, 1);
            // Lengths of 0 and 8 have codes of one bit.
            self.put(12 - 4, 4);
            for place in &LENGTH_ORDER[..12] {
                self.put(usize::from([0, 8].contains(place)), 3);
            }
            self.put(0, 1);
            (0..256).for_each(|_| self.put(1, 1));
            self.put(0, others);
        }

        /// A literal of a code in which each has eight bits.
        fn put_byte(&mut self, byte: usize) {
            self.put((byte as u8).reverse_bits().into(), 8);
        }
    }

    /// The stream of an image with this many groups, one for each block in turn.
    fn stream((width, height): (usize, usize), count: usize, cache: usize) -> Vec<u8> {
        let mut bits = Writer::default();
        // Green subtracted, and a palette of 17 colours, which leaves the width as it is.
        bits.put(0b101, 3);
        bits.put(0b111, 3);
        bits.put(16, 8);
        bits.put(0, 1);
        (0..5).for_each(|_| bits.put_single());
        bits.put(0, 1);
        bits.put(usize::from(cache > 0), 1);
        bits.put(cache, if cache > 0 { 4 } else { 0 });
        bits.put(1, 1);
        bits.put(0, 3);
        bits.put(0, 1);
        bits.put_bytes(LENGTHS);
        bits.put_bytes(0);
        (0..3).for_each(|_| bits.put_single());
        for block in 0..width.div_ceil(4) * height.div_ceil(4) {
            bits.put_byte(block % count);
            bits.put_byte((block % count) >> 8);
        }
        bits.bytes
    }

    #[test]
    fn groups_are_counted() {
        for (size, count, cache) in [((64, 64), 5, 0), ((400, 300), 7000, 11), ((1024, 1024), 1 << 16, 3)] {
            let stream = stream(size, count, cache);
            let mut bits = Bits { bytes: &stream, at: 0 };
            let found = groups(&mut bits, size.0 as u32, size.1 as u32);
            assert_eq!(found, Some((count as u64, cache as u32)));
            assert!(stream.len() - bits.at.div_ceil(8) == 0);
            let cut = &stream[..stream.len() - 1];
            assert_eq!(groups(&mut Bits { bytes: cut, at: 0 }, size.0 as u32, size.1 as u32), None);
        }
    }

    #[test]
    fn many_groups_are_refused_and_few_are_not() {
        let limits = Limits { max_memory: Some(256 << 20), ..Limits::default() };
        let check = |count, limits| check_memory(limits, 0, &stream((1024, 1024), count, 0), (1024, 1024));
        assert!(check(1 << 16, &limits).is_err());
        assert!(check(1 << 13, &limits).is_ok());
        assert!(check(1 << 16, &Limits::default()).is_ok());
    }
}
