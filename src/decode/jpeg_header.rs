//! The segments in front of a JPEG's first scan, as Pillow's own parser sees them.
//!
//! Pillow walks them in Python before libjpeg does, and raises on some that libjpeg forgives. A file
//! whose segments are not all regular is left to Pillow, so that it decides.

use crate::error::{Error, Result};

/// Refuses a header on which Pillow's parser and libjpeg might disagree.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut frames = 0;
    loop {
        let (marker, length) = match *rest {
            // Fill bytes.
            [0xff, 0xff, ..] => {
                rest = &rest[1..];
                continue;
            }
            [0xff, marker, high, low, ..] => (marker, usize::from(u16::from_be_bytes([high, low]))),
            [0xff, ..] | [] => return Ok(()), // the bytes end: libjpeg and Pillow agree
            [junk, ..] => return Err(irregular(junk)),
        };
        let segment = rest.get(4..length + 2);
        let regular = match (marker, segment) {
            (0xda, _) => return if frames == 1 { Ok(()) } else { Err(irregular(marker)) },
            (0xc0..=0xff, None) => length >= 2,
            (0xc4 | 0xcc | 0xdd, Some(_)) => true,
            (0xdb, Some(tables)) => whole_tables(tables),
            (0xc0..=0xc7 | 0xc9..=0xcf, Some(frame)) => {
                frames += 1;
                matches!(frame, [8, _, _, _, _, 1 | 3 | 4, ..])
            }
            (0xe0, Some(data)) if data.starts_with(b"JFIF") => data.len() >= 12,
            (0xee, Some(data)) if data.starts_with(b"Adobe") => data.len() >= 12,
            (0xe2, Some(data)) if data.starts_with(b"ICC_PROFILE\0") => data.len() >= 14,
            (0xe0..=0xef | 0xfe, Some(_)) => true,
            _ => false,
        };
        if !regular {
            return Err(irregular(marker));
        }
        rest = rest.get(length + 2..).unwrap_or_default();
    }
}

/// Whether quantisation tables of 64 bytes or 64 words fill their segment.
fn whole_tables(mut tables: &[u8]) -> bool {
    while let [kind, ..] = *tables {
        let len = 1 + if kind < 16 { 64 } else { 128 };
        match tables.get(len..) {
            Some(rest) => tables = rest,
            None => return false,
        }
    }
    true
}

fn irregular(marker: u8) -> Error {
    Error::unsupported(format!("expected regular JPEG segments, found an odd one with marker {marker:#04x}"))
}
