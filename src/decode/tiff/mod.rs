//! The first image of a TIFF, in strips or tiles: grey, RGB, with alpha or a palette, of up to 8 bits. All other
//! kinds, and what is damaged, are left to Pillow.

mod codec;
mod directory;
mod facts;

use std::ops::Range;

use codec::{Codec, Compression, Predictor};
use facts::Facts;

use super::decoder::{Decoder, Input, Rules};
use super::lzw;
use super::packed::Unpack;
use super::rows::allocate;
use crate::error::Result;
use crate::interrupt;
use crate::pixels::{Header, Image, RowBlock, RowBuffer, Rows, Window};
use crate::simd::Level;

/// Reads the header of a TIFF.
pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    let file = input.whole()?;
    Ok(Box::new(Tiff { facts: Facts::read(file, &rules.limits)?, file, level: rules.level }))
}

struct Tiff<'a> {
    facts: Facts<'a>,
    file: &'a [u8],
    level: Level,
}

impl<'a> Tiff<'a> {
    /// The bytes of a row, where they stand in the file as they are.
    fn in_file(&self, y: usize) -> Result<&'a [u8]> {
        let strip = self.facts.part(self.file, y / self.facts.part_height)?;
        Ok(&strip[y % self.facts.part_height * self.facts.row..][..self.facts.row])
    }

    /// Whether rows stand in the file as they are.
    fn is_in_file(&self) -> bool {
        self.facts.compression == Compression::None && !self.facts.tiled
    }

    /// Bytes of the buffers: of a strip or a tile that is decoded, and of a row of tiles.
    fn buffers(&self) -> (usize, usize) {
        let Facts { compression, tiled, part_row, part_height, row, .. } = self.facts;
        let part = if compression == Compression::None {
            0
        } else {
            part_row.saturating_mul(part_height).saturating_add(lzw::Output::EXTRA)
        };
        let band = if tiled { row.saturating_mul(part_height.min(self.facts.header.height)) } else { 0 };
        (part, band)
    }
}

impl Decoder for Tiff<'_> {}

impl Image for Tiff<'_> {
    fn header(&self) -> &Header {
        &self.facts.header
    }

    fn memory(&self) -> u64 {
        let (part, band) = self.buffers();
        let row = if self.facts.differences { self.facts.part_row } else { 0 };
        band.saturating_add(part).saturating_add(row).saturating_add(codec::TABLES) as u64
            + RowBuffer::memory(&self.facts.header)
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        let columns = window.columns.clone();
        let bytes = self.facts.header.layout.bytes();
        let left = window.rows.len();
        if self.is_in_file() && matches!(self.facts.unpack, Unpack::Bytes) {
            let range = columns.start * bytes..columns.end * bytes;
            return Ok(Box::new(InFile { tiff: self, range, next: window.rows.start }));
        }
        let (part, band) = self.buffers();
        Ok(Box::new(TiffRows {
            tiff: self,
            codec: Codec::new(self.facts.compression),
            predictor: match self.facts.differences {
                true => Some(Predictor::new(self.level, self.facts.part_row, self.facts.pixel_bytes)?),
                false => None,
            },
            part: lzw::Output::new(allocate("TIFF", part.max(lzw::Output::EXTRA))?),
            band: allocate("TIFF", band)?,
            decoded: 0,
            buffer: RowBuffer::new(columns.len() * bytes)?,
            columns,
            next: window.rows.start,
            left,
        }))
    }
}

/// Rows that stand in the file as they are.
struct InFile<'s, 'a> {
    tiff: &'s Tiff<'a>,
    /// The wanted bytes of a row.
    range: Range<usize>,
    next: usize,
}

impl Rows for InFile<'_, '_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        let mut block = RowBlock::default();
        for row in &mut block[..count] {
            *row = &self.tiff.in_file(self.next)?[self.range.clone()];
            self.next += 1;
        }
        Ok(block)
    }
}

/// Rows that are decoded, a strip or a row of tiles at a time.
struct TiffRows<'s, 'a> {
    tiff: &'s Tiff<'a>,
    codec: Codec,
    /// For pixels that are stored as differences.
    predictor: Option<Predictor>,
    /// The strip or tile that was decoded last.
    part: lzw::Output,
    /// The row of tiles that was decoded last.
    band: Vec<u8>,
    /// Strips, or rows of tiles, that were decoded.
    decoded: usize,
    buffer: RowBuffer,
    columns: Range<usize>,
    next: usize,
    left: usize,
}

impl TiffRows<'_, '_> {
    /// Decodes the next strip or row of tiles.
    fn decode(&mut self) -> Result<()> {
        let facts = &self.tiff.facts;
        let down = self.decoded;
        self.decoded += 1;
        for across in 0..facts.across {
            interrupt::check()?;
            let index = down * facts.across + across;
            let packed = facts.part(self.tiff.file, index)?;
            let part = if facts.compression == Compression::None {
                packed
            } else {
                self.codec.decode(packed, facts.decoded_len(index), &mut self.part)?;
                self.part.bytes()
            };
            if !facts.tiled {
                continue;
            }
            let from = across * facts.part_row;
            let rows = self.band.chunks_exact_mut(facts.row).zip(part.chunks_exact(facts.part_row));
            for (y, (row, part_row)) in rows.take(facts.rows(down)).enumerate() {
                let part_row = match &mut self.predictor {
                    Some(predictor) => predictor.row(&self.part, y),
                    None => part_row,
                };
                let row = &mut row[from..];
                let len = row.len().min(part_row.len());
                row[..len].copy_from_slice(&part_row[..len]);
            }
        }
        Ok(())
    }
}

impl Rows for TiffRows<'_, '_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        for i in 0..count {
            let y = self.next;
            self.next += 1;
            let Tiff { facts, .. } = self.tiff;
            let row = if self.tiff.is_in_file() {
                self.tiff.in_file(y)?
            } else {
                while self.decoded <= y / facts.part_height {
                    self.decode()?;
                }
                let y = y % facts.part_height;
                match &mut self.predictor {
                    _ if facts.tiled => &self.band[y * facts.row..][..facts.row],
                    Some(predictor) => predictor.row(&self.part, y),
                    None => &self.part.bytes()[y * facts.row..][..facts.row],
                }
            };
            let out = self.buffer.rows_mut(count).nth(i).expect("a row of the buffer");
            facts.unpack.row(row, self.columns.clone(), facts.header.layout.bytes(), out);
        }
        self.left -= count;
        if self.left == 0 && !self.tiff.is_in_file() {
            // Parts below the window count too: Pillow reads them, and raises where they are broken.
            while self.decoded < self.tiff.facts.down() {
                self.decode()?;
            }
        }
        Ok(self.buffer.block(count))
    }
}
