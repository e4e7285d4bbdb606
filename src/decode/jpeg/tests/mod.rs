//! Rows made here against libjpeg's, on whole files and on damaged ones.

pub mod own;
mod progressive_writer;
mod threads;
pub mod writer;

use std::io::{Seek, Write};
use std::rc::Rc;

use super::header::{Header, NATURAL};
use super::libjpeg::{Decoder, LibjpegRows};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pixels::{Layout, Window};
use crate::simd::Level;
use own::{own_rows, own_rows_of, window};

pub const FILES: [&[u8]; 6] = [
    include_bytes!("../../../../tests/data/jpeg/sequential-restarts.jpg"),
    include_bytes!("../../../../tests/data/jpeg/sequential-optimised-grey.jpg"),
    include_bytes!("../../../../tests/data/jpeg/sequential-cmyk.jpg"),
    include_bytes!("../../../../tests/data/jpeg/sequential-422.jpg"),
    include_bytes!("../../../../tests/data/jpeg/sequential-flat.jpg"),
    include_bytes!("../../../../photos/cat.jpg"),
];

/// The rows of a window, cut to its columns, by libjpeg alone.
fn plain_rows(bytes: &[u8], window: &Window) -> Result<Vec<u8>> {
    libjpegs_rows(bytes, window, None)
}

/// The same of an image that is `reduction` times smaller.
fn reduced_rows(bytes: &[u8], window: &Window, reduction: usize) -> Result<Vec<u8>> {
    libjpegs_rows(bytes, window, Some(reduction as u32))
}

fn libjpegs_rows(bytes: &[u8], window: &Window, reduction: Option<u32>) -> Result<Vec<u8>> {
    let header = Header::read(bytes)?;
    let layout = match header.frame.components.len() {
        1 => Layout::L,
        3 => Layout::Rgb,
        _ => Layout::Cmyk,
    };
    let mut decoder = Decoder::new(Rc::new(header), bytes, &Limits::default())?;
    reduction.into_iter().for_each(|reduction| decoder.set_fast(reduction));
    let mut rows = LibjpegRows::new(decoder, layout, window, false)?;
    let from = (window.columns.start - rows.first_column()) * layout.bytes();
    let mut all = vec![0; window.rows.len() * rows.row_bytes()];
    rows.read(window.rows.len(), &mut all)?;
    let wanted = from..from + window.columns.len() * layout.bytes();
    Ok(all.chunks_exact(rows.row_bytes()).flat_map(|row| &row[wanted.clone()]).copied().collect())
}

/// The rows of a file of which only the first share of the bytes is held, and the rest is in a file.
fn rows_of_file(bytes: &[u8], held: f64, window: &Window) -> Option<Vec<u8>> {
    let (head, rest) = bytes.split_at((bytes.len() as f64 * held) as usize);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(rest).unwrap();
    file.rewind().unwrap();
    own_rows_of(head, Some(&file), window, 1, Level::active())
}

fn size(bytes: &[u8]) -> (usize, usize) {
    let frame = Header::read(bytes).unwrap().frame;
    (frame.width, frame.height)
}

#[test]
fn whole_files_are_not_left_to_libjpeg() {
    for (i, file) in FILES.iter().enumerate() {
        for shares in [[0.0, 1.0, 0.0, 1.0], [0.4, 0.3, 0.5, 0.2]] {
            let window = window(size(file), shares);
            let plain = plain_rows(file, &window).unwrap();
            assert!(own_rows(file, &window, Level::active()).as_ref() == Some(&plain), "file {i}");
            assert!(rows_of_file(file, 0.6, &window).as_ref() == Some(&plain), "file {i}, streamed");
        }
    }
}

/// A file cut short after a changed byte, which makes the codes end before the bytes do: libjpeg, which looks
/// ahead by as many bits as an address has, takes it to be truncated where that are 64.
#[test]
fn codes_that_end_before_a_missing_end() {
    let file = FILES[1];
    let mut bytes = file[..(file.len() as f64 * 0.996_456) as usize].to_vec();
    bytes[(file.len() as f64 * 0.789_27) as usize] = 60;
    let window = window(size(file), [0.0; 4]);
    let is_truncated = matches!(plain_rows(&bytes, &window), Err(Error::Truncated { .. }));
    assert!(is_truncated || cfg!(target_pointer_width = "32"));
    assert!(own_rows(&bytes, &window, Level::active()).is_none());
}

/// The same where bytes that fill up stand before the missing end.
#[test]
fn codes_that_end_before_fill_bytes() {
    for file in FILES {
        let mut bytes = file.to_vec();
        let window = window(size(file), [0.0, 1.0, 0.0, 1.0]);
        *bytes.last_mut().unwrap() = 0xff;
        for fill in 0..4 {
            let own = own_rows(&bytes, &window, Level::active());
            assert!(own.is_none() || own == plain_rows(&bytes, &window).ok(), "{fill} more");
            bytes.push(0xff);
        }
        bytes.push(0xd9);
        let own = own_rows(&bytes, &window, Level::active());
        assert!(own.is_none() || own == Some(plain_rows(&bytes, &window).unwrap()));
    }
}
