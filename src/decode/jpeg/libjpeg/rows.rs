//! The rows of a window by libjpeg, with what Pillow does about truncated files.

use super::Decoder;
use crate::error::{Error, Result};
use crate::pixels::{Layout, Window};

pub(in crate::decode::jpeg) struct LibjpegRows<'a> {
    decoder: Decoder<'a>,
    /// Pillow takes every four-component file for an inverted one, as Adobe writes them.
    invert: bool,
    first_column: usize,
    row_bytes: usize,
    last_row: u32,
    pad: bool,
    /// No more rows can be had; the rest stays as Pillow allocated it, zero.
    lost: bool,
}

impl<'a> LibjpegRows<'a> {
    /// With `pad` what is missing is filled up.
    pub fn new(mut decoder: Decoder<'a>, layout: Layout, window: &Window, pad: bool) -> Result<Self> {
        let (first_column, row_bytes, lost) = match decoder.prepare(layout, window) {
            Ok(first) => (first as usize, decoder.row_bytes(), false),
            Err(error @ (Error::Interrupted | Error::Limit { .. })) => return Err(error),
            // Arithmetic files of several scans may end between two of these, where Pillow's end of image
            // does come in time.
            Err(_) if pad && !decoder.is_arithmetic() => {
                (window.columns.start, window.columns.len() * layout.bytes(), true)
            }
            Err(error) => return Err(error),
        };
        let invert = layout == Layout::Cmyk;
        Ok(Self { decoder, invert, first_column, row_bytes, last_row: window.rows.end as u32, pad, lost })
    }

    /// The column that rows begin with.
    pub fn first_column(&self) -> usize {
        self.first_column
    }

    /// Bytes of a row.
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// The next `count` rows.
    pub fn read(&mut self, count: usize, out: &mut [u8]) -> Result<()> {
        let rows = &mut out[..count * self.row_bytes];
        if self.pad { self.read_padded(rows) } else { self.read_strictly(rows) }
    }

    /// With an error for any fault above or below the rows.
    fn read_strictly(&mut self, rows: &mut [u8]) -> Result<()> {
        self.decoder.read(rows, self.row_bytes)?;
        if self.decoder.info().output_scanline >= self.last_row {
            self.decoder.check_rest(self.row_bytes)?;
        }
        if self.invert {
            rows.iter_mut().for_each(|value| *value = 255 - *value);
        }
        Ok(())
    }

    /// With zeros after a fault. One at a time, as Pillow reads them: the rows that a call had finished before its
    /// fault do not count.
    fn read_padded(&mut self, rows: &mut [u8]) -> Result<()> {
        for row in rows.chunks_exact_mut(self.row_bytes) {
            if !self.lost {
                match self.decoder.read(row, self.row_bytes) {
                    Err(error @ (Error::Interrupted | Error::Limit { .. })) => return Err(error),
                    read => self.lost = read.is_err(),
                }
            }
            if self.lost {
                row.fill(0);
            } else if self.invert {
                row.iter_mut().for_each(|value| *value = 255 - *value);
            }
        }
        Ok(())
    }
}
