//! The Huffman-coded scan of a sequential JPEG, decoded faster than by libjpeg.
//!
//! Reading the codes takes more than half of a JPEG's time, nearly all of it waiting: where a code begins is known
//! once the one before it has been looked up. So that way is kept short: an entry of a table says at once how many
//! bits a code and its number take, mostly those of two codes, the buffer is refilled once for two look-ups, and nothing
//! branches but at the end of a block and for rare long codes.
//!
//! This reader takes regular scans alone: at anything else (bytes that run out, a marker too early, a code that no
//! table has, a run beyond a block) it stops, and libjpeg, whose mending of such files is what Pillow shows,
//! starts over from the beginning.

use std::fs::File;
use std::sync::Arc;

use super::bits::{Bits, Irregular};
use super::feed::{End, Feed};
use super::header::Header;
use super::huffman::{Kind, MOST_BITS, Table};
use super::pairs::{Block, Pairs};

/// Bytes of a block at the most.
const MOST_BYTES: usize = 64 * MOST_BITS as usize / 8;

/// How a block of an MCU is coded: its component, and its tables.
#[derive(Clone, Copy, Debug)]
struct Coding {
    component: usize,
    dc: usize,
    ac: usize,
}

/// Where the blocks of an MCU go.
pub(super) trait Target {
    type Block<'b>: TargetBlock
    where
        Self: 'b;

    /// The block of that number.
    fn block(&mut self, number: usize) -> Self::Block<'_>;
}

/// A block of a [`Target`].
pub(super) trait TargetBlock: Block {
    /// Sets DC, after all other coefficients, of which `last` is the place of the last one in coded order.
    fn end(self, dc: i16, last: u8);
}

/// Nowhere.
pub(super) struct Dropped;

impl Target for Dropped {
    type Block<'b> = Self;

    #[inline(always)]
    fn block(&mut self, _number: usize) -> Self {
        Self
    }
}

impl Block for Dropped {
    #[inline(always)]
    fn set(&mut self, _at: usize, _value: i16) {}
}

impl TargetBlock for Dropped {
    #[inline(always)]
    fn end(self, _dc: i16, _last: u8) {}
}

/// The Huffman tables of a file's first scan, if it is one that is read here: sequential, coded by Huffman, of all
/// components.
#[derive(Clone, Debug)]
pub(super) struct ScanTables {
    /// Each of them once.
    dc: Arc<[Table]>,
    ac: Arc<[Pairs]>,
    /// The places of those of DC and AC for each component of the scan.
    of_components: Arc<[(usize, usize)]>,
}

impl ScanTables {
    pub fn new(header: &Header) -> Option<Self> {
        if header.frame.arithmetic || header.has_several_scans() {
            return None;
        }
        let components = &header.scan.components;
        let (dc, of_dc) = each_once(components.iter().map(|component| component.dc), |number| {
            Table::new(header.tables.dc.get(number)?.as_ref()?, Kind::Dc)
        })?;
        let (ac, of_ac) = each_once(components.iter().map(|component| component.ac), |number| {
            Pairs::new(header.tables.ac.get(number)?.as_ref()?)
        })?;
        Some(Self { dc, ac, of_components: of_dc.into_iter().zip(of_ac).collect() })
    }
}

/// The table of each number, made once, and for each of the numbers the place of its table.
fn each_once<T>(
    numbers: impl Iterator<Item = usize>,
    make: impl Fn(usize) -> Option<T>,
) -> Option<(Arc<[T]>, Vec<usize>)> {
    let (mut tables, mut known) = (Vec::new(), Vec::new());
    let place = |number| {
        let place = known.iter().position(|&other| other == number);
        place.or_else(|| {
            tables.push(make(number)?);
            known.push(number);
            Some(known.len() - 1)
        })
    };
    let places = numbers.map(place).collect::<Option<_>>()?;
    Some((tables.into(), places))
}

/// A scan as it is read.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    feed: Feed<'a>,
    bits: Bits,
    /// The blocks of an MCU in their order.
    blocks: Vec<Coding>,
    tables: ScanTables,
    /// The last DC coefficient of each component.
    last: [i32; 4],
    /// MCUs between restarts; 0 for none.
    interval: u32,
    until_restart: u32,
    next_restart: u8,
}

impl<'a> Scan<'a> {
    /// The first scan of a file. Where `bytes` are the file's beginning, `file` has the rest.
    pub fn new(header: &Header, tables: ScanTables, bytes: &'a [u8], file: Option<&'a File>) -> Self {
        let mut blocks = Vec::new();
        for (component, &(dc, ac)) in header.scan.components.iter().zip(&*tables.of_components) {
            let factors = header.frame.components[component.index].factors;
            // The MCU of a single component is a block.
            let count = if header.scan.components.len() == 1 { 1 } else { factors.0 * factors.1 };
            let coding = Coding { component: component.index, dc, ac };
            blocks.extend(std::iter::repeat_n(coding, count));
        }
        Self {
            feed: Feed::new(bytes, header.scan.data, file),
            bits: Bits::default(),
            blocks,
            tables,
            last: [0; 4],
            interval: header.restart_interval,
            until_restart: header.restart_interval,
            next_restart: 0,
        }
    }

    /// The same scan read from byte `at` of the file, as if an MCU began there: after the restart marker of the number
    /// `restart`, or inside an interval, which the next marker ends.
    pub fn from(&self, bytes: &'a [u8], at: usize, restart: Option<u8>) -> Self {
        Self {
            feed: Feed::new(bytes, at, None),
            bits: Bits::default(),
            blocks: self.blocks.clone(),
            tables: self.tables.clone(),
            last: [0; 4],
            interval: if restart.is_some() { self.interval } else { 0 },
            until_restart: self.interval,
            next_restart: restart.map_or(0, following),
        }
    }

