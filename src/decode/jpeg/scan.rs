//! The Huffman-coded scan of a sequential JPEG, decoded faster than by libjpeg.
//!
//! Reading the codes takes more than half of a JPEG's time, nearly all of it waiting: where a code begins is known
//! once the one in front of it has been looked up. So that way is kept short: an entry of a table says at once how
//! many bits a code and its number take, the buffer is refilled once for two codes, and nothing branches but at
//! the end of a block and for rare long codes.
//!
//! This reader takes regular scans alone: at anything else (bytes that run out, a marker too early, a code that no
//! table has, a run beyond a block) it stops, and libjpeg, whose mending of such files is what Pillow shows,
//! starts over from the beginning.

use super::feed::{End, Feed};
use super::huffman::{END_OF_BLOCK, MOST_BITS, Table};

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

/// Bytes of a block at the most.
const MOST_BYTES: usize = 64 * MOST_BITS as usize / 8;

/// How a block of an MCU is coded: its component, and its tables by number. All are less than four.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coding {
    pub component: usize,
    pub dc: usize,
    pub ac: usize,
}

/// The tables of a scan by their numbers.
pub(super) type Tables = [Table; 4];

/// A scan as it is read.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    feed: Feed<'a>,
    bits: Bits,
    /// The blocks of an MCU in their order.
    blocks: Vec<Coding>,
    dc: Box<Tables>,
    ac: Box<Tables>,
    /// The last DC coefficient of each component.
    last: [i32; 4],
    /// MCUs between restarts; 0 for none.
    interval: u32,
    until_restart: u32,
    next_restart: u8,
}

impl<'a> Scan<'a> {
    /// A scan whose data `feed` gives.
    pub fn new(feed: Feed<'a>, blocks: Vec<Coding>, dc: Box<Tables>, ac: Box<Tables>, interval: u32) -> Self {
        let bits = Bits::default();
        let until_restart = interval;
        Self { feed, bits, blocks, dc, ac, last: [0; 4], interval, until_restart, next_restart: 0 }
    }

    /// Bytes behind what has been decoded, in front of which there is no marker but restarts; `None` where the
    /// file is not held.
    #[inline(always)]
    pub fn rest(&self) -> Option<&'a [u8]> {
        self.feed.rest()
    }

    /// The marker that ends the scan.
    pub fn marker_ahead(&mut self) -> Option<u8> {
        self.feed.marker_ahead()
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
        let least = self.blocks.len() * MOST_BYTES + AHEAD;
        if self.feed.end().is_none() && self.bits.at + least > self.feed.len() {
            self.feed.fill(self.bits.at, least);
            self.bits.at = 0;
        }
        let mut bits = self.bits;
        let window = self.feed.window();
        for (i, coding) in self.blocks.iter().enumerate() {
            let (dc, ac) = (&self.dc[coding.dc & 3], &self.ac[coding.ac & 3]);
            let last = &mut self.last[coding.component & 3];
            match block(i) {
                Some(block) => bits
                    .block(window, dc, ac, last, |at, value| block[usize::from(NATURAL[at & 63])] = value)?,
                None => bits.block(window, dc, ac, last, |_, _| {})?,
            }
        }
        let near = self.feed.end() == Some(End::Unclear) && bits.at + AHEAD > self.feed.len();
        if near || bits.left(self.feed.len()).is_none() {
            return Err(Irregular);
        }
        self.bits = bits;
        Ok(())
    }

    /// Goes on behind a restart marker, which must be the next one by number and be reached to the byte.
    #[cold]
    fn restart(&mut self) -> Result<(), Irregular> {
        if self.feed.end().is_none() {
            self.feed.fill(self.bits.at, AHEAD);
            self.bits.at = 0;
        }
        if self.bits.left(self.feed.len()).is_none_or(|left| left >= 8) {
            return Err(Irregular);
        }
        self.feed.pass(0xd0 + self.next_restart).ok_or(Irregular)?;
        self.feed.fill(self.feed.len(), 0);
        self.bits = Bits::default();
        self.last = [0; 4];
        self.next_restart = (self.next_restart + 1) % 8;
        self.until_restart = self.interval;
        Ok(())
    }
}

/// Bits of the scan, the next one highest. Small and copied, so that the loop has it in registers.
#[derive(Clone, Copy, Debug, Default)]
struct Bits {
    /// The byte of the window that comes behind the buffer.
    at: usize,
    /// Behind the bits that count stand zeros, or bits that the next refill brings again.
    buffer: u64,
    /// Bits that count.
    count: u8,
}

/// Where the bytes end this near without a marker, libjpeg may ask for more of them than the codes need, and the
/// file is cut short to it; it looks eight bytes ahead.
const AHEAD: usize = 32;

impl Bits {
    /// Sees to it that there are at least 56 bits, which is enough for two codes and what follows them.
    #[inline(always)]
    fn refill(&mut self, window: &[u8]) -> Result<(), Irregular> {
        const { assert!(2 * MOST_BITS <= 56) };
        let next = window.get(self.at..).and_then(<[u8]>::first_chunk).ok_or(Irregular)?;
        self.buffer |= u64::from_be_bytes(*next) >> self.count;
        self.at += usize::from((63 - self.count) / 8);
        self.count |= 56;
        Ok(())
    }

    /// The next code's step and number.
    #[inline(always)]
    fn next(&mut self, table: &Table) -> Result<(usize, i32), Irregular> {
        let entry = table.look_up(self.buffer).ok_or(Irregular)?;
        let number = entry.number(self.buffer);
        self.buffer = entry.drop_from(self.buffer);
        self.count = self.count.wrapping_sub(entry.bits());
        Ok((entry.step(), number))
    }

    /// The coefficients of a block, with the number that the first one is to be added to.
    #[inline(always)]
    fn block(
        &mut self,
        window: &[u8],
        dc: &Table,
        ac: &Table,
        last: &mut i32,
        mut set: impl FnMut(usize, i16),
    ) -> Result<(), Irregular> {
        self.refill(window)?;
        let (_, difference) = self.next(dc)?;
        *last = last.wrapping_add(difference);
        set(0, *last as i16);
        let mut at = 0;
        // Whether the block is over.
        let mut coefficient = |bits: &mut Self| {
            let (step, number) = bits.next(ac)?;
            at += step;
            if at > 63 {
                return if step == END_OF_BLOCK { Ok(true) } else { Err(Irregular) };
            }
            set(at, number as i16);
            Ok(at == 63)
        };
        if coefficient(self)? {
            return Ok(());
        }
        loop {
            self.refill(window)?;
            if coefficient(self)? || coefficient(self)? {
                return Ok(());
            }
        }
    }

    /// The bits that are left of a window of `len` bytes; `None` where more than those were taken.
    #[inline(always)]
    fn left(&self, len: usize) -> Option<usize> {
        (8 * len + usize::from(self.count)).checked_sub(8 * self.at)
    }
}
