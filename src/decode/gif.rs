//! The first frame of a GIF, indexed: the palette mode decides the filter. The container is read here,
//! by Pillow's rules for what precedes the frame; the `gif` crate hides what those go by (every
//! transparency before the frame, bytes between blocks).

use std::ops::Range;

use super::decoder::{Decoder, Input, Rules};
use super::lzw::{self, Progress};
use super::rows::{allocate, dimensions, reserve};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::pixels::{Header, Image, Layout, Palette, RowBlock, RowBuffer, Rows, Window, palette_from};

const GRAPHIC_CONTROL: u8 = 0xf9;
const COMMENT: u8 = 0xfe;
const APPLICATION: u8 = 0xff;
/// A flag of the screen's and of a frame's header: a palette follows.
const HAS_PALETTE: u8 = 0x80;
const INTERLACED: u8 = 0x40;
/// Bytes of codes that are decoded at a time, between two polls.
const PIECE: usize = 1 << 14;

/// Decodes the first frame; `over_white` leaves a transparent colour to Pillow.
pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    let limits = &rules.limits;
    let mut reader = Reader { rest: input.whole()? };
    let mut frame = FirstFrame::read(&mut reader)?;
    if rules.over_white && frame.transparency.is_some() {
        return Err(Error::unsupported("expected a GIF without a transparent colour, found one"));
    }
    // A frame beyond the canvas widens it.
    let (width, height) = dimensions("GIF", frame.canvas[0].into(), frame.canvas[1].into(), limits)?;
    dimensions("GIF", frame.width as u64, frame.height as u64, limits)?;
    let layout = if frame.palette.is_some() { Layout::P } else { Layout::L };
    let header = Header { width, height, layout, palette: frame.palette.take() };
    limits.check_memory((frame.width * frame.height) as u64 + RowBuffer::memory(&header))?;
    let pixels = decode(reader, frame.width * frame.height)?;
    Ok(Box::new(Gif { header, frame, pixels }))
}

/// A frame on its canvas.
struct Gif {
    header: Header,
    frame: FirstFrame,
    /// The frame's rows in the order in which they are stored.
    pixels: lzw::Output,
}

impl Gif {
    /// Whether the frame has every row of the canvas from one side to the other.
    fn fills_rows(&self) -> bool {
        let FirstFrame { left, top, width, height, .. } = self.frame;
        (left, top) == (0, 0) && (width, height) == (self.header.width, self.header.height)
    }

    /// The frame's part of a row of the canvas; none where it has none.
    fn row(&self, y: usize) -> Option<&[u8]> {
        let FirstFrame { width, height, interlaced, .. } = self.frame;
        let y = y.checked_sub(self.frame.top).filter(|&y| y < height)?;
        let stored = if interlaced { interlaced_place(y, height) } else { y };
        Some(&self.pixels.bytes()[stored * width..][..width])
    }
}

/// Where the row at `y` is stored: every eighth row comes first, then those half way between, and so on.
fn interlaced_place(y: usize, height: usize) -> usize {
    let mut before = 0;
    for (first, step) in [(0, 8), (4, 8), (2, 4)] {
        if y % step == first {
            return before + y / step;
        }
        before += height.saturating_sub(first).div_ceil(step);
    }
    before + y / 2
}

impl Decoder for Gif {}

impl Image for Gif {
    fn header(&self) -> &Header {
        &self.header
    }

    fn memory(&self) -> u64 {
        (self.frame.width * self.frame.height) as u64 + RowBuffer::memory(&self.header)
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        let buffer = RowBuffer::new(if self.fills_rows() { 0 } else { window.columns.len() })?;
        Ok(Box::new(GifRows { gif: self, buffer, columns: window.columns.clone(), next: window.rows.start }))
    }
}

struct GifRows<'s> {
    gif: &'s Gif,
    /// For rows that are not the frame's alone.
    buffer: RowBuffer,
    columns: Range<usize>,
    next: usize,
}

impl Rows for GifRows<'_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        let first = self.next;
        self.next += count;
        if self.gif.fills_rows() {
            let row = |i: usize| &self.gif.row(first + i).expect("a row of the frame")[self.columns.clone()];
            return Ok(std::array::from_fn(|i| if i < count { row(i) } else { &[] }));
        }
        let FirstFrame { left, width, transparency, .. } = self.gif.frame;
        for (y, out) in (first..).zip(self.buffer.rows_mut(count)) {
            out.fill(transparency.unwrap_or(0));
            let (from, to) = (self.columns.start.max(left), self.columns.end.min(left + width));
            if let Some(row) = self.gif.row(y)
                && from < to
            {
                out[from - self.columns.start..to - self.columns.start]
                    .copy_from_slice(&row[from - left..to - left]);
            }
        }
        Ok(self.buffer.block(count))
    }
}

/// The header of the first frame, and that of the file.
struct FirstFrame {
    canvas: [u32; 2],
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    interlaced: bool,
    palette: Option<Box<Palette>>,
    transparency: Option<u8>,
}

