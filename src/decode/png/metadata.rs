//! EXIF and XMP among the chunks of a PNG, before the pixels or after them.

use std::borrow::Cow;

use super::chunks::{Chunk, MAX_UNPACKED, chunks, keyword};
use crate::decode::metadata::Metadata;
use crate::error::{Error, Result};

const XMP: &[u8] = b"XML:com.adobe.xmp";
/// ImageMagick's name of EXIF that it keeps as text, in hexadecimal digits.
const PROFILE: &[u8] = b"Raw profile type exif";

/// The metadata that Pillow finds. Of several EXIF chunks and of several profiles the last counts, and a profile counts where
/// there is no EXIF chunk.
pub(super) fn metadata(bytes: &[u8]) -> Result<Metadata<'_>> {
    let (mut exif, mut profile, mut xmp) = (None, None, None);
    // Of an animation Pillow reads no further than to its second frame.
    let (mut animated, mut in_data) = (false, false);
    for Chunk { name, body, .. } in chunks(bytes) {
        match name {
            b"IEND" => break,
            b"acTL" => animated = true,
            b"IDAT" => in_data = true,
            _ if animated && in_data => {
                return Err(Error::unsupported("expected a still PNG, found chunks after a first frame"));
            }
            b"eXIf" => exif = Some(body),
            b"tEXt" | b"zTXt" | b"iTXt" => match body.split(|&byte| byte == 0).next().unwrap_or_default() {
                XMP if name == b"iTXt" && xmp.is_none() && plain(body).is_some() => xmp = plain(body),
                PROFILE if name != b"iTXt" => profile = Some((name, body)),
                key @ (b"exif" | b"xmp" | XMP | PROFILE) => {
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
    let exif = match (exif, profile) {
        (Some(exif), _) => Some(exif.into()),
        (None, Some((name, body))) => {
            let odd = || Error::unsupported("expected hexadecimal digits in a raw profile, found other text");
            Some(text(name, body).and_then(|text| from_profile(&text)).ok_or_else(odd)?.into())
        }
        (None, None) => None,
    };
    Ok(Metadata { exif, xmp: xmp.map(Cow::from) })
}

/// International text that is not packed, after its keyword, language and translated keyword.
fn plain(body: &[u8]) -> Option<&[u8]> {
    match keyword(body) {
        Some([0, _, rest @ ..]) => keyword(rest).and_then(keyword),
        _ => None,
    }
}

/// Text after its keyword, unpacked if it is packed.
fn text<'a>(name: &[u8; 4], body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    match (name, keyword(body)?) {
        (b"zTXt", [0, packed @ ..]) => {
            fdeflate::decompress_to_vec_bounded(packed, MAX_UNPACKED).ok().map(Cow::from)
        }
        (b"zTXt", _) => None,
        (_, text) => Some(text.into()),
    }
}

/// The bytes of a profile: pairs of digits after three lines of other things. Between pairs may be space.
fn from_profile(text: &[u8]) -> Option<Vec<u8>> {
    let lines = text.splitn(4, |&byte| byte == b'\n').nth(3).unwrap_or_default();
    let mut digits = lines.iter().copied().filter(|&byte| byte != b'\n');
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(lines.len() / 2).ok()?;
    while let Some(digit) = digits.next() {
        if !matches!(digit, b' ' | b'\t'..=b'\r') {
            bytes.push(value(digit)? << 4 | value(digits.next()?)?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_pairs_of_digits() {
        assert_eq!(from_profile(b"\nexif\n    3\n45\n7 8\n 0a\tFf"), None);
        assert_eq!(from_profile(b"\nexif\n    3\n45\n7\n8 0a\tFf "), Some(vec![0x45, 0x78, 0x0a, 0xff]));
        assert_eq!(from_profile(b"\nexif\n    3\n457"), None);
        assert_eq!(from_profile(b"\nexif\n    3"), Some(vec![]));
        assert_eq!(from_profile(b""), Some(vec![]));
    }
}
