//! QOI.

use clipprep::pixels::Layout;
use image::{DynamicImage, ImageBuffer, ImageFormat};
use proptest::prelude::*;

use super::{decode, images, written};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    #[cfg_attr(target_endian = "big", ignore = "the oracle's encoder writes other codes there")]
    fn pixels((width, height, bytes) in images()) {
        let (w, h) = (width as u32, height as u32);
        let (rgb, rgba) = (bytes[..3 * width * height].to_vec(), bytes[..4 * width * height].to_vec());
        let image = DynamicImage::ImageRgb8(ImageBuffer::from_raw(w, h, rgb.clone()).unwrap());
        let pixels = decode(&written(&image, ImageFormat::Qoi));
        prop_assert_eq!((pixels.format, pixels.layout), ("QOI", Layout::Rgb));
        prop_assert_eq!((pixels.width, pixels.height), (width, height));
        prop_assert!(pixels.bytes == rgb);
        let image = DynamicImage::ImageRgba8(ImageBuffer::from_raw(w, h, rgba.clone()).unwrap());
        let pixels = decode(&written(&image, ImageFormat::Qoi));
        prop_assert_eq!(pixels.layout, Layout::Rgba);
        prop_assert!(pixels.bytes == rgba);
    }
}

#[test]
fn every_code() {
    let mut file = b"qoif\0\0\0\x05\0\0\0\x02\x04\0".to_vec();
    // A colour with its alpha, one without, three pixels more of it, a small step and a step of green.
    file.extend([0xff, 10, 20, 30, 40, 0xfe, 1, 2, 3, 0xc0 | 2, 0b01_11_10_01, 0b10_000000 | 40, 0x9a]);
    // The first colour by its place in the table, and twice the last pixel.
    file.extend([(10 * 3 + 20 * 5 + 30 * 7 + 40 * 11) as u8 % 64, 0xc0 | 1]);
    let pixels = decode(&file);
    let expected = [
        [10, 20, 30, 40],
        [1, 2, 3, 40],
        [1, 2, 3, 40],
        [1, 2, 3, 40],
        [1, 2, 3, 40],
        [2, 2, 2, 40],
        [11, 10, 12, 40],
        [10, 20, 30, 40],
        [10, 20, 30, 40],
        [10, 20, 30, 40],
    ];
    assert_eq!(pixels.bytes, expected.concat());
}