    /// Whether there are restart markers to come.
    pub fn has_restarts(&self) -> bool {
        self.interval > 0
    }

    /// Whether the next `count` MCUs of `other`, which begins with the same bit, follow one another here as well: they do if
    /// both know of the same restarts, or if there are none among them.
    pub fn follows(&self, other: &Self, count: usize) -> bool {
        self.interval == other.interval || count <= self.until_restart as usize
    }

    /// Blocks of an MCU.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Bits that the MCUs so far have taken, without stuffed zeros.
    pub fn taken(&self) -> usize {
        8 * (self.feed.dropped() + self.bits.at) - self.bits.buffered()
    }

    /// The bytes of the file after those in the buffer, which has the bits that are returned as well; `None` where the
    /// file is not held or its codes have ended.
    pub fn left(&self) -> Option<(usize, usize)> {
        Some((self.feed.left(self.bits.at)?, self.bits.buffered()))
    }

    /// Begins anew after an MCU that could not be read, and after all bytes that were looked at for it; `false` where the
    /// scan ends before.
    pub fn leave_mcu(&mut self) -> bool {
        let at = self.bits.at + self.blocks.len() * MOST_BYTES;
        let is_there = at <= self.feed.len();
        if is_there {
            self.bits = Bits::from(at);
        }
        is_there
    }

    /// Goes on where `other` stands, but for the last DC coefficients.
    pub fn go_on_from(&mut self, other: Self) {
        (self.feed, self.bits) = (other.feed, other.bits);
    }

    /// Takes the last DC coefficients to be zero, so that those to come are told from here on.
    pub fn forget_dc(&mut self) {
        self.last = [0; 4];
    }

    /// Hands out an MCU that another reader had with its last DC coefficients forgotten: `next` gives each block in its
    /// order, and returns its DC and the place of its last coefficient.
    #[inline(always)]
    pub fn kept_mcu<T: Target>(
        &mut self,
        target: &mut T,
        mut next: impl FnMut(&mut T::Block<'_>) -> (i16, u8),
    ) {
        if self.interval > 0 {
            if self.until_restart == 0 {
                self.begin_interval();
            }
            self.until_restart -= 1;
        }
        let before = self.last;
        for (i, coding) in self.blocks.iter().enumerate() {
            let mut block = target.block(i);
            let (dc, end) = next(&mut block);
            let last = &mut self.last[coding.component & 3];
            *last = before[coding.component & 3].wrapping_add(dc.into());
            block.end(*last as i16, end);
        }
    }

    /// The marker that ends the scan.
    pub fn marker_ahead(&mut self) -> Option<u8> {
        self.feed.marker_ahead()
    }

    /// Passes the restart marker that the next MCU comes after, if it does.
    #[inline(always)]
    pub fn begin_mcu(&mut self) -> Result<(), Irregular> {
        if self.interval > 0 && self.until_restart == 0 {
            self.restart()?;
        }
        Ok(())
    }

    /// Reads the next MCU.
    #[inline(always)]
    pub fn mcu(&mut self, target: &mut impl Target) -> Result<(), Irregular> {
        if self.interval > 0 {
            self.begin_mcu()?;
            self.until_restart -= 1;
        }
        let least = self.blocks.len() * MOST_BYTES + AHEAD;
        if self.feed.end().is_none() && self.bits.at + least > self.feed.len() {
            self.feed.fill(self.bits.at, least);
            self.bits.at = 0;
        }
        const { assert!(2 * MOST_BITS <= Bits::REFILLED) };
        let mut bits = self.bits;
        let window = self.feed.window();
        for (i, coding) in self.blocks.iter().enumerate() {
            let (dc, ac) = (&self.tables.dc[coding.dc], &self.tables.ac[coding.ac]);
            let last = &mut self.last[coding.component & 3];
            let mut block = target.block(i);
            bits.refill(window)?;
            let (entry, coded) = bits.next(dc)?;
            *last = last.wrapping_add(entry.number(coded));
            let end = ac.read(&mut bits, window, &mut block)?;
            block.end(*last as i16, end);
        }
        let near = self.feed.end() == Some(End::Unclear) && bits.at + AHEAD > self.feed.len();
        if near || bits.left(self.feed.len()).is_none() {
            return Err(Irregular);
        }
        self.bits = bits;
        Ok(())
    }

    /// Whether DC coefficients are ones that libjpeg takes: to it a sum beyond 32 bits is an error. To be called
    /// once for a row of MCUs, which adds less than 2^27.
    pub fn check(&self) -> Result<(), Irregular> {
        if self.last.iter().all(|last| last.unsigned_abs() < 1 << 30) { Ok(()) } else { Err(Irregular) }
    }

    /// Goes on after a restart marker, which must be the next one by number and be reached to the byte.
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
        self.begin_interval();
        Ok(())
    }

    /// Counts from a restart marker on.
    fn begin_interval(&mut self) {
        self.last = [0; 4];
        self.next_restart = following(self.next_restart);
        self.until_restart = self.interval;
    }
}

/// The number of the restart marker after that of a number.
fn following(restart: u8) -> u8 {
    (restart + 1) % 8
}

/// Where the bytes end this near without a marker, libjpeg may ask for more of them than the codes need, and the
/// file is cut short to it; it looks eight bytes ahead.
const AHEAD: usize = 32;
