//! One image through the pipeline, for instructions.py to count: `instructions file PATH` or
//! `instructions array WIDTH HEIGHT`.
//!
//! The image goes through twice; the first time makes the plan and the scratch memory, and only the second,
//! inside `counted`, is what callgrind is told to collect.

use clipprep::pixels::Layout;
use clipprep::{Array, Preprocess, Spec};
use ndarray::Array3;

/// The function between whose start and end callgrind collects.
#[inline(never)]
fn counted(run: &mut dyn FnMut()) {
    run();
    // A call that comes last would be a jump, and the end of this function never seen.
    std::hint::black_box(run);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let preprocess = Preprocess::new(Spec::openai(224));
    let mut tensor = vec![0f32; preprocess.output_len()];
    let mut run: Box<dyn FnMut()> = match words[..] {
        ["file", path] => {
            let bytes = std::fs::read(path).expect("a file that can be read");
            Box::new(move || {
                preprocess.process_bytes(&bytes, &mut tensor).expect("an image that can be decoded");
            })
        }
        ["array", width, height] => {
            let side = |text: &str| text.parse::<usize>().expect("a number of pixels");
            let shape = (side(height), side(width), 3);
            let pixels = Array3::from_shape_fn(shape, |(y, x, c)| (x * 7 + y * 13 + c * 50) as u8);
            Box::new(move || {
                let mut array = Array::new(pixels.view(), Layout::Rgb, None).expect("an array with pixels");
                preprocess
                    .process_image(&mut array, &mut tensor)
                    .expect("an array of a mode that is supported");
            })
        }
        _ => {
            // `cargo bench` runs this program without arguments, too.
            eprintln!("usage: instructions file PATH | array WIDTH HEIGHT; see instructions.py");
            return;
        }
    };
    run();
    counted(&mut *run);
}
