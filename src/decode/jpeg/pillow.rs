//! The work that Pillow does on the segments of a JPEG as it opens the file, before libjpeg reads any.
//!
//! It reads them in Python, by rules of its own, and so refuses files over metadata, and spends memory on them.

use crate::decode::exif::check_exif;
use crate::decode::metadata::joined;
use crate::error::Result;
use crate::limits::Limits;

const EXIF: &[u8] = b"Exif\0\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
const MULTI_PICTURE: &[u8] = b"MPF\0";

/// Whether Pillow reads an APP13 segment. It raises where the bytes end before the length of a name.
pub(super) fn reads_photoshop(data: &[u8]) -> bool {
    let Some(mut rest) = data.strip_prefix(PHOTOSHOP) else { return true };
    // Names and resources are padded to even places, as the one after the prefix is.
    while let Some([_, _, resource @ ..]) = rest.strip_prefix(b"8BIM") {
        let Some((&name, _)) = resource.split_first() else { return false };
        let name = (1 + usize::from(name)).next_multiple_of(2);
        let Some((len, content)) = resource.get(name..).and_then(<[u8]>::split_first_chunk::<4>) else {
            break;
        };
        let len = u32::from_be_bytes(*len) as usize;
        let is_resolution = rest[4..6] == [0x03, 0xed];
        if is_resolution && len.min(content.len()) < 14 {
            break;
        }
        rest = content.get(len.saturating_add(len % 2)..).unwrap_or_default();
    }
    true
}

/// Refuses a file for which Pillow would take more memory, as it opens it, than allowed. It joins the pieces of
/// EXIF one by one, and may copy the bytes of each field of EXIF and of a multi-picture index.
pub(super) fn check_cost(bytes: &[u8], limits: &Limits) -> Result<()> {
    let (mut len, mut copied) = (0, 0_u64);
    let mut pictures = None;
    for (code, data) in segments(bytes) {
        if code == 0xe1 && data.starts_with(EXIF) {
            len += data.len() as u64;
            copied = copied.saturating_add(len);
        } else if code == 0xe2 && data.starts_with(MULTI_PICTURE) {
            pictures = Some(&data[MULTI_PICTURE.len()..]);
        }
    }
    limits.check_memory(copied)?;
    if let Some(pictures) = pictures {
        check_exif(pictures)?;
    }
    let pieces = segments(bytes).filter(|(code, _)| *code == 0xe1);
    let exif = joined(pieces.filter_map(|(_, data)| data.strip_prefix(EXIF)))?;
    exif.as_deref().map_or(Ok(()), check_exif)
}

/// The segments before the first scan, as Pillow's parser finds them.
fn segments(bytes: &[u8]) -> Segments<'_> {
    Segments(bytes.get(2..).unwrap_or_default())
}

/// The rest of a file.
#[derive(Clone)]
struct Segments<'a>(&'a [u8]);

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.0 = &self.0[memchr::memchr(0xff, self.0)?..];
            match *self.0 {
                [_, 0xff, ..] => self.0 = &self.0[1..],
                // Zeros that were stuffed, and markers that have no parameters to Pillow.
                [_, 0 | 0xc8 | 0xd0..=0xd9 | 0xf0..=0xfd, ..] => self.0 = &self.0[2..],
                [_, code @ (0xc0..=0xd9 | 0xdb..=0xfe), high, low, ..] => {
                    let end = usize::from(u16::from_be_bytes([high, low])).max(2) + 2;
                    let data = self.0.get(4..end)?;
                    self.0 = &self.0[end..];
                    return Some((code, data));
                }
                _ => return None,
            }
        }
    }
}
