//! WebP by libwebp, the library that Pillow has.
//!
//! The second room with C in it. The demuxer splits the file as strictly as it does for Pillow's animation decoder, and the
//! first frame (a still file's only one) is decoded onto its zeroed canvas, or where it fills that, the window of it alone;
//! of a lossy frame without alpha into planes of samples. libwebp calls nothing of ours back, and writes into the canvas or
//! the planes alone, whose lengths it is told and checks against the bitstream's own size.

mod lossless;
mod planes;

use std::borrow::Cow;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::NonNull;

use libwebp_sys as sys;

use super::decoder::{Decoder, Input, Rules};
use super::metadata::Metadata;
use super::rows::{allocate, dimensions};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::limits::Limits;
use crate::pixels::{Header, Image, Layout, Rows, Whole, Window};
use crate::simd::Level;
use planes::Planes;

/// The library polls nothing, so that an image of more pixels is handed to it in pieces.
const WHOLE: usize = 1 << 20;
/// Pixels of a piece, about.
const PIECE: usize = 1 << 18;

pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    let (bytes, limits) = (input.whole()?, &rules.limits);
    if !matches!(bytes.get(12..16), Some(b"VP8 " | b"VP8L" | b"VP8X")) {
        return Err(Error::decode("WebP", "no image chunk at its start"));
    }
    let has_alpha = has_alpha(bytes)?;
    let file = Demuxer::new(bytes)?;
    let (width, height) = dimensions("WebP", file.canvas_width(), file.canvas_height(), limits)?;
    let layout = if has_alpha { Layout::Rgba } else { Layout::Rgb };
    let header = Header { width, height, layout, palette: None };
    // The decoder holds as much as four bytes of each pixel itself.
    let held = (width * height * (layout.bytes() + 4)) as u64;
    limits.check_memory(held)?;
    let frame = file.first_frame()?;
    frame.check_memory(limits, held)?;
    Ok(Box::new(WebP { header, frame, held, bytes, level: rules.level, decoded: None }))
}

/// A file whose header is read.
struct WebP<'a> {
    header: Header,
    frame: Frame<'a>,
    /// Bytes that decoding takes at the most.
    held: u64,
    bytes: &'a [u8],
    level: Level,
    decoded: Option<Decoded>,
}

/// What is decoded, of which rows are handed out.
enum Decoded {
    Pixels(Whole),
    Planes(Planes),
}

impl Decoder for WebP<'_> {
    fn metadata(&self) -> Result<Metadata<'_>> {
        metadata(self.bytes)
    }
}

impl Image for WebP<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn memory(&self) -> u64 {
        self.held
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        let part = self.frame.part(&self.header, window);
        let Window { columns, rows } = &part;
        let moved = |range: &Range<usize>, by: usize| range.start - by..range.end - by;
        let window =
            Window { columns: moved(&window.columns, columns.start), rows: moved(&window.rows, rows.start) };
        let decoded = self.frame.decode(&self.header, &part)?;
        Ok(match self.decoded.insert(decoded) {
            Decoded::Pixels(pixels) => pixels.rows(&window)?,
            Decoded::Planes(planes) => Box::new(planes.rows(&window, self.level)?),
        })
    }
}

/// Whether Pillow opens the file as "RGBA".
fn has_alpha(bytes: &[u8]) -> Result<bool> {
    let mut features = MaybeUninit::zeroed();
    // SAFETY: reads within `bytes`; `features` is integers alone, for which zeros are values.
    let (status, features) = unsafe {
        let status = sys::WebPGetFeatures(bytes.as_ptr(), bytes.len(), features.as_mut_ptr());
        (status, features.assume_init())
    };
    check(status)?;
    Ok(features.has_alpha != 0)
}

/// The chunks that libwebp hands out: the first of each name, if the extended header announces it.
fn metadata(bytes: &[u8]) -> Result<Metadata<'_>> {
    let Some((b"VP8X", [_, _, _, _, flags, ..])) = bytes.get(12..).and_then(<[u8]>::split_first_chunk::<4>)
    else {
        return Ok(Metadata::default());
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
    Ok(found)
}

/// A file split into its chunks, which libwebp does not copy.
struct Demuxer<'a> {
    demuxer: NonNull<sys::WebPDemuxer>,
    bytes: &'a [u8],
}

