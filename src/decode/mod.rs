//! From encoded bytes to rows: which decoder reads which format.

mod bmp;
mod bmp_rle;
mod gif;
mod icon;
mod jpeg;
mod lzw;
mod metadata;
mod packed;
mod png;
mod png_chunks;
mod pnm;
mod pnm_plain;
mod qoi;
mod webp;

use std::fs::File;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::orientation::{Orientation, turned};
use crate::pixels::Image;
use crate::plan::resized_size;
use crate::resample::Filter;
use crate::spec::{Precision, Spec};

pub use icon::check_icon;
pub use jpeg::has_simd as jpeg_has_simd;

/// The formats that are decoded here; everything else is left to Pillow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Baseline, progressive and arithmetic JPEG with 8 bits per sample.
    Jpeg,
    /// PNG of all kinds.
    Png,
    /// The first frame of a GIF.
    Gif,
    /// WebP, of an animation the first frame.
    WebP,
    /// BMP of Windows and OS/2.
    Bmp,
    /// PBM, PGM and PPM, binary and plain.
    Pnm,
    /// QOI.
    Qoi,
}

/// A format's name in Pillow, the decoder that reads it, and how its files begin.
struct Row {
    format: Format,
    name: &'static str,
    decoder: &'static str,
    begins: fn(&[u8]) -> bool,
}

/// The choice of decoder, each with its reason. Within a format the odd file that a decoder would read
/// otherwise than Pillow is refused by it, and thereby left to Pillow.
const FORMATS: [Row; 7] = [
    // libjpeg-turbo's arithmetic is what Pillow shows; other decoders are several levels off.
    Row {
        format: Format::Jpeg,
        name: "JPEG",
        decoder: "mozjpeg",
        begins: |b| b.starts_with(b"\xff\xd8\xff"),
    },
    // Keeps palettes, bit depths and alpha, where `image` expands them: the mode decides the filter.
    Row { format: Format::Png, name: "PNG", decoder: "png", begins: |b| b.starts_with(b"\x89PNG\r\n\x1a\n") },
    // `weezl`, the `gif` crate's decoder of codes, takes three times as long.
    Row {
        format: Format::Gif,
        name: "GIF",
        decoder: "clipprep",
        begins: |b| b.starts_with(b"GIF87a") || b.starts_with(b"GIF89a"),
    },
    // Pillow's own library. image-webp is 1.6 to 12 times slower, and differs on damaged files.
    Row {
        format: Format::WebP,
        name: "WEBP",
        decoder: "libwebp",
        begins: |b| b.starts_with(b"RIFF") && b.get(8..12) == Some(b"WEBP"),
    },
    // No crate keeps the indices, or has Pillow's expansion of five bits to eight.
    Row { format: Format::Bmp, name: "BMP", decoder: "clipprep", begins: |b| b.starts_with(b"BM") },
    // Pillow's scaling of maxima other than 255 is its own, and rows of the rest need no decoding.
    Row {
        format: Format::Pnm,
        name: "PPM",
        decoder: "clipprep",
        begins: |b| matches!(b, [b'P', b'1'..=b'6', ..]),
    },
    // The `qoi` crate refuses headers that Pillow reads, and fills the table of colours differently.
    Row { format: Format::Qoi, name: "QOI", decoder: "clipprep", begins: |b| b.starts_with(b"qoif") },
];

impl Format {
    /// The format that a file's first bytes announce.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        FORMATS.iter().find(|row| (row.begins)(bytes)).map(|row| row.format)
    }

    fn row(self) -> &'static Row {
        FORMATS.iter().find(|row| row.format == self).expect("every format has a row")
    }

    /// Pillow's name of the format.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The decoder's name.
    pub fn decoder(self) -> &'static str {
        self.row().decoder
    }
}

/// A file whose header is read.
pub struct Opened<'a> {
    /// What it is.
    pub format: Format,
    /// How it is turned; as it is stored unless the specification asks for EXIF.
    pub orientation: Orientation,
    /// Its pixels, turned.
    pub image: Box<dyn Image + 'a>,
}

