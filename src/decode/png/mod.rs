//! PNG by `fdeflate` and filters of our own. Palette, bit depth and alpha stay as they are in the file, since the
//! reference resizes in the original mode.

mod chunks;
mod guess;
mod inflate;
mod inflated;
mod lines;
mod metadata;
mod pieces;
mod samples;
mod stream;
#[cfg(test)]
mod tests;

use std::ops::Range;

use chunks::Facts;
use guess::Guesses;
use inflated::{Ahead, Inflated};
use lines::{Lines, asked_for};
use samples::Samples;
use stream::Stream;

use super::decoder::{Decoded, Decoder, Input, Rules};
use super::metadata::Metadata;
use super::rows::{allocate, dimensions};
use super::unfilter;
use crate::ahead::{self, ahead};
use crate::error::{Error, Result};
use crate::pixels::{Header, Image, Layout, RowBlock, RowBuffer, Rows, Whole, Window, palette_from};
use crate::simd::Level;

/// Adam7: where each pass begins, and how far apart its pixels are (column, row).
const PASSES: [[(usize, usize); 2]; 7] = [
    [(0, 0), (8, 8)],
    [(4, 0), (8, 8)],
    [(0, 4), (4, 8)],
    [(2, 0), (4, 4)],
    [(0, 2), (2, 4)],
    [(1, 0), (2, 2)],
    [(0, 1), (1, 2)],
];

/// `over_white` leaves transparent colours, which no mode here holds, to Pillow.
pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    let bytes = input.whole()?;
    let facts = chunks::read(bytes)?;
    if rules.pad && facts.cut {
        // Pillow then takes any name for one, and refuses the file for what such a chunk lacks.
        return Err(Error::unsupported("expected a PNG of whole chunks, found the beginning of one"));
    }
    let (width, height) = dimensions("PNG", facts.width.into(), facts.height.into(), &rules.limits)?;
    if rules.over_white && facts.transparent {
        return Err(Error::unsupported("expected a PNG without transparent colours, found tRNS"));
    }
    let found = format_args!("colours of type {} with {} bits", facts.colour, facts.depth);
    let samples = Samples::of(facts.colour, facts.depth).ok_or_else(|| Error::decode("PNG", found))?;
    let line = samples.line_bytes(width).ok_or_else(|| {
        Error::unsupported(format!("expected lines that Pillow has memory for, found {width} pixels"))
    })?;
    let palette = match (samples.layout, facts.palette) {
        (Layout::P, Some(entries)) => Some(palette_from(entries)),
        (Layout::P, None) => return Err(Error::decode("PNG", "indexed colours without a palette")),
        _ => None,
    };
    let header = Header { width, height, layout: samples.layout, palette };
    let png = Png { facts, header, samples, line, bytes, level: rules.level, ahead: false };
    let held = if png.facts.interlaced { png.pixel_bytes() as u64 } else { 0 };
    rules.limits.check_memory(png.memory().saturating_add(held))?;
    if !png.facts.data.could_hold(png.total()) {
        return Err(Error::truncated("PNG", format_args!("{} bytes of data", png.facts.data.bytes())));
    }
    if !png.facts.interlaced {
        return Ok(Box::new(png));
    }
    let data = png.interlaced()?;
    Ok(Box::new(Decoded { whole: Whole { header: png.header, data }, bytes, metadata: metadata::metadata }))
}

/// A PNG that is decoded line by line.
struct Png<'a> {
    facts: Facts<'a>,
    header: Header,
    samples: Samples,
    /// Bytes of a line.
    line: usize,
    bytes: &'a [u8],
    level: Level,
    /// Whether another thread may inflate.
    ahead: bool,
}

impl<'a> Png<'a> {
    /// Bytes of all lines, with their filters.
    fn total(&self) -> usize {
        (self.line + 1).saturating_mul(self.header.height)
    }

    /// Bytes that are asked for at a time.
    fn longest(&self) -> usize {
        asked_for(self.line, self.header.height)
    }

    /// The data inflated when they are asked for, `total` bytes.
    fn inflated(&self, total: usize) -> Result<Inflated<'a, 'a>> {
        Ok(Inflated::Here(Stream::new(self.facts.data.clone(), self.longest(), total)?.into()))
    }

