//! A scan of which another reader has read a part, from any byte on and in any order of the two, against the same scan alone.

use std::ops::Range;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use proptest::test_runner::TestRng;

use super::guesses::State;
use super::{Guesses, Sequential, TakeBlocks};
use crate::decode::jpeg::back::{Geometry, Group};
use crate::decode::jpeg::header::Header;
use crate::decode::jpeg::scan::{Scan, ScanTables};
use crate::decode::jpeg::tests::FILES;
use crate::decode::jpeg::tests::own::{SAMPLINGS, file, picture, seeded};
use crate::decode::jpeg::tests::writer::scan_header;
use crate::simd::{Level, levels_to_test};

/// The blocks of a row of MCUs: component, row, number, the place of the last coefficient, and coefficients.
type Blocks = Vec<(usize, usize, usize, u8, Group)>;

struct Collected {
    mcus: Range<usize>,
    blocks: Blocks,
}

impl TakeBlocks for Collected {
    fn mcus(&self) -> Range<usize> {
        self.mcus.clone()
    }

    fn put(&mut self, component: usize, row: usize, number: usize, group: &mut Group, last: u8) {
        self.blocks.push((component, row, number, last, *group));
        group.fill(0);
    }
}

/// What a scan gives: each row of MCUs, or `None` for one that is passed over, up to the first that cannot be read; and whether the
/// file ends after it.
#[derive(Debug, PartialEq)]
struct Outcome {
    rows: Vec<Option<Blocks>>,
    is_whole: bool,
}

struct File<'a> {
    bytes: &'a [u8],
    header: Header,
    geometry: Geometry,
    tables: ScanTables,
}

impl<'a> File<'a> {
    /// `None` where the file is not read here.
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let header = Header::read(bytes).ok()?;
        let (geometry, tables) = (Geometry::of(&header).ok()?, ScanTables::new(&header)?);
        Some(Self { bytes, header, geometry, tables })
    }

    fn codes(&self, level: Level) -> Sequential<'a> {
        let scan = Scan::new(&self.header, self.tables.clone(), self.bytes, None);
        let components = self.header.scan.components.iter().map(|component| component.index);
        Sequential::new(scan, &self.geometry, components, level)
    }

    /// Reads the scan of which `mcus` of each row after the first `passed` ones are needed; `before` runs before each row.
    fn read(
        &self,
        codes: &mut Sequential<'a>,
        mcus: &Range<usize>,
        passed: usize,
        mut before: impl FnMut(&Sequential<'a>),
    ) -> Outcome {
        let mut rows = Vec::new();
        for row in 0..self.geometry.mcus.1 {
            before(codes);
            let mut blocks = Collected { mcus: mcus.clone(), blocks: Vec::new() };
            let read = if row < passed { codes.pass() } else { codes.row(&mut blocks) };
            if read.is_err() {
                return Outcome { rows, is_whole: false };
            }
            rows.push((row >= passed).then_some(blocks.blocks));
        }
        Outcome { rows, is_whole: codes.finish().is_ok() }
    }
}

/// Has a guess begin anywhere, mostly soon after the reader, if there is room, and reads some of it.
fn read_ahead(guesses: &Guesses<'_>, bytes: &[u8], rng: &mut TestRng) {
    let slot = rng.random_range(0..guesses.slots.len());
    let mut state = guesses.slots[slot].state();
    let at = guesses.at.load(Ordering::Relaxed);
    let soon = at + rng.random_range(1..=1 + (bytes.len() - at) / 3);
    let from = if rng.random_bool(0.1) { rng.random_range(1..bytes.len()) } else { soon };
    let restart = guesses.next_restart(from..bytes.len()).filter(|_| rng.random_bool(0.7));
    if let Some((from, restart)) = restart {
        guesses.begin(slot, &mut state, from, restart);
    } else if bytes[from - 1] != 0xff {
        guesses.begin(slot, &mut state, from, None);
    }
    if let State::Made(guess) = &mut *state {
        for _ in 0..rng.random_range(0..6) {
            (guesses.read_on)(guess);
        }
    }
}

