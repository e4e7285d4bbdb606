//! Rows made by several threads against libjpeg's.

use proptest::prelude::*;

use super::own::{SAMPLINGS, file, picture, progressive_file, seeded, window};
use super::plain_rows;
use crate::decode::decoder::{Input, Rules};
use crate::decode::jpeg::open;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Also where the last of them are not asked for: then all threads end.
    #[test]
    fn threads_make_libjpegs_rows(
        seed in any::<u64>(),
        sampling in 0..SAMPLINGS.len() - 1,
        size in (5_usize..300, 1_usize..200),
        progressive in any::<bool>(),
        threads in 2..6_usize,
        shares in prop::array::uniform4(0.0..=1.0),
        asked_for in prop_oneof![Just(1.0), 0.0..=1.0],
    ) {
        let mut rng = seeded(seed);
        let picture = picture(&mut rng, SAMPLINGS[sampling], size, false);
        let write = if progressive { progressive_file } else { file };
        let bytes = write(&mut rng, &picture, false);
        let window = window(size, shares);
        let plain = plain_rows(&bytes, &window).unwrap();
        let mut left = (window.rows.len() as f64 * asked_for) as usize;
        let len = plain.len() / window.rows.len() * left;
        let mut image = open(&Input::new(&bytes), &Rules::default()).unwrap();
        image.set_threads(threads);
        let mut found = Vec::new();
        let read = image.with_rows(&window, &mut |rows| {
            while left > 0 {
                let count = left.min(4);
                rows.next(count)?[..count].iter().for_each(|row| found.extend_from_slice(row));
                left -= count;
            }
            Ok(())
        });
        prop_assert!(read.is_ok());
        prop_assert!(found == plain[..len]);
    }
}

/// The rows of all of an image by that many threads, or the error.
fn outcome(bytes: &[u8], threads: usize) -> Result<Vec<u8>, String> {
    let mut image = open(&Input::new(bytes), &Rules::default()).map_err(|error| error.to_string())?;
    let (width, height) = (image.header().width, image.header().height);
    image.set_threads(threads);
    let mut found = Vec::new();
    let read = image.with_rows(&window((width, height), [0.0, 1.0, 0.0, 1.0]), &mut |rows| {
        for first in (0..height).step_by(4) {
            let count = (height - first).min(4);
            rows.next(count)?[..count].iter().for_each(|row| found.extend_from_slice(row));
        }
        Ok(())
    });
    read.map(|()| found).map_err(|error| error.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Pictures large enough that one thread reads ahead of the other one, of which some are damaged.
    #[test]
    fn threads_end_as_one(
        seed in any::<u64>(),
        sampling in 0..SAMPLINGS.len() - 1,
        size in (600_usize..900, 300_usize..500),
        restarts in 0..6_usize,
        threads in 2..9_usize,
        damage in prop::collection::vec((0.05..1.0, any::<u8>()), 0..3),
        end in prop::option::weighted(0.2, 0.1..1.0),
    ) {
        let mut rng = seeded(seed);
        let mut picture = picture(&mut rng, SAMPLINGS[sampling], size, false);
        let row = picture.mcus(&(0..picture.components.len()).collect::<Vec<_>>()).0;
        picture.restarts = [0, 0, 1, row, 2 * row + 1, 65535][restarts];
        let mut bytes = file(&mut rng, &picture, false);
        for (at, value) in damage {
            let at = (bytes.len() as f64 * at) as usize;
            bytes[at] = value;
        }
        bytes.truncate((bytes.len() as f64 * end.unwrap_or(1.0)) as usize);
        prop_assert!(outcome(&bytes, threads) == outcome(&bytes, 1));
    }
}

/// Two threads take some megabytes, and each further one less than a megabyte.
#[test]
fn threads_count_their_memory() {
    let picture = picture(&mut seeded(1), SAMPLINGS[0], (600, 300), false);
    let bytes = file(&mut seeded(1), &picture, false);
    let memory = |threads| {
        let mut image = open(&Input::new(&bytes), &Rules::default()).unwrap();
        image.set_threads(threads);
        image.memory()
    };
    assert!((memory(1) + (1 << 20)..memory(1) + (4 << 20)).contains(&memory(2)));
    for threads in 3..9 {
        assert!(memory(threads) >= memory(threads - 1), "{threads} threads");
        assert!(memory(threads) <= memory(threads - 1) + (1 << 20), "{threads} threads");
    }
    assert!(memory(8) > memory(2));
}
