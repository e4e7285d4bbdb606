//! BMP and PNM by the `image` crate: the variants whose pixels it hands out in the mode
//! that Pillow opens them in.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::pnm::{PnmDecoder, PnmSubtype};
use image::{ColorType, ImageDecoder, ImageError};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pixels::{Header, Layout, Whole};

/// Bit fields of 32-bit BMPs, red, green, blue and alpha, of those that Pillow reads.
const BMP_MASKS: [[u32; 4]; 5] = [
    [0xff_0000, 0xff00, 0xff, 0],
    [0xff00_0000, 0xff_0000, 0xff00, 0],
    [0xff_0000, 0xff00, 0xff, 0xff00_0000],
    [0xff, 0xff00, 0xff_0000, 0xff00_0000],
    [0xff00_0000, 0xff_0000, 0xff00, 0xff],
];

pub(super) fn open_bmp(bytes: &[u8], limits: &Limits) -> Result<Whole> {
    let short = |at: usize| bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    let long = |at: usize| bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    // The core header of OS/2 is 12 bytes long and has no field for a compression. Bit fields follow
    // the common header of 40 bytes; the one of alpha exists in headers from 56 bytes on.
    let native = match (long(14), short(28), long(30)) {
        (Some(12), ..) => short(24) == Some(24),
        (_, Some(24 | 32), Some(0)) => true,
        (Some(header), Some(32), Some(3)) => {
            let alpha = if header >= 56 { long(66) } else { Some(0) };
            [long(54), long(58), long(62), alpha]
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .is_some_and(|masks| BMP_MASKS.iter().any(|known| masks == known))
        }
        _ => false,
    };
    // An offset of zero, say, means "behind the header" to Pillow.
    let behind_header =
        long(10).zip(long(14)).is_some_and(|(offset, header)| offset >= header.saturating_add(14));
    if !native || !behind_header {
        return Err(Error::unsupported("expected an uncompressed BMP of 24 or 32 bits, found another"));
    }
    read("BMP", BmpDecoder::new(Cursor::new(bytes)).map_err(fault("BMP"))?, limits)
}

pub(super) fn open_pnm(bytes: &[u8], limits: &Limits) -> Result<Whole> {
    if !plain_header(bytes) {
        return Err(Error::unsupported("expected a PNM header of plain numbers, found another"));
    }
    let open = || PnmDecoder::new(Cursor::new(bytes)).map_err(fault("PNM"));
    let decoder = open()?;
    let bitmap = matches!(decoder.subtype(), PnmSubtype::Bitmap(_));
    let (_, header) = decoder.into_inner();
    if !bitmap && header.maximal_sample() != 255 {
        return Err(Error::unsupported("expected a PNM with a maximum of 255, found another"));
    }
    let mut image = read("PNM", open()?, limits)?;
    if bitmap {
        image.header.layout = Layout::One;
    }
    Ok(image)
}

/// Whether the magic number stands alone and the next words are short numbers. Pillow reads comments
/// and longer words in its own way.
fn plain_header(bytes: &[u8]) -> bool {
    bytes.get(2).is_some_and(u8::is_ascii_whitespace)
        && bytes[2..]
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .take(if matches!(bytes[1], b'1' | b'4') { 2 } else { 3 })
            .all(|word| word.len() <= 10 && word.iter().all(u8::is_ascii_digit))
}

fn read(format: &'static str, decoder: impl ImageDecoder, limits: &Limits) -> Result<Whole> {
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    limits.check_pixels(width, height)?;
    if width == 0 || height == 0 {
        return Err(Error::decode(format, format_args!("a size of {width} x {height}")));
    }
    let layout = match decoder.color_type() {
        ColorType::L8 => Layout::L,
        ColorType::La8 => Layout::La,
        ColorType::Rgb8 => Layout::Rgb,
        ColorType::Rgba8 => Layout::Rgba,
        other => {
            return Err(Error::unsupported(format!("expected {format} samples of 8 bits, found {other:?}")));
        }
    };
    let header = Header { width, height, layout, palette: None };
    let mut data = super::allocate(format, width * height * layout.bytes())?;
    decoder.read_image(&mut data).map_err(fault(format))?;
    Ok(Whole { header, data })
}

fn fault(format: &'static str) -> impl Fn(ImageError) -> Error {
    move |error| match error {
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::truncated(format, error)
        }
        ImageError::Unsupported(error) => Error::unsupported(error),
        error => Error::decode(format, error),
    }
}
