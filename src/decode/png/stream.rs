//! Inflates the image data of a PNG on one thread, a piece at a time: one zlib stream over a run of chunks.

use fdeflate::{DecompressionError, Decompressor};

use super::chunks::Chunks;
use crate::decode::rows::allocate;
use crate::decode::unfilter::SLACK;
use crate::error::{Error, Result};
use crate::interrupt;

/// The distance in bytes that repeats reach back.
const WINDOW: usize = 1 << 15;
/// Bytes inflated at a time, at least: few enough to stay in the cache.
const PIECE: usize = 1 << 16;
/// Bytes of the data that are inflated at a time, at most: blocks that hold nothing may be many, and the call can be
/// stopped between two steps alone.
const STEP: usize = 1 << 17;
/// Bytes that are taken from the next chunk where those of the present one are too few to go on with.
const JOINED: usize = 64;

/// The bytes that are inflated and not consumed yet, and those they come from.
pub(super) struct Stream<'a> {
    inflater: Decompressor,
    chunks: Chunks<'a>,
    /// The rest of the present chunk.
    chunk: &'a [u8],
    /// The rest of former chunks, too few bytes to go on with.
    tail: Vec<u8>,
    buffer: Vec<u8>,
    /// The bytes in `buffer` that are not consumed yet.
    start: usize,
    end: usize,
    /// Bytes that are still to be inflated.
    missing: usize,
}

impl<'a> Stream<'a> {
    /// An upper bound for the bytes that a stream of `total` bytes holds, of which at most `longest` are asked for
    /// at a time.
    pub fn memory(longest: usize, total: usize) -> usize {
        const TABLES: usize = 32 << 10;
        buffered(longest, total).saturating_add(TABLES)
    }

    /// The stream that begins with the first of `chunks`, and goes on in those after it of the same name.
    pub fn new(chunks: Chunks<'a>, longest: usize, total: usize) -> Result<Self> {
        Ok(Self {
            inflater: Decompressor::new(),
            chunks,
            chunk: &[],
            tail: Vec::new(),
            buffer: allocate("PNG", buffered(longest, total))?,
            start: 0,
            end: 0,
            missing: total,
        })
    }

    /// Bytes that are inflated and not consumed, at least `count` of them, and [`SLACK`] after them.
    pub fn at_least(&mut self, count: usize) -> Result<&[u8]> {
        if self.end - self.start < count {
            self.make_room(count);
        }
        while self.end - self.start < count {
            let room = (self.buffer.len() - SLACK).min(self.end + self.missing);
            let inflated = self.inflate(room)?;
            if inflated == 0 {
                return Err(Error::truncated("PNG", "fewer lines than its header says"));
            }
            self.missing -= inflated;
        }
        Ok(&self.buffer[self.start..self.end + SLACK])
    }

    /// Passes over bytes that were inflated.
    pub fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Checks that the stream ends with its last byte, and that its checksum is right. Pillow accepts some that do
    /// not: they are left to it.
    pub fn finish(&mut self) -> Result<()> {
        while !self.inflater.is_done() {
            if self.inflate(self.end + 1)? > 0 {
                return Err(Error::unsupported(
                    "expected a PNG's data to end with its last line, found more",
                ));
            }
        }
        Ok(())
    }

    /// Makes room for `count` bytes, or better for a piece, and keeps those that are still needed.
    fn make_room(&mut self, count: usize) {
        let wanted = count.max(PIECE).min(self.end - self.start + self.missing);
        if self.start + wanted + SLACK > self.buffer.len() {
            let kept = self.start.min(self.end.saturating_sub(WINDOW));
            self.buffer.copy_within(kept..self.end, 0);
            (self.start, self.end) = (self.start - kept, self.end - kept);
        }
    }

    /// Inflates something into the buffer, up to `limit`, and returns how many bytes; none at the end of the stream.
    fn inflate(&mut self, limit: usize) -> Result<usize> {
        loop {
            interrupt::check()?;
            while self.chunk.is_empty()
                && let Some(chunk) = self.chunks.next_data()
            {
                self.chunk = chunk;
            }
            let kept = self.tail.len();
            let joined = self.chunk.len().min(JOINED);
            let input = if kept == 0 {
                &self.chunk[..self.chunk.len().min(STEP)]
            } else {
                self.tail.extend_from_slice(&self.chunk[..joined]);
                &self.tail
            };
            let step = self.inflater.read(input, &mut self.buffer[..limit], self.end, false);
            let (consumed, produced) = step.map_err(fault)?;
            if consumed >= kept {
                self.chunk = &self.chunk[consumed - kept..];
                self.tail.clear();
            } else {
                self.tail.truncate(kept);
                self.tail.drain(..consumed);
            }
            self.end += produced;
            if produced > 0 || self.inflater.is_done() {
                return Ok(produced);
            }
            if consumed == 0 {
                if joined == 0 {
                    return Err(Error::truncated("PNG", "its data end before its last line"));
                }
                self.tail.extend_from_slice(&self.chunk[..joined]);
                self.chunk = &self.chunk[joined..];
            }
        }
    }
}

/// Bytes of the buffer: a window, what is not consumed, a piece.
fn buffered(longest: usize, total: usize) -> usize {
    let needed = WINDOW.saturating_add(longest).saturating_add(PIECE.max(longest));
    needed.min(total).saturating_add(SLACK)
}

fn fault(error: DecompressionError) -> Error {
    Error::decode("PNG", format_args!("data that break the rules of deflate ({error:?})"))
}