/// Reads a file with guesses, which have to make no difference and are made and read before each row by `read_ahead`; returns the
/// rows of which some MCUs are a guess's, and what is read.
fn read_with_guesses(
    file: &File<'_>,
    (mcus, passed): (Range<usize>, usize),
    (level, threads): (Level, usize),
    mut read_ahead: impl FnMut(&Guesses<'_>),
) -> (usize, Outcome) {
    let alone = file.read(&mut file.codes(level), &mcus, passed, |_| ());
    let mut codes = file.codes(level);
    let guesses = codes.guesses(file.bytes, file.geometry.mcus.1, threads).unwrap();
    let mut used = 0;
    let found = file.read(&mut codes, &mcus, passed, |codes| {
        used += usize::from(codes.source.found.is_some());
        guesses.iter().for_each(|guesses| read_ahead(guesses));
    });
    assert!(found == alone, "{} rows, {} of one reader", found.rows.len(), alone.rows.len());
    (used, found)
}

/// The same of any columns, after any number of rows that are passed over.
fn rows_of_guesses(bytes: &[u8], level: Level, rng: &mut TestRng) -> usize {
    let Some(file) = File::new(bytes) else { return 0 };
    let (across, down) = file.geometry.mcus;
    let first = rng.random_range(0..across);
    let (mcus, passed) = (first..rng.random_range(first..across) + 1, rng.random_range(0..=down / 2));
    let threads = rng.random_range(1..4);
    read_with_guesses(&file, (mcus, passed), (level, threads), |guesses| {
        (0..threads).for_each(|_| read_ahead(guesses, bytes, rng));
    })
    .0
}

/// One byte or bit of the scan changed, a restart marker put in, taken out, written twice or given another number, or the end
/// cut off.
fn damage(bytes: &mut Vec<u8>, rng: &mut TestRng) {
    let at = rng.random_range(bytes.len() / 4..bytes.len());
    let number = rng.random_range(0xd0..=0xd7);
    let mut restarts = (at..bytes.len() - 1).filter(|&at| matches!(bytes[at..], [0xff, 0xd0..=0xd7, ..]));
    match (rng.random_range(0..7), restarts.next()) {
        (0, _) => bytes[at] = [0, 0xff, 0xd9, rng.random()][rng.random_range(0..4)],
        (1, _) => bytes[at] ^= 1 << rng.random_range(0..8),
        (2, _) => drop(bytes.splice(at..at, [0xff, number])),
        (3, Some(marker)) => drop(bytes.drain(marker..marker + 2)),
        (4, Some(marker)) => bytes[marker + 1] = number,
        (5, Some(marker)) => {
            let twice = [0xff, bytes[marker + 1]];
            drop(bytes.splice(marker..marker, twice));
        }
        _ => bytes.truncate(at),
    }
}

/// Pictures of random coefficients, of zeros, and of one value: long runs of the same codes, in which a guess may be in step
/// with codes and not with MCUs. All components share their tables.
#[test]
fn guesses_make_no_difference_and_are_used() {
    const COUNT: u64 = 400;
    let mut kinds = [(0, 0); 2];
    for seed in 0..COUNT {
        let rng = &mut seeded(seed);
        let size = (rng.random_range(5..500), rng.random_range(40..300));
        let extreme = rng.random_bool(0.3);
        let sampling = SAMPLINGS[rng.random_range(0..SAMPLINGS.len() - 1)];
        let mut picture = picture(rng, sampling, size, extreme);
        let row = picture.mcus(&(0..picture.components.len()).collect::<Vec<_>>()).0;
        picture.restarts =
            [0, 0, 1, row, 3 * row, rng.random_range(1..5 * row), 65535][rng.random_range(0..7)];
        let flat = [0, 3, 1000][rng.random_range(0..3)];
        let mut bytes = match rng.random_range(0..3) {
            0 => picture.sequential(|_, x, y| {
                let mut block = [0; 64];
                block[0] = if (x + y) % 7 == 0 { flat } else { 0 };
                block[63] = i16::from(y % 5 == 0);
                block
            }),
            _ => file(rng, &picture, extreme),
        };
        if rng.random_bool(0.3) {
            damage(&mut bytes, rng);
        }
        let levels = levels_to_test();
        let level = levels[rng.random_range(0..levels.len())];
        let (all, used) = &mut kinds[usize::from(picture.restarts > 0)];
        *all += 1;
        *used += u64::from(rows_of_guesses(&bytes, level, rng) > 0);
    }
    for (all, used) in kinds {
        assert!(all > COUNT / 5 && used > all / 5, "{used} of {all} files have rows of guesses");
    }
}

#[test]
fn guesses_in_photos_are_used() {
    for (i, bytes) in FILES.iter().enumerate().skip(1) {
        let used: usize =
            (0..20).map(|seed| rows_of_guesses(bytes, Level::active(), &mut seeded(seed))).sum();
        assert!(used > 0, "file {i}");
    }
}

/// In MCUs of guesses too, sums of DC are refused that libjpeg would not take.
#[test]
fn sums_of_dc_are_checked() {
    let mut picture = picture(&mut seeded(1), SAMPLINGS[3], (65535, 8 * 70), false);
    (picture.restarts, picture.longer) = (0, 0);
    let mut bytes = picture.header(0xc1);
    scan_header(&mut bytes, &[0], 0, [0, 63, 0]);
    let mut bits = picture.bits();
    let rng = &mut seeded(3);
    for _ in 0..8192 * 70 {
        let mut block = [0; 64];
        block[rng.random_range(1..64)] = rng.random_range(-9..=9);
        bits.dc(2047);
        bits.ac(&block);
    }
    bits.end_into(&mut bytes);
    bytes.extend(b"\xff\xd9");
    let file = File::new(&bytes).unwrap();
    let (used, found) = read_with_guesses(&file, (0..1, 70), (Level::active(), 1), |guesses| {
        let mut state = guesses.slots[0].state();
        guesses.begin(0, &mut state, guesses.at.load(Ordering::Relaxed) + 1000, None);
        if let State::Made(guess) = &mut *state {
            (0..1000).for_each(|_| (guesses.read_on)(guess));
        }
    });
    assert!(used > 0);
    assert_eq!((found.rows.len(), found.is_whole), ((1 << 30) / (2047 * 8192), false));
}
