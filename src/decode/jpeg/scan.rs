//! The Huffman-coded scan of a sequential JPEG, decoded faster than by libjpeg.
//!
//! Reading the codes takes more than half of a JPEG's time. This reader looks up a code together with the
//! bits that follow it, and refills its buffer eight bytes at a time. It reads regular scans alone: at
//! anything else (bytes that run out, a marker too early, a code that no table has, a run beyond a block) it
//! stops, and libjpeg, whose mending of such files is what Pillow shows, starts over from the beginning.

use super::header::next_marker;
use super::huffman::{Entry, Table, extend};

/// The scan is not regular.
#[derive(Debug)]
pub(super) struct Irregular;

/// The coefficients of a block, in natural order.
pub(super) type Block = [i16; 64];

/// The natural position of each coefficient in its coded order (ITU T.81, figure A.6).
const NATURAL: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// How a block of an MCU is coded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coding {
    pub component: usize,
    pub dc: usize,
    pub ac: usize,
}

/// A scan as it is read.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    bits: Bits,
    /// The blocks of an MCU in their order.
    blocks: Vec<Coding>,
    dc: [Option<Box<Table>>; 4],
    ac: [Option<Box<Table>>; 4],
    /// The last DC coefficient of each component.
    last: [i32; 4],
    /// MCUs between restarts; 0 for none.
    interval: u32,
    until_restart: u32,
    next_restart: u8,
}

impl<'a> Scan<'a> {
    /// A scan whose data begin at `bytes[at]`. `None` where a block's table is missing.
    pub fn new(
        bytes: &'a [u8],
        at: usize,
        blocks: Vec<Coding>,
        dc: [Option<Box<Table>>; 4],
        ac: [Option<Box<Table>>; 4],
        interval: u32,
    ) -> Option<Self> {
        let known = |tables: &[Option<_>; 4], at: usize| tables.get(at).is_some_and(Option::is_some);
        let whole =
            blocks.iter().all(|block| known(&dc, block.dc) && known(&ac, block.ac) && block.component < 4);
        let bits = Bits { at, ..Bits::default() };
        let until_restart = interval;
        whole.then_some(Self {
            bytes,
            bits,
            blocks,
            dc,
            ac,
            last: [0; 4],
            interval,
            until_restart,
            next_restart: 0,
        })
    }

    /// How many bytes of the file are behind the reader: fewer than eight of them are still to be decoded,
    /// and there is no marker but restarts among them.
    pub fn position(&self) -> usize {
        self.bits.at
    }

    /// The next MCU's coefficients, added to zeroed blocks; `block` says where each goes, if anywhere.
    #[inline(always)]
    pub fn mcu<'b>(
        &mut self,
        mut block: impl FnMut(usize) -> Option<&'b mut Block>,
    ) -> Result<(), Irregular> {
        if self.interval > 0 {
            if self.until_restart == 0 {
                self.restart()?;
            }
            self.until_restart -= 1;
        }
        let mut bits = self.bits;
        for (i, coding) in self.blocks.iter().enumerate() {
            let (Some(dc), Some(ac)) = (&self.dc[coding.dc], &self.ac[coding.ac]) else {
                return Err(Irregular);
            };
            let last = &mut self.last[coding.component];
            match block(i) {
                Some(block) => {
                    *last = last.wrapping_add(bits.difference(self.bytes, dc)?);
                    block[0] = *last as i16;
                    bits.coefficients(self.bytes, ac, |at, value| block[usize::from(NATURAL[at])] = value)?;
                }
                None => {
                    *last = last.wrapping_add(bits.difference(self.bytes, dc)?);
                    bits.coefficients(self.bytes, ac, |_, _| {})?;
                }
            }
        }
        if bits.count < 0 {
            return Err(Irregular);
        }
        self.bits = bits;
        Ok(())
    }

    /// Goes on behind a restart marker, which must be the next one by number and be reached to the byte.
    #[cold]
    fn restart(&mut self) -> Result<(), Irregular> {
        let at = self.bits.at;
        let marker = self.bytes.get(at..at + 2);
        if self.bits.count >= 8 || marker != Some(&[0xff, 0xd0 + self.next_restart]) {
            return Err(Irregular);
        }
        self.bits = Bits { at: at + 2, ..Bits::default() };
        self.last = [0; 4];
        self.next_restart = (self.next_restart + 1) % 8;
        self.until_restart = self.interval;
        Ok(())
    }
}

