//! PBM, PGM and PPM as Pillow reads them: its own header syntax and its own scaling of samples whose
//! maximum is not 255.

use super::packed::{Packed, Unpack};
use super::pnm_plain;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pixels::{Header, Image, Layout, Whole};

pub(super) fn open<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Box<dyn Image + 'a>> {
    let kind = match bytes {
        [b'P', kind, space, ..] if is_space(*space) => *kind,
        _ => return Err(Error::decode("PNM", "no space behind its first two bytes")),
    };
    let mut tokens = Tokens { bytes, at: 3 };
    let (width, height) = (tokens.number()?, tokens.number()?);
    let (width, height) = super::dimensions("PNM", width, height, limits)?;
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
    let body = bytes.get(tokens.at..).unwrap_or_default();
    if kind <= b'3' {
        let count = width * height;
        limits.check_memory((count * layout.bytes()) as u64)?;
        let data = match layout {
            Layout::One => pnm_plain::bits(body, count)?,
            Layout::I => pnm_plain::samples(body, count, maximum, |value| integer(value, maximum))?,
            _ => pnm_plain::samples(body, count * layout.bytes(), maximum, |value| [byte(value, maximum)])?,
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

/// A sample of 0 to `maximum` as one of 0 to `top`; what is larger is white.
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

/// The bytes that separate tokens.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The longest number in a header, in digits.
const LONGEST: usize = 10;

/// The words of a header.
struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Tokens<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    /// The next number, and the one space behind it.
    fn number(&mut self) -> Result<u64> {
        let (mut value, mut digits) = (0, 0);
        while digits <= LONGEST {
            match self.byte() {
                Some(space) if is_space(space) && digits == 0 => {}
                Some(space) if is_space(space) => break,
                // A comment may stand within a number, and does not end it.
                Some(b'#') => while !matches!(self.byte(), None | Some(b'\r' | b'\n')) {},
                Some(digit @ b'0'..=b'9') => {
                    value = 10 * value + u64::from(digit - b'0');
                    digits += 1;
                }
                // Python's `int` takes signs and underscores too.
                Some(other) => {
                    return Err(Error::unsupported(format!(
                        "expected a number in a PNM header, found \"{}\"",
                        other.escape_ascii()
                    )));
                }
                None if digits == 0 => return Err(Error::truncated("PNM", "a header cut short")),
                None => break,
            }
        }
        if digits > LONGEST {
            return Err(Error::decode("PNM", "a number of more than 10 digits in its header"));
        }
        Ok(value)
    }
}
