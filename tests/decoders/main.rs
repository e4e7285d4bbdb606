//! Right pixels of each decoder: files whose pixels are known since the test wrote them, or since the `image` crate
//! reads them too.

mod bmp;
mod gif;
mod jpeg;
mod png;
mod pnm;
mod qoi;
mod tiff;
mod webp;

use clipprep::decode::{Decoder, Format, Input, Rules, open};
use clipprep::pixels::{BLOCK_ROWS, Layout, Palette, Window};
use image::{DynamicImage, ImageFormat};
use proptest::prelude::*;

/// A decoded file.
struct Pixels {
    format: &'static str,
    layout: Layout,
    width: usize,
    height: usize,
    palette: Option<Box<Palette>>,
    bytes: Vec<u8>,
}

impl Pixels {
    /// Red, green and blue of each pixel.
    fn rgb(&self) -> Vec<u8> {
        let pixels = self.bytes.chunks_exact(self.layout.bytes());
        match self.layout {
            Layout::P => {
                let palette = self.palette.as_ref().expect("a palette");
                pixels.flat_map(|index| palette[usize::from(index[0])]).collect()
            }
            Layout::Rgb | Layout::Rgba => pixels.flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
            Layout::One | Layout::L | Layout::GreyAlpha => pixels.flat_map(|pixel| [pixel[0]; 3]).collect(),
            layout => panic!("{layout:?}"),
        }
    }
}

fn rows(image: &mut dyn Decoder, window: &Window) -> Vec<u8> {
    let mut rows = image.rows(window).unwrap();
    let mut bytes = Vec::new();
    for y in window.rows.clone().step_by(BLOCK_ROWS) {
        let count = BLOCK_ROWS.min(window.rows.end - y);
        rows.next(count).unwrap()[..count].iter().for_each(|row| bytes.extend_from_slice(row));
    }
    bytes
}

/// The pixels of a file. Its windows are checked on the way: each is a part of the whole.
fn decode(file: &[u8]) -> Pixels {
    let open = || open(&Input::new(file), &Rules::default()).unwrap();
    let (format, mut image) = open();
    assert_eq!(Format::of(file).unwrap().name(), format.name());
    let header = image.header().clone();
    let (width, height, layout) = (header.width, header.height, header.layout);
    let bytes = rows(image.as_mut(), &Window { columns: 0..width, rows: 0..height });
    let size = layout.bytes();
    for (columns, lines) in
        [(width / 3..width - width / 4, height / 2..height), (width - 1..width, 0..height.div_ceil(2))]
    {
        let part = bytes.chunks_exact(width * size).skip(lines.start).take(lines.len());
        let part: Vec<u8> =
            part.flat_map(|row| &row[columns.start * size..columns.end * size]).copied().collect();
        let window = Window { columns, rows: lines };
        assert!(rows(open().1.as_mut(), &window) == part, "{}: {window:?}", format.name());
    }
    Pixels { format: format.name(), layout, width, height, palette: header.palette, bytes }
}

/// A file as the `image` crate writes it.
fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// Red, green and blue of each pixel, as the `image` crate reads a file.
fn by_image_crate(file: &[u8]) -> Vec<u8> {
    image::load_from_memory(file).unwrap().into_rgb8().into_raw()
}

/// Sides of small images, and bytes enough for 8 of each pixel: of noise, of runs or of slopes.
fn images() -> impl Strategy<Value = (usize, usize, Vec<u8>)> {
    (1..40_usize, 1..20_usize, 0..3_usize, any::<u8>()).prop_flat_map(|(width, height, kind, step)| {
        let len = 8 * width * height;
        let noise = prop::collection::vec(any::<u8>(), len);
        noise.prop_map(move |noise| {
            let bytes = match kind {
                0 => noise,
                1 => noise.iter().enumerate().map(|(at, _)| noise[at / 97 * 97]).collect(),
                _ => (0..len).map(|at| (at / 3) as u8 & step).collect(),
            };
            (width, height, bytes)
        })
    })
}
