//! PNG by the `png` crate without its transformations: palette, bit depth and alpha stay as they are
//! in the file, since the reference resizes in the original mode.

mod chunks;

use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;

use png::{BitDepth, ColorType, DecodeOptions, DecodingError, Reader, Transformations};

use super::decoder::{Decoded, Decoder, Input, Rules};
use super::metadata::Metadata;
use super::rows::allocate;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::pixels::{Header, Image, Layout, RowBlock, RowBuffer, Rows, Whole, Window, palette_from};

type Source<'a> = Reader<Bytes<'a>>;

/// `over_white` leaves transparent colours, which no mode here holds, to Pillow.
pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    let (bytes, limits) = (input.whole()?, &rules.limits);
    chunks::check(bytes)?;
    // As strict as Pillow.
    let mut options = DecodeOptions::default();
    options.set_ignore_adler32(false);
    options.set_skip_ancillary_crc_failures(false);
    let mut decoder = png::Decoder::new_with_options(Bytes(Cursor::new(bytes)), options);
    decoder.set_limits(png::Limits { bytes: limits.max_memory.map_or(usize::MAX, |max| max as usize) });
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let (width, height) = decoder.read_header_info().map_err(fault)?.size();
    limits.check_pixels(width as usize, height as usize)?;
    let mut reader = decoder.read_info().map_err(fault)?;
    let info = reader.info();
    if rules.over_white && info.trns.is_some() {
        return Err(Error::unsupported("expected a PNG without transparent colours, found tRNS"));
    }
    let samples = Samples::of(info.color_type, info.bit_depth)?;
    let palette = match (samples.layout, &info.palette) {
        (Layout::P, Some(entries)) => Some(palette_from(entries)),
        (Layout::P, None) => return Err(Error::decode("PNG", "indexed colours without a palette")),
        _ => None,
    };
    let interlaced = info.interlaced;
    let header = Header { width: width as usize, height: height as usize, layout: samples.layout, palette };
    if !interlaced {
        return Ok(Box::new(Png { reader, header, samples, bytes }));
    }
    let raw_line = reader.output_line_size(width).unwrap_or(0);
    let line = header.width * samples.layout.bytes();
    limits.check_memory(((raw_line + line) * header.height) as u64)?;
    let mut raw = allocate("PNG", raw_line * header.height)?;
    reader.next_frame(&mut raw).map_err(fault)?;
    reader.finish().map_err(fault)?;
    let mut data = allocate("PNG", line * header.height)?;
    for (raw, out) in raw.chunks_exact(raw_line).zip(data.chunks_exact_mut(line)) {
        samples.unpack(raw, 0..header.width, out);
    }
    Ok(Box::new(Decoded { whole: Whole { header, data }, bytes, metadata: chunks::metadata }))
}

/// A PNG that is not interlaced, row by row.
struct Png<'a> {
    reader: Source<'a>,
    header: Header,
    samples: Samples,
    bytes: &'a [u8],
}

impl Decoder for Png<'_> {
    fn metadata(&self) -> Result<Metadata<'_>> {
        chunks::metadata(self.bytes)
    }
}

impl Image for Png<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn memory(&self) -> u64 {
        RowBuffer::memory(&self.header)
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        for _ in 0..window.rows.start {
            next_row(&mut self.reader)?;
        }
        let row_bytes = window.columns.len() * self.header.layout.bytes();
        Ok(Box::new(PngRows {
            reader: &mut self.reader,
            samples: &self.samples,
            buffer: RowBuffer::new(row_bytes)?,
            columns: window.columns.clone(),
            left: window.rows.len(),
            below: self.header.height - window.rows.end,
        }))
    }
}

struct PngRows<'s, 'a> {
    reader: &'s mut Source<'a>,
    samples: &'s Samples,
    buffer: RowBuffer,
    columns: Range<usize>,
    left: usize,
    below: usize,
}

impl Rows for PngRows<'_, '_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        for out in self.buffer.rows_mut(count) {
            self.samples.unpack(next_row(self.reader)?, self.columns.clone(), out);
        }
        self.left -= count;
        if self.left == 0 {
            // What is broken below the crop is broken: Pillow reads it, and raises.
            for _ in 0..std::mem::take(&mut self.below) {
                next_row(self.reader)?;
            }
            self.reader.finish().map_err(fault)?;
        }
        Ok(self.buffer.block(count))
    }
}

