//! WebP, BMP, PNM and QOI by the `image` crate: the variants whose pixels it hands out in the mode
//! that Pillow opens them in.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::pnm::{PnmDecoder, PnmSubtype, SampleEncoding};
use image::codecs::qoi::QoiDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pixels::{Header, Layout, Whole};

pub(super) fn open_webp(bytes: &[u8], limits: &Limits) -> Result<Whole> {
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(fault("WebP"))?;
    if decoder.has_animation() {
        return Err(Error::unsupported("expected a still WebP, found an animation"));
    }
    read("WebP", decoder, limits)
}

pub(super) fn open_bmp(bytes: &[u8], limits: &Limits) -> Result<Whole> {
    let field = |at: usize| bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    // The core header of OS/2 is 12 bytes long and has no field for a compression.
    let (bits, compression) = match field(14) {
        Some(12) => (field(24), Some(0)),
        _ => (field(28), field(30)),
    };
    match (bits, compression) {
        (Some(24 | 32), Some(0)) => {
            read("BMP", BmpDecoder::new(Cursor::new(bytes)).map_err(fault("BMP"))?, limits)
        }
        _ => Err(Error::unsupported("expected an uncompressed BMP of 24 or 32 bits, found another")),
    }
}

pub(super) fn open_pnm(bytes: &[u8], limits: &Limits) -> Result<Whole> {
    let open = || PnmDecoder::new(Cursor::new(bytes)).map_err(fault("PNM"));
    let decoder = open()?;
    let binary = matches!(
        decoder.subtype(),
        PnmSubtype::Graymap(SampleEncoding::Binary) | PnmSubtype::Pixmap(SampleEncoding::Binary)
    );
    let (_, header) = decoder.into_inner();
    if !binary || header.maximal_sample() != 255 {
        return Err(Error::unsupported("expected a binary PGM or PPM with a maximum of 255, found another"));
    }
    read("PNM", open()?, limits)
}

pub(super) fn open_qoi(bytes: &[u8], limits: &Limits) -> Result<Whole> {
    read("QOI", QoiDecoder::new(Cursor::new(bytes)).map_err(fault("QOI"))?, limits)
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
