//! The words of a PNM header.

use crate::error::{Error, Result};

/// The bytes that separate tokens.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The longest number in a header, in digits.
const LONGEST: usize = 10;

/// The words of a header.
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    /// The words from `at` on.
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The bytes after the words that have been read.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    /// The next number, and the one space after it.
    pub fn number(&mut self) -> Result<u64> {
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
