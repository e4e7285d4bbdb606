//! The bits of a deflate stream over a run of chunks, the lowest of a byte first.

use super::super::chunks::Chunks;

/// Bits that a refill leaves at hand, unless the data end before.
pub(super) const FULL: u32 = 56;
/// Bytes of the present chunk that two refills take, with what they look at.
pub(super) const AHEAD: usize = 16;

/// A place in the data. Clones go on independently.
#[derive(Clone)]
pub(super) struct Bits<'a> {
    chunks: Chunks<'a>,
    /// Bytes from the first chunk to the end of the present one.
    end: u64,
    pub near: Near<'a>,
}

/// The bits at hand and the rest of the present chunk.
#[derive(Clone, Copy)]
pub(super) struct Near<'a> {
    chunk: &'a [u8],
    /// The next bits; those from `count` on are some that `chunk` has, too.
    pub word: u64,
    pub count: u32,
}

impl Near<'_> {
    /// Whether [`refill`](Self::refill) can be called twice.
    pub fn is_long(&self) -> bool {
        self.chunk.len() >= AHEAD
    }

    /// Has [`FULL`] bits at hand, and all of `word`, if the chunk has 8 bytes.
    #[inline(always)]
    pub fn refill(&mut self) -> bool {
        let Some(bytes) = self.chunk.first_chunk::<8>() else { return false };
        self.word |= u64::from_le_bytes(*bytes) << self.count;
        self.chunk = &self.chunk[(63 - self.count as usize) / 8..];
        self.count |= FULL;
        true
    }

    #[inline(always)]
    pub fn consume(&mut self, count: u32) {
        self.word >>= count;
        self.count -= count;
    }
}

impl<'a> Bits<'a> {
    /// The bits of `chunks` from the first one on.
    pub fn new(chunks: Chunks<'a>) -> Self {
        Self { chunks, end: 0, near: Near { chunk: &[], word: 0, count: 0 } }
    }

    /// Bits before this place.
    pub fn position(&self) -> u64 {
        (self.end - self.near.chunk.len() as u64) * 8 - u64::from(self.near.count)
    }

    /// Goes to the beginning of a byte that is further on; `false` where the data end before: then it is there.
    pub fn go_to(&mut self, byte: u64) -> bool {
        // The bits at hand are given up: of the present chunk, bytes that they come from are passed already.
        self.near = Near { word: 0, count: 0, ..self.near };
        while self.end <= byte {
            self.near.chunk = &[];
            if !self.next_chunk() {
                return false;
            }
        }
        let passed = self.near.chunk.len().saturating_sub((self.end - byte) as usize);
        self.near.chunk = &self.near.chunk[passed..];
        true
    }

    /// The next bytes, at most `most`, some of them at least unless the data end before; to be asked for between bytes.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        while self.near.chunk.is_empty() {
            if !self.next_chunk() {
                return &[];
            }
        }
        let (bytes, rest) = self.near.chunk.split_at(most.min(self.near.chunk.len()));
        self.near = Near { chunk: rest, word: 0, count: 0 };
        bytes
    }

    /// Has [`FULL`] bits at hand, or all that are left.
    #[inline]
    pub fn refill(&mut self) {
        if !self.near.refill() {
            self.refill_by_bytes();
        }
    }

    #[cold]
    fn refill_by_bytes(&mut self) {
        while self.near.count < FULL {
            if let Some((&byte, rest)) = self.near.chunk.split_first() {
                self.near.word |= u64::from(byte) << self.near.count;
                self.near.count += 8;
                self.near.chunk = rest;
            } else if !self.next_chunk() {
                return;
            }
        }
    }

    /// Goes to the next chunk from the end of this one; `false` where there is none.
    fn next_chunk(&mut self) -> bool {
        let Some(chunk) = self.chunks.next_data() else { return false };
        self.end += chunk.len() as u64;
        self.near.chunk = chunk;
        true
    }

    /// The next `count` bits, at most 32; `None` where the data end before.
    pub fn take(&mut self, count: u32) -> Option<u32> {
        if self.near.count < count {
            self.refill();
        }
        if self.near.count < count {
            return None;
        }
        let bits = self.near.word & ((1 << count) - 1);
        self.near.consume(count);
        Some(bits as u32)
    }

    /// Passes over the rest of a byte of which bits were taken.
    pub fn align(&mut self) {
        self.near.consume(self.near.count % 8);
    }
}
