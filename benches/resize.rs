//! Our resizing beside that of the crate `fast_image_resize`, alone and with all that a tensor needs:
//! `cargo bench --bench resize`.
//!
//! Both resize the same RGB bytes to 224 x 224 with the bicubic filter, on one thread. The crate
//! resizes the whole image, which is then cropped; "cropped first" gives it the middle of the image
//! alone, which shifts pixels by fractions. The peers take turns, each round begins with the next
//! one, and the least time of each counts: that of the round that other programs left alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use clipprep::pixels::Layout;
use clipprep::{Array, MEAN, Preprocess, STD, Spec};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use ndarray::Array3;

const SIDE: usize = 224;
const SIZES: [(&str, usize, usize); 4] =
    [("web", 500, 375), ("hd", 1920, 1280), ("camera", 4032, 2700), ("strip", 300, 4000)];
const ROUNDS: usize = 40;

type Peer<'a> = (&'a str, Box<dyn FnMut() + 'a>);

fn main() {
    println!("{:24} {:26} {:>12} {:>12}", "", "", "resize alone", "to a tensor");
    for (name, width, height) in SIZES {
        let pixels = pixels(width, height);
        let (alone, whole) = (least_times(peers(&pixels, false)), least_times(peers(&pixels, true)));
        for ((peer, alone), (_, whole)) in alone.iter().zip(&whole) {
            let name = format!("{name}, {width} x {height}");
            println!("{name:24} {peer:26} {:>9.1} us {:>9.1} us", micros(*alone), micros(*whole));
        }
        println!("{}", difference(&pixels));
    }
}

/// Shapes with noise.
fn pixels(width: usize, height: usize) -> Array3<u8> {
    let mut state = 1_u32;
    Array3::from_shape_fn((height, width, 3), |(y, x, c)| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let shape = 110.0 + 100.0 * ((x + 40 * c) as f32 / 37.0).sin() * (y as f32 / 23.0).cos();
        shape as u8 + (state >> 27) as u8
    })
}

fn array(pixels: &Array3<u8>) -> Array<'_> {
    Array::new(pixels.view(), Layout::Rgb, None).expect("an array with pixels")
}

/// Everyone, resizing alone or all the way to a tensor.
fn peers(pixels: &Array3<u8>, whole: bool) -> Vec<Peer<'_>> {
    let ours = Preprocess::new(Spec::openai(SIDE));
    let mut tensor = vec![0.0_f32; 3 * SIDE * SIDE];
    let ours: Peer<'_> = (
        "clipprep",
        Box::new(move || match whole {
            true => drop(black_box(ours.process_image(&mut array(pixels), &mut tensor))),
            false => drop(black_box(ours.cropped(&mut array(pixels)))),
        }),
    );
    let theirs = |name, cropped_first| -> Peer<'_> {
        let mut theirs = Theirs::new(pixels, cropped_first);
        (
            name,
            Box::new(move || match whole {
                true => drop(black_box(theirs.tensor(pixels).len())),
                false => drop(black_box(theirs.resize(pixels).count())),
            }),
        )
    };
    vec![ours, theirs("fast_image_resize", false), theirs("  cropped first", true)]
}

fn least_times(mut peers: Vec<Peer<'_>>) -> Vec<(&str, Duration)> {
    let mut least = vec![Duration::MAX; peers.len()];
    for round in 0..ROUNDS {
        for turn in 0..peers.len() {
            let peer = (round + turn) % peers.len();
            let start = Instant::now();
            (peers[peer].1)();
            least[peer] = least[peer].min(start.elapsed());
        }
    }
    peers.iter().map(|(name, _)| *name).zip(least).collect()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// How far the crate's bytes are from ours, which are Pillow's.
fn difference(pixels: &Array3<u8>) -> String {
    let (_, ours) = Preprocess::new(Spec::openai(SIDE)).cropped(&mut array(pixels)).expect("an image");
    let mut theirs = Theirs::new(pixels, false);
    let theirs: Vec<u8> = theirs.resize(pixels).flatten().copied().collect();
    assert_eq!(ours.len(), theirs.len(), "the same crop");
    let levels = || ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b));
    let share = levels().filter(|&level| level > 0).count() as f64 / ours.len() as f64;
    let most = levels().max().unwrap_or(0);
    format!("{:24} fast_image_resize: {:.2} % of the bytes differ, by up to {most}", "", 100.0 * share)
}

/// The code that a user of the crate writes, with memory and tables that are kept.
struct Theirs {
    resizer: Resizer,
    options: ResizeOptions,
    resized: Image<'static>,
    table: [[f32; 256]; 3],
    tensor: Vec<f32>,
}

impl Theirs {
    fn new(pixels: &Array3<u8>, cropped_first: bool) -> Self {
        let (height, width, _) = pixels.dim();
        let alg = ResizeAlg::Convolution(FilterType::CatmullRom);
        let options = ResizeOptions::new().resize_alg(alg).use_alpha(false);
        let short = width.min(height);
        let (width, height, options) = match cropped_first {
            true => (SIDE, SIDE, options.fit_into_destination(None)),
            false => (SIDE * width / short, SIDE * height / short, options),
        };
        let value =
            |channel: usize, byte: usize| (byte as f32 / 255.0 - MEAN[channel] as f32) / STD[channel] as f32;
        Self {
            resizer: Resizer::new(),
            options,
            resized: Image::new(width as u32, height as u32, PixelType::U8x3),
            table: std::array::from_fn(|channel| std::array::from_fn(|byte| value(channel, byte))),
            tensor: vec![0.0; 3 * SIDE * SIDE],
        }
    }

    /// The rows of the middle of the resized image.
    fn resize(&mut self, pixels: &Array3<u8>) -> impl Iterator<Item = &[u8]> {
        let (height, width, _) = pixels.dim();
        let data = pixels.as_slice().expect("rows without gaps");
        let source = ImageRef::new(width as u32, height as u32, data, PixelType::U8x3).expect("all bytes");
        self.resizer.resize(&source, &mut self.resized, &self.options).expect("a type that it resizes");
        let (width, height) = (self.resized.width() as usize, self.resized.height() as usize);
        // torchvision rounds half of an odd margin to even.
        let half = |margin: usize| margin / 2 + usize::from(margin % 4 == 3);
        let (left, top) = (half(width - SIDE), half(height - SIDE));
        let rows = self.resized.buffer().chunks_exact(3 * width);
        rows.skip(top).take(SIDE).map(move |row| &row[3 * left..][..3 * SIDE])
    }

    fn tensor(&mut self, pixels: &Array3<u8>) -> &[f32] {
        let (table, mut tensor) = (self.table, std::mem::take(&mut self.tensor));
        for (y, row) in self.resize(pixels).enumerate() {
            for (channel, (plane, table)) in tensor.chunks_exact_mut(SIDE * SIDE).zip(&table).enumerate() {
                let pixels = row[channel..].iter().step_by(3);
                for (out, &byte) in plane[y * SIDE..][..SIDE].iter_mut().zip(pixels) {
                    *out = table[usize::from(byte)];
                }
            }
        }
        self.tensor = tensor;
        &self.tensor
    }
}
