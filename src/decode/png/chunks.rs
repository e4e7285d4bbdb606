//! What Pillow makes of a PNG's chunks: where the `png` crate is more lenient, or would show another
//! frame of an animation, the file is left to Pillow.

use std::borrow::Cow;
use std::io::Read;

use crate::decode::metadata::Metadata;
use crate::error::{Error, LimitKind, Result};

/// Pillow's bounds on metadata: a chunk once it is unpacked (`MAX_TEXT_CHUNK`), and all text.
const MAX_UNPACKED: usize = 1 << 20;
const MAX_TEXT: usize = 64 << 20;
/// Deflate packs so many bytes into one at the best.
const BEST_RATIO: usize = 1032;
/// Pillow unpacks every profile, of which a file has one; so many of [`MAX_UNPACKED`] take it a second.
const MAX_PROFILES: usize = 64;

/// Refuses a file whose chunks only Pillow reads as it does.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let announced = chunks(bytes).take_while(|chunk| chunk.name != b"IEND");
    let profiles = announced.filter(|chunk| chunk.name == b"iCCP").count();
    if profiles > MAX_PROFILES {
        return Err(Error::limit(LimitKind::ColourProfiles, MAX_PROFILES as u64, profiles as u64));
    }
    let mut header = &[][..];
    let mut animation = Animation::default();
    let mut in_data = false;
    let mut text = 0;
    for Chunk { name, len, body } in chunks(bytes) {
        let fits = match name {
            b"IEND" => return Ok(()),
            b"IDAT" => {
                in_data = true;
                true
            }
            // To Pillow the last one counts.
            b"IHDR" => {
                let first = header.is_empty();
                header = body;
                first && len >= 13
            }
            // Pillow stops where the second frame begins.
            b"fcTL" if in_data && animation.has_more() => return Ok(()),
            b"acTL" => !in_data && animation.control(body),
            b"fcTL" => !in_data && animation.frame(body, header),
            b"fdAT" => false,
            b"tRNS" => match header.get(9) {
                Some(0) => len >= 2,
                Some(2) => len >= 6,
                _ => true,
            },
            b"gAMA" => len >= 4,
            b"sRGB" => len >= 1,
            b"pHYs" => len >= 9,
            b"cHRM" => len >= 32,
            b"iCCP" => keyword(body).and_then(packed).is_some(),
            b"tEXt" => counts(Some(len), &mut text),
            b"zTXt" => counts(keyword(body).and_then(packed), &mut text),
            b"iTXt" => counts(international(body), &mut text),
            // Before the pixels, what has no name is no chunk to Pillow.
            _ => in_data || name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'),
        };
        if !fits {
            return Err(Error::unsupported(format!(
                "expected the chunks of a plain PNG, found \"{}\" with {len} bytes",
                name.escape_ascii()
            )));
        }
    }
    Ok(())
}

/// EXIF and XMP, in front of the pixels or behind them; the last of each counts.
pub(super) fn metadata(bytes: &[u8]) -> Result<Metadata<'_>> {
    let mut found = Metadata::default();
    // Of an animation Pillow reads no further than to its second frame.
    let (mut animated, mut in_data) = (false, false);
    for Chunk { name, body, .. } in chunks(bytes) {
        match name {
            b"IEND" => break,
            b"acTL" => animated = true,
            b"IDAT" => in_data = true,
            _ if animated && in_data => {
                return Err(Error::unsupported("expected a still PNG, found chunks behind a first frame"));
            }
            b"eXIf" => found.exif = Some(body.into()),
            b"tEXt" | b"zTXt" | b"iTXt" => match body.split(|&byte| byte == 0).next().unwrap_or_default() {
                b"XML:com.adobe.xmp" if name == b"iTXt" && found.xmp.is_none() && plain(body).is_some() => {
                    found.xmp = plain(body).map(Cow::from);
                }
                key @ (b"exif" | b"xmp" | b"XML:com.adobe.xmp" | b"Raw profile type exif") => {
                    return Err(Error::unsupported(format!(
                        "expected EXIF in a chunk of its own, found text called \"{}\"",
                        key.escape_ascii()
                    )));
                }
                _ => {}
            },
            _ => {}
        }
    }
    Ok(found)
}

