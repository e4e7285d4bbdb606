//! JPEG files as images: which of them are read here, what they cost, and rows by libjpeg.

mod feed;
mod header;
mod huffman;
mod libjpeg;
mod markers;
mod pillow;
mod scan;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::decoder::{Decoder, Input, Rules};
use super::metadata::Metadata;
use super::rows::dimensions;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pixels::{BLOCK, Image, Layout, RowBlock, Rows, Window};
use header::{Colours, Header};
use markers::count_scans;

pub use libjpeg::has_simd;

/// Pillow hands a file to libjpeg in blocks of so many bytes. The library's arithmetic decoder, which
/// cannot wait for the next one, fails there.
const PILLOWS_BLOCK: usize = 65536;

/// A JPEG file whose header is read.
struct Jpeg<'a> {
    bytes: &'a [u8],
    limits: Limits,
    decoder: libjpeg::Decoder<'a>,
    parsed: Rc<Header>,
    header: crate::pixels::Header,
    pad: bool,
    reduction: usize,
}

/// Reads a file's header and checks it against the limits.
pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    let jpeg = Jpeg::open(input, rules).map_err(|error| bounded(error, input.head(), &rules.limits))?;
    Ok(Box::new(jpeg))
}

/// An error for which Pillow may be asked to read the file in our place, unless that would cost more than allowed.
/// Pillow counts no scans.
fn bounded(error: Error, bytes: &[u8], limits: &Limits) -> Error {
    if matches!(error, Error::Limit { .. } | Error::Interrupted) {
        return error;
    }
    let scans = || limits.check_scans(count_scans(bytes));
    pillow::check_cost(bytes, limits).and_then(|()| scans()).err().unwrap_or(error)
}

impl<'a> Jpeg<'a> {
    fn open(input: &Input<'a>, rules: &Rules<'_>) -> Result<Self> {
        let (bytes, limits) = (input.head(), rules.limits);
        let parsed = Header::read(bytes)?;
        parsed.check_resolution(bytes)?;
        let frame = &parsed.frame;
        let (width, height) = dimensions("JPEG", frame.width as u64, frame.height as u64, &limits)?;
        if input.rest().is_some() && (parsed.has_several_scans() || rules.pad) {
            return Err(Error::unsupported(
                "expected a JPEG of one scan, found one that needs all of its bytes",
            ));
        }
        if parsed.has_several_scans() {
            limits.check_scans(count_scans(bytes))?;
        }
        if frame.arithmetic && bytes.len() > PILLOWS_BLOCK {
            return Err(Error::unsupported("expected an arithmetic JPEG of one block, found a longer one"));
        }
        let layout = match parsed.colours() {
            Colours::Grey => Layout::L,
            Colours::YCbCr | Colours::Rgb => Layout::Rgb,
            Colours::Cmyk | Colours::Ycck => Layout::Cmyk,
        };
        let header = crate::pixels::Header { width, height, layout, palette: None };
        let parsed = Rc::new(parsed);
        let mut decoder = libjpeg::Decoder::new(parsed.clone(), bytes, input.rest(), &limits)?;
        // The arithmetic decoder takes no more bytes after its first ones, so that Pillow's end of image
        // comes too late.
        if rules.pad && !parsed.frame.arithmetic {
            decoder.pad();
        }
        Ok(Self { bytes, limits, decoder, parsed, header, pad: rules.pad, reduction: 1 })
    }
}

impl Decoder for Jpeg<'_> {
    fn metadata(&self) -> Result<Metadata<'_>> {
        self.parsed.metadata(self.bytes)
    }

    /// Has the file decoded by shorter arithmetic, and at the smallest of the sizes that libjpeg has fast code
    /// for which is twice `resized` or more. An axis that is taken from its end has to begin with a whole pixel
    /// there, so `mirrored` ones are divided without a rest.
    fn set_fast(&mut self, resized: (usize, usize), mirrored: (bool, bool)) {
        let (width, height) = (self.header.width, self.header.height);
        let side = |side: usize, to: usize, mirrored: bool, by: usize| {
            side >= 2 * by * to && (!mirrored || side.is_multiple_of(by))
        };
        let fits =
            |by: &usize| side(width, resized.0, mirrored.0, *by) && side(height, resized.1, mirrored.1, *by);
        self.reduction = [8, 4, 2].into_iter().find(fits).unwrap_or(1);
        self.decoder.set_fast(self.reduction as u32);
    }
}

impl Image for Jpeg<'_> {
    fn header(&self) -> &crate::pixels::Header {
        &self.header
    }

    fn memory(&self) -> u64 {
        self.parsed.coefficient_bytes()
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
            Err(_) if pad && !self.parsed.frame.arithmetic => {
                (window.columns.start, window.columns.len(), true)
            }
            Err(error) => return Err(bounded(error, self.bytes, &self.limits)),
        };
        let row_bytes = width * bytes;
        let from = (window.columns.start - first_column) * bytes;
        Ok(Box::new(JpegRows {
            bytes: self.bytes,
            limits: self.limits,
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
    bytes: &'a [u8],
    limits: Limits,
    decoder: &'s mut libjpeg::Decoder<'a>,
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

    /// The next `count` rows, of which those after a fault are zero. One at a time, as Pillow reads
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
            self.read(count).map_err(|error| bounded(error, self.bytes, &self.limits))?;
        }
        let mut rows = self.buffer.chunks_exact(self.row_bytes).map(|row| &row[self.columns.clone()]);
        Ok(std::array::from_fn(|i| if i < count { rows.next().unwrap_or_default() } else { &[] }))
    }
}
