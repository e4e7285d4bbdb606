//! PBM, PGM and PPM as Pillow reads them: its own header syntax and its own scaling of samples with a
//! maximum other than 255.

mod header;
mod plain;

use header::{Tokens, is_space};

use super::decoder::{Decoder, Input, Rules};
use super::packed::{Packed, Unpack};
use super::rows::dimensions;
use crate::error::{Error, Result};
use crate::pixels::{Header, Layout, Whole};

pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    let bytes = input.whole()?;
    let kind = match bytes {
        [b'P', kind, space, ..] if is_space(*space) => *kind,
        _ => return Err(Error::decode("PNM", "no space after its first two bytes")),
    };
    let mut tokens = Tokens::new(bytes, 3);
    let (width, height) = (tokens.number()?, tokens.number()?);
    let (width, height) = dimensions("PNM", width, height, &rules.limits)?;
    let maximum = match kind {
        b'1' | b'4' => 1,
        _ => tokens.number()?,
    };
    let layout = match (kind, maximum) {
        (_, 0 | 65536..) => {
            return Err(Error::decode("PNM", format_args!("{maximum} for the largest sample")));
        }
        (b'1' | b'4', _) => Layout::One,
        (b'3' | b'6', _) => Layout::Rgb,
        (_, ..=255) => Layout::L,
        _ => Layout::I,
    };
    let header = Header { width, height, layout, palette: None };
    let body = tokens.rest();
    if kind <= b'3' {
        let count = width * height;
        rules.limits.check_memory((count * layout.bytes()) as u64)?;
        let data = match layout {
            Layout::One => plain::bits(body, count)?,
            Layout::I => plain::samples(body, count, maximum, |value| integer(value, maximum))?,
            _ => plain::samples(body, count * layout.bytes(), maximum, |value| [byte(value, maximum)])?,
        };
        return Ok(Box::new(Whole { header, data }));
    }
    let unpack = match (layout, maximum) {
        // One is black.
        (Layout::One, _) => {
            Unpack::Bits { bits: 1, values: std::array::from_fn(|bit| if bit == 0 { 255 } else { 0 }) }
        }
        (Layout::I, _) => {
            Unpack::Integers((0..=0xffff).map(|value| scale(value, maximum, 65535.0) as u16).collect())
        }
        (_, 255) => Unpack::Bytes,
        (_, ..255) => Unpack::Table(Box::new(std::array::from_fn(|value| byte(value as u64, maximum)))),
        _ => Unpack::Pairs((0..=0xffff).map(|value| byte(value, maximum)).collect()),
    };
    Ok(Box::new(Packed::new("PNM", header, body, 1, false, unpack)?))
}

/// A sample of 0 to `maximum` as one of 0 to `top`; larger ones are white.
fn scale(value: u64, maximum: u64, top: f64) -> f64 {
    // Python's operations in their order: a true division, then a product rounded half to even.
    (value as f64 / maximum as f64 * top).round_ties_even().min(top)
}

/// A sample of the modes "L" and "RGB".
fn byte(value: u64, maximum: u64) -> u8 {
    scale(value, maximum, 255.0) as u8
}

/// A sample of the mode "I".
fn integer(value: u64, maximum: u64) -> [u8; 4] {
    (scale(value, maximum, 65535.0) as i32).to_ne_bytes()
}
