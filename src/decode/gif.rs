//! The first frame of a GIF, indexed: the palette mode decides the filter. The container is read here,
//! by Pillow's rules for what precedes the frame; the `gif` crate hides what those go by (every
//! transparency before the frame, bytes between blocks).

use super::decoder::{Decoder, Input, Rules};
use super::lzw::{self, Progress};
use super::rows::{allocate, dimensions};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::pixels::{Header, Layout, Palette, Whole, palette_from};

const GRAPHIC_CONTROL: u8 = 0xf9;
const COMMENT: u8 = 0xfe;
const APPLICATION: u8 = 0xff;
/// A flag of the screen's and of a frame's header: a palette follows.
const HAS_PALETTE: u8 = 0x80;
const INTERLACED: u8 = 0x40;

/// Decodes the first frame onto its canvas; `over_white` leaves a transparent colour to Pillow.
pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    let limits = &rules.limits;
    let mut reader = Reader { rest: input.whole()? };
    let frame = Frame::read(&mut reader)?;
    if rules.over_white && frame.transparency.is_some() {
        return Err(Error::unsupported("expected a GIF without a transparent colour, found one"));
    }
    // A frame beyond the canvas widens it.
    let (width, height) = dimensions("GIF", frame.canvas[0].into(), frame.canvas[1].into(), limits)?;
    dimensions("GIF", frame.width as u64, frame.height as u64, limits)?;
    // A frame that is the canvas needs no other.
    let fills = [frame.left, frame.top] == [0, 0] && [frame.width, frame.height] == [width, height];
    let as_it_is = fills && !frame.interlaced;
    let canvas = if as_it_is { 0 } else { width * height };
    limits.check_memory((frame.width * frame.height + canvas) as u64)?;
    let layout = if frame.palette.is_some() { Layout::P } else { Layout::L };
    let header = Header { width, height, layout, palette: frame.palette };
    let pixels = decode(reader, frame.width * frame.height)?;
    if as_it_is {
        return Ok(Box::new(Whole { header, data: pixels }));
    }
    let mut data = allocate("GIF", canvas)?;
    data.fill(frame.transparency.unwrap_or(0));
    for (row, y) in pixels.chunks_exact(frame.width).zip(row_order(frame.height, frame.interlaced)) {
        let at = (frame.top + y) * width + frame.left;
        data[at..at + frame.width].copy_from_slice(row);
    }
    Ok(Box::new(Whole { header, data }))
}

/// The rows of a frame in the order in which they are stored.
fn row_order(height: usize, interlaced: bool) -> impl Iterator<Item = usize> {
    let passes = if interlaced { &[(0, 8), (4, 8), (2, 4), (1, 2)][..] } else { &[(0, 1)] };
    passes.iter().flat_map(move |&(first, step)| (first..height).step_by(step))
}

/// What is known of the frame before its pixels.
struct Frame {
    canvas: [u32; 2],
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    interlaced: bool,
    palette: Option<Box<Palette>>,
    transparency: Option<u8>,
}

impl Frame {
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
fn decode(mut reader: Reader<'_>, count: usize) -> Result<Vec<u8>> {
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
    while pixels.missing() > 0 {
        interrupt::check()?;
        let len = usize::from(reader.take(1)?[0]);
        if len == 0 {
            return Err(Error::unsupported("expected all pixels of a GIF, found the end of its frame"));
        }
        match decoder.run(reader.take(len)?, &mut pixels) {
            Progress::Full | Progress::NeedsInput => {}
            Progress::EndCode => {
                return Err(Error::unsupported("expected all pixels of a GIF, found its end code"));
            }
            Progress::BadCode => return Err(Error::decode("GIF", "a code that is not defined yet")),
        }
    }
    Ok(pixels.into_bytes())
}

fn cut_short() -> Error {
    Error::truncated("GIF", "its bytes end before the first frame")
}
