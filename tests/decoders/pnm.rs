//! PBM, PGM and PPM, binary and plain.

use clipprep::pixels::Layout;
use proptest::prelude::*;

use super::{by_image_crate, decode, images};

fn file(head: &str, body: &[u8]) -> Vec<u8> {
    [head.as_bytes(), body].concat()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn bytes((width, height, bytes) in images()) {
        for (kind, layout, channels) in [(5, Layout::L, 1), (6, Layout::Rgb, 3)] {
            let samples = &bytes[..channels * width * height];
            let file = file(&format!("P{kind} {width} {height} 255\n"), samples);
            let pixels = decode(&file);
            prop_assert_eq!((pixels.format, pixels.layout), ("PPM", layout));
            prop_assert_eq!((pixels.width, pixels.height), (width, height));
            prop_assert!(pixels.bytes == samples);
            prop_assert!(pixels.rgb() == by_image_crate(&file));
        }
    }

    #[test]
    fn plain_files_are_binary_ones_in_digits((width, height, bytes) in images(), maximum in 1..=65535_usize) {
        for (channels, plain, binary) in [(1, 2, 5), (3, 3, 6)] {
            let samples = bytes.as_chunks::<2>().0[..channels * width * height].iter();
            let samples: Vec<usize> =
                samples.map(|&pair| usize::from(u16::from_be_bytes(pair)) % (maximum + 1)).collect();
            let digits: String = samples.iter().map(|sample| format!("{sample} ")).collect();
            let body: Vec<u8> = match maximum {
                ..=255 => samples.iter().map(|&sample| sample as u8).collect(),
                _ => samples.iter().flat_map(|&sample| (sample as u16).to_be_bytes()).collect(),
            };
            let head = |kind| format!("P{kind} # a comment\n{width} {height}\n{maximum}\n");
            let plain = decode(&file(&head(plain), digits.as_bytes()));
            let binary = decode(&file(&head(binary), &body));
            prop_assert_eq!(plain.layout, binary.layout);
            prop_assert!(plain.bytes == binary.bytes);
        }
    }

    #[test]
    fn bits((width, height, bytes) in images()) {
        let bits: Vec<u8> = bytes[..width * height].iter().map(|byte| byte & 1).collect();
        let digits: Vec<u8> = bits.iter().map(|bit| b'0' + bit).collect();
        let packed: Vec<u8> = bits
            .chunks_exact(width)
            .flat_map(|row| row.chunks(8))
            .map(|group| group.iter().enumerate().fold(0, |byte, (i, bit)| byte | bit << (7 - i)))
            .collect();
        for (kind, body) in [(1, digits), (4, packed)] {
            let pixels = decode(&file(&format!("P{kind}\n{width} {height}\n"), &body));
            prop_assert_eq!(pixels.layout, Layout::One);
            prop_assert!(pixels.bytes.iter().zip(&bits).all(|(byte, bit)| *byte == 255 * (1 - bit)));
        }
    }
}

/// As Pillow 13 shows them.
#[test]
fn samples_are_scaled_to_bytes_and_to_16_bits() {
    let pixels = decode(&file("P5 4 1 3 ", &[0, 1, 2, 3]));
    assert_eq!(pixels.bytes, [0, 85, 170, 255]);
    let pixels = decode(&file("P5 7 1 100 ", &[0, 1, 37, 50, 99, 100, 101]));
    assert_eq!(pixels.bytes, [0, 3, 94, 128, 252, 255, 255]);
    let samples = [0_u16, 1, 499, 500, 999, 1000, 1001, 65535];
    let pixels = decode(&file("P5 8 1 1000 ", &samples.map(u16::to_be_bytes).concat()));
    assert_eq!(pixels.layout, Layout::I);
    let values: Vec<i32> =
        pixels.bytes.as_chunks().0.iter().map(|&bytes| i32::from_ne_bytes(bytes)).collect();
    assert_eq!(values, [0, 66, 32702, 32768, 65469, 65535, 65535, 65535]);
    let samples: Vec<u8> = samples.iter().flat_map(|sample| [sample.to_be_bytes(); 3].concat()).collect();
    let pixels = decode(&file("P6 8 1 1000 ", &samples));
    assert_eq!(pixels.layout, Layout::Rgb);
    assert!(pixels.bytes.chunks(3).map(|rgb| rgb[0]).eq([0, 0, 127, 128, 255, 255, 255, 255]));
}
