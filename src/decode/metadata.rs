//! EXIF's orientation, from wherever a format keeps it, as Pillow's `getexif` finds it: tag 274 of the
//! first directory, or else what XMP says.
//!
//! EXIF in the wild is full of faults, and Pillow forgives some of them. What is not plain EXIF here is left
//! to Pillow, so that it decides.

use std::borrow::Cow;

use exif::{Context, In, Reader, Tag, Value};

use super::{Format, jpeg, png_chunks};
use crate::error::{Error, Result};
use crate::orientation::Orientation;

/// What a file says about itself.
#[derive(Default)]
pub(super) struct Metadata<'a> {
    pub exif: Option<Cow<'a, [u8]>>,
    pub xmp: Option<Cow<'a, [u8]>>,
}

/// The orientation of a file whose header has been read.
pub(super) fn orientation(format: Format, bytes: &[u8]) -> Result<Orientation> {
    let found = match format {
        Format::Jpeg => jpeg::metadata(bytes),
        Format::Png => png_chunks::metadata(bytes)?,
        Format::WebP => webp(bytes),
        Format::Gif | Format::Bmp | Format::Pnm | Format::Qoi => Metadata::default(),
    };
    let tag = found.exif.as_deref().map_or(Ok(None), tag)?;
    let xmp = || found.xmp.as_deref().and_then(from_xmp);
    Ok(Orientation::from_exif(tag.or_else(xmp).unwrap_or(1)))
}

/// The value of EXIF's tag.
fn tag(mut data: &[u8]) -> Result<Option<u64>> {
    while let Some(rest) = data.strip_prefix(b"Exif\0\0") {
        data = rest;
    }
    if data.is_empty() {
        return Ok(None);
    }
    let odd =
        |found: &dyn std::fmt::Display| Error::unsupported(format!("expected plain EXIF, found {found}"));
    let exif = Reader::new().read_raw(data.to_vec()).map_err(|error| odd(&error))?;
    let main =
        exif.fields().filter(|field| field.ifd_num == In::PRIMARY && field.tag.context() == Context::Tiff);
    let (mut fields, mut found) = (0, None);
    for field in main {
        fields += 1;
        if matches!(field.value, Value::Unknown(..)) {
            return Err(odd(&"a field of an unknown type"));
        }
        if field.tag == Tag::Orientation {
            let value = match &field.value {
                Value::Short(values) => values.first().map(|&value| u64::from(value)),
                Value::Long(values) => values.first().map(|&value| u64::from(value)),
                _ => None,
            };
            if value.is_none() || found.is_some() {
                return Err(odd(&"an orientation that is not one number"));
            }
            found = value;
        }
    }
    if fields == 0 {
        return Err(odd(&"no field"));
    }
    Ok(found)
}

/// The digit behind the first `tiff:Orientation` that has one.
fn from_xmp(xmp: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"tiff:Orientation";
    memchr::memmem::find_iter(xmp, NAME).find_map(|at| {
        let rest = &xmp[at + NAME.len()..];
        let digit = rest.strip_prefix(b"=\"").or_else(|| rest.strip_prefix(b">"))?.first()?;
        digit.is_ascii_digit().then(|| u64::from(digit - b'0'))
    })
}

/// The chunks that libwebp hands out: the first of each name, if the extended header announces it.
fn webp(bytes: &[u8]) -> Metadata<'_> {
    let Some((b"VP8X", [_, _, _, _, flags, ..])) = bytes.get(12..).and_then(<[u8]>::split_first_chunk::<4>)
    else {
        return Metadata::default();
    };
    let length = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes) as usize;
    let end = bytes[4..].first_chunk().map_or(0, length).saturating_add(8).min(bytes.len());
    let mut found = Metadata::default();
    let mut rest = &bytes[12..end.max(12)];
    while let Some((name, body)) = rest.split_first_chunk::<4>() {
        let Some((len, body)) = body.split_first_chunk().map(|(len, body)| (length(len), body)) else {
            break;
        };
        let data = body.get(..len).filter(|data| !data.is_empty());
        match name {
            b"EXIF" if flags & 0b1000 != 0 && found.exif.is_none() => found.exif = data.map(Cow::from),
            b"XMP " if flags & 0b0100 != 0 && found.xmp.is_none() => found.xmp = data.map(Cow::from),
            _ => {}
        }
        // Chunks are padded to even lengths.
        rest = body.get(len.saturating_add(len % 2)..).unwrap_or_default();
    }
    found
}
