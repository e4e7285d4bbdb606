//! Text that is not ours, on its way into a message: names of sources and types, values, and what other code said.
//!
//! Every message of an exception passes [`message`], so that none is long and none has control characters. What
//! other code said loses its addresses as well: they differ from run to run, and tell an attacker where memory lies.

use std::fmt::{Display, Write};

use numpy::PyArrayDescr;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

/// The longest message, in characters.
const MAX_MESSAGE: usize = 500;
/// The longest name of a source, value, or text of other code in it.
const MAX_QUOTED: usize = 200;
/// The longest name of a type.
const MAX_KIND: usize = 80;
/// Digits of an address at least: after "0x", and without it.
const HEX_DIGITS: usize = 6;
const BARE_HEX_DIGITS: usize = 9;
const DECIMAL_DIGITS: usize = 12;
/// Digits of an address at most: a longer number is a checksum or the like.
const MAX_DIGITS: usize = 18;

/// A whole message: one line of printable characters, not too long.
pub(super) fn message(text: impl Display) -> String {
    shortened(&printable(&text.to_string()), MAX_MESSAGE)
}

/// A name that the caller gave, whole but for what cannot be printed; its middle is cut out where it is long.
pub(super) fn name(text: &str) -> String {
    // Cut first: a name may have millions of characters.
    shortened(&printable(&shortened(text, MAX_QUOTED)), MAX_QUOTED)
}

/// A name that an object says it has: it may have been made from its `repr`.
pub(super) fn own_name(text: &Bound<'_, PyString>) -> String {
    name(&without_addresses(&shortened(&text.to_string_lossy(), 4 * MAX_QUOTED), Bare::Stay))
}

/// The name of an object's type.
pub(super) fn kind(object: &Bound<'_, PyAny>) -> String {
    class(&object.get_type())
}

/// The name of a type.
pub(super) fn class(class: &Bound<'_, PyType>) -> String {
    let name = class.name().map_or_else(|_| "object".to_owned(), |name| name.to_string_lossy().into_owned());
    shortened(&printable(&without_addresses(&shortened(&name, MAX_QUOTED), Bare::Go)), MAX_KIND)
}

/// The message of an exception, or the name of its type where there is none.
pub(super) fn said(py: Python<'_>, error: &PyErr) -> String {
    let text = error.value(py).str().map(|text| quoted(&text)).unwrap_or_default();
    if text.is_empty() { kind(error.value(py).as_any()) } else { text }
}

/// A value as Python shows it.
pub(super) fn shown(value: &Bound<'_, PyAny>) -> String {
    value.repr().map_or_else(|_| kind(value), |text| quoted(&text))
}

/// A type of array, by its short name.
pub(super) fn dtype(dtype: &Bound<'_, PyArrayDescr>) -> String {
    dtype.str().map_or_else(|_| kind(dtype), |text| quoted(&text))
}

/// A text of other code.
pub(super) fn quoted(text: &Bound<'_, PyString>) -> String {
    let text = text.to_string_lossy();
    let mut start: &str = &text;
    if let Some((end, _)) = text.char_indices().nth(4 * MAX_QUOTED) {
        // No half of an address is left at the end.
        let digits = text[..end].bytes().rev().take_while(u8::is_ascii_alphanumeric).take(MAX_DIGITS + 2);
        start = &text[..end - digits.count()];
    }
    let one_line = start.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = printable(&without_addresses(&one_line, Bare::Go));
    match text.char_indices().nth(MAX_QUOTED) {
        None => text,
        Some(_) => text.chars().take(MAX_QUOTED - 3).chain("...".chars()).collect(),
    }
}

/// The beginning and the end of a text of more than `max` characters.
fn shortened(text: &str, max: usize) -> String {
    if text.char_indices().nth(max).is_none() {
        return text.to_owned();
    }
    let end = text.char_indices().rev().nth(max / 2 - 4).map_or(0, |(at, _)| at);
    text.chars().take(max / 2).chain("...".chars()).chain(text[end..].chars()).collect()
}

/// The text with escapes, as Python has them, for what a terminal or a log would take for more than a character.
fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for letter in text.chars() {
        let _ = match letter {
            '\n' => clean.write_str("\\n"),
            '\r' => clean.write_str("\\r"),
            '\t' => clean.write_str("\\t"),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' => write!(clean, "\\x{:02x}", letter as u32),
            // Separators of lines, marks that turn the direction of a text, and characters without a width.
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' => write!(clean, "\\u{:04x}", letter as u32),
            '\u{e0000}'..='\u{e007f}' => write!(clean, "\\U{:08x}", letter as u32),
            _ => clean.write_char(letter),
        };
    }
    clean
}

/// The treatment of numbers that may be addresses, and may be checksums in the name of a file.
#[derive(Clone, Copy, PartialEq)]
enum Bare {
    Go,
    Stay,
}

/// The text without numbers that may be addresses, and without the " at " before them.
fn without_addresses(text: &str, bare: Bare) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_alphanumeric()) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        clean.push_str(before);
        if let Some(kept) = kept_of_address(word, bare) {
            clean.push_str(kept);
            if kept.is_empty() && clean.ends_with(" at ") {
                clean.truncate(clean.len() - " at ".len());
            } else {
                clean.push_str("...");
            }
        } else {
            clean.push_str(word);
        }
        rest = after;
    }
    clean + rest
}

/// The part of a word before the address that it ends with; `None` where it has none.
fn kept_of_address(word: &str, bare: Bare) -> Option<&str> {
    let is_hex = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if let Some(at) = word.find("0x").or_else(|| word.find("0X")) {
        let digits = &word[at + 2..];
        return (digits.len() >= HEX_DIGITS && is_hex(digits)).then_some(&word[..at]);
    }
    let has_letter = word.bytes().any(|digit| digit.is_ascii_alphabetic());
    let has_number = word.bytes().any(|digit| digit.is_ascii_digit());
    let least = if has_letter { BARE_HEX_DIGITS } else { DECIMAL_DIGITS };
    (bare == Bare::Go && has_number && is_hex(word) && (least..=MAX_DIGITS).contains(&word.len()))
        .then_some("")
}
