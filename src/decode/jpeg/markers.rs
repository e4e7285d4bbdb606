//! The markers of a JPEG file in order, found as libjpeg finds them.
//!
//! Everything that looks for a marker looks here. libjpeg's way does not depend on the codes of a scan: whatever
//! its decoder leaves unread, the next marker is the next byte after 0xff that is none of zero, fill byte and
//! restart. So the scans that it will decode can be counted before it runs.

use std::ops::Range;

pub(super) const DEFINE_HUFFMAN: u8 = 0xc4;
pub(super) const DEFINE_ARITHMETIC: u8 = 0xcc;
pub(super) const START_OF_IMAGE: u8 = 0xd8;
pub(super) const END_OF_IMAGE: u8 = 0xd9;
pub(super) const START_OF_SCAN: u8 = 0xda;
pub(super) const DEFINE_QUANTISATION: u8 = 0xdb;
pub(super) const DEFINE_RESTART: u8 = 0xdd;
pub(super) const COMMENT: u8 = 0xfe;
const TEMPORARY: u8 = 0x01;
const FILL: u8 = 0xff;

/// A marker and where the content of its segment is, which may end after the file does. The content of a marker
/// without parameters is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub code: u8,
    /// The length that the segment announces, which counts its own two bytes.
    pub length: usize,
    pub content: Range<usize>,
}

/// The markers of a file, after the one that starts the image.
pub(super) struct Markers<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Markers<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 2 }
    }

    /// The markers from byte `at` on.
    pub fn from(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Goes on after the start of another image, which has to be the next two bytes.
    pub fn start_image(&mut self) -> bool {
        let starts = self.bytes[self.at..].starts_with(&[FILL, START_OF_IMAGE]);
        self.at += if starts { 2 } else { 0 };
        starts
    }
}

impl Iterator for Markers<'_> {
    type Item = Marker;

    /// `None` where the bytes end before a marker or a length does.
    fn next(&mut self) -> Option<Marker> {
        loop {
            let fill = self.at + memchr::memchr(FILL, self.bytes.get(self.at..)?)?;
            let at = fill + self.bytes[fill..].iter().position(|&byte| byte != FILL)?;
            self.at = at + 1;
            match self.bytes[at] {
                0 => {}
                code if has_parameters(code) => {
                    let length =
                        self.bytes[self.at..].first_chunk().map(|&length| u16::from_be_bytes(length))?;
                    let length = usize::from(length);
                    let content = self.at + 2..self.at + length.max(2);
                    self.at = content.end.min(self.bytes.len());
                    return Some(Marker { code, length, content });
                }
                code => return Some(Marker { code, length: 0, content: self.at..self.at }),
            }
        }
    }
}

fn has_parameters(marker: u8) -> bool {
    !matches!(marker, TEMPORARY | 0xd0..=END_OF_IMAGE)
}

/// Whether a marker is the header of a frame.
pub(super) fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, DEFINE_HUFFMAN | 0xc8 | DEFINE_ARITHMETIC)
}

/// Whether a byte after 0xff ends a scan: it is not a stuffed zero, a fill byte or a restart.
pub(super) fn ends_scan(marker: u8) -> bool {
    !matches!(marker, 0 | 0xd0..=0xd7 | FILL)
}

/// The next marker that ends a scan.
pub(super) fn next_end_of_scan(bytes: &[u8]) -> Option<u8> {
    let after = |at: usize| bytes.get(at + 1).copied();
    memchr::memchr_iter(FILL, bytes).filter_map(after).find(|&marker| ends_scan(marker))
}

/// The scans that libjpeg decodes of a file, unless it meets an error before, and the pixels of each.
pub(super) fn count_scans(bytes: &[u8]) -> (u64, u64) {
    let (mut scans, mut pixels) = (0, 0);
    let mut has_frame = false;
    let mut markers = Markers::new(bytes);
    while let Some(Marker { code, content, .. }) = markers.next() {
        match code {
            START_OF_SCAN => scans += 1,
            END_OF_IMAGE if !has_frame && markers.start_image() => {}
            // The end, or a marker that libjpeg refuses.
            START_OF_IMAGE | END_OF_IMAGE | 0x02..=0xbf | 0xc8 | 0xde | 0xdf | 0xf0..=0xfd => break,
            code if is_frame(code) => {
                has_frame = true;
                if let Some(&[_, a, b, c, d, ..]) = bytes.get(content) {
                    let side = |high, low| u64::from(u16::from_be_bytes([high, low]));
                    pixels = side(a, b).saturating_mul(side(c, d)).max(pixels);
                }
            }
            _ => {}
        }
    }
    (scans, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(bytes: &[u8]) -> Vec<u8> {
        Markers::new(bytes).map(|marker| marker.code).collect()
    }

    #[test]
    fn junk_fill_bytes_and_stuffed_zeros_are_passed_over() {
        assert_eq!(
            codes(b"\xff\xd8junk\xff\0\xff\xff\0\xff\xff\xff\xfe\0\x03x\xff\xd9"),
            [COMMENT, END_OF_IMAGE]
        );
    }

    #[test]
    fn markers_without_parameters_have_no_length() {
        assert_eq!(codes(b"\xff\xd8\xff\x01\xff\xda\0\x02\xff\xd3\xff\xda\0\x02"), [1, 0xda, 0xd3, 0xda]);
        assert_eq!(
            count_scans(b"\xff\xd8\xff\xc0\0\x02\xff\x01\xff\xff\xff\xda\0\x02\xff\xd3\xff\xda\0\x02"),
            (2, 0)
        );
    }

    #[test]
    fn lengths_are_kept_where_bytes_end_or_are_too_short() {
        let marker = |bytes: &[u8]| Markers::new(bytes).next().map(|m| (m.length, m.content));
        assert_eq!(marker(b"\xff\xd8\xff\xe0\0\x09ab"), Some((9, 6..13)));
        assert_eq!(marker(b"\xff\xd8\xff\xe0\0\0ab"), Some((0, 6..6)));
        assert_eq!(marker(b"\xff\xd8\xff\xe0\0"), None);
        assert_eq!(marker(b"\xff\xd8\xff\xff"), None);
        assert_eq!(marker(b"\xff"), None);
    }

    #[test]
    fn scans_are_counted_to_the_end_of_the_image() {
        const FRAME: &[u8] = b"\xff\xc2\0\x02";
        const SCAN: &[u8] = b"\xff\xda\0\x02";
        const COUNTED: [(&[&[u8]], u64); 7] = [
            (&[b"\xff\xd8", FRAME, SCAN, SCAN, b"\xff\xd9", SCAN], 2),
            (&[b"\xff\xd8\xff\xd9\xff\xd8", FRAME, SCAN, SCAN], 2),
            (&[b"\xff\xd8\xff\xd9\xff\xd8\xff\xd9\xff\xd8", FRAME, SCAN], 1),
            (&[b"\xff\xd8\xff\xd9", FRAME, SCAN], 0),
            (&[b"\xff\xd8", FRAME, b"\xff\xd9\xff\xd8", SCAN], 0),
            (&[b"\xff\xd8", FRAME, SCAN, b"\xff\xf0", SCAN], 1),
            (&[b"\xff\xd8", FRAME, b"\xff\xe1\0\x06", SCAN, SCAN], 1),
        ];
        for (parts, scans) in COUNTED {
            assert_eq!(count_scans(&parts.concat()).0, scans, "{parts:x?}");
        }
    }
}
