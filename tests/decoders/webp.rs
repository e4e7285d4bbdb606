//! WebP: lossless, lossy, and the first frame of an animation.

use clipprep::pixels::Layout;
use image::{DynamicImage, ImageBuffer, ImageFormat};
use proptest::prelude::*;

use super::{decode, images, written};

/// Three columns and two rows of strong colours, as Pillow 13 writes them with quality 80.
const LOSSY: &[u8] = b"RIFFX\0\0\0WEBPVP8 L\0\0\0\x30\x02\0\x9d\x01\x2a\x03\0\x02\0\x01\x40\x26\x25\xa8\x02\x74\x47\0\
\x64\x80\x02\xcd\x9e\xd6\x60\0\xfe\xf6\xf2\x38\xbb\x93\x4f\xff\xf5\x2a\xe8\x9a\xda\x4a\x7c\x9d\xff\x97\x27\xfe\x8c\
\x0a\x7f\xf5\x37\xff\xfe\x83\xbf\xfa\x63\xfe\x8c\x0a\x7f\xf5\x37\xfe\x2b\x3c\x05\xa6\x95\xb1\x1e\x39\0\0\0";

/// The same as Pillow 13 decodes it.
const LOSSY_PIXELS: [[u8; 3]; 6] =
    [[105, 77, 23], [160, 139, 130], [23, 17, 97], [42, 14, 0], [138, 117, 108], [81, 75, 155]];

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = name.to_vec();
    chunk.extend((body.len() as u32).to_le_bytes());
    chunk.extend(body);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"RIFF", &[b"WEBP".to_vec(), chunks.concat()].concat())
}

/// Three bytes of a number less one, low byte first.
fn less_one(value: usize) -> [u8; 3] {
    let [a, b, c, _] = (value as u32 - 1).to_le_bytes();
    [a, b, c]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn lossless_files((width, height, bytes) in images()) {
        let (w, h) = (width as u32, height as u32);
        let rgb = bytes[..3 * width * height].to_vec();
        let image = DynamicImage::ImageRgb8(ImageBuffer::from_raw(w, h, rgb.clone()).unwrap());
        let pixels = decode(&written(&image, ImageFormat::WebP));
        prop_assert_eq!((pixels.format, pixels.layout), ("WEBP", Layout::Rgb));
        prop_assert_eq!((pixels.width, pixels.height), (width, height));
        prop_assert!(pixels.bytes == rgb);
        let rgba = bytes[..4 * width * height].to_vec();
        let image = DynamicImage::ImageRgba8(ImageBuffer::from_raw(w, h, rgba.clone()).unwrap());
        let pixels = decode(&written(&image, ImageFormat::WebP));
        prop_assert_eq!(pixels.layout, Layout::Rgba);
        prop_assert!(pixels.bytes == rgba);
    }

    /// Pixels that the frame does not cover are transparent.
    #[test]
    fn a_first_frame_has_its_place(
        (width, height, bytes) in images(),
        (left, top) in (0..9_usize, 0..9_usize),
        (right, below) in (0..9_usize, 0..9_usize),
    ) {
        let rgba = &bytes[..4 * width * height];
        let image = ImageBuffer::from_raw(width as u32, height as u32, rgba.to_vec()).unwrap();
        let still = written(&DynamicImage::ImageRgba8(image), ImageFormat::WebP);
        let (left, top) = (2 * left, 2 * top);
        let canvas = (left + width + right, top + height + below);
        let mut frame = [less_one(left / 2 + 1), less_one(top / 2 + 1), less_one(width), less_one(height)].concat();
        frame.extend([100, 0, 0, 0]);
        // The still file's own chunk.
        frame.extend(&still[12..]);
        let mut header = vec![0x12, 0, 0, 0];
        header.extend([less_one(canvas.0), less_one(canvas.1)].concat());
        let file = riff(&[chunk(b"VP8X", &header), chunk(b"ANIM", &[0; 6]), chunk(b"ANMF", &frame)]);
        let pixels = decode(&file);
        prop_assert_eq!((pixels.layout, pixels.width, pixels.height), (Layout::Rgba, canvas.0, canvas.1));
        for (y, row) in pixels.bytes.chunks_exact(4 * canvas.0).enumerate() {
            let (before, rest) = row.split_at(4 * left);
            let (inside, after) = rest.split_at(4 * width);
            let expected = match (top..top + height).contains(&y) {
                true => &rgba[4 * width * (y - top)..][..4 * width],
                false => &vec![0; 4 * width],
            };
            prop_assert!(inside == expected && before.iter().chain(after).all(|byte| *byte == 0), "row {}", y);
        }
    }
}

#[test]
fn a_lossy_file() {
    let pixels = decode(LOSSY);
    assert_eq!((pixels.layout, pixels.width, pixels.height), (Layout::Rgb, 3, 2));
    assert_eq!(pixels.bytes, LOSSY_PIXELS.concat());
}
