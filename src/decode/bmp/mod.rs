//! BMP, indexed or not, as Pillow reads it: its rules decide which palette is none, where the pixels
//! begin and how bit fields are read. `image` would expand palettes to RGB, and so lose the mode.

mod runs;

use super::decoder::{Decoder, Input, Rules};
use super::packed::{Packed, Unpack};
use super::rows::dimensions;
use crate::error::{Error, Result};
use crate::pixels::{Header, Layout, Palette, Whole, palette_from};

const RAW: u32 = 0;
const RUNS_OF_BYTES: u32 = 1;
const RUNS_OF_NIBBLES: u32 = 2;
const BIT_FIELDS: u32 = 3;

/// Bit fields of 32-bit files (red, green, blue, alpha) that Pillow reads, and the bytes that the
/// channels are.
const FIELDS: [([u32; 4], Layout, [usize; 4]); 8] = [
    ([0xff_0000, 0xff00, 0xff, 0], Layout::Rgb, [2, 1, 0, 0]),
    ([0xff00_0000, 0xff_0000, 0xff00, 0], Layout::Rgb, [3, 2, 1, 0]),
    ([0xff00_0000, 0xff00, 0xff, 0], Layout::Rgb, [3, 1, 0, 0]),
    ([0xff00_0000, 0xff_0000, 0xff00, 0xff], Layout::Rgba, [3, 2, 1, 0]),
    ([0xff, 0xff00, 0xff_0000, 0xff00_0000], Layout::Rgba, [0, 1, 2, 3]),
    ([0xff_0000, 0xff00, 0xff, 0xff00_0000], Layout::Rgba, [2, 1, 0, 3]),
    ([0xff00_0000, 0xff00, 0xff, 0xff_0000], Layout::Rgba, [3, 1, 0, 2]),
    ([0, 0, 0, 0], Layout::Rgba, [2, 1, 0, 3]),
];

pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    let bytes = input.whole()?;
    let fields = Fields::read(bytes)?;
    let (width, height) = dimensions("BMP", fields.width, fields.height, &rules.limits)?;
    let bottom_up = fields.bottom_up;
    let (layout, unpack, palette) = match (fields.bits, fields.compression) {
        (1 | 4 | 8, RAW | RUNS_OF_BYTES | RUNS_OF_NIBBLES) => {
            let (layout, palette) = fields.palette(bytes)?;
            (layout, fields.indices(layout)?, palette)
        }
        (16, RAW) => (Layout::Rgb, Unpack::Sixteen { green: 5 }, None),
        (16, BIT_FIELDS) => match fields.masks {
            [0xf800, 0x7e0, 0x1f, _] => (Layout::Rgb, Unpack::Sixteen { green: 6 }, None),
            [0x7c00, 0x3e0, 0x1f, _] => (Layout::Rgb, Unpack::Sixteen { green: 5 }, None),
            _ => return Err(fields.unsupported()),
        },
        (24, RAW) => (Layout::Rgb, Unpack::Pick { size: 3, order: [2, 1, 0, 0] }, None),
        (24, BIT_FIELDS) if fields.masks[..3] == [0xff_0000, 0xff00, 0xff] => {
            (Layout::Rgb, Unpack::Pick { size: 3, order: [2, 1, 0, 0] }, None)
        }
        (32, RAW) => (Layout::Rgb, Unpack::Pick { size: 4, order: [2, 1, 0, 0] }, None),
        (32, BIT_FIELDS) => {
            let known = FIELDS.iter().find(|(masks, ..)| *masks == fields.masks);
            let (_, layout, order) = known.ok_or_else(|| fields.unsupported())?;
            (*layout, Unpack::Pick { size: 4, order: *order }, None)
        }
        _ => return Err(fields.unsupported()),
    };
    let header = Header { width, height, layout, palette };
    let pixels = bytes.get(fields.pixels_at..).unwrap_or_default();
    if matches!(fields.compression, RUNS_OF_BYTES | RUNS_OF_NIBBLES) {
        let nibbles = fields.compression == RUNS_OF_NIBBLES;
        rules.limits.check_memory((width * height) as u64)?;
        let mut data = runs::decode(pixels, fields.pixels_at, width, width * height, nibbles)?;
        if bottom_up {
            flip(&mut data, width);
        }
        return Ok(Box::new(Whole { header, data }));
    }
    Ok(Box::new(Packed::new("BMP", header, pixels, 4, bottom_up, unpack)?))
}

/// Turns a picture of rows upside down.
fn flip(data: &mut [u8], width: usize) {
    let (upper, lower) = data.split_at_mut(data.len() / width / 2 * width);
    for (above, below) in upper.chunks_exact_mut(width).zip(lower.rchunks_exact_mut(width)) {
        above.swap_with_slice(below);
    }
}

/// The facts of the headers.
struct Fields {
    width: u64,
    height: u64,
    bottom_up: bool,
    bits: u16,
    compression: u32,
    /// Colours in the palette, and the bytes that each takes.
    colours: usize,
    colour_bytes: usize,
    palette_at: usize,
    pixels_at: usize,
    /// Red, green, blue, alpha.
    masks: [u32; 4],
}