    fn lines<'g>(&self, data: Inflated<'g, 'a>) -> Lines<'g, 'a> {
        Lines::new(data, unfilter::unfilter(self.level, self.samples.pixel_bytes()))
    }

    /// The rows of a window, out of all data.
    fn window<'s, 'g>(&'s self, data: Inflated<'g, 'a>, window: &Window) -> Result<PngRows<'s, 'g, 'a>> {
        let columns = window.columns.clone();
        let mut lines = self.lines(data);
        // No pixel of the window has a neighbour to the right of it.
        let used = (columns.end * self.samples.bits_per_pixel).div_ceil(8);
        lines.begin(self.line, used, self.header.height)?;
        for _ in 0..window.rows.start {
            lines.advance(1)?;
        }
        let unpacked = match self.samples.as_they_are(&columns) {
            Some(_) => 0,
            None => columns.len() * self.header.layout.bytes(),
        };
        let buffer = RowBuffer::new(unpacked)?;
        Ok(PngRows { lines, samples: &self.samples, buffer, columns, left: window.rows.len() })
    }

    /// As [`Image::with_rows`], while another thread inflates; `None` where the system grants none.
    fn with_rows_ahead(
        &self,
        window: &Window,
        read: &mut dyn FnMut(&mut dyn Rows) -> Result<()>,
    ) -> Option<Result<()>> {
        let (total, guesses) = (self.total(), Guesses::new());
        let chunks = || self.facts.data.clone();
        let make = |maker| pieces::inflate(chunks(), total, &guesses, &maker);
        let take = |pieces| {
            let data = Ahead::new(pieces, &guesses, chunks(), self.longest(), total)?;
            read(&mut self.window(Inflated::Ahead(data.into()), window)?)
        };
        match pieces::pieces() {
            Ok(pieces) => ahead(pieces, make, ahead::NONE, take),
            Err(error) => Some(Err(error)),
        }
    }

    /// Bytes of all pixels.
    fn pixel_bytes(&self) -> usize {
        (self.header.width * self.header.layout.bytes()).saturating_mul(self.header.height)
    }

    /// The pixels of all passes.
    fn interlaced(&self) -> Result<Vec<u8>> {
        let Header { width, height, layout, .. } = self.header;
        let mut passes = Vec::new();
        for [(left, top), (across, down)] in PASSES {
            let columns = width.saturating_sub(left).div_ceil(across);
            let rows = height.saturating_sub(top).div_ceil(down);
            if columns > 0 && rows > 0 {
                let line = self.samples.line_bytes(columns).expect("a pass is no wider than its image");
                passes.push(Pass { left, top, across, down, columns, rows, line });
            }
        }
        let total = passes.iter().map(|pass| (pass.line + 1) * pass.rows).sum();
        let mut lines = self.lines(self.inflated(total)?);
        let mut data = allocate("PNG", self.pixel_bytes())?;
        let bytes = layout.bytes();
        for pass in passes {
            lines.begin(pass.line, pass.line, pass.rows)?;
            for y in (pass.top..height).step_by(pass.down) {
                lines.advance(1)?;
                let out = &mut data[(y * width + pass.left) * bytes..(y + 1) * width * bytes];
                self.samples.unpack(lines.line(0), 0..pass.columns, out, pass.across);
            }
        }
        lines.finish()?;
        Ok(data)
    }
}

/// A pass of Adam7: where its pixels are, and how many.
struct Pass {
    left: usize,
    top: usize,
    across: usize,
    down: usize,
    columns: usize,
    rows: usize,
    /// Bytes of a line.
    line: usize,
}

impl Decoder for Png<'_> {
    fn metadata(&self) -> Result<Metadata<'_>> {
        metadata::metadata(self.bytes)
    }

    fn set_threads(&mut self, threads: usize) {
        // What is only stored takes less time to copy than to hand over.
        self.ahead = threads > 1 && self.facts.data.bytes() < self.total();
    }
}

impl Image for Png<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn memory(&self) -> u64 {
        let data = match self.ahead {
            true => Ahead::memory(self.longest(), self.total()).saturating_add(pieces::memory()),
            false => Stream::memory(self.longest(), self.total()),
        };
        let lines = data.saturating_add(Lines::memory(self.line, self.header.height)) as u64;
        let as_it_is = self.samples.as_they_are(&(0..self.header.width)).is_some();
        lines + if as_it_is { 0 } else { RowBuffer::memory(&self.header) }
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        Ok(Box::new(self.window(self.inflated(self.total())?, window)?))
    }

    fn with_rows(
        &mut self,
        window: &Window,
        read: &mut dyn FnMut(&mut dyn Rows) -> Result<()>,
    ) -> Result<()> {
        if self.ahead {
            match self.with_rows_ahead(window, read) {
                // What one thread makes of the data is what holds, and what it says of them.
                Some(Err(error)) if !matches!(error, Error::Interrupted) => {}
                None => {}
                Some(done) => return done,
            }
        }
        read(self.rows(window)?.as_mut())
    }
}

struct PngRows<'s, 'g, 'a> {
    lines: Lines<'g, 'a>,
    samples: &'s Samples,
    /// For pixels that are not bytes in the file.
    buffer: RowBuffer,
    columns: Range<usize>,
    left: usize,
}

impl Rows for PngRows<'_, '_, '_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        self.lines.advance(count)?;
        self.left -= count;
        if self.left == 0 {
            // Rows below the window count too: Pillow reads them, and raises where they are broken.
            self.lines.finish()?;
        }
        if let Some(range) = self.samples.as_they_are(&self.columns) {
            return Ok(std::array::from_fn(
                |i| if i < count { &self.lines.line(i)[range.clone()] } else { &[] },
            ));
        }
        for (i, out) in self.buffer.rows_mut(count).enumerate() {
            self.samples.unpack(self.lines.line(i), self.columns.clone(), out, 1);
        }
        Ok(self.buffer.block(count))
    }
}
