//! The two passes over a stream of rows, with a ring of as many rows as the vertical filter is tall.

use super::kernels::{HorizontalPass, Pixel, VerticalPass, stride};
use super::weights::Weights;
use crate::error::Result;
use crate::pixels::{BLOCK_ROWS, RowBlock, Rows};
use crate::simd::Level;

/// Which pass comes first; each rounds to bytes, so the order shows in the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Each source row is resized as it arrives.
    HorizontalFirst,
    /// Source rows are combined as they arrive, and the result is resized.
    VerticalFirst,
}

/// Buffers that outlive an image.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    ring: Vec<u8>,
    wide: Vec<u8>,
    done: Vec<u8>,
}

/// A resize in two passes, for the rows and columns that survive a crop.
#[derive(Debug)]
pub(crate) struct TwoPass {
    horizontal: HorizontalPass,
    vertical: VerticalPass,
    rows: Weights,
    order: Order,
    in_bytes: usize,
    out_bytes: usize,
}

impl TwoPass {
    pub fn new(level: Level, columns: &Weights, rows: Weights, pixel: Pixel, order: Order) -> Self {
        Self {
            horizontal: HorizontalPass::new(level, columns, pixel),
            vertical: VerticalPass::new(level, &rows),
            order,
            in_bytes: columns.inputs().len() * pixel.bytes,
            out_bytes: columns.len() * pixel.channels,
            rows,
        }
    }

    pub fn order(&self) -> Order {
        self.order
    }

    /// An upper estimate of the bytes that the buffers take.
    pub fn memory(&self) -> u64 {
        let row = match self.order {
            Order::HorizontalFirst => self.horizontal.stride(),
            Order::VerticalFirst => stride(self.in_bytes),
        };
        (self.rows.max_taps() + 3 * BLOCK_ROWS) as u64 * row as u64
    }

    /// Feeds `source` through both passes and hands each finished row to `sink`, top to bottom.
    pub fn run(
        &self,
        source: &mut dyn Rows,
        scratch: &mut Scratch,
        sink: impl FnMut(usize, &mut [u8]),
    ) -> Result<()> {
        match self.order {
            Order::HorizontalFirst => self.horizontal_first(source, scratch, sink),
            Order::VerticalFirst => self.vertical_first(source, scratch, sink),
        }
    }

    fn horizontal_first(
        &self,
        source: &mut dyn Rows,
        scratch: &mut Scratch,
        mut sink: impl FnMut(usize, &mut [u8]),
    ) -> Result<()> {
        let mut ring = Ring::new(&mut scratch.ring, self.rows.max_taps(), self.horizontal.stride());
        let done = grow(&mut scratch.done, ring.stride);
        let mut unused = Vec::with_capacity(self.rows.max_taps());
        for (y, (start, taps)) in self.rows.iter().enumerate() {
            while ring.have < start + taps.len() {
                let count = (self.rows.inputs().len() - ring.have).min(BLOCK_ROWS);
                let block = source.next(count)?;
                self.horizontal.run(&block, count, ring.next_block(count));
            }
            let rows = ring.rows(start, taps.len(), unused);
            self.vertical.run(y, &rows, done, self.out_bytes);
            unused = emptied(rows);
            sink(y, &mut done[..self.out_bytes]);
        }
        Ok(())
    }

    fn vertical_first(
        &self,
        source: &mut dyn Rows,
        scratch: &mut Scratch,
        mut sink: impl FnMut(usize, &mut [u8]),
    ) -> Result<()> {
        let mut ring = Ring::new(&mut scratch.ring, self.rows.max_taps(), stride(self.in_bytes));
        let wide = grow(&mut scratch.wide, BLOCK_ROWS * ring.stride);
        let done = grow(&mut scratch.done, BLOCK_ROWS * self.horizontal.stride());
        let mut unused = Vec::with_capacity(self.rows.max_taps());
        for (y, (start, taps)) in self.rows.iter().enumerate() {
            while ring.have < start + taps.len() {
                let count = (self.rows.inputs().len() - ring.have).min(BLOCK_ROWS);
                let block = source.next(count)?;
                let stride = ring.stride;
                for (row, slot) in block[..count].iter().zip(ring.next_block(count).chunks_exact_mut(stride))
                {
                    slot[..row.len()].copy_from_slice(row);
                }
            }
            let slot = &mut wide[y % BLOCK_ROWS * ring.stride..][..ring.stride];
            let rows = ring.rows(start, taps.len(), unused);
            self.vertical.run(y, &rows, slot, self.in_bytes);
            unused = emptied(rows);
            let count = y % BLOCK_ROWS + 1;
            if count == BLOCK_ROWS || y + 1 == self.rows.len() {
                let block: RowBlock<'_> = std::array::from_fn(|i| {
                    if i < count { &wide[i * ring.stride..][..self.in_bytes] } else { &[][..] }
                });
                self.horizontal.run(&block, count, done);
                for (i, row) in done.chunks_exact_mut(self.horizontal.stride()).take(count).enumerate() {
                    sink(y + 1 - count + i, &mut row[..self.out_bytes]);
                }
            }
        }
        Ok(())
    }
}

/// The last rows of a stream.
struct Ring<'a> {
    buffer: &'a mut [u8],
    stride: usize,
    capacity: usize,
    have: usize,
}

impl<'a> Ring<'a> {
    fn new(buffer: &'a mut Vec<u8>, taps: usize, stride: usize) -> Self {
        // A block may bring up to three rows more than are asked for. The capacity is a multiple of
        // the block, so that no block wraps around.
        let capacity = (taps + BLOCK_ROWS - 1).next_multiple_of(BLOCK_ROWS);
        Self { buffer: grow(buffer, capacity * stride), stride, capacity, have: 0 }
    }

    /// Room for the next rows; all blocks but the last are full.
    fn next_block(&mut self, count: usize) -> &mut [u8] {
        let slot = self.have % self.capacity;
        self.have += count;
        &mut self.buffer[slot * self.stride..][..BLOCK_ROWS * self.stride]
    }

    /// The rows from `start` on, in an empty list of which only the memory counts.
    fn rows<'s>(&'s self, start: usize, count: usize, unused: Vec<&'s [u8]>) -> Vec<&'s [u8]> {
        let row = |y: usize| &self.buffer[y % self.capacity * self.stride..][..self.stride];
        let mut rows = unused;
        rows.extend((start..start + count).map(row));
        rows
    }
}

/// An empty list in the memory of another one, whose rows may be gone: so that no output row takes memory of its own.
fn emptied<'r>(mut rows: Vec<&[u8]>) -> Vec<&'r [u8]> {
    rows.clear();
    rows.into_iter().map(|_| [].as_slice()).collect()
}

/// The first `len` bytes of a buffer that grows and is never shrunk here.
fn grow(buffer: &mut Vec<u8>, len: usize) -> &mut [u8] {
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    &mut buffer[..len]
}