/// Bytes at the beginning of a file that are enough for what stands in front of a JPEG's scan.
pub const HEAD: usize = 1 << 20;

/// Reads a file's header and checks it against the limits.
pub fn open<'a>(bytes: &'a [u8], spec: &Spec) -> Result<Opened<'a>> {
    open_any(bytes, None, spec)
}

/// The same of a file of which `head` is the beginning, and `file` stands behind it. Only a regular JPEG of one
/// scan is read in this way, a piece at a time; any other file is an error here.
pub fn open_streamed<'a>(head: &'a [u8], file: &'a File, spec: &Spec) -> Result<Opened<'a>> {
    open_any(head, Some(file), spec)
}

fn open_any<'a>(bytes: &'a [u8], file: Option<&'a File>, spec: &Spec) -> Result<Opened<'a>> {
    let limits = &spec.limits;
    limits.check_bytes(bytes.len() as u64)?;
    let format = Format::of(bytes).ok_or_else(|| {
        let head = bytes[..bytes.len().min(8)].escape_ascii();
        Error::unsupported(format!(
            "expected an image file, found {} bytes that begin with \"{head}\"",
            bytes.len()
        ))
    })?;
    if let Some(formats) = &spec.formats
        && !formats.iter().any(|name| name == format.name())
    {
        return Err(Error::unsupported(format!(
            "expected a file of the formats {} (formats), found {}",
            formats.join(", "),
            format.name()
        )));
    }
    let image: Box<dyn Image + 'a> = match format {
        Format::Jpeg => Box::new(open_jpeg(bytes, file, spec)?),
        _ if file.is_some() => return Err(Error::unsupported("expected a JPEG, found another format")),
        Format::Png => png::open(bytes, limits, spec.over_white())?,
        Format::Gif => Box::new(gif::open(bytes, limits, spec.over_white())?),
        Format::WebP => Box::new(webp::open(bytes, limits)?),
        Format::Bmp => bmp::open(bytes, limits)?,
        Format::Pnm => pnm::open(bytes, limits)?,
        Format::Qoi => Box::new(qoi::open(bytes, limits)?),
    };
    let orientation = orientation(format, bytes, spec)?;
    Ok(Opened { format, orientation, image: turned(image, orientation) })
}

fn orientation(format: Format, bytes: &[u8], spec: &Spec) -> Result<Orientation> {
    if spec.exif { metadata::orientation(format, bytes) } else { Ok(Orientation::default()) }
}

fn open_jpeg<'a>(bytes: &'a [u8], file: Option<&'a File>, spec: &Spec) -> Result<jpeg::Jpeg<'a>> {
    let mut jpeg = jpeg::Jpeg::open(bytes, file, &spec.limits, spec.truncated)?;
    if spec.precision == Precision::Fast && spec.filter != Filter::Nearest {
        let orientation = orientation(Format::Jpeg, bytes, spec)?;
        let turn = |(a, b)| if orientation.swap { (b, a) } else { (a, b) };
        let header = jpeg.header();
        let resized = turn(resized_size(spec, turn((header.width, header.height)))?);
        jpeg.hasten(resized, (orientation.mirror_columns, orientation.mirror_rows));
    }
    Ok(jpeg)
}

/// The sides of an image, checked against the limits; none is zero, or more than C's `int` holds.
fn dimensions(format: &str, width: u64, height: u64, limits: &Limits) -> Result<(usize, usize)> {
    let side = |side: u64| i32::try_from(side).ok().filter(|&side| side > 0).map(|side| side as usize);
    let (Some(width), Some(height)) = (side(width), side(height)) else {
        return Err(Error::decode(format, format_args!("a size of {width} x {height}")));
    };
    limits.check_pixels(width, height)?;
    Ok((width, height))
}

/// A zeroed buffer for a whole image; memory that is not there is an error, not an abort.
fn allocate(format: &str, len: usize) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    data.try_reserve_exact(len).map_err(|_| Error::out_of_memory(format_args!("a {format}"), len as u64))?;
    data.resize(len, 0);
    Ok(data)
}