fn next_row<'r>(reader: &'r mut Source<'_>) -> Result<&'r [u8]> {
    match reader.next_row().map_err(fault)? {
        Some(row) => Ok(row.data()),
        None => Err(Error::truncated("PNG", "fewer rows than its header says")),
    }
}

/// How samples are packed in a row, and the layout that Pillow unpacks them to.
#[derive(Clone, Copy, Debug)]
struct Samples {
    layout: Layout,
    packing: Packing,
}

#[derive(Clone, Copy, Debug)]
enum Packing {
    /// Bytes, as they are.
    Bytes,
    /// Several pixels of so many bits in a byte, leftmost highest; scaled by so much.
    Bits(usize, u8),
    /// Big-endian pairs that become little-endian ones.
    Pairs,
    /// Big-endian pairs of which the high byte counts.
    HighBytes,
    /// Such pairs of grey and alpha, which Pillow opens as RGBA.
    GreyAlphaHighBytes,
}

impl Samples {
    fn of(colour: ColorType, depth: BitDepth) -> Result<Self> {
        let bits = depth as usize;
        let (layout, packing) = match (colour, bits) {
            (ColorType::Grayscale, 1) => (Layout::One, Packing::Bits(1, 255)),
            (ColorType::Grayscale, 2) => (Layout::L, Packing::Bits(2, 0x55)),
            (ColorType::Grayscale, 4) => (Layout::L, Packing::Bits(4, 0x11)),
            (ColorType::Grayscale, 8) => (Layout::L, Packing::Bytes),
            (ColorType::Grayscale, _) => (Layout::I16, Packing::Pairs),
            (ColorType::GrayscaleAlpha, 16) => (Layout::Rgba, Packing::GreyAlphaHighBytes),
            (ColorType::GrayscaleAlpha, _) => (Layout::GreyAlpha, Packing::Bytes),
            (ColorType::Rgb, 16) => (Layout::Rgb, Packing::HighBytes),
            (ColorType::Rgb, _) => (Layout::Rgb, Packing::Bytes),
            (ColorType::Rgba, 16) => (Layout::Rgba, Packing::HighBytes),
            (ColorType::Rgba, _) => (Layout::Rgba, Packing::Bytes),
            (ColorType::Indexed, 8) => (Layout::P, Packing::Bytes),
            (ColorType::Indexed, _) => (Layout::P, Packing::Bits(bits, 1)),
        };
        Ok(Self { layout, packing })
    }

    /// The pixels in `columns` of a packed row.
    fn unpack(&self, raw: &[u8], columns: Range<usize>, out: &mut [u8]) {
        let bytes = self.layout.bytes();
        match self.packing {
            Packing::Bytes => out.copy_from_slice(&raw[columns.start * bytes..columns.end * bytes]),
            Packing::Bits(bits, scale) => {
                let mask = (1 << bits) - 1;
                for (out, x) in out.iter_mut().zip(columns) {
                    let shift = 8 - bits - (x * bits) % 8;
                    *out = ((raw[x * bits / 8] >> shift) & mask) * scale;
                }
            }
            Packing::Pairs => {
                let pairs = raw[2 * columns.start..2 * columns.end].as_chunks::<2>().0;
                let out = out.as_chunks_mut::<2>().0;
                out.iter_mut().zip(pairs).for_each(|(out, &[high, low])| *out = [low, high]);
            }
            Packing::HighBytes => {
                let pairs = &raw[2 * columns.start * bytes..2 * columns.end * bytes];
                out.iter_mut().zip(pairs.as_chunks::<2>().0).for_each(|(out, &[high, _])| *out = high);
            }
            Packing::GreyAlphaHighBytes => {
                let pixels = &raw[4 * columns.start..4 * columns.end];
                let out = out.as_chunks_mut::<4>().0;
                for (out, &[grey, _, alpha, _]) in out.iter_mut().zip(pixels.as_chunks::<4>().0) {
                    *out = [grey, grey, grey, alpha];
                }
            }
        }
    }
}

/// The file's bytes, which the decoder asks for every few rows, in whatever call: where it is polled.
struct Bytes<'a>(Cursor<&'a [u8]>);

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl BufRead for Bytes<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        interrupt::check().map_err(io::Error::other)?;
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl Seek for Bytes<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

fn fault(error: DecodingError) -> Error {
    match error {
        DecodingError::IoError(error) if error.kind() == io::ErrorKind::Other => Error::Interrupted,
        DecodingError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Error::truncated("PNG", error)
        }
        DecodingError::LimitsExceeded => Error::out_of_memory("the chunks of a PNG within max_memory", None),
        error => Error::decode("PNG", error),
    }
}
