//! PNG of every colour type and depth, in order and interlaced.

use clipprep::pixels::Layout;
use image::{DynamicImage, ImageBuffer, ImageFormat};
use proptest::prelude::*;

use super::{by_image_crate, decode, images, written};

const ADAM7: [[usize; 4]; 7] =
    [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], body: &[u8]) {
    file.extend((body.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend(name);
    file.extend(body);
    file.extend(crc32fast::hash(&file[start..]).to_be_bytes());
}

/// A file of one channel, whose samples have so many bits.
fn packed(
    (width, height): (usize, usize),
    bits: usize,
    palette: Option<&[u8]>,
    interlaced: bool,
    samples: &[u8],
) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = [width as u32, height as u32].map(u32::to_be_bytes).concat();
    header.extend([bits as u8, if palette.is_some() { 3 } else { 0 }, 0, 0, u8::from(interlaced)]);
    chunk(&mut file, b"IHDR", &header);
    if let Some(palette) = palette {
        chunk(&mut file, b"PLTE", palette);
    }
    let mut lines = Vec::new();
    for [left, top, across, down] in if interlaced { &ADAM7[..] } else { &[[0, 0, 1, 1]] } {
        for y in (*top..height).step_by(*down) {
            let line: Vec<u8> = (*left..width).step_by(*across).map(|x| samples[y * width + x]).collect();
            if line.is_empty() {
                continue;
            }
            // No filter.
            lines.push(0);
            for group in line.chunks(8 / bits) {
                let byte = group.iter().enumerate();
                lines.push(byte.fold(0, |byte, (i, sample)| byte | sample << (8 - bits * (i + 1))));
            }
        }
    }
    chunk(&mut file, b"IDAT", &fdeflate::compress_to_vec(&lines));
    chunk(&mut file, b"IEND", &[]);
    file
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn bytes_and_pairs((width, height, bytes) in images()) {
        let (w, h) = (width as u32, height as u32);
        let pairs: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|&pair| u16::from_be_bytes(pair)).collect();
        let count = width * height;
        let high = |channels: usize| pairs[..count * channels].iter().map(|pair| (pair >> 8) as u8);
        let grey_alpha = || pairs.as_chunks::<2>().0[..count].iter().map(|pair| pair.map(|pair| (pair >> 8) as u8));
        let cases = [
            (
                DynamicImage::ImageLuma8(ImageBuffer::from_raw(w, h, bytes[..count].to_vec()).unwrap()),
                Layout::L,
                bytes[..count].to_vec(),
            ),
            (
                DynamicImage::ImageLumaA8(ImageBuffer::from_raw(w, h, bytes[..2 * count].to_vec()).unwrap()),
                Layout::GreyAlpha,
                bytes[..2 * count].to_vec(),
            ),
            (
                DynamicImage::ImageRgb8(ImageBuffer::from_raw(w, h, bytes[..3 * count].to_vec()).unwrap()),
                Layout::Rgb,
                bytes[..3 * count].to_vec(),
            ),
            (
                DynamicImage::ImageRgba8(ImageBuffer::from_raw(w, h, bytes[..4 * count].to_vec()).unwrap()),
                Layout::Rgba,
                bytes[..4 * count].to_vec(),
            ),
            // Pillow keeps 16 bits of grey alone, low byte first.
            (
                DynamicImage::ImageLuma16(ImageBuffer::from_raw(w, h, pairs[..count].to_vec()).unwrap()),
                Layout::I16,
                pairs[..count].iter().flat_map(|pair| pair.to_le_bytes()).collect(),
            ),
            (
                DynamicImage::ImageLumaA16(ImageBuffer::from_raw(w, h, pairs[..2 * count].to_vec()).unwrap()),
                Layout::Rgba,
                grey_alpha().flat_map(|[grey, alpha]| [grey, grey, grey, alpha]).collect(),
            ),
            (
                DynamicImage::ImageRgb16(ImageBuffer::from_raw(w, h, pairs[..3 * count].to_vec()).unwrap()),
                Layout::Rgb,
                high(3).collect(),
            ),
            (
                DynamicImage::ImageRgba16(ImageBuffer::from_raw(w, h, pairs[..4 * count].to_vec()).unwrap()),
                Layout::Rgba,
                high(4).collect(),
            ),
        ];
        for (image, layout, expected) in cases {
            let pixels = decode(&written(&image, ImageFormat::Png));
            prop_assert_eq!((pixels.format, pixels.layout), ("PNG", layout));
            prop_assert_eq!((pixels.width, pixels.height), (width, height));
            prop_assert!(pixels.bytes == expected, "{:?}", image.color());
        }
    }

    #[test]
    fn bits(
        (width, height, bytes) in images(),
        bits in prop::sample::select(&[1_usize, 2, 4, 8][..]),
        interlaced in any::<bool>(),
        has_palette in any::<bool>(),
    ) {
        let largest = (1_usize << bits) - 1;
        let samples: Vec<u8> = bytes[..width * height].iter().map(|byte| byte & largest as u8).collect();
        let palette: Vec<u8> = (0..3 * (largest + 1)).map(|at| (7 * at) as u8).collect();
        let file = packed((width, height), bits, has_palette.then_some(&palette), interlaced, &samples);
        let pixels = decode(&file);
        let layout = match (has_palette, bits) {
            (true, _) => Layout::P,
            (false, 1) => Layout::One,
            _ => Layout::L,
        };
        prop_assert_eq!(pixels.layout, layout);
        let scale = if has_palette { 1 } else { 255 / largest as u8 };
        prop_assert!(pixels.bytes.iter().zip(&samples).all(|(byte, sample)| *byte == sample * scale));
        prop_assert!(pixels.rgb() == by_image_crate(&file));
    }
}
