//! The chunks of a PNG. Files that break a rule, or whose frames Pillow composes, are left to Pillow.

use crate::error::{Error, LimitKind, Result};

/// Pillow's bounds on metadata: a chunk once it is unpacked (`MAX_TEXT_CHUNK`), and all text.
pub(super) const MAX_UNPACKED: usize = 1 << 20;
const MAX_TEXT: usize = 64 << 20;
/// The most bytes that deflate packs into one.
const BEST_RATIO: usize = 1032;
/// Pillow unpacks every profile, where a file should have one; this number of [`MAX_UNPACKED`] bytes takes it a second.
const MAX_PROFILES: usize = 64;

/// The chunks of a PNG before its pixels.
pub(super) struct Facts<'a> {
    pub width: u32,
    pub height: u32,
    pub colour: u8,
    pub depth: u8,
    pub interlaced: bool,
    /// The colours of the palette, three bytes each.
    pub palette: Option<&'a [u8]>,
    /// Whether a colour, or entries of the palette, are transparent.
    pub transparent: bool,
    /// The chunks from the first one with image data on.
    pub data: Chunks<'a>,
    /// Whether the file ends in a chunk's name.
    pub cut: bool,
}

/// Reads the chunks of a file, and leaves to Pillow those that only Pillow reads as it does.
pub(super) fn read(bytes: &[u8]) -> Result<Facts<'_>> {
    let announced = chunks(bytes).take_while(|chunk| chunk.name != b"IEND");
    let profiles = announced.filter(|chunk| chunk.name == b"iCCP").count();
    if profiles > MAX_PROFILES {
        return Err(Error::limit(LimitKind::ColourProfiles, MAX_PROFILES as u64, profiles as u64));
    }
    let mut header = &[][..];
    let mut palette = None;
    let mut transparent = false;
    let mut animation = Animation::default();
    let mut data = None;
    let mut cut = false;
    let mut text = 0;
    let mut rest = chunks(bytes);
    loop {
        let here = rest.clone();
        let Some(chunk) = rest.next() else {
            cut = rest.bytes() >= 4;
            break;
        };
        let Chunk { name, len, body, .. } = chunk;
        let in_data = data.is_some();
        if (in_data || name == b"IDAT") && !chunk.is_whole() {
            return Err(Error::truncated("PNG", format_args!("{} bytes of a chunk of {len}", body.len())));
        }
        // Pillow looks at checksums before the pixels only.
        let sound = in_data || name == b"IDAT" || chunk.is_sound();
        let fits = match name {
            _ if header.is_empty() && name != b"IHDR" => false,
            b"IEND" => break,
            b"IDAT" => {
                data.get_or_insert(here);
                true
            }
            b"IHDR" => {
                let first = header.is_empty();
                header = body;
                first && len == 13
            }
            b"PLTE" if !in_data => palette.replace(body).is_none() && len.is_multiple_of(3) && len <= 768,
            // Pillow stops where the second frame begins.
            b"fcTL" if in_data && animation.has_more() => break,
            b"acTL" => !in_data && animation.control(body),
            b"fcTL" => !in_data && animation.frame(body, header),
            // To Pillow these are image data, too.
            b"fdAT" | b"DDAT" => false,
            b"tRNS" => {
                transparent = true;
                match header.get(9) {
                    Some(0) => len >= 2,
                    Some(2) => len >= 6,
                    _ => true,
                }
            }
            b"gAMA" => len >= 4,
            b"sRGB" => len >= 1,
            b"pHYs" => len >= 9,
            b"cHRM" => len >= 32,
            b"iCCP" => keyword(body).and_then(packed).is_some(),
            b"tEXt" => counts(Some(len), &mut text),
            b"zTXt" => counts(keyword(body).and_then(packed), &mut text),
            b"iTXt" => counts(international(body), &mut text),
            // Before the pixels, a chunk with another name is none to Pillow.
            _ => in_data || name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'),
        };
        if !sound || !fits {
            return Err(Error::unsupported(format!(
                "expected the chunks of a plain PNG, found \"{}\" with {len} bytes",
                name.escape_ascii()
            )));
        }
    }
    let data = data.ok_or_else(|| Error::truncated("PNG", "no image data"))?;
    let &[w0, w1, w2, w3, h0, h1, h2, h3, depth, colour, 0, 0, interlaced @ 0..=1] = header else {
        return Err(Error::unsupported("expected a PNG that begins with its header, found another"));
    };
    Ok(Facts {
        width: u32::from_be_bytes([w0, w1, w2, w3]),
        height: u32::from_be_bytes([h0, h1, h2, h3]),
        colour,
        depth,
        interlaced: interlaced != 0,
        palette,
        transparent,
        data,
        cut,
    })
}

/// An animation, as far as its first frame is concerned: the image data are that, or stand beside it.
#[derive(Default)]
struct Animation {
    /// The number of frames.
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

/// The bytes after a keyword and its zero.
pub(super) fn keyword(body: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(0, body)?;
    Some(&body[end + 1..])
}

/// The length of what is packed after a method, of which there is one.
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
    fdeflate::decompress_to_vec_bounded(packed, MAX_UNPACKED).ok().map(|unpacked| unpacked.len())
}

fn long(body: &[u8], at: usize) -> Option<u32> {
    body.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

pub(super) struct Chunk<'a> {
    pub name: &'a [u8; 4],
    /// The length that the chunk gives itself.
    len: usize,
    /// As much of it as there is.
    pub body: &'a [u8],
    /// Its name and its body, which the checksum is made of.
    checked: &'a [u8],
    checksum: Option<&'a [u8; 4]>,
}

impl Chunk<'_> {
    fn is_whole(&self) -> bool {
        self.body.len() == self.len
    }

    fn is_sound(&self) -> bool {
        self.checksum.is_some_and(|&sum| u32::from_be_bytes(sum) == crc32fast::hash(self.checked))
    }
}

/// The chunks of a file.
pub(super) fn chunks(bytes: &[u8]) -> Chunks<'_> {
    Chunks(bytes.get(8..).unwrap_or_default())
}

/// Chunks one after another, from the beginning of one on.
#[derive(Clone)]
pub(super) struct Chunks<'a>(&'a [u8]);

impl<'a> Chunks<'a> {
    /// The body of the next chunk if it has image data.
    pub fn next_data(&mut self) -> Option<&'a [u8]> {
        let chunk = self.next().filter(|chunk| chunk.name == b"IDAT");
        if chunk.is_none() {
            self.0 = &[];
        }
        chunk.map(|chunk| chunk.body)
    }

    /// Bytes from here to the end of the file.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Whether `len` inflated bytes can come of these.
    pub fn could_hold(&self, len: usize) -> bool {
        len / BEST_RATIO <= self.bytes()
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let (len, named) = self.0.split_first_chunk::<4>()?;
        let (name, rest) = named.split_first_chunk::<4>()?;
        let len = u32::from_be_bytes(*len) as usize;
        let (body, rest) = rest.split_at(len.min(rest.len()));
        let (checksum, rest) =
            rest.split_first_chunk::<4>().map_or((None, &[][..]), |(sum, rest)| (Some(sum), rest));
        self.0 = rest;
        Some(Chunk { name, len, body, checked: &named[..4 + body.len()], checksum })
    }
}
