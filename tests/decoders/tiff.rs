//! TIFF of each kind that is read natively: strips and tiles, every compression, both byte orders.

use clipprep::pixels::Layout;
use proptest::prelude::*;
use weezl::{BitOrder, encode::Encoder};

use super::{decode, images};

const NONE: u16 = 1;
const LZW: u16 = 5;
const DEFLATE: u16 = 8;
const PACK_BITS: u16 = 32773;

const WHITE_IS_ZERO: u16 = 0;
const BLACK_IS_ZERO: u16 = 1;
const RGB: u16 = 2;
const INDEXED: u16 = 3;

/// How the pixels of a file are stored.
#[derive(Clone, Debug)]
struct Storage {
    big_endian: bool,
    compression: u16,
    /// Whether pixels are stored as differences to the one to their left.
    differences: bool,
    /// Rows of a strip.
    strip: usize,
    /// Width and height of a tile, instead of strips.
    tile: Option<(usize, usize)>,
}

fn storages() -> impl Strategy<Value = Storage> {
    let compressions = prop::sample::select(&[NONE, LZW, DEFLATE, PACK_BITS][..]);
    let tiles =
        prop::option::of((1..3_usize, 1..3_usize).prop_map(|(across, down)| (16 * across, 16 * down)));
    (any::<bool>(), compressions, any::<bool>(), 1..9_usize, tiles).prop_map(
        |(big_endian, compression, differences, strip, tile)| Storage {
            big_endian,
            compression,
            // The others have none.
            differences: differences && matches!(compression, LZW | DEFLATE),
            strip,
            tile,
        },
    )
}

/// The samples of an image, and what they mean.
struct Picture<'a> {
    size: (usize, usize),
    photometric: u16,
    /// Bits of a sample, and samples of a pixel.
    bits: usize,
    channels: usize,
    /// The meaning of the samples after the colour.
    extra: Option<u16>,
    palette: Option<&'a [u16]>,
    samples: &'a [u8],
}

impl Picture<'_> {
    fn written(&self, storage: &Storage) -> Vec<u8> {
        let short = |value: u16| if storage.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let long = |value: u32| if storage.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut file = if storage.big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
        // The place of the directory, which follows the pixels.
        file.extend([0; 4]);
        let parts = self.parts(storage);
        let mut places = Vec::new();
        for part in &parts {
            places.push(file.len() as u32);
            file.extend(part);
        }
        file.resize(file.len().next_multiple_of(2), 0);
        let shorts =
            |values: &[u16]| (3_u16, values.iter().flat_map(|&value| short(value)).collect::<Vec<u8>>());
        let longs =
            |values: &[u32]| (4_u16, values.iter().flat_map(|&value| long(value)).collect::<Vec<u8>>());
        let lengths: Vec<u32> = parts.iter().map(|part| part.len() as u32).collect();
        let (width, height) = self.size;
        let mut entries = vec![
            (256_u16, longs(&[width as u32])),
            (257, longs(&[height as u32])),
            (258, shorts(&vec![self.bits as u16; self.channels])),
            (259, shorts(&[storage.compression])),
            (262, shorts(&[self.photometric])),
            (277, shorts(&[self.channels as u16])),
        ];
        match storage.tile {
            Some((across, down)) => entries.extend([
                (322, longs(&[across as u32])),
                (323, longs(&[down as u32])),
                (324, longs(&places)),
                (325, longs(&lengths)),
            ]),
            None => entries.extend([
                (273, longs(&places)),
                (278, longs(&[storage.strip as u32])),
                (279, longs(&lengths)),
            ]),
        }
        if storage.differences {
            entries.push((317, shorts(&[2])));
        }
        entries.extend(self.palette.map(|palette| (320, shorts(palette))));
        entries.extend(self.extra.map(|extra| (338, shorts(&[extra]))));
        entries.sort_by_key(|entry| entry.0);

        let directory = file.len() as u32;
        file[4..8].copy_from_slice(&long(directory));
        file.extend(short(entries.len() as u16));
        let mut values = Vec::new();
        let beyond = directory + 2 + 12 * entries.len() as u32 + 4;
        for (tag, (kind, bytes)) in entries {
            file.extend([short(tag), short(kind)].concat());
            file.extend(long(bytes.len() as u32 / if kind == 3 { 2 } else { 4 }));
            if bytes.len() <= 4 {
                file.extend(&bytes);
                file.resize(file.len() + 4 - bytes.len(), 0);
            } else {
                file.extend(long(beyond + values.len() as u32));
                values.extend(bytes);
            }
        }
        file.extend([0; 4]);
        file.extend(values);
        file
    }

    /// The strips or tiles. A tile goes on beyond the image, where its bytes mean nothing.
    fn parts(&self, storage: &Storage) -> Vec<Vec<u8>> {
        let (width, height) = self.size;
        let (across, down) = storage.tile.unwrap_or((width, storage.strip));
        let corners =
            (0..height).step_by(down).flat_map(|top| (0..width).step_by(across).map(move |x| (x, top)));
        corners
            .map(|(left, top)| {
                let bottom = if storage.tile.is_some() { top + down } else { height.min(top + down) };
                let sample = |x: usize, y: usize, channel: usize| {
                    let inside = x < width && y < height;
                    if inside {
                        self.samples[(y * width + x) * self.channels + channel]
                    } else {
                        (x ^ y) as u8
                    }
                };
                let mut bytes = Vec::new();
                for y in top..bottom {
                    let row = (left..left + across)
                        .flat_map(|x| (0..self.channels).map(move |channel| (x, channel)));
                    let mut row: Vec<u8> = row.map(|(x, channel)| sample(x, y, channel)).collect();
                    if storage.differences {
                        for at in (self.channels..row.len()).rev() {
                            row[at] = row[at].wrapping_sub(row[at - self.channels]);
                        }
                    }
                    let largest = u8::MAX >> (8 - self.bits);
                    bytes.extend(row.chunks(8 / self.bits).map(|group| {
                        let samples = group.iter().enumerate();
                        samples.fold(0, |byte, (i, sample)| {
                            byte | (sample & largest) << (8 - self.bits * (i + 1))
                        })
                    }));
                }
                packed(storage.compression, &bytes)
            })
            .collect()
    }
}

