//! From encoded bytes to rows: which decoder reads which format.
//!
//! To add a format, write its decoder in a file of its own, and add a row to [`Format::all`].

mod bmp;
mod decoder;
mod exif;
mod gif;
mod jpeg;
mod lzw;
mod metadata;
mod packed;
mod png;
mod pnm;
mod qoi;
mod rows;
mod tiff;
mod unfilter;
mod webp;
mod ycc;

use std::fmt;

use decoder::Open;

use crate::error::{Error, Result};

pub use decoder::{Decoder, Input, Rules};
pub use exif::check_exif;
pub use jpeg::has_simd as jpeg_has_simd;
pub use metadata::Metadata;

/// A format that is decoded here; every other one is left to Pillow.
///
/// ```
/// use clipprep::decode::Format;
///
/// let png = Format::of(b"\x89PNG\r\n\x1a\n").unwrap();
/// assert_eq!(png.name(), "PNG");
/// assert!(Format::of(b"plain text").is_none());
/// ```
pub struct Format {
    name: &'static str,
    decoder: &'static str,
    begins: fn(&[u8]) -> bool,
    open: Open,
}

/// The choice of decoder, each with its reason. A decoder refuses the odd file that it would read otherwise
/// than Pillow, and thereby leaves it to Pillow.
static FORMATS: &[Format] = &[
    // libjpeg-turbo's arithmetic is what Pillow shows, and mozjpeg's copy of it reads what is not regular; other
    // decoders are several levels off.
    Format {
        name: "JPEG",
        decoder: "clipprep",
        begins: |b| b.starts_with(b"\xff\xd8\xff"),
        open: jpeg::open,
    },
    // `image` expands palettes, bit depths and alpha, where the mode decides the filter; `png` takes twice as long.
    Format {
        name: "PNG",
        decoder: "clipprep",
        begins: |b| b.starts_with(b"\x89PNG\r\n\x1a\n"),
        open: png::open,
    },
    // `weezl`, the `gif` crate's decoder of codes, takes three times as long.
    Format {
        name: "GIF",
        decoder: "clipprep",
        begins: |b| b.starts_with(b"GIF87a") || b.starts_with(b"GIF89a"),
        open: gif::open,
    },
    // Pillow's own library. image-webp is 1.6 to 12 times slower, and differs on damaged files.
    Format {
        name: "WEBP",
        decoder: "libwebp",
        begins: |b| b.starts_with(b"RIFF") && b.get(8..12) == Some(b"WEBP"),
        open: webp::open,
    },
    // No crate keeps the indices, or has Pillow's expansion of five bits to eight.
    Format { name: "BMP", decoder: "clipprep", begins: |b| b.starts_with(b"BM"), open: bmp::open },
    // Pillow's scaling of maxima other than 255 is its own, and rows of the rest need no decoding.
    Format {
        name: "PPM",
        decoder: "clipprep",
        begins: |b| matches!(b, [b'P', b'1'..=b'6', ..]),
        open: pnm::open,
    },
    // The `qoi` crate refuses headers that Pillow reads, and fills the table of colours differently.
    Format { name: "QOI", decoder: "clipprep", begins: |b| b.starts_with(b"qoif"), open: qoi::open },
    // `tiff` takes three times as long for LZW, and refuses LA and P, as `image` does.
    Format {
        name: "TIFF",
        decoder: "clipprep",
        begins: |b| b.starts_with(b"II*\0") || b.starts_with(b"MM\0*"),
        open: tiff::open,
    },
];

impl Format {
    /// Every format that is decoded here.
    ///
    /// ```
    /// use clipprep::decode::Format;
    ///
    /// assert!(Format::all().iter().any(|format| format.name() == "JPEG"));
    /// ```
    pub fn all() -> &'static [Self] {
        FORMATS
    }

    /// The format that a file's first bytes announce.
    ///
    /// ```
    /// use clipprep::decode::Format;
    ///
    /// assert_eq!(Format::of(b"GIF89a").map(Format::name), Some("GIF"));
    /// assert!(Format::of(b"no image").is_none());
    /// ```
    pub fn of(bytes: &[u8]) -> Option<&'static Self> {
        FORMATS.iter().find(|format| (format.begins)(bytes))
    }

    /// Pillow's name of the format.
    ///
    /// ```
    /// assert_eq!(clipprep::decode::Format::of(b"RIFF\0\0\0\0WEBP").unwrap().name(), "WEBP");
    /// ```
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The decoder's name.
    ///
    /// ```
    /// assert_eq!(clipprep::decode::Format::of(b"qoif").unwrap().decoder(), "clipprep");
    /// ```
    pub fn decoder(&self) -> &'static str {
        self.decoder
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({})", self.name)
    }
}

/// Reads a file's header and checks it against the limits.
///
/// ```
/// use clipprep::decode::{Input, Rules, open};
/// use clipprep::pixels::{Image, Window};
///
/// let (format, mut image) = open(&Input::new(b"P5 2 1 255 \x00\x80"), &Rules::default())?;
/// assert_eq!((format.name(), image.header().width), ("PPM", 2));
/// let mut rows = image.rows(&Window { columns: 0..2, rows: 0..1 })?;
/// assert_eq!(rows.next(1)?[0], [0, 0x80]);
/// # Ok::<(), clipprep::Error>(())
/// ```
pub fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<(&'static Format, Box<dyn Decoder + 'a>)> {
    let bytes = input.head();
    rules.limits.check_bytes(bytes.len() as u64)?;
    let format = Format::of(bytes).ok_or_else(|| {
        let head = bytes[..bytes.len().min(8)].escape_ascii();
        Error::unsupported(format!(
            "expected an image file, found {} bytes that begin with \"{head}\"",
            bytes.len()
        ))
    })?;
    if let Some(formats) = rules.formats
        && !formats.iter().any(|name| name == format.name)
    {
        return Err(Error::unsupported(format!(
            "expected a file of the formats {} (formats), found {}",
            formats.join(", "),
            format.name
        )));
    }
    Ok((format, (format.open)(input, rules)?))
}