impl Fields {
    fn read(bytes: &[u8]) -> Result<Self> {
        let size = long(bytes, 14)?;
        let header_end = (size as usize).saturating_add(14);
        let mut fields = match size {
            // OS/2's first: shorter numbers, and no more than that.
            12 => Self {
                width: short(bytes, 18)?.into(),
                height: short(bytes, 20)?.into(),
                bottom_up: true,
                bits: short(bytes, 24)?,
                compression: RAW,
                colours: 0,
                colour_bytes: 3,
                palette_at: header_end,
                pixels_at: 0,
                masks: [0; 4],
            },
            40 | 52 | 56 | 64 | 108 | 124 => {
                let height = long(bytes, 22)?;
                // Pillow takes a height for negative by its highest byte.
                let bottom_up = height >> 24 != 0xff;
                Self {
                    width: long(bytes, 18)?.into(),
                    height: if bottom_up { height } else { height.wrapping_neg() }.into(),
                    bottom_up,
                    bits: short(bytes, 28)?,
                    compression: long(bytes, 30)?,
                    colours: long(bytes, 46)? as usize,
                    colour_bytes: 4,
                    palette_at: header_end,
                    pixels_at: 0,
                    masks: [0; 4],
                }
            }
            size => {
                return Err(Error::unsupported(format!("expected a BMP header, found one of {size} bytes")));
            }
        };
        if bytes.len() < header_end {
            return Err(cut_short());
        }
        if fields.compression == BIT_FIELDS {
            // In the header, or after one of 40 bytes; alpha came with 56 bytes.
            let count = if size >= 56 { 4 } else { 3 };
            for (index, mask) in fields.masks.iter_mut().take(count).enumerate() {
                *mask = long(bytes, 54 + 4 * index)?;
            }
            fields.palette_at = header_end.max(66);
        }
        if !matches!(fields.bits, 1 | 4 | 8 | 16 | 24 | 32) {
            return Err(fields.unsupported());
        }
        let indexed = fields.bits <= 8;
        if fields.colours == 0 && indexed {
            fields.colours = 1 << fields.bits;
        }
        let palette_bytes = fields.colours.saturating_mul(fields.colour_bytes);
        fields.pixels_at = match long(bytes, 10)? as usize {
            0 if indexed => fields.palette_at.saturating_add(palette_bytes),
            0 => fields.palette_at,
            // Writers that forget the palette point at it.
            at if at == header_end && indexed => at.saturating_add(palette_bytes),
            at => at,
        };
        Ok(fields)
    }

    /// The mode of an indexed file, and its colours if they count: a palette of greys in their order
    /// is none to Pillow.
    fn palette(&self, bytes: &[u8]) -> Result<(Layout, Option<Box<Palette>>)> {
        if self.colours > 256 {
            return Err(self.unsupported());
        }
        let range = self.palette_at..self.palette_at + self.colours * self.colour_bytes;
        let raw = bytes.get(range).ok_or_else(cut_short)?;
        let entries: Vec<u8> =
            raw.chunks_exact(self.colour_bytes).flat_map(|bgr| [bgr[2], bgr[1], bgr[0]]).collect();
        let grey = |index: usize| if self.colours == 2 { 255 * index } else { index } as u8;
        if entries.as_chunks::<3>().0.iter().enumerate().any(|(index, rgb)| *rgb != [grey(index); 3]) {
            return Ok((Layout::P, Some(palette_from(&entries))));
        }
        match self.colours {
            // Pillow's versions differ.
            1 => Err(self.unsupported()),
            2 => Ok((Layout::One, None)),
            _ => Ok((Layout::L, None)),
        }
    }

    /// How indices are packed; the odd combinations of a grey palette and few or many bits are Pillow's.
    fn indices(&self, layout: Layout) -> Result<Unpack> {
        let plain = std::array::from_fn(|index| index as u8);
        match (layout, self.bits, self.compression) {
            (Layout::P | Layout::L, _, RUNS_OF_BYTES | RUNS_OF_NIBBLES) => Ok(Unpack::Bytes),
            (Layout::P | Layout::L, 8, RAW) => Ok(Unpack::Bytes),
            (Layout::P, bits, RAW) => Ok(Unpack::Bits { bits: bits.into(), values: plain }),
            (Layout::One, 1, RAW) => Ok(Unpack::Bits { bits: 1, values: plain.map(|bit| 255 * (bit & 1)) }),
            _ => Err(self.unsupported()),
        }
    }

    fn unsupported(&self) -> Error {
        let Self { bits, compression, colours, masks, .. } = self;
        Error::unsupported(format!(
            "expected a BMP of a known kind, found {bits} bits, compression {compression}, {colours} colours, masks {masks:x?}"
        ))
    }
}

fn cut_short() -> Error {
    Error::truncated("BMP", "a header cut short")
}

fn short(bytes: &[u8], at: usize) -> Result<u16> {
    bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]])).ok_or_else(cut_short)
}

fn long(bytes: &[u8], at: usize) -> Result<u32> {
    bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).ok_or_else(cut_short)
}