fn packed(compression: u16, bytes: &[u8]) -> Vec<u8> {
    match compression {
        NONE => bytes.to_vec(),
        LZW => Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(bytes).unwrap(),
        DEFLATE => fdeflate::compress_to_vec(bytes),
        PACK_BITS => {
            let mut out = Vec::new();
            for run in bytes.chunk_by(|one, next| one == next).flat_map(|run| run.chunks(128)) {
                match run {
                    [byte] => out.extend([0, *byte]),
                    [byte, ..] => out.extend([(257 - run.len()) as u8, *byte]),
                    [] => unreachable!("a run has a byte"),
                }
            }
            out
        }
        _ => unreachable!("no other compression is written"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn bytes((width, height, bytes) in images(), storage in storages()) {
        let kinds = [
            (BLACK_IS_ZERO, 1, None, Layout::L),
            (BLACK_IS_ZERO, 2, Some(2), Layout::GreyAlpha),
            (RGB, 3, None, Layout::Rgb),
            (RGB, 4, Some(2), Layout::Rgba),
        ];
        for (photometric, channels, extra, layout) in kinds {
            let samples = &bytes[..channels * width * height];
            let picture = Picture {
                size: (width, height), photometric, bits: 8, channels, extra, palette: None, samples,
            };
            let file = picture.written(&storage);
            let pixels = decode(&file);
            prop_assert_eq!((pixels.format, pixels.layout), ("TIFF", layout));
            prop_assert_eq!((pixels.width, pixels.height), (width, height));
            prop_assert!(pixels.bytes == samples);
            match image::load_from_memory(&file) {
                Ok(image) => prop_assert!(pixels.rgb() == image.into_rgb8().into_raw()),
                // It reads no grey with alpha, and does not find the end code of LZW where codes just get wider.
                Err(error) => {
                    prop_assert!(layout == Layout::GreyAlpha || storage.compression == LZW, "{}", error);
                }
            }
        }
    }

    /// A fourth sample that means nothing is left out.
    #[test]
    fn a_sample_of_no_meaning((width, height, bytes) in images(), storage in storages()) {
        let samples = &bytes[..4 * width * height];
        let picture = Picture {
            size: (width, height), photometric: RGB, bits: 8, channels: 4, extra: Some(0), palette: None, samples,
        };
        let pixels = decode(&picture.written(&storage));
        prop_assert_eq!(pixels.layout, Layout::Rgb);
        let expected: Vec<u8> = samples.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
        prop_assert!(pixels.bytes == expected);
    }

    #[test]
    fn bits(
        (width, height, bytes) in images(),
        bits in prop::sample::select(&[1_usize, 2, 4, 8][..]),
        photometric in prop::sample::select(&[WHITE_IS_ZERO, BLACK_IS_ZERO, INDEXED][..]),
        storage in storages(),
    ) {
        let largest = u8::MAX >> (8 - bits);
        let samples: Vec<u8> = bytes[..width * height].iter().map(|byte| byte & largest).collect();
        let colours = usize::from(largest) + 1;
        let palette: Vec<u16> = (0..3 * colours).map(|at| at.wrapping_mul(at).wrapping_mul(7919) as u16).collect();
        let picture = Picture {
            size: (width, height),
            photometric,
            bits,
            channels: 1,
            extra: None,
            palette: (photometric == INDEXED).then_some(&palette),
            samples: &samples,
        };
        let storage = Storage { differences: storage.differences && bits == 8, ..storage };
        let pixels = decode(&picture.written(&storage));
        let layout = match (photometric, bits) {
            (INDEXED, _) => Layout::P,
            (_, 1) => Layout::One,
            _ => Layout::L,
        };
        prop_assert_eq!(pixels.layout, layout);
        let expected = samples.iter().map(|&sample| match photometric {
            INDEXED => sample,
            BLACK_IS_ZERO => sample * (255 / largest),
            _ => 255 - sample * (255 / largest),
        });
        prop_assert!(pixels.bytes.iter().copied().eq(expected));
        if photometric == INDEXED {
            let channel = |index: u8, channel: usize| (palette[usize::from(index) + channel * colours] >> 8) as u8;
            let rgb: Vec<u8> = samples.iter().flat_map(|&index| [0, 1, 2].map(|i| channel(index, i))).collect();
            prop_assert!(pixels.rgb() == rgb);
        }
    }
}
