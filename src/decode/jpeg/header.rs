//! The segments of a JPEG file, as Pillow's own parser sees them.
//!
//! Pillow walks those in front of the first scan in Python before libjpeg does, and raises on some that
//! libjpeg forgives. A file whose segments are not all regular is left to Pillow, so that it decides.

use super::huffman::Table;
use super::scan::Tables;
use crate::decode::metadata::Metadata;
use crate::error::{Error, Result};

const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
const EXIF: &[u8] = b"Exif\0\0";

/// A marker, the length that follows it, and the bytes of that length if they are all there.
struct Segment<'a> {
    marker: u8,
    length: usize,
    data: Option<&'a [u8]>,
}

/// The segments of a file in order. What stands between them, junk or a scan's data, is passed over, as
/// by Pillow's parser and by libjpeg.
struct Segments<'a>(&'a [u8]);

fn segments(bytes: &[u8]) -> Segments<'_> {
    Segments(bytes.get(2..).unwrap_or_default())
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        loop {
            let junk = memchr::memchr(0xff, self.0)?;
            self.0 = &self.0[junk..];
            let (marker, length) = match *self.0 {
                [0xff, marker, ..] if !is_end(marker) => {
                    self.0 = &self.0[1..];
                    continue;
                }
                [0xff, marker, high, low, ..] => (marker, usize::from(u16::from_be_bytes([high, low]))),
                _ => return None,
            };
            let data = self.0.get(4..length + 2);
            self.0 = self.0.get(length + 2..).unwrap_or_default();
            return Some(Segment { marker, length, data });
        }
    }
}

/// Whether a byte behind 0xff ends a scan: it is not a stuffed zero, a fill byte or a restart.
pub(super) fn is_end(marker: u8) -> bool {
    !matches!(marker, 0 | 0xd0..=0xd7 | 0xff)
}

/// The next marker that ends a scan.
pub(super) fn next_marker(bytes: &[u8]) -> Option<u8> {
    let behind = |at: usize| bytes.get(at + 1).copied();
    memchr::memchr_iter(0xff, bytes).filter_map(behind).find(|&marker| is_end(marker))
}

/// Refuses a header on which Pillow's parser and libjpeg might disagree.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let mut frames = 0;
    for Segment { marker, length, data } in segments(bytes) {
        let regular = match (marker, data) {
            (START_OF_SCAN, _) => return if frames == 1 { Ok(()) } else { Err(irregular(marker)) },
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
    }
    // Where the bytes end, libjpeg and Pillow agree.
    Ok(())
}

/// Whether the frame in front of the first scan is coded arithmetically, not by Huffman.
pub(super) fn arithmetic(bytes: &[u8]) -> bool {
    let mut header = segments(bytes).take_while(|segment| segment.marker != START_OF_SCAN);
    header.any(|segment| matches!(segment.marker, 0xc9..=0xcb | 0xcd..=0xcf))
}

/// What a scan needs beside its data: tables and the distance of its restarts, as they stand in front of the
/// first scan, and the components of that scan by identifier.
#[derive(Default)]
pub(super) struct ScanHeader<'a> {
    pub dc: Box<Tables>,
    pub ac: Box<Tables>,
    pub restart_interval: u32,
    /// Identifiers and table numbers, two bytes for each component.
    pub components: &'a [u8],
    /// Where the scan's data begin.
    pub data: usize,
}

/// `None` where a table or a segment is not whole.
pub(super) fn scan_header(bytes: &[u8]) -> Option<ScanHeader<'_>> {
    let mut header = ScanHeader::default();
    let mut segments = segments(bytes);
    while let Some(Segment { marker, data, .. }) = segments.next() {
        match (marker, data) {
            (0xc4, Some(data)) => huffman_tables(data, &mut header)?,
            (0xdd, Some(&[high, low])) => header.restart_interval = u16::from_be_bytes([high, low]).into(),
            (0xdd, _) => return None,
            (START_OF_SCAN, Some([count, rest @ ..])) => {
                header.components = rest.get(..2 * usize::from(*count))?;
                header.data = bytes.len() - segments.0.len();
                return Some(header);
            }
            _ => {}
        }
    }
    None
}

/// Reads the tables of a segment; a later one of the same number takes the place of an earlier one.
fn huffman_tables(mut data: &[u8], header: &mut ScanHeader<'_>) -> Option<()> {
    while let [kind, rest @ ..] = data {
        let (counts, rest) = rest.split_first_chunk::<16>()?;
        let (symbols, rest) = rest.split_at_checked(counts.iter().map(|&count| usize::from(count)).sum())?;
        let is_dc = kind >> 4 == 0;
        let tables = match kind >> 4 {
            0 => &mut header.dc,
            1 => &mut header.ac,
            _ => return None,
        };
        *tables.get_mut(usize::from(kind & 15))? = Table::new(counts, symbols, is_dc)?;
        data = rest;
    }
    Some(())
}

/// How many scans the file announces; libjpeg reads no more than these.
pub(super) fn scans(bytes: &[u8]) -> u64 {
    let image = segments(bytes).take_while(|segment| segment.marker != END_OF_IMAGE);
    image.filter(|segment| segment.marker == START_OF_SCAN).count() as u64
}

/// The bytes that are copied when the pieces of EXIF are joined one by one, as Pillow does: the square of
/// their number, in segments of 64 KB.
pub(super) fn joined_exif(bytes: &[u8]) -> u64 {
    let (mut joined, mut copied) = (0, 0_u64);
    for segment in segments(bytes).take_while(|segment| segment.marker != START_OF_SCAN) {
        if segment.marker == 0xe1 && segment.data.is_some_and(|data| data.starts_with(EXIF)) {
            joined += segment.length as u64;
            copied = copied.saturating_add(joined);
        }
    }
    copied
}

/// EXIF and XMP in front of the first scan. Pillow joins several EXIF segments, and keeps the last XMP.
pub(super) fn metadata(bytes: &[u8]) -> Metadata<'_> {
    let mut found = Metadata::default();
    for segment in segments(bytes).take_while(|segment| segment.marker != START_OF_SCAN) {
        let Segment { marker: 0xe1, data: Some(data), .. } = segment else { continue };
        if let Some(exif) = data.strip_prefix(EXIF) {
            found.exif.get_or_insert_default().to_mut().extend_from_slice(exif);
        } else if let Some(xmp) = data.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
            found.xmp = Some(xmp.into());
        }
    }
    found
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
