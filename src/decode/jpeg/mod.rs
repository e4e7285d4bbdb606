//! JPEG files as images: which of them are read here, what they cost, and rows by libjpeg.

mod decoder;
mod fault;
mod feed;
mod header;
mod hook;
mod huffman;
mod scan;
mod source;
#[cfg(test)]
mod tests;

use decoder::Decoder as Libjpeg;

use super::decoder::{Decoder, Input, Rules};
use super::metadata::Metadata;
use crate::error::{Error, Result};
use crate::pixels::{BLOCK, Header, Image, Layout, RowBlock, Rows, Window};

pub use decoder::has_simd;

/// Pillow hands a file to libjpeg in blocks of so many bytes. The library's arithmetic decoder, which
/// cannot wait for the next one, fails there.
const PILLOWS_BLOCK: usize = 65536;

/// A JPEG file whose header is read.
struct Jpeg<'a> {
    bytes: &'a [u8],
    decoder: Libjpeg<'a>,
    header: Header,
    pad: bool,
    reduction: usize,
    arithmetic: bool,
}

pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    Ok(Box::new(Jpeg::open(input, rules)?))
}

impl<'a> Jpeg<'a> {
    fn open(input: &Input<'a>, rules: &Rules<'_>) -> Result<Self> {
        let (bytes, file, limits, pad) = (input.head(), input.rest(), &rules.limits, rules.pad);
        limits.check_memory(header::joined_exif(bytes))?;
        if let Err(irregular) = header::check(bytes) {
            // Pillow, which may read the file in our place, does not count.
            limits.check_scans(header::scans(bytes))?;
            return Err(irregular);
        }
        let mut decoder = Libjpeg::new(bytes, file)?;
        decoder.read_header()?;
        if file.is_some() && (decoder.has_several_scans() || pad) {
            return Err(Error::unsupported(
                "expected a JPEG of one scan, found one that needs all of its bytes",
            ));
        }
        if decoder.has_several_scans() {
            limits.check_scans(header::scans(bytes))?;
        }
        if let Some(max) = limits.max_memory {
            decoder.bound_memory(max);
        }
        let arithmetic = header::arithmetic(bytes);
        if arithmetic && bytes.len() > PILLOWS_BLOCK {
            return Err(Error::unsupported("expected an arithmetic JPEG of one block, found a longer one"));
        }
        let info = decoder.info();
        let (width, height) = (info.image_width as usize, info.image_height as usize);
        limits.check_pixels(width, height)?;
        let layout = match info.num_components {
            1 => Layout::L,
            3 => Layout::Rgb,
            4 => Layout::Cmyk,
            n => return Err(Error::unsupported(format!("expected 1, 3 or 4 JPEG components, found {n}"))),
        };
        let header = Header { width, height, layout, palette: None };
        // The arithmetic decoder takes no more bytes after its first ones, so that Pillow's end of image
        // comes too late.
        if pad && !arithmetic {
            decoder.pad();
        }
        Ok(Self { bytes, decoder, header, pad, reduction: 1, arithmetic })
    }
}

impl Decoder for Jpeg<'_> {
    fn metadata(&self) -> Result<Metadata<'_>> {
        Ok(header::metadata(self.bytes))
    }

    /// Has the file decoded by shorter arithmetic, and at the smallest of the sizes that libjpeg has fast code
    /// for which is twice `size` or more. An axis that is taken from its end has to begin with a whole pixel
    /// there, so `mirrored` ones are divided without a rest.
    fn set_fast(&mut self, size: (usize, usize), mirrored: (bool, bool)) {
        let (width, height) = (self.header.width, self.header.height);
        let side = |side: usize, to: usize, mirrored: bool, by: usize| {
            side >= 2 * by * to && (!mirrored || side.is_multiple_of(by))
        };
        let fits = |by: &usize| side(width, size.0, mirrored.0, *by) && side(height, size.1, mirrored.1, *by);
        self.reduction = [8, 4, 2].into_iter().find(fits).unwrap_or(1);
        self.decoder.hasten(self.reduction as u32);
    }
}

impl Image for Jpeg<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn memory(&self) -> u64 {
        self.decoder.coefficient_bytes()
    }

    fn reduction(&self) -> usize {
        self.reduction
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        let bytes = self.header.layout.bytes();
        let pad = self.pad;
        let (first_column, width, lost) = match self.decoder.prepare(self.header.layout, window) {
            Ok(first) => (first as usize, self.decoder.info().output_width as usize, false),
            // Arithmetic files of several scans may end between two of these, where Pillow's end of image
            // does come in time.
            Err(_) if pad && !self.arithmetic => (window.columns.start, window.columns.len(), true),
            Err(error) => return Err(error),
        };
        let row_bytes = width * bytes;
        let from = (window.columns.start - first_column) * bytes;
        Ok(Box::new(JpegRows {
            decoder: &mut self.decoder,
            invert: self.header.layout == Layout::Cmyk,
            buffer: vec![0; BLOCK * row_bytes],
            row_bytes,
            columns: from..from + window.columns.len() * bytes,
            last_row: window.rows.end as u32,
            pad,
            lost,
        }))
    }
}

struct JpegRows<'s, 'a> {
    decoder: &'s mut Libjpeg<'a>,
    /// Pillow takes every four-component file for an inverted one, as Adobe writes them.
    invert: bool,
    buffer: Vec<u8>,
    row_bytes: usize,
    columns: std::ops::Range<usize>,
    last_row: u32,
    pad: bool,
    /// No more rows can be had; the rest stays as Pillow allocated it, zero.
    lost: bool,
}

impl JpegRows<'_, '_> {
    /// The next `count` rows, or an error for any fault above or below them.
    fn read(&mut self, count: usize) -> Result<()> {
        let rows = &mut self.buffer[..count * self.row_bytes];
        self.decoder.read(rows, self.row_bytes)?;
        if self.decoder.info().output_scanline >= self.last_row {
            self.decoder.check_rest(self.row_bytes)?;
        }
        if self.invert {
            rows.iter_mut().for_each(|value| *value = 255 - *value);
        }
        Ok(())
    }

    /// The next `count` rows, of which those behind a fault are zero. One at a time, as Pillow reads
    /// them: the rows that a call had finished before its fault do not count.
    fn read_padded(&mut self, count: usize) {
        for row in self.buffer.chunks_exact_mut(self.row_bytes).take(count) {
            self.lost = self.lost || self.decoder.read(row, self.row_bytes).is_err();
            if self.lost {
                row.fill(0);
            } else if self.invert {
                row.iter_mut().for_each(|value| *value = 255 - *value);
            }
        }
    }
}

impl Rows for JpegRows<'_, '_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        if self.pad {
            self.read_padded(count);
        } else {
            self.read(count)?;
        }
        let mut rows = self.buffer.chunks_exact(self.row_bytes).map(|row| &row[self.columns.clone()]);
        Ok(std::array::from_fn(|i| if i < count { rows.next().unwrap_or_default() } else { &[] }))
    }
}
