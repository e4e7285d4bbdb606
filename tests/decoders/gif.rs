//! The first frame of a GIF.

use clipprep::pixels::Layout;
use proptest::prelude::*;
use weezl::{BitOrder, encode::Encoder};

use super::{decode, images};

/// A file of one frame of 256 colours: its place on the canvas, and its indices row by row.
struct Gif<'a> {
    canvas: (usize, usize),
    place: (usize, usize),
    size: (usize, usize),
    interlaced: bool,
    transparent: Option<u8>,
    /// Whether the palette is the frame's own.
    local: bool,
    palette: &'a [u8],
    indices: &'a [u8],
}

impl Gif<'_> {
    fn written(&self) -> Vec<u8> {
        let short = |value: usize| (value as u16).to_le_bytes();
        let mut file = b"GIF89a".to_vec();
        file.extend([short(self.canvas.0), short(self.canvas.1)].concat());
        file.extend([if self.local { 0 } else { 0xf7 }, 0, 0]);
        if !self.local {
            file.extend(self.palette);
        }
        if let Some(index) = self.transparent {
            file.extend([b'!', 0xf9, 4, 1, 0, 0, index, 0]);
        }
        file.push(b',');
        file.extend([self.place.0, self.place.1, self.size.0, self.size.1].map(short).concat());
        file.push(if self.local { 0x87 } else { 0 } | if self.interlaced { 0x40 } else { 0 });
        if self.local {
            file.extend(self.palette);
        }
        file.push(8);
        let codes = Encoder::new(BitOrder::Lsb, 8).encode(&self.stored()).unwrap();
        for block in codes.chunks(255) {
            file.push(block.len() as u8);
            file.extend(block);
        }
        file.extend([0, b';']);
        file
    }

    /// The indices in the order in which they are stored.
    fn stored(&self) -> Vec<u8> {
        let rows: Vec<&[u8]> = self.indices.chunks_exact(self.size.0).collect();
        let passes = if self.interlaced { &[(0, 8), (4, 8), (2, 4), (1, 2)][..] } else { &[(0, 1)] };
        let order = passes.iter().flat_map(|&(first, step)| (first..rows.len()).step_by(step));
        order.flat_map(|y| rows[y]).copied().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn a_frame_that_is_the_canvas(
        (width, height, bytes) in images(),
        interlaced in any::<bool>(),
        local in any::<bool>(),
    ) {
        let palette: Vec<u8> = (0..768_usize).map(|at| (at * at / 5) as u8).collect();
        let (size, indices) = ((width, height), &bytes[..width * height]);
        let gif = Gif {
            canvas: size, place: (0, 0), size, interlaced, transparent: None, local, palette: &palette, indices,
        };
        let pixels = decode(&gif.written());
        prop_assert_eq!((pixels.format, pixels.layout), ("GIF", Layout::P));
        prop_assert_eq!((pixels.width, pixels.height), size);
        prop_assert!(pixels.bytes == indices);
        prop_assert!(pixels.palette.unwrap().as_flattened() == palette);
    }

    /// Pixels that the frame does not cover have the transparent index, or else the first.
    #[test]
    fn a_frame_within_its_canvas(
        (width, height, bytes) in images(),
        place in (0..9_usize, 0..9_usize),
        beyond in (0..9_usize, 0..9_usize),
        transparent in prop::option::of(any::<u8>()),
    ) {
        let palette: Vec<u8> = (0..768_usize).map(|at| (at * at / 5) as u8).collect();
        let canvas = (place.0 + width + beyond.0, place.1 + height + beyond.1);
        let indices = &bytes[..width * height];
        let (size, palette) = ((width, height), &palette);
        let gif = Gif { canvas, place, size, interlaced: false, transparent, local: false, palette, indices };
        let mut expected = vec![transparent.unwrap_or(0); canvas.0 * canvas.1];
        for (y, row) in indices.chunks_exact(width).enumerate() {
            expected[(place.1 + y) * canvas.0 + place.0..][..width].copy_from_slice(row);
        }
        let pixels = decode(&gif.written());
        prop_assert_eq!((pixels.width, pixels.height), canvas);
        prop_assert!(pixels.bytes == expected);
    }

    /// To Pillow a palette of greys in their order is none.
    #[test]
    fn greys((width, height, bytes) in images()) {
        let palette: Vec<u8> = (0..768_usize).map(|at| (at / 3) as u8).collect();
        let (size, indices) = ((width, height), &bytes[..width * height]);
        let gif = Gif {
            canvas: size, place: (0, 0), size, interlaced: false, transparent: None, local: false, palette: &palette,
            indices,
        };
        let pixels = decode(&gif.written());
        prop_assert_eq!(pixels.layout, Layout::L);
        prop_assert!(pixels.bytes == indices);
    }
}
