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

    /// A row as it is stored: in the file, or in the strip or the row of tiles that was decoded last.
    fn row<'r>(&self, part: &'r lzw::Output, band: &'r [u8], y: usize) -> Result<&'r [u8]>
    where
        'a: 'r,
    {
        if self.is_in_file() {
            return self.in_file(y);
        }
        let rows = if self.facts.tiled { band } else { part.bytes() };
        Ok(&rows[y % self.facts.part_height * self.facts.row..][..self.facts.row])
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

impl TiffRows<'_, '_> {
    /// Whether decoded rows are pixels already, which are handed out where they lie.
    fn are_pixels(&self) -> bool {
        let Tiff { facts, .. } = self.tiff;
        let are_as_stored = facts.tiled || self.predictor.is_none();
        matches!(facts.unpack, Unpack::Bytes) && are_as_stored && !self.tiff.is_in_file()
    }

    /// Decodes strips or rows of tiles until there are `parts` of them. Before that, those of the rows from `top` on that
    /// are `held` are unpacked: they may lie in the last one. Returns up to which one they are.
    fn reach(&mut self, parts: usize, top: usize, held: Range<usize>) -> Result<usize> {
        if self.tiff.is_in_file() || self.decoded >= parts {
            return Ok(held.start);
        }
        self.unpack(top, held.clone())?;
        while self.decoded < parts {
            self.decode()?;
        }
        Ok(held.end)
    }

    /// Unpacks those of the rows from `top` on to the buffer.
    fn unpack(&mut self, top: usize, rows: Range<usize>) -> Result<()> {
        let Self { tiff, predictor, part, band, buffer, columns, .. } = self;
        let facts = &tiff.facts;
        for (y, out) in (top..).zip(buffer.rows_mut(rows.end)).skip(rows.start) {
            let row = match predictor {
                Some(predictor) if !facts.tiled => predictor.row(part, y % facts.part_height),
                _ => tiff.row(part, band, y)?,
            };
            facts.unpack.row(row, columns.clone(), facts.header.layout.bytes(), out);
        }
        Ok(())
    }
}

impl Rows for TiffRows<'_, '_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        let (top, are_pixels) = (self.next, self.are_pixels());
        let Tiff { facts, .. } = self.tiff;
        // Those before are in the buffer, the others in what was decoded last.
        let mut unpacked = 0;
        for i in 0..count {
            unpacked = self.reach((top + i) / facts.part_height + 1, top, unpacked..i)?;
            if !are_pixels {
                self.unpack(top, i..i + 1)?;
                unpacked = i + 1;
            }
        }
        self.next += count;
        self.left -= count;
        if self.left == 0 {
            // Parts below the window count too: Pillow reads them, and raises where they are broken.
            unpacked = self.reach(facts.down(), top, unpacked..count)?;
        }
        let bytes = facts.header.layout.bytes();
        let mut block = self.buffer.block(unpacked);
        for (i, row) in block.iter_mut().enumerate().take(count).skip(unpacked) {
            let whole = self.tiff.row(&self.part, &self.band, top + i)?;
            *row = &whole[self.columns.start * bytes..self.columns.end * bytes];
        }
        Ok(block)
    }
}