impl<'a> Demuxer<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self> {
        let data = sys::WebPData { bytes: bytes.as_ptr(), size: bytes.len() };
        // SAFETY: `data` is read during the call; what it points to outlives the demuxer. No state is
        // asked for.
        let demuxer = unsafe {
            sys::WebPDemuxInternal(&data, 0, std::ptr::null_mut(), sys::WEBP_DEMUX_ABI_VERSION as i32)
        };
        match NonNull::new(demuxer) {
            Some(demuxer) => Ok(Self { demuxer, bytes }),
            None => Err(Error::truncated("WebP", "chunks that are broken or cut short")),
        }
    }

    fn feature(&self, feature: sys::WebPFormatFeature) -> u64 {
        // SAFETY: the demuxer is live.
        unsafe { sys::WebPDemuxGetI(self.demuxer.as_ptr(), feature) }.into()
    }

    fn canvas_width(&self) -> u64 {
        self.feature(sys::WebPFormatFeature::WEBP_FF_CANVAS_WIDTH)
    }

    fn canvas_height(&self) -> u64 {
        self.feature(sys::WebPFormatFeature::WEBP_FF_CANVAS_HEIGHT)
    }

    fn first_frame(&self) -> Result<Frame<'a>> {
        // SAFETY: the iterator is integers, pointers and enums for which zeros are values.
        let mut found: sys::WebPIterator = unsafe { MaybeUninit::zeroed().assume_init() };
        // SAFETY: the demuxer is live; the iterator keeps nothing but pointers into `bytes` and into
        // the demuxer, of which the latter are not used again.
        if unsafe { sys::WebPDemuxGetFrame(self.demuxer.as_ptr(), 1, &mut found) } == 0 {
            return Err(Error::decode("WebP", "no frame"));
        }
        let start = (found.fragment.bytes as usize).wrapping_sub(self.bytes.as_ptr() as usize);
        let end = start.saturating_add(found.fragment.size);
        // SAFETY: got from `WebPDemuxGetFrame`, and released once.
        unsafe { sys::WebPDemuxReleaseIterator(&mut found) };
        let bytes = self.bytes.get(start..end).ok_or_else(|| Error::decode("WebP", "a stray frame"))?;
        let size = (found.width as u32, found.height as u32);
        Ok(Frame { bytes, size, left: found.x_offset as usize, top: found.y_offset as usize })
    }
}

impl Drop for Demuxer<'_> {
    fn drop(&mut self) {
        // SAFETY: got from `WebPDemuxInternal`, and deleted once.
        unsafe { sys::WebPDemuxDelete(self.demuxer.as_ptr()) }
    }
}

/// The bitstream of one frame and its place on the canvas.
struct Frame<'a> {
    bytes: &'a [u8],
    /// Width and height.
    size: (u32, u32),
    left: usize,
    top: usize,
}