/// International text that is not packed, behind its keyword, language and translated keyword.
fn plain(body: &[u8]) -> Option<&[u8]> {
    match keyword(body) {
        Some([0, _, rest @ ..]) => keyword(rest).and_then(keyword),
        _ => None,
    }
}

/// An animation, as far as its first frame is concerned: the image data are that, or stand beside it.
#[derive(Default)]
struct Animation {
    /// How many frames there are.
    frames: Option<u32>,
    /// The image data are the first of them.
    starts_with_data: bool,
}

impl Animation {
    /// Notes the number of frames; a second such chunk, or a bad number, is for Pillow to judge.
    fn control(&mut self, body: &[u8]) -> bool {
        let frames = long(body, 0).filter(|frames| (1..1 << 31).contains(frames));
        frames.is_some() && body.len() == 8 && self.frames.replace(frames.unwrap_or(0)).is_none()
    }

    /// Notes a frame that covers the canvas.
    fn frame(&mut self, body: &[u8], header: &[u8]) -> bool {
        let first = self.frames.is_some() && !std::mem::replace(&mut self.starts_with_data, true);
        first
            && body.len() == 26
            && long(body, 0) == Some(0)
            && body.get(4..12) == header.get(..8)
            && body.get(12..20) == Some(&[0; 8])
    }

    fn has_more(&self) -> bool {
        self.frames.is_some_and(|frames| frames > 1 || !self.starts_with_data)
    }
}

/// Adds the length of a text, and says whether Pillow still allows it; none is a text that it may not.
fn counts(len: Option<usize>, text: &mut usize) -> bool {
    *text = text.saturating_add(len.unwrap_or(usize::MAX));
    *text <= MAX_TEXT
}

/// What follows a keyword and its zero.
fn keyword(body: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(0, body)?;
    Some(&body[end + 1..])
}

/// The length of what is packed behind a method, of which there is one.
fn packed(body: &[u8]) -> Option<usize> {
    match body {
        [0, packed @ ..] => unpacked_len(packed),
        _ => None,
    }
}

/// The length of a text with a language and a translated keyword, packed or not.
fn international(body: &[u8]) -> Option<usize> {
    match keyword(body) {
        Some([0, ..]) => Some(body.len()),
        Some([_, 0, rest @ ..]) => keyword(rest).and_then(keyword).map_or(Some(0), unpacked_len),
        // Pillow passes over other methods, and over what is not whole.
        _ => Some(0),
    }
}

/// An upper bound for the length of packed bytes, if Pillow's own bound allows it: by the best ratio,
/// or by unpacking.
fn unpacked_len(packed: &[u8]) -> Option<usize> {
    let bound = packed.len().saturating_mul(BEST_RATIO);
    if bound <= MAX_UNPACKED {
        return Some(bound);
    }
    let mut unpacked = flate2::read::ZlibDecoder::new(packed).take(MAX_UNPACKED as u64 + 1);
    let len = std::io::copy(&mut unpacked, &mut std::io::sink()).ok()? as usize;
    Some(len).filter(|&len| len <= MAX_UNPACKED)
}

fn long(body: &[u8], at: usize) -> Option<u32> {
    body.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

struct Chunk<'a> {
    name: &'a [u8; 4],
    /// The length that the chunk gives itself.
    len: usize,
    /// As much of it as there is.
    body: &'a [u8],
}

/// The chunks of a file.
fn chunks(bytes: &[u8]) -> Chunks<'_> {
    Chunks(bytes.get(8..).unwrap_or_default())
}

struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let (len, rest) = self.0.split_first_chunk::<4>()?;
        let (name, body) = rest.split_first_chunk::<4>()?;
        let len = u32::from_be_bytes(*len) as usize;
        // Behind the body is a checksum.
        self.0 = body.get(len.saturating_add(4)..).unwrap_or_default();
        Some(Chunk { name, len, body: &body[..len.min(body.len())] })
    }
}
