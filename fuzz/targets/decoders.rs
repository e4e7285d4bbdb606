//! Decoders alone, a window of rows at a time.

use std::sync::Once;

use clipprep::decode::{Decoder, Format, Input, Rules, jpeg_has_simd, open};
use clipprep::pixels::{BLOCK_ROWS, Layout, Window};
use clipprep::{Error, Level};
use libfuzzer_sys::Corpus;
use libwebp_sys::{WebPDecodeRGB, WebPFree};

use crate::LIMITS;

/// The pixels of a window, as far as they are read before an error.
fn rows(image: &mut dyn Decoder, window: &Window) -> Result<Vec<u8>, Error> {
    let mut pixels = Vec::new();
    image.with_rows(window, &mut |rows| {
        for y in window.rows.clone().step_by(BLOCK_ROWS) {
            let count = BLOCK_ROWS.min(window.rows.end - y);
            rows.next(count)?[..count].iter().for_each(|row| pixels.extend_from_slice(row));
        }
        Ok(())
    })?;
    Ok(pixels)
}

/// An image within the bounds.
fn opened<'a>(data: &'a [u8], rules: &Rules<'_>) -> Option<Box<dyn Decoder + 'a>> {
    let rules = Rules { limits: LIMITS, ..*rules };
    let (_, image) = open(&Input::new(data), &rules).ok()?;
    LIMITS.max_memory.is_some_and(|most| image.memory() <= most).then_some(image)
}

fn all(image: &dyn Decoder) -> Window {
    let header = image.header();
    Window { columns: 0..header.width, rows: 0..header.height }
}

/// A part that the last bytes of an input choose.
fn part(image: &dyn Decoder, data: &[u8]) -> Window {
    let range = |len: usize, choice: usize| {
        let start = choice % 16 * (len - 1) / 15;
        start..start + 1 + (choice / 16 % 16) * (len - start - 1) / 15
    };
    let choice = |from_end: usize| data.iter().nth_back(from_end).copied().unwrap_or(0).into();
    let header = image.header();
    Window { columns: range(header.width, choice(0)), rows: range(header.height, choice(1)) }
}

/// A window has the pixels of that part of the image, and is an error only where the image is one.
pub fn windows_are_parts(format: &Format, data: &[u8]) -> Corpus {
    if Format::of(data).is_none_or(|found| found.name() != format.name()) {
        return Corpus::Reject;
    }
    for pad in [false, true] {
        let rules = Rules { pad, ..Rules::default() };
        let Some(mut image) = opened(data, &rules) else { continue };
        // What is asked for besides does no harm.
        let _ = image.metadata().map(|metadata| metadata.orientation());
        let (all, part) = (all(image.as_ref()), part(image.as_ref(), data));
        let (width, bytes) = (all.columns.end, image.header().layout.bytes());
        let found = rows(image.as_mut(), &part);
        let Ok(whole) = rows(opened(data, &rules).expect("an image as before").as_mut(), &all) else {
            continue;
        };
        assert_eq!(whole.len(), width * all.rows.len() * bytes);
        let lines = whole.chunks_exact(width * bytes).skip(part.rows.start).take(part.rows.len());
        let expected: Vec<u8> = lines
            .flat_map(|line| &line[part.columns.start * bytes..part.columns.end * bytes])
            .copied()
            .collect();
        assert!(found.is_ok_and(|found| found == expected), "{part:?} of {width} columns, pad={pad}");
    }
    Corpus::Keep
}

/// A file is padded by libjpeg, whose view of a header is ours in every field that sizes and limits come from.
pub fn jpeg_header(data: &[u8]) -> Corpus {
    static PLAIN: Once = Once::new();
    // SAFETY: libFuzzer runs a target in one thread, and no other one reads the environment. libjpeg does it once, before
    // its first file: without SIMD code it is C alone, in which AddressSanitizer sees every access.
    PLAIN.call_once(|| unsafe { std::env::set_var("JSIMD_FORCENONE", "1") });
    let rules = Rules { pad: true, ..Rules::default() };
    let Some(mut image) = opened_as("JPEG", data, &rules) else { return Corpus::Reject };
    let window = all(image.as_ref());
    if let Err(error) = rows(image.as_mut(), &window) {
        assert!(!error.to_string().contains("libjpeg reads differently"), "{error}");
    }
    Corpus::Keep
}

/// Rows that are made here have the bits of libjpeg's, at every level.
pub fn own_jpeg_is_libjpegs(data: &[u8]) -> Corpus {
    assert!(jpeg_has_simd(), "libjpeg's C code wraps samples that are far beyond a byte");
    let mut expected = None;
    for level in Level::supported() {
        let Some(mut image) = opened_as("JPEG", data, &Rules { level, ..Rules::default() }) else { break };
        let window = part(image.as_ref(), data);
        let Ok(own) = rows(image.as_mut(), &window) else { break };
        if image.stand_in().is_some() {
            break;
        }
        let expected = expected.get_or_insert_with(|| {
            let rules = Rules { pad: true, ..Rules::default() };
            let mut image = opened_as("JPEG", data, &rules).expect("an image, padded");
            rows(image.as_mut(), &window).expect("rows by libjpeg")
        });
        assert!(own == *expected, "{} {window:?}", level.name());
    }
    if expected.is_some() { Corpus::Keep } else { Corpus::Reject }
}

/// Pixels of lossy frames, which are made here from libwebp's samples, have the bits of those that it makes, at every level.
pub fn own_webp_is_libwebps(data: &[u8]) -> Corpus {
    let open = |level| opened_as("WEBP", data, &Rules { level, ..Rules::default() });
    let Some(image) = open(Level::Scalar).filter(|image| image.header().layout == Layout::Rgb) else {
        return Corpus::Reject;
    };
    let window = all(image.as_ref());
    let (mut width, mut height) = (0, 0);
    // SAFETY: the library reads within `data`, and writes the two numbers. Its memory is copied, and freed once.
    let expected = unsafe {
        let pixels = WebPDecodeRGB(data.as_ptr(), data.len(), &mut width, &mut height);
        if pixels.is_null() {
            return Corpus::Reject; // an animation, or no image
        }
        let copy = std::slice::from_raw_parts(pixels, 3 * width as usize * height as usize).to_vec();
        WebPFree(pixels.cast());
        copy
    };
    assert_eq!((width as usize, height as usize), (window.columns.end, window.rows.end));
    for level in Level::supported() {
        // Pillow refuses some files that WebPDecodeRGB reads.
        let own = rows(open(level).expect("an image as before").as_mut(), &window);
        if let Ok(own) = own {
            assert!(own == expected, "{}", level.name());
        }
    }
    Corpus::Keep
}

fn opened_as<'a>(name: &str, data: &'a [u8], rules: &Rules<'_>) -> Option<Box<dyn Decoder + 'a>> {
    Format::of(data).filter(|format| format.name() == name).and_then(|_| opened(data, rules))
}
