//! Two threads against one.

use proptest::prelude::*;

use super::{Packing, Picture, bare, chunks_of, damage, packed, packings, pictures};
use crate::ahead::{self, ahead};
use crate::decode::decoder::{Input, Rules};
use crate::decode::png::guess::{Guesser, Guesses};
use crate::decode::png::{open, pieces};
use crate::error::Result;
use crate::pixels::Window;

/// The rows of a window, by two threads or one.
fn rows(file: &[u8], window: &Window, by_two: bool) -> Result<Vec<u8>> {
    let mut image = open(&Input::new(file), &Rules::default())?;
    if by_two {
        image.set_threads(2);
    }
    let mut found = Vec::new();
    image.with_rows(window, &mut |rows| {
        found.clear();
        for y in window.rows.clone().step_by(4) {
            let count = 4.min(window.rows.end - y);
            rows.next(count)?[..count].iter().for_each(|row| found.extend_from_slice(row));
        }
        Ok(())
    })?;
    Ok(found)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn two_threads_make_the_rows_of_one(
        picture in pictures(900..1200, 300..900),
        packing in packings(),
        damages in prop_oneof![
            Just(vec![]), prop::collection::vec((any::<prop::sample::Index>(), 0..270_u16), 1..3)
        ],
        cut in (0.0..1.0, 0.0..1.0),
    ) {
        let mut packed = packed(&picture.data(), packing);
        damages.into_iter().for_each(|(at, how)| damage(&mut packed, at, how));
        let file = picture.file(&packed, packing);
        let rows_end = 1 + (cut.1 * (picture.height - 1) as f64) as usize;
        let window = Window { columns: 0..picture.width, rows: (cut.0 * rows_end as f64) as usize..rows_end };
        let [one, two] = [false, true].map(|by_two| {
            rows(&file, &window, by_two).map_err(|error| error.to_string())
        });
        prop_assert!(one == two, "{:?} {:?}", one.err(), two.err());
    }
}

/// The bytes of the data, where as much as possible was guessed before the first thread began; and how many were.
fn guessed_first(packed: &[u8], chunk: usize, total: usize) -> (Vec<u8>, usize) {
    let bare = bare(packed, chunk);
    let guesses = Guesses::new();
    let mut guesser = Guesser::new(&guesses, chunks_of(&bare), total).expect("memory");
    while guesser.step() {}
    let take = |pieces: crate::ahead::Taker<pieces::Piece, _>| {
        let (mut found, mut guessed, mut is_over) = (Vec::new(), 0, false);
        while !is_over {
            let taken = pieces.with_next(
                || false,
                |piece| {
                    found.extend_from_slice(piece.inflated());
                    is_over = piece.checksum.is_some();
                    if let Some(units) = piece.guessed.take() {
                        let start = found.len();
                        found.resize(start + units.len(), 0);
                        units.resolve(0, &mut found[start..]);
                        guessed += units.len();
                    }
                },
            );
            taken.expect("the other thread lives").expect("sound data");
        }
        (found, guessed)
    };
    let pieces = pieces::pieces().expect("memory");
    ahead(pieces, |maker| pieces::inflate(chunks_of(&bare), total, &guesses, &maker), ahead::NONE, take)
        .expect("a thread")
}

/// However little blocks hold, a piece takes no more of the data than of bytes: between pieces both threads can be stopped.
#[test]
fn pieces_of_empty_blocks_are_short() {
    let picture = Picture { width: 100, height: 100, ..PHOTO };
    let (data, packing) =
        (picture.data(), Packing { level: 6, strategy: 0, flushed: usize::MAX, chunk: 1 << 13 });
    let mut stream = packed(&data, packing);
    // A stored block is whole bytes; one of fixed codes, with a stored one after it, is as well.
    for block in [&b"\0\0\0\xff\xff"[..], b"\x02\0\0\0\xff\xff"] {
        let empty = block.iter().copied().cycle().take(block.len() << 17);
        stream.splice(2..2, empty);
    }
    let bare = bare(&stream, packing.chunk);
    let (mut count, mut found) = (0, Vec::new());
    let take = |pieces: crate::ahead::Taker<pieces::Piece, _>| {
        let mut is_over = false;
        while !is_over {
            let add = |piece: &mut pieces::Piece| {
                found.extend_from_slice(piece.inflated());
                is_over = piece.checksum.is_some();
            };
            pieces.with_next(|| false, add).expect("the other thread lives").expect("sound data");
            count += 1;
        }
    };
    let (pieces, guesses) = (pieces::pieces().expect("memory"), Guesses::new());
    let make = |maker| pieces::inflate(chunks_of(&bare), data.len(), &guesses, &maker);
    ahead(pieces, make, ahead::NONE, take).expect("a thread");
    assert!(found == data);
    assert!(count > stream.len() / pieces::PIECE, "{count} pieces of {} bytes", stream.len());
}

/// As photos are, with repeats that reach over the beginning of a guess.
const PHOTO: Picture = Picture { width: 1500, height: 1000, noise: 6, repeats: (30_000, 3), seed: 5 };

#[test]
fn what_is_guessed_is_used() {
    let data = PHOTO.data();
    for chunk in [1 << 13, 1 << 16] {
        let packing = Packing { level: 6, strategy: 0, flushed: usize::MAX, chunk };
        let (found, guessed) = guessed_first(&packed(&data, packing), chunk, data.len());
        assert!(found == data);
        assert!(guessed > data.len() / 5, "{guessed} of {}", data.len());
    }
}

/// A stream within a stored block looks as sound as one can, and is none.
#[test]
fn what_is_guessed_wrong_is_not_used() {
    let inner = packed(&PHOTO.data(), Packing { level: 6, strategy: 0, flushed: usize::MAX, chunk: 1 });
    let packing = Packing { level: 0, strategy: 0, flushed: usize::MAX, chunk: 1 << 16 };
    let (found, guessed) = guessed_first(&packed(&inner, packing), packing.chunk, inner.len());
    assert!(found == inner);
    assert_eq!(guessed, 0);
}

/// Where nothing is packed, one thread has copied the data sooner than two have shared them.
#[test]
fn stored_data_are_left_to_one_thread() {
    let picture = Picture { width: 100, height: 100, ..PHOTO };
    for (level, is_shared) in [(0, false), (6, true)] {
        let packing = Packing { level, strategy: 0, flushed: usize::MAX, chunk: 1 << 13 };
        let file = picture.file(&packed(&picture.data(), packing), packing);
        let mut image = open(&Input::new(&file), &Rules::default()).expect("a PNG");
        let alone = image.memory();
        image.set_threads(2);
        assert_eq!(image.memory() > alone, is_shared, "level {level}");
    }
}