/// Bits of the scan, the next one highest. Small and copied, so that the loop has it in registers.
#[derive(Clone, Copy, Debug, Default)]
struct Bits {
    /// The byte that comes behind the buffer.
    at: usize,
    /// Behind the bits that count stand zeros, or bits that the next refill brings again.
    buffer: u64,
    /// Bits that count; fewer than none when more were taken than there are in front of a marker.
    count: i32,
}

/// Where the file ends this near, with no marker in front, libjpeg may ask for more bytes than the codes need,
/// and the file is cut short to it; it looks eight bytes ahead, each of which may be stuffed.
const AHEAD: usize = 32;
/// A code has 16 bits at the most, and as many may follow it.
const ENOUGH: i32 = 32;

impl Bits {
    /// Sees to it that there are enough bits for one code and what follows it, but in front of a marker.
    #[inline(always)]
    fn refill(&mut self, bytes: &[u8]) -> Result<(), Irregular> {
        if self.count >= ENOUGH {
            return Ok(());
        }
        if let Some(ahead) = bytes.get(self.at..self.at + AHEAD)
            && let Some(next) = ahead.first_chunk()
            && self.count >= 0
        {
            let next = u64::from_be_bytes(*next);
            // A byte is 0xff where its complement is zero.
            if (!next).wrapping_sub(0x0101_0101_0101_0101) & next & 0x8080_8080_8080_8080 == 0 {
                self.buffer |= next >> self.count;
                let more = (63 - self.count) / 8;
                self.at += more as usize;
                self.count += more * 8;
                return Ok(());
            }
        }
        *self = self.refilled_by_bytes(bytes)?;
        Ok(())
    }

    #[inline(never)]
    fn refilled_by_bytes(mut self, bytes: &[u8]) -> Result<Self, Irregular> {
        let ahead = bytes.get(self.at..).unwrap_or_default();
        if ahead.len() < AHEAD && next_marker(ahead).is_none() {
            return Err(Irregular);
        }
        while (0..=56).contains(&self.count) {
            let byte = match bytes.get(self.at..) {
                Some([0xff, 0, ..]) => {
                    self.at += 2;
                    0xff
                }
                // A marker; what is in front of it may be enough.
                Some([0xff, 1..=0xfe, ..]) => break,
                Some([0xff, ..] | []) | None => return Err(Irregular),
                Some([byte, ..]) => {
                    self.at += 1;
                    *byte
                }
            };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
        Ok(self)
    }

    #[inline(always)]
    fn drop(&mut self, count: u32) {
        self.buffer <<= count;
        self.count -= count as i32;
    }

    #[inline(always)]
    fn number(&mut self, size: u32) -> i32 {
        // In two steps, since none of the bits may be asked for.
        let number = (self.buffer >> 1 >> (63 - size)) as u32;
        self.drop(size);
        extend(number, size)
    }

    /// How far a DC coefficient is from the last one.
    #[inline(always)]
    fn difference(&mut self, bytes: &[u8], table: &Table) -> Result<i32, Irregular> {
        self.refill(bytes)?;
        let entry = table.look_up(self.buffer);
        self.drop(entry.bits());
        if entry.has_value() {
            return Ok(entry.value());
        }
        let size = self.symbol(table, entry)?;
        Ok(self.number(size))
    }

    /// The AC coefficients of a block, each with its place in coded order.
    #[inline(always)]
    fn coefficients(
        &mut self,
        bytes: &[u8],
        table: &Table,
        mut set: impl FnMut(usize, i16),
    ) -> Result<(), Irregular> {
        let mut at = 1;
        while at < 64 {
            self.refill(bytes)?;
            let entry = table.look_up(self.buffer);
            self.drop(entry.bits());
            let value = if entry.has_value() {
                at += entry.run();
                if at > 63 {
                    return if entry.is_end_of_block() { Ok(()) } else { Err(Irregular) };
                }
                entry.value()
            } else {
                let symbol = self.symbol(table, entry)?;
                let (run, size) = (symbol as usize >> 4, symbol & 15);
                if size == 0 && run < 15 {
                    return Ok(());
                }
                at += run;
                if at > 63 {
                    return Err(Irregular);
                }
                self.number(size)
            };
            set(at, value as i16);
            at += 1;
        }
        Ok(())
    }

    /// The symbol of a code that was looked up without its value, or is too long to be looked up.
    #[inline(always)]
    fn symbol(&mut self, table: &Table, entry: Entry) -> Result<u32, Irregular> {
        if let Some(symbol) = entry.symbol() {
            return Ok(symbol);
        }
        let (symbol, bits) = table.long_code(self.buffer).ok_or(Irregular)?;
        self.drop(bits);
        Ok(symbol)
    }
}
