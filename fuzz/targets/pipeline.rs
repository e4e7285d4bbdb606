//! The whole way from bytes to a tensor.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Seek, Write};

use clipprep::decode::Input;
use clipprep::{Error, Filter, Level, Precision, Preprocess, Profile, ResizeMode, Spec, Truncated};
use libfuzzer_sys::Corpus;

use crate::LIMITS;

/// A specification that the last byte of an input chooses, so that options are fuzzed as well.
fn spec(data: &[u8], truncated: Truncated) -> Spec {
    let choice = usize::from(data.last().copied().unwrap_or(0));
    let profile = Profile::ALL[choice % Profile::ALL.len()];
    let choice = choice / Profile::ALL.len();
    let spec = Spec { profile, truncated, limits: LIMITS, exif: true, ..Spec::openai(20) };
    match choice % 4 {
        0 => Spec { exif: false, ..spec },
        1 => Spec { precision: Precision::Fast, ..spec },
        2 => Spec { resize_mode: ResizeMode::Longest, over_white: false, ..spec },
        _ if profile.filters.contains(&Filter::Nearest) => Spec { filter: Filter::Nearest, ..spec },
        _ => Spec { resize_mode: ResizeMode::Squash, ..spec },
    }
}

fn run(preprocess: &Preprocess, input: &Input<'_>) -> Result<Vec<f32>, Error> {
    let mut out = vec![f32::NAN; preprocess.output_len()];
    let mut opened = preprocess.open(input)?;
    preprocess.process_image(opened.image.as_mut(), &mut out)?;
    Ok(out)
}

/// Bits and words, which are equal where two ways agree.
fn outcome(result: Result<Vec<f32>, Error>) -> Result<Vec<u32>, String> {
    match result {
        Ok(values) => Ok(values.into_iter().map(f32::to_bits).collect()),
        Err(error) => Err(error.to_string()),
    }
}

fn kept(done: bool) -> Corpus {
    if done { Corpus::Keep } else { Corpus::Reject }
}

/// Every value is written, and a number. What is whole has the same bits where truncated files are padded.
pub fn finite(data: &[u8], truncated: Truncated) -> Corpus {
    let spec = spec(data, truncated);
    let result = run(&Preprocess::new(spec.clone()), &Input::new(data));
    if let Ok(values) = &result {
        assert!(values.iter().all(|value| value.is_finite()));
    }
    if truncated == Truncated::Pad
        && let Ok(padded) = result
        && let Ok(whole) =
            run(&Preprocess::new(Spec { truncated: Truncated::Error, ..spec }), &Input::new(data))
    {
        assert!(whole == padded, "padding changes a whole file");
    }
    Corpus::Keep
}

thread_local! {
    static REST: RefCell<File> = File::from(tempfile::tempfile().expect("a temporary file")).into();
}

/// A file that is read a piece at a time gives what it gives from memory, unless it has to be held.
pub fn streamed_is_held(data: &[u8]) -> Corpus {
    let preprocess = Preprocess::new(spec(data, Truncated::Error));
    let mut streamed = false;
    for held in [data.len() / 2, data.len() - data.len() / 8] {
        let (head, tail) = data.split_at(held);
        let found = REST.with_borrow_mut(|file| {
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(tail)).expect("room");
            file.rewind().expect("a file");
            run(&preprocess, &Input::streamed(head, file))
        });
        if found.as_ref().is_err_and(Error::is_refusal) {
            continue; // read from memory instead
        }
        streamed = true;
        assert!(outcome(found) == outcome(run(&preprocess, &Input::new(data))), "{held} bytes held");
    }
    kept(streamed)
}

/// Every instruction set gives the scalar code's bits and words.
pub fn levels_agree(data: &[u8]) -> Corpus {
    let spec = spec(data, Truncated::Error);
    let at = |level| {
        let preprocess = Preprocess::new(spec.clone()).with_level(level);
        outcome(run(&preprocess, &Input::new(data)))
    };
    let scalar = at(Level::Scalar);
    for level in Level::supported().into_iter().skip(1) {
        assert!(at(level) == scalar, "{}", level.name());
    }
    Corpus::Keep
}
