//! Bits of a scan without stuffed zeros, read from a window of its bytes.

use super::huffman::{Entry, Table};

/// The scan is not regular.
#[derive(Debug)]
pub(super) struct Irregular;

/// Bits of the scan, the next one highest. Small and copied, so that a loop has it in registers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits {
    /// The byte of the window that comes after the buffer.
    pub at: usize,
    /// After the bits that count stand zeros, or bits that the next refill brings again.
    buffer: u64,
    /// Bits that count, in the lowest six bits.
    count: u32,
}

impl Bits {
    /// Bits that there are at least after a refill.
    pub const REFILLED: u32 = 56;

    /// Those from byte `at` of the window on.
    pub fn from(at: usize) -> Self {
        Self { at, ..Self::default() }
    }

    /// Bits in the buffer.
    pub fn buffered(&self) -> usize {
        (self.count & 63) as usize
    }

    /// Sees to it that there are at least [`REFILLED`](Self::REFILLED) bits.
    #[inline(always)]
    pub fn refill(&mut self, window: &[u8]) -> Result<(), Irregular> {
        let next = window.get(self.at..).and_then(<[u8]>::first_chunk).ok_or(Irregular)?;
        self.buffer |= u64::from_be_bytes(*next) >> (self.count & 63);
        self.at += (!self.count >> 3 & 7) as usize;
        self.count |= Self::REFILLED;
        Ok(())
    }

    /// The entry of the next code, which stays, as [`Table::look_up`] has it.
    #[inline(always)]
    pub fn look_up(&self, table: &Table) -> Entry {
        table.look_up(self.buffer)
    }

    /// Takes what an entry stands for, and returns the bits that begin with it.
    #[inline(always)]
    pub fn take_entry(&mut self, entry: Entry) -> u64 {
        let buffer = self.buffer;
        self.buffer = entry.drop_from(buffer);
        self.count = self.count.wrapping_sub(entry.bits().into());
        buffer
    }

    /// The bits to come, of which those that count are right.
    #[inline(always)]
    pub fn ahead(&self) -> u64 {
        self.buffer
    }

    /// Drops as many bits as the lowest six bits of `count` say.
    #[inline(always)]
    pub fn drop(&mut self, count: u32) {
        self.buffer = self.buffer.wrapping_shl(count);
        self.count = self.count.wrapping_sub(count);
    }

    /// Takes back the last [`drop`](Self::drop), before which `buffer` was ahead.
    #[inline(always)]
    pub fn put_back(&mut self, buffer: u64, count: u32) {
        self.buffer = buffer;
        self.count = self.count.wrapping_add(count);
    }

    /// The next code's entry, and the bits that begin with it.
    #[inline(always)]
    pub fn next(&mut self, table: &Table) -> Result<(Entry, u64), Irregular> {
        let entry = self.look_up(table);
        if entry.is_none() {
            return Err(Irregular);
        }
        Ok((entry, self.take_entry(entry)))
    }

    /// The next bits, 56 at the most.
    #[inline(always)]
    pub fn take(&mut self, count: u32) -> u64 {
        // Turned to the end and cut off: a double shift, of which another form would be made, takes longer.
        let value = self.buffer.rotate_left(count) & !(u64::MAX << count);
        self.buffer = self.buffer.wrapping_shl(count);
        self.count = self.count.wrapping_sub(count);
        value
    }

    /// The bits that are left of a window of `len` bytes; `None` where more than those were taken.
    #[inline(always)]
    pub fn left(&self, len: usize) -> Option<usize> {
        (8 * len + (self.count & 63) as usize).checked_sub(8 * self.at)
    }
}