impl FirstFrame {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let screen = reader.take(13)?;
        let global = if screen[10] & HAS_PALETTE != 0 { Some(reader.palette(screen[10])?) } else { None };
        let mut transparency = None;
        loop {
            match reader.take(1)?[0] {
                b'!' => reader.extension(&mut transparency)?,
                b',' => break,
                b';' => return Err(Error::decode("GIF", "no frame")),
                // Pillow passes over what is no block.
                _ => {}
            }
        }
        let descriptor = reader.take(9)?;
        let [left, top, width, height] =
            [0, 2, 4, 6].map(|at| u16::from_le_bytes([descriptor[at], descriptor[at + 1]]));
        let flags = descriptor[8];
        let local = if flags & HAS_PALETTE != 0 { Some(reader.palette(flags)?) } else { None };
        let palette = match (local, global) {
            (Some(local), global) if is_ramp(local) => {
                if global.is_some_and(|global| !is_ramp(global)) {
                    return Err(Error::unsupported(
                        "expected a palette, found a grey ramp beside a global palette",
                    ));
                }
                None
            }
            (Some(local), _) => Some(local),
            (None, global) => global.filter(|global| !is_ramp(global)),
        };
        let side = |at: usize, start: u16, length: u16| {
            let side = u16::from_le_bytes([screen[at], screen[at + 1]]);
            u32::from(side).max(u32::from(start) + u32::from(length))
        };
        Ok(Self {
            canvas: [side(6, left, width), side(8, top, height)],
            left: left.into(),
            top: top.into(),
            width: width.into(),
            height: height.into(),
            interlaced: flags & INTERLACED != 0,
            palette: palette.map(palette_from),
            transparency,
        })
    }
}

/// Whether a palette gives each index its own value; to Pillow that is none, and the mode "L".
fn is_ramp(palette: &[u8]) -> bool {
    palette.as_chunks::<3>().0.iter().enumerate().all(|(index, rgb)| *rgb == [index as u8; 3])
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn palette(&mut self, flags: u8) -> Result<&'a [u8]> {
        self.take(6 << (flags & 7))
    }

    /// A sub-block; none for an empty one, which ends a chain. At the end of the file all are empty.
    fn sub_block(&mut self) -> Option<&'a [u8]> {
        let (&len, rest) = self.rest.split_first()?;
        let (block, rest) = rest.split_at(usize::from(len).min(rest.len()));
        self.rest = rest;
        Some(block).filter(|block| !block.is_empty())
    }

    /// Appends the next sub-blocks to `codes`, up to [`PIECE`] bytes. The error is for those that need more.
    fn codes(&mut self, codes: &mut Vec<u8>) -> Result<()> {
        while codes.len() < PIECE {
            let len = usize::from(self.take(1)?[0]);
            if len == 0 {
                return Err(Error::unsupported("expected all pixels of a GIF, found the end of its frame"));
            }
            codes.extend_from_slice(self.take(len)?);
        }
        Ok(())
    }

    /// Passes over an extension, and notes a transparent index.
    fn extension(&mut self, transparency: &mut Option<u8>) -> Result<()> {
        let label = self.take(1)?[0];
        let mut block = self.sub_block();
        match (label, block) {
            (GRAPHIC_CONTROL, Some(control)) => match *control {
                [flags, _, _, index, ..] if flags & 1 != 0 => *transparency = Some(index),
                [flags, _, _, ..] if flags & 1 == 0 => {}
                _ => return Err(cut_short()),
            },
            (COMMENT, _) => {
                while block.is_some() {
                    block = self.sub_block();
                }
                return Ok(());
            }
            (APPLICATION, Some(name)) if name.starts_with(b"NETSCAPE2.0") => {
                self.sub_block();
            }
            _ => {}
        }
        // A chain that has ended already is taken for one that has not: Pillow reads so.
        while self.sub_block().is_some() {}
        Ok(())
    }
}

/// The `count` indices of a frame. Nothing after the last one is looked at; where they end earlier,
/// Pillow reads on beyond the frame, and so is left to.
fn decode(mut reader: Reader<'_>, count: usize) -> Result<lzw::Output> {
    let bits = reader.take(1)?[0];
    if !(1..=8).contains(&bits) {
        return Err(Error::unsupported(format!("expected GIF codes of 1 to 8 bits, found {bits}")));
    }
    // A code stands for 4095 indices at most, and has two bits at least.
    if count / (4 * 4095) > reader.rest.len() {
        return Err(Error::truncated("GIF", format_args!("{} bytes for {count} pixels", reader.rest.len())));
    }
    let mut pixels = lzw::Output::new(allocate("GIF", count + lzw::Output::EXTRA)?);
    let mut decoder = lzw::Decoder::gif(bits);
    let mut codes = reserve("GIF", PIECE + usize::from(u8::MAX))?;
    while pixels.missing() > 0 {
        interrupt::check()?;
        codes.clear();
        let rest = reader.codes(&mut codes);
        match decoder.run(&codes, &mut pixels) {
            Progress::Full => {}
            Progress::NeedsInput => rest?,
            Progress::EndCode => {
                return Err(Error::unsupported("expected all pixels of a GIF, found its end code"));
            }
            Progress::BadCode => return Err(Error::decode("GIF", "a code that is not defined yet")),
        }
    }
    Ok(pixels)
}

fn cut_short() -> Error {
    Error::truncated("GIF", "its bytes end before the first frame")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interlaced_rows_are_stored_in_four_passes() {
        for height in 1..70 {
            let stored = [(0, 8), (4, 8), (2, 4), (1, 2)]
                .into_iter()
                .flat_map(|(first, step)| (first..height).step_by(step));
            for (place, y) in stored.enumerate() {
                assert_eq!(interlaced_place(y, height), place, "{y} of {height}");
            }
        }
    }
}
