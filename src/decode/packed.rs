//! Pixels that are stored in rows of equal length, and unpacked when they are asked for.

use std::ops::Range;

use super::decoder::Decoder;
use crate::error::{Error, Result};
use crate::pixels::{Header, Image, RowBlock, RowBuffer, Rows, Window};

/// How the pixels of one row become bytes of the header's layout.
#[derive(Clone, Debug)]
pub(super) enum Unpack {
    /// They are those bytes already.
    Bytes,
    /// Each byte becomes an entry of a table.
    Table(Box<[u8; 256]>),
    /// Several pixels in a byte, leftmost highest; each becomes an entry of `values`.
    Bits {
        /// Bits of a pixel: 1, 2 or 4.
        bits: usize,
        /// The byte for each value of a pixel.
        values: [u8; 16],
    },
    /// Channels out of pixels of `size` bytes, in this order.
    Pick {
        /// Bytes of a pixel in the file.
        size: usize,
        /// For each channel, the byte that it is.
        order: [usize; 4],
    },
    /// Little-endian pairs: five bits of red, five or six of green, five of blue.
    Sixteen {
        /// Bits of green: 5 or 6.
        green: u32,
    },
    /// Big-endian pairs, each of which becomes an entry of a table.
    Pairs(Vec<u8>),
    /// The same as 32-bit integers.
    Integers(Vec<u16>),
}

impl Unpack {
    /// The pixels in `columns` of a row.
    pub fn row(&self, raw: &[u8], columns: Range<usize>, channels: usize, out: &mut [u8]) {
        let samples = columns.start * channels..columns.end * channels;
        match self {
            Self::Bytes => out.copy_from_slice(&raw[samples]),
            Self::Table(table) => {
                for (out, &byte) in out.iter_mut().zip(&raw[samples]) {
                    *out = table[usize::from(byte)];
                }
            }
            Self::Bits { bits, values } => {
                for (out, x) in out.iter_mut().zip(columns) {
                    let shift = 8 - bits - (x * bits) % 8;
                    let pixel = (raw[x * bits / 8] >> shift) & ((1 << bits) - 1);
                    *out = values[usize::from(pixel)];
                }
            }
            Self::Pick { size, order } => {
                let pixels = raw[columns.start * size..columns.end * size].chunks_exact(*size);
                for (out, pixel) in out.chunks_exact_mut(channels).zip(pixels) {
                    for (out, &from) in out.iter_mut().zip(order) {
                        *out = pixel[from];
                    }
                }
            }
            Self::Sixteen { green } => {
                let pixels = raw[2 * columns.start..2 * columns.end].as_chunks::<2>().0;
                // Pillow's expansion: truncating, not rounding.
                let scaled = |value: u32, bits: u32| {
                    let max = (1 << bits) - 1;
                    ((value & max) * 255 / max) as u8
                };
                for (out, &pixel) in out.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
                    let pixel = u32::from(u16::from_le_bytes(pixel));
                    *out = [scaled(pixel >> (5 + green), 5), scaled(pixel >> 5, *green), scaled(pixel, 5)];
                }
            }
            Self::Integers(table) => {
                let pairs = raw[2 * columns.start..2 * columns.end].as_chunks::<2>().0;
                for (out, &pair) in out.as_chunks_mut::<4>().0.iter_mut().zip(pairs) {
                    *out = i32::from(table[usize::from(u16::from_be_bytes(pair))]).to_ne_bytes();
                }
            }
            Self::Pairs(table) => {
                let pairs = raw[2 * samples.start..2 * samples.end].as_chunks::<2>().0;
                for (out, &pair) in out.iter_mut().zip(pairs) {
                    *out = table[usize::from(u16::from_be_bytes(pair))];
                }
            }
        }
    }

    /// Bytes of a row of `width` pixels; none where that overflows.
    fn row_bytes(&self, width: usize, channels: usize) -> Option<usize> {
        match self {
            Self::Bytes | Self::Table(_) => width.checked_mul(channels),
            Self::Bits { bits, .. } => Some(width.checked_mul(*bits)?.div_ceil(8)),
            Self::Pick { size, .. } => width.checked_mul(*size),
            Self::Sixteen { .. } | Self::Integers(_) => width.checked_mul(2),
            Self::Pairs(_) => width.checked_mul(channels)?.checked_mul(2),
        }
    }
}

/// An image of rows of equal length.
pub(super) struct Packed<'a> {
    header: Header,
    rows: &'a [u8],
    stride: usize,
    /// The first row in the file is the lowest.
    bottom_up: bool,
    unpack: Unpack,
}

impl<'a> Packed<'a> {
    /// An image from its rows on, each padded to a multiple of `align` bytes.
    pub fn new(
        format: &'static str,
        header: Header,
        rows: &'a [u8],
        align: usize,
        bottom_up: bool,
        unpack: Unpack,
    ) -> Result<Self> {
        let too_short = || Error::truncated(format, format_args!("{} bytes of pixels", rows.len()));
        let row_bytes = unpack.row_bytes(header.width, header.layout.bytes()).ok_or_else(too_short)?;
        let stride = row_bytes.checked_next_multiple_of(align).ok_or_else(too_short)?;
        // The last row needs no padding.
        let needed = (header.height - 1).checked_mul(stride).and_then(|len| len.checked_add(row_bytes));
        if needed.is_none_or(|needed| needed > rows.len()) {
            return Err(too_short());
        }
        Ok(Self { header, rows, stride, bottom_up, unpack })
    }
}

impl Decoder for Packed<'_> {}

impl Image for Packed<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn memory(&self) -> u64 {
        RowBuffer::memory(&self.header)
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        let row_bytes = window.columns.len() * self.header.layout.bytes();
        Ok(Box::new(PackedRows {
            buffer: RowBuffer::new(row_bytes)?,
            columns: window.columns.clone(),
            next: window.rows.start,
            image: self,
        }))
    }
}

struct PackedRows<'s, 'a> {
    image: &'s Packed<'a>,
    buffer: RowBuffer,
    columns: Range<usize>,
    next: usize,
}

impl Rows for PackedRows<'_, '_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        let Packed { header, rows, stride, bottom_up, unpack } = self.image;
        for out in self.buffer.rows_mut(count) {
            let y = if *bottom_up { header.height - 1 - self.next } else { self.next };
            unpack.row(&rows[y * stride..], self.columns.clone(), header.layout.bytes(), out);
            self.next += 1;
        }
        Ok(self.buffer.block(count))
    }
}
