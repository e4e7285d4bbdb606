//! Our reader of scans against libjpeg's own, on whole files and on damaged ones.

use std::fs::File;
use std::io::{Seek, Write};
use std::rc::Rc;

use proptest::prelude::*;

mod own;
mod progressive_writer;
mod writer;

use super::header::{Header, NATURAL};
use super::libjpeg::Decoder;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pixels::{Layout, Window};

const FILES: [&[u8]; 6] = [
    include_bytes!("../../../../tests/data/jpeg/sequential-restarts.jpg"),
    include_bytes!("../../../../tests/data/jpeg/sequential-optimised-grey.jpg"),
    include_bytes!("../../../../tests/data/jpeg/sequential-cmyk.jpg"),
    include_bytes!("../../../../tests/data/jpeg/sequential-422.jpg"),
    include_bytes!("../../../../tests/data/jpeg/sequential-flat.jpg"),
    include_bytes!("../../../../photos/cat.jpg"),
];

fn decoder<'a>(bytes: &'a [u8], file: Option<&'a File>) -> Result<Decoder<'a>> {
    Decoder::new(Rc::new(Header::read(bytes)?), bytes, file, &Limits::default())
}

/// The rows of a window, cut to its columns, by libjpeg alone.
fn plain_rows(bytes: &[u8], window: &Window) -> Result<Vec<u8>> {
    let mut decoder = decoder(bytes, None)?;
    let layout = match decoder.info().num_components {
        1 => Layout::L,
        3 => Layout::Rgb,
        _ => Layout::Cmyk,
    };
    let first = decoder.prepare_plain(layout, window)? as usize;
    let row_bytes = decoder.row_bytes();
    let mut rows = vec![0; window.rows.len() * row_bytes];
    decoder.read(&mut rows, row_bytes)?;
    decoder.check_rest(row_bytes)?;
    let from = (window.columns.start - first) * layout.bytes();
    let wanted = from..from + window.columns.len() * layout.bytes();
    Ok(rows.chunks_exact(row_bytes).flat_map(|row| &row[wanted.clone()]).copied().collect())
}

/// The rows of a window given by shares, and whether our reader was in use at the end.
fn rows(bytes: &[u8], shares: [f64; 4], ours: bool) -> Result<(Vec<u8>, bool)> {
    rows_of(decoder(bytes, None)?, shares, ours)
}

/// The same, of which only the first share of the bytes is held, and the rest is in a file.
fn rows_of_file(bytes: &[u8], held: f64, shares: [f64; 4]) -> Result<Vec<u8>> {
    let (head, rest) = bytes.split_at((bytes.len() as f64 * held) as usize);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(rest).unwrap();
    file.rewind().unwrap();
    rows_of(decoder(head, Some(&file))?, shares, true).map(|(rows, _)| rows)
}

fn rows_of(mut decoder: Decoder<'_>, shares: [f64; 4], ours: bool) -> Result<(Vec<u8>, bool)> {
    let info = decoder.info();
    let (width, height) = (info.image_width as usize, info.image_height as usize);
    let layout = match info.num_components {
        1 => Layout::L,
        3 => Layout::Rgb,
        _ => Layout::Cmyk,
    };
    let range = |len: usize, from: f64, share: f64| {
        let from = ((len - 1) as f64 * from) as usize;
        from..from + 1 + ((len - 1 - from) as f64 * share) as usize
    };
    let window =
        Window { columns: range(width, shares[0], shares[1]), rows: range(height, shares[2], shares[3]) };
    if ours {
        decoder.prepare(layout, &window)?;
    } else {
        decoder.prepare_plain(layout, &window)?;
    }
    let row_bytes = decoder.row_bytes();
    let mut data = vec![0; window.rows.len() * row_bytes];
    for block in data.chunks_mut(4 * row_bytes) {
        decoder.read(block, row_bytes)?;
    }
    decoder.check_rest(row_bytes)?;
    let regular = decoder.reads_by_itself();
    Ok((data, regular))
}

#[test]
fn whole_files_are_read_by_our_reader() {
    for (i, file) in FILES.iter().enumerate() {
        for shares in [[0.0, 1.0, 0.0, 1.0], [0.4, 0.3, 0.5, 0.2]] {
            let (ours, regular) = rows(file, shares, true).unwrap();
            assert!(regular, "file {i}");
            let (plain, regular) = rows(file, shares, false).unwrap();
            assert!(!regular);
            assert!(ours == plain, "file {i}");
            assert!(rows_of_file(file, 0.6, shares).unwrap() == plain, "file {i}, streamed");
        }
    }
}

/// A file cut short behind a changed byte, which makes the codes end before the bytes do: libjpeg, which looks
/// ahead, takes it to be truncated.
#[test]
fn codes_that_end_in_front_of_a_missing_end() {
    let file = FILES[1];
    let mut bytes = file[..(file.len() as f64 * 0.996_456) as usize].to_vec();
    bytes[(file.len() as f64 * 0.789_27) as usize] = 60;
    assert!(matches!(rows(&bytes, [0.0; 4], false), Err(Error::Truncated { .. })));
    assert!(matches!(rows(&bytes, [0.0; 4], true), Err(Error::Truncated { .. })));
}

/// The same where bytes that fill up stand in front of the missing end.
#[test]
fn codes_that_end_in_front_of_fill_bytes() {
    for file in FILES {
        let mut bytes = file.to_vec();
        *bytes.last_mut().unwrap() = 0xff;
        for fill in 0..4 {
            let outcome = |ours| {
                rows(&bytes, [0.0, 1.0, 0.0, 1.0], ours)
                    .map(|(rows, _)| rows)
                    .map_err(|error| format!("{error:?}"))
            };
            assert!(outcome(true) == outcome(false), "{fill} more");
            bytes.push(0xff);
        }
        bytes.push(0xd9);
        assert!(rows(&bytes, [0.0, 1.0, 0.0, 1.0], true).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn damaged_files_give_the_same_rows_or_errors(
        file in 0..FILES.len(),
        changes in prop::collection::vec((0.0..1.0, any::<u8>()), 0..4),
        end in prop::option::of(0.0..1.0),
        held in 0.0..1.0,
        shares in prop::array::uniform4(0.0..1.0),
    ) {
        let mut bytes = FILES[file].to_vec();
        for (at, value) in changes {
            let at = (bytes.len() as f64 * at) as usize;
            bytes[at] = value;
        }
        if let Some(end) = end {
            bytes.truncate((bytes.len() as f64 * end) as usize);
        }
        let outcome = |ours| rows(&bytes, shares, ours).map(|(rows, _)| rows).map_err(|error| format!("{error:?}"));
        let (ours, plain) = (outcome(true), outcome(false));
        prop_assert!(ours == plain, "{:?} {:?}", ours.as_ref().map(Vec::len), plain.as_ref().map(Vec::len));
        // A file that is streamed may be refused for any fault, and is read whole then.
        if let Ok(streamed) = rows_of_file(&bytes, held, shares) {
            prop_assert!(Ok(streamed) == plain);
        }
    }
}