impl Frame<'_> {
    /// Checks what the codes of a lossless image take, or those of a lossless alpha, besides `held` bytes.
    fn check_memory(&self, limits: &Limits, held: u64) -> Result<()> {
        let stream = match *self.bytes {
            [b'V', b'P', b'8', b'L', _, _, _, _, ref header @ ..] => header.get(5..),
            // Uncompressed alpha has other lowest bits.
            [b'A', b'L', b'P', b'H', _, _, _, _, method, ref stream @ ..] if method & 3 == 1 => Some(stream),
            _ => None,
        };
        stream.map_or(Ok(()), |stream| lossless::check_memory(limits, held, stream, self.size))
    }

    /// Whether the frame is all of the canvas.
    fn fills(&self, canvas: &Header) -> bool {
        (self.left, self.top, self.size) == (0, 0, (canvas.width as u32, canvas.height as u32))
    }

    /// The part of the canvas to make for the pixels of `window`: all of it where the frame is another rectangle. The
    /// last row is in it, up to which libwebp reads a lossy bitstream: what Pillow refuses after the window is refused.
    /// Chroma is shared by two columns and two rows, and made of neighbours: it begins even, and has one more pixel all
    /// around, which may be of another colour than in the whole.
    fn part(&self, canvas: &Header, window: &Window) -> Window {
        let (width, height) = (canvas.width, canvas.height);
        let from = |start: usize| start.saturating_sub(1) / 2 * 2;
        if self.fills(canvas) {
            let columns = from(window.columns.start)..(window.columns.end + 1).min(width);
            return Window { columns, rows: from(window.rows.start)..height };
        }
        Window { columns: 0..width, rows: 0..height }
    }

    /// Decodes a [part](Self::part) of the canvas.
    fn decode(&self, canvas: &Header, part: &Window) -> Result<Decoded> {
        let (width, height) = (part.columns.len(), part.rows.len());
        let mut config = sys::WebPDecoderConfig::new()
            .map_err(|()| Error::decode("WebP", "another libwebp than the one it was built for"))?;
        if self.fills(canvas) {
            config.options.use_cropping = 1;
            config.options.crop_left = part.columns.start as i32;
            config.options.crop_top = part.rows.start as i32;
            config.options.crop_width = width as i32;
            config.options.crop_height = height as i32;
        }
        config.output.is_external_memory = 1;
        if canvas.layout == Layout::Rgb && self.fills(canvas) && self.bytes.starts_with(b"VP8 ") {
            let mut planes = Planes::new((width, height))?;
            config.output.colorspace = sys::WEBP_CSP_MODE::MODE_YUV;
            config.output.u.YUVA = planes.buffer();
            self.run(&mut config)?;
            planes.finish();
            return Ok(Decoded::Planes(planes));
        }
        let header = Header { width, height, ..canvas.clone() };
        let stride = width * header.layout.bytes();
        let mut data = allocate("WebP", stride * height)?;
        let at = self.top * stride + self.left * header.layout.bytes();
        let rest = data.get_mut(at..).unwrap_or_default();
        config.output.colorspace = match header.layout {
            Layout::Rgba => sys::WEBP_CSP_MODE::MODE_RGBA,
            _ => sys::WEBP_CSP_MODE::MODE_RGB,
        };
        config.output.u.RGBA =
            sys::WebPRGBABuffer { rgba: rest.as_mut_ptr(), stride: stride as i32, size: rest.len() };
        self.run(&mut config)?;
        Ok(Decoded::Pixels(Whole { header, data }))
    }

    /// Has libwebp decode to the memory of `config`.
    fn run(&self, config: &mut sys::WebPDecoderConfig) -> Result<()> {
        let pixels = self.size.0 as usize * self.size.1 as usize;
        if pixels <= WHOLE {
            // SAFETY: the library writes rows from the pointers of `config.output` on, each a stride after the one
            // before, and refuses a bitstream whose rows, or what is left of them, are longer than the stride or need
            // more than the size that stands beside the pointer; the caller has memory of that size there. A canvas is
            // at most 2^24 pixels wide, so the strides fit. With external memory there is nothing to free.
            return check(unsafe { sys::WebPDecode(self.bytes.as_ptr(), self.bytes.len(), config) });
        }
        let pieces = pixels.div_ceil(PIECE);
        let decoder = Incremental::new(config)?;
        let mut status = sys::VP8StatusCode::VP8_STATUS_SUSPENDED;
        for piece in 1..=pieces {
            interrupt::check()?;
            let len = (self.bytes.len() as u64 * piece as u64 / pieces as u64) as usize;
            // SAFETY: the decoder is live, and so are the bytes, which it reads in these calls alone;
            // they begin where they began in the last call.
            status = unsafe { sys::WebPIUpdate(decoder.decoder.as_ptr(), self.bytes.as_ptr(), len) };
            if status != sys::VP8StatusCode::VP8_STATUS_SUSPENDED {
                break;
            }
        }
        check(status)
    }
}

/// A decoder that takes a bitstream piece by piece.
struct Incremental<'a> {
    decoder: NonNull<sys::WebPIDecoder>,
    _config: &'a mut sys::WebPDecoderConfig,
}

impl<'a> Incremental<'a> {
    fn new(config: &'a mut sys::WebPDecoderConfig) -> Result<Self> {
        // SAFETY: no bytes are read yet; the decoder keeps pointers into `config`, which outlives it.
        match NonNull::new(unsafe { sys::WebPIDecode(std::ptr::null(), 0, config) }) {
            Some(decoder) => Ok(Self { decoder, _config: config }),
            None => Err(Error::out_of_memory("a WebP", None)),
        }
    }
}

impl Drop for Incremental<'_> {
    fn drop(&mut self) {
        // SAFETY: got from `WebPIDecode`, and deleted once.
        unsafe { sys::WebPIDelete(self.decoder.as_ptr()) }
    }
}

fn check(status: sys::VP8StatusCode) -> Result<()> {
    match status {
        sys::VP8StatusCode::VP8_STATUS_OK => Ok(()),
        sys::VP8StatusCode::VP8_STATUS_NOT_ENOUGH_DATA | sys::VP8StatusCode::VP8_STATUS_SUSPENDED => {
            Err(Error::truncated("WebP", "a bitstream that ends too early"))
        }
        sys::VP8StatusCode::VP8_STATUS_OUT_OF_MEMORY => Err(Error::out_of_memory("a WebP", None)),
        status => Err(Error::decode("WebP", format_args!("{status:?}"))),
    }
}
