//! BMP, indexed or not.

use clipprep::decode::{Input, Rules, open};
use clipprep::pixels::Layout;
use image::{DynamicImage, ImageBuffer, ImageFormat};
use proptest::prelude::*;

use super::{by_image_crate, decode, images, written};

/// A file with a header of 40 bytes. `tables` are masks or colours (blue, green, red and a zero); a negative height
/// puts the first row first.
fn bmp(
    (width, height): (usize, i32),
    bits: u16,
    compression: u32,
    tables: &[[u8; 4]],
    pixels: &[u8],
) -> Vec<u8> {
    let mut file = b"BM".to_vec();
    let offset = 54 + 4 * tables.len() as u32;
    for value in [offset + pixels.len() as u32, 0, offset, 40, width as u32, height as u32] {
        file.extend(value.to_le_bytes());
    }
    file.extend(1_u16.to_le_bytes());
    file.extend(bits.to_le_bytes());
    let colours = if bits <= 8 { tables.len() as u32 } else { 0 };
    for value in [compression, pixels.len() as u32, 0, 0, colours, 0] {
        file.extend(value.to_le_bytes());
    }
    file.extend(tables.concat());
    file.extend(pixels);
    file
}

/// Rows from the lowest to the highest, each padded to a multiple of four bytes.
fn bottom_up(rows: &[Vec<u8>]) -> Vec<u8> {
    let padded = |row: &Vec<u8>| {
        let mut row = row.clone();
        row.resize(row.len().next_multiple_of(4), 0);
        row
    };
    rows.iter().rev().flat_map(padded).collect()
}

