//! PNM in decimal digits. Pillow reads such a file in blocks, and where that decides, the file is left to it:
//! bytes after the last sample, and comments in files of more than one block.

use std::borrow::Cow;

use super::header::is_space;
use crate::decode::rows::allocate;
use crate::error::{Error, Result};
use crate::interrupt;

/// Pillow's block.
const PILLOWS_BLOCK: usize = 1 << 20;
/// Samples between two polls.
const POLL: usize = 1 << 14;
/// The longest sample, in digits.
const LONGEST: usize = 10;

/// Bits, one digit each, with or without spaces; one is black.
pub(super) fn bits(body: &[u8], count: usize) -> Result<Vec<u8>> {
    let body = without_comments(body)?;
    check_length(&body, count)?;
    let mut data = allocate("PNM", count)?;
    let mut digits = body.iter().filter(|byte| !is_space(**byte));
    for (index, out) in data.iter_mut().enumerate() {
        if index.is_multiple_of(POLL) {
            interrupt::check()?;
        }
        *out = match digits.next() {
            Some(b'0') => 255,
            Some(b'1') => 0,
            Some(other) => return Err(unexpected(&[*other])),
            None => return Err(Error::truncated("PNM", format_args!("fewer than {count} pixels"))),
        };
    }
    match digits.next() {
        Some(more) => Err(unexpected(&[*more])),
        None => Ok(data),
    }
}

/// Numbers of 0 to `maximum`, each as the bytes that `store` makes of it.
pub(super) fn samples<const N: usize>(
    body: &[u8],
    count: usize,
    maximum: u64,
    store: impl Fn(u64) -> [u8; N],
) -> Result<Vec<u8>> {
    let body = without_comments(body)?;
    check_length(&body, count)?;
    let mut data = allocate("PNM", count * N)?;
    let mut words = body.split(|&byte| is_space(byte)).filter(|word| !word.is_empty());
    for (index, out) in data.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        if index.is_multiple_of(POLL) {
            interrupt::check()?;
        }
        let word = words
            .next()
            .ok_or_else(|| Error::truncated("PNM", format_args!("fewer than {count} samples")))?;
        // Python's `int` takes signs and underscores too.
        if word.len() > LONGEST || !word.iter().all(u8::is_ascii_digit) {
            return Err(unexpected(word));
        }
        let value = word.iter().fold(0, |value, digit| 10 * value + u64::from(digit - b'0'));
        if value > maximum {
            return Err(unexpected(word));
        }
        *out = store(value);
    }
    match words.next() {
        Some(more) => Err(unexpected(more)),
        None => Ok(data),
    }
}

/// Before memory is taken: a sample has a digit, at least.
fn check_length(body: &[u8], count: usize) -> Result<()> {
    if body.len() < count {
        return Err(Error::truncated("PNM", format_args!("{} bytes for {count} samples", body.len())));
    }
    Ok(())
}

/// Cuts comments out with the ends of their lines, so that the words around one become one.
fn without_comments(body: &[u8]) -> Result<Cow<'_, [u8]>> {
    if !body.contains(&b'#') {
        return Ok(Cow::Borrowed(body));
    }
    if body.len() > PILLOWS_BLOCK {
        return Err(Error::unsupported("expected a plain PNM without comments, found a large one with some"));
    }
    let mut kept = Vec::with_capacity(body.len());
    let mut in_comment = false;
    for &byte in body {
        match byte {
            b'\r' | b'\n' if in_comment => in_comment = false,
            _ if in_comment => {}
            b'#' => in_comment = true,
            _ => kept.push(byte),
        }
    }
    Ok(Cow::Owned(kept))
}

fn unexpected(word: &[u8]) -> Error {
    let word = word[..word.len().min(20)].escape_ascii();
    Error::unsupported(format!("expected the samples of a plain PNM, found \"{word}\""))
}