fn colours(count: usize) -> Vec<[u8; 4]> {
    (0..count).map(|at| [(13 * at) as u8, (7 * at + 1) as u8, (at * at) as u8, 0]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn true_colour((width, height, bytes) in images()) {
        let (w, h) = (width as u32, height as u32);
        let rgb = bytes[..3 * width * height].to_vec();
        let image = DynamicImage::ImageRgb8(ImageBuffer::from_raw(w, h, rgb.clone()).unwrap());
        let pixels = decode(&written(&image, ImageFormat::Bmp));
        prop_assert_eq!((pixels.format, pixels.layout), ("BMP", Layout::Rgb));
        prop_assert_eq!((pixels.width, pixels.height), (width, height));
        prop_assert!(pixels.bytes == rgb);
        let rgba = bytes[..4 * width * height].to_vec();
        let image = DynamicImage::ImageRgba8(ImageBuffer::from_raw(w, h, rgba.clone()).unwrap());
        let pixels = decode(&written(&image, ImageFormat::Bmp));
        prop_assert_eq!(pixels.layout, Layout::Rgba);
        prop_assert!(pixels.bytes == rgba);
        let grey = bytes[..width * height].to_vec();
        let image = DynamicImage::ImageLuma8(ImageBuffer::from_raw(w, h, grey.clone()).unwrap());
        let pixels = decode(&written(&image, ImageFormat::Bmp));
        prop_assert_eq!(pixels.layout, Layout::L);
        prop_assert!(pixels.bytes == grey);
    }

    #[test]
    fn indices((width, height, bytes) in images(), bits in prop::sample::select(&[1_usize, 4, 8][..])) {
        let count = 1 << bits;
        let samples: Vec<u8> = bytes[..width * height].iter().map(|byte| byte & (count - 1) as u8).collect();
        let pack = |group: &[u8]| {
            group.iter().enumerate().fold(0, |byte, (i, sample)| byte | sample << (8 - bits * (i + 1)))
        };
        let rows: Vec<Vec<u8>> =
            samples.chunks_exact(width).map(|row| row.chunks(8 / bits).map(pack).collect()).collect();
        let up = bmp((width, height as i32), bits as u16, 0, &colours(count), &bottom_up(&rows));
        let reversed: Vec<Vec<u8>> = rows.into_iter().rev().collect();
        let down = bmp((width, -(height as i32)), bits as u16, 0, &colours(count), &bottom_up(&reversed));
        for file in [up, down] {
            let pixels = decode(&file);
            prop_assert_eq!(pixels.layout, Layout::P);
            prop_assert!(pixels.bytes == samples);
            prop_assert!(pixels.rgb() == by_image_crate(&file));
        }
    }

    /// Runs of one length, and literals in between.
    #[test]
    fn runs((width, height, bytes) in images(), length in 1..9_usize) {
        let samples: Vec<u8> = bytes.chunks(length).flat_map(|chunk| [chunk[0]; 9].into_iter().take(chunk.len()))
            .take(width * height).collect();
        let mut codes = Vec::new();
        for row in samples.rchunks_exact(width) {
            for (i, chunk) in row.chunks(length.max(3)).enumerate() {
                if i % 2 == 1 && chunk.len() >= 3 {
                    codes.extend([0, chunk.len() as u8]);
                    codes.extend(chunk);
                    codes.resize(codes.len().next_multiple_of(2), 0);
                } else {
                    chunk.iter().for_each(|index| codes.extend([1, *index]));
                }
            }
            codes.extend([0, 0]);
        }
        codes.extend([0, 1]);
        let file = bmp((width, height as i32), 8, 1, &colours(256), &codes);
        let pixels = decode(&file);
        prop_assert_eq!(pixels.layout, Layout::P);
        prop_assert!(pixels.bytes == samples);
        prop_assert!(pixels.rgb() == by_image_crate(&file));
    }

    /// Pillow's expansion of five or six bits to eight does not round.
    #[test]
    fn sixteen_bits((width, height, bytes) in images(), green in 5..=6_u32) {
        let pairs: Vec<u16> =
            bytes.as_chunks::<2>().0[..width * height].iter().map(|&pair| u16::from_le_bytes(pair)).collect();
        let rows: Vec<Vec<u8>> =
            pairs.chunks_exact(width).map(|row| row.iter().flat_map(|pair| pair.to_le_bytes()).collect()).collect();
        let masks = [0x1f << (5 + green), ((1 << green) - 1) << 5, 0x1f_u32].map(u32::to_le_bytes);
        let mut files = vec![bmp((width, height as i32), 16, 3, &masks, &bottom_up(&rows))];
        if green == 5 {
            files.push(bmp((width, height as i32), 16, 0, &[], &bottom_up(&rows)));
        }
        let scaled = |value: u16, bits: u32| {
            let largest = (1_u32 << bits) - 1;
            ((u32::from(value) & largest) * 255 / largest) as u8
        };
        let rgb = |&pair: &u16| [scaled(pair >> (5 + green), 5), scaled(pair >> 5, green), scaled(pair, 5)];
        let expected: Vec<u8> = pairs.iter().flat_map(rgb).collect();
        for file in files {
            let pixels = decode(&file);
            prop_assert_eq!(pixels.layout, Layout::Rgb);
            prop_assert!(pixels.bytes == expected);
        }
    }

    #[test]
    fn thirty_two_bits((width, height, bytes) in images()) {
        let bgrx = &bytes[..4 * width * height];
        let rows: Vec<Vec<u8>> = bgrx.chunks_exact(4 * width).map(<[u8]>::to_vec).collect();
        let pixels = decode(&bmp((width, height as i32), 32, 0, &[], &bottom_up(&rows)));
        let expected: Vec<u8> = bgrx.as_chunks::<4>().0.iter().flat_map(|&[b, g, r, _]| [r, g, b]).collect();
        prop_assert_eq!(pixels.layout, Layout::Rgb);
        prop_assert!(pixels.bytes == expected);
        // Red and blue in each other's place.
        let masks = [0xff_u32, 0xff00, 0xff_0000].map(u32::to_le_bytes);
        let file = bmp((width, height as i32), 32, 3, &masks, &bottom_up(&rows));
        prop_assert!(open(&Input::new(&file), &Rules::default()).is_err());
    }
}
