//! Rows made here against libjpeg's, for pictures of any coefficients, sampling, size and window.

use std::fs::File;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::progressive_writer::ScanSpec;
use super::writer::{Component, Picture};
use super::{FILES, Header, plain_rows, reduced_rows, rows_of_file};
use crate::decode::jpeg::back::Geometry;
use crate::decode::jpeg::own::{Codes, OwnRows};
use crate::decode::jpeg::progressive::Progressive;
use crate::decode::jpeg::scan::Scan;
use crate::decode::jpeg::sequential::Sequential;
use crate::decode::jpeg::{Way, has_simd};
use crate::pixels::Window;
use crate::simd::{Level, levels_to_test};

/// The rows of a window, cut to its columns; `None` where the file is left to libjpeg.
pub fn own_rows(bytes: &[u8], window: &Window, level: Level) -> Option<Vec<u8>> {
    own_rows_of(bytes, None, window, 1, level)
}

/// The same of an image that is `reduction` times smaller; where there is a `file`, that has the rest of the bytes.
pub fn own_rows_of(
    bytes: &[u8],
    file: Option<&File>,
    window: &Window,
    reduction: usize,
    level: Level,
) -> Option<Vec<u8>> {
    let header = Header::read(bytes).ok()?;
    let way = Way::of(&header, false, 1);
    let geometry = way.geometry()?.reduced(&header.frame, reduction);
    let codes = match way {
        Way::Sequential(_, tables) => {
            let scan = Scan::new(&header, tables, bytes, file);
            let components = header.scan.components.iter().map(|component| component.index);
            Codes::Sequential(Sequential::new(scan, &geometry, components, level).into())
        }
        Way::Progressive(..) if file.is_none() => {
            Codes::Progressive(Progressive::new(&header, &geometry, bytes, level).unwrap()?.into())
        }
        _ => return None,
    };
    let mut rows = OwnRows::new(codes, &header, &geometry, window, level).unwrap();
    let pixel = geometry.pixels.bytes();
    let from = (window.columns.start - rows.first_column()) * pixel;
    let (mut buffer, mut out) = (vec![0; rows.room(4)], Vec::new());
    let mut left = window.rows.len();
    while left > 0 {
        let count = left.min(4);
        rows.read(count, &mut buffer).ok()?;
        for row in buffer.chunks(rows.row_bytes()).take(count) {
            out.extend_from_slice(&row[from..from + window.columns.len() * pixel]);
        }
        left -= count;
    }
    Some(out)
}

/// Whether libjpeg gives samples that lie far beyond a byte as its code for x86 does, which clips them. Its C code, which
/// stands in where it has no SIMD code, wraps them, and sums overflow elsewhere in its code for ARM: these are held against
/// pictures without such samples.
fn libjpeg_clips() -> bool {
    cfg!(target_arch = "x86_64") && has_simd()
}

/// Coefficients of any size, most of them small or none, as a picture's are.
fn block(rng: &mut TestRng, extreme: bool, before: &mut i32) -> [i16; 64] {
    let mut block = [0; 64];
    let extreme = extreme && libjpeg_clips();
    let most = if extreme { 511 } else { 20 };
    let most = if libjpeg_clips() { most } else { 3 };
    let count = [0, 1, 3, 9, 10, 20, 63][rng.random_range(0..7)];
    for _ in 0..count {
        block[rng.random_range(1..count + 1)] = rng.random_range(-most..=most);
    }
    // After a restart the difference is to zero, and no difference has more than 11 bits.
    let (step, most) = if extreme { (1023, 1023) } else { (40, 120) };
    *before = (*before + rng.random_range(-step..=step)).clamp(-most, most);
    block[0] = *before as i16;
    block
}

pub fn picture(
    rng: &mut TestRng,
    factors: &[(usize, usize)],
    size: (usize, usize),
    extreme: bool,
) -> Picture {
    let components = factors.iter().map(|&factors| {
        let most = if extreme { u16::MAX } else { 30 };
        let most = if libjpeg_clips() { most } else { 8 };
        Component { factors, quantisation: std::array::from_fn(|_| rng.random_range(1..=most)) }
    });
    let components = components.collect();
    let restarts = if rng.random_bool(0.3) { rng.random_range(1..9) } else { 0 };
    Picture {
        width: size.0,
        height: size.1,
        components,
        restarts,
        longer: [0, 1, 4, 8][rng.random_range(0..4)],
        adobe: None,
    }
}

pub fn file(rng: &mut TestRng, picture: &Picture, extreme: bool) -> Vec<u8> {
    let mut before = [0; 4];
    picture.sequential(|component, _, _| block(rng, extreme, &mut before[component]))
}

/// A progressive file of that picture by some script, which gives all bits of the coefficients that libjpeg would
/// estimate.
pub fn progressive_file(rng: &mut TestRng, picture: &Picture, extreme: bool) -> Vec<u8> {
    let mut blocks = Vec::new();
    // For each component the scans of each of its parts, in order.
    let mut parts: Vec<Vec<ScanSpec>> = Vec::new();
    let all: Vec<usize> = (0..picture.components.len()).collect();
    let together = rng.random_bool(0.6);
    for component in all.clone() {
        let (across, down) = picture.blocks(component).1;
        let mut before = 0;
        blocks.push((0..across * down).map(|_| block(rng, extreme, &mut before)).collect::<Vec<_>>());
        let mut bands = vec![(0, 0)];
        let mut first = 1;
        while first < 64 {
            let last =
                [5, 9, 62, 63, first, rng.random_range(first..64)][rng.random_range(0..6)].clamp(first, 63);
            bands.push((first, last));
            first = last + 1;
        }
        for band in bands {
            let components = if band == (0, 0) && together { all.clone() } else { vec![component] };
            if components.len() > 1 && component > 0 {
                continue;
            }
            let low = rng.random_range(0..6);
            let mut scans = vec![ScanSpec { components, spectrum: band, bits: (0, low) }];
            for bit in (0..low).rev() {
                scans.push(ScanSpec { bits: (bit + 1, bit), ..scans[0].clone() });
            }
            parts.push(scans);
        }
    }
    // DC comes first; the rest in any order that keeps that of the bits.
    let mut script = Vec::new();
    for scans in parts.iter_mut().filter(|scans| scans[0].spectrum.0 == 0) {
        script.push(scans.remove(0));
    }
    while !parts.is_empty() {
        let part = rng.random_range(0..parts.len());
        if parts[part].is_empty() {
            parts.remove(part);
        } else {
            script.push(parts[part].remove(0));
        }
    }
    // More of them are left to libjpeg.
    if script.len() > 64 {
        return progressive_file(rng, picture, extreme);
    }
    picture.progressive(&script, &blocks)
}

pub const SAMPLINGS: [&[(usize, usize)]; 10] = [
    &[(1, 1), (1, 1), (1, 1), (1, 1)],
    &[(2, 2), (1, 1), (1, 1), (2, 2)],
    &[(2, 1), (1, 1), (1, 1), (2, 1)],
    &[(1, 1)],
    &[(2, 2)],
    &[(1, 1), (1, 1), (1, 1)],
    &[(2, 1), (1, 1), (1, 1)],
    &[(1, 2), (1, 1), (1, 1)],
    &[(2, 2), (1, 1), (1, 1)],
    &[(2, 2), (2, 1), (1, 1)],
];

/// The window of a size that shares give: where it begins, and how much of the rest it has.
pub fn window((width, height): (usize, usize), shares: [f64; 4]) -> Window {
    let range = |len: usize, from: f64, share: f64| {
        let from = ((len - 1) as f64 * from).round() as usize;
        from..from + 1 + ((len - 1 - from) as f64 * share).round() as usize
    };
    Window { columns: range(width, shares[0], shares[1]), rows: range(height, shares[2], shares[3]) }
}

/// Every size to 40 at one window each, and all of the picture.
#[test]
fn small_pictures_are_libjpegs() {
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let levels = levels_to_test();
    let (mut taken, mut left) = (0, 0);
    for sampling in SAMPLINGS {
        for width in 1..=40 {
            for height in (1..=40).step_by(3) {
                let extreme = rng.random_bool(0.3);
                let picture = picture(&mut rng, sampling, (width, height + width % 3), extreme);
                let is_progressive = (width + height) % 2 == 0;
                let write = if is_progressive { progressive_file } else { file };
                let bytes = write(&mut rng, &picture, extreme);
                let shares = std::array::from_fn(|_| rng.random_range(0.0..=1.0));
                for shares in [[0.0, 1.0, 0.0, 1.0], shares] {
                    let window = window((picture.width, picture.height), shares);
                    let plain = plain_rows(&bytes, &window).unwrap();
                    for &level in &levels {
                        let Some(own) = own_rows(&bytes, &window, level) else {
                            left += 1;
                            continue;
                        };
                        taken += 1;
                        assert!(own == plain, "{sampling:?} {picture:?} {window:?} {level:?}");
                    }
                }
            }
        }
    }
    // All but the odd sampling and those that are too narrow.
    assert_eq!(left, levels.len() * 2 * 14 * (3 * 40 + 2 * 4), "{taken} taken");
}

pub fn seeded(seed: u64) -> TestRng {
    let bytes = seed.to_le_bytes();
    TestRng::from_seed(RngAlgorithm::ChaCha, &std::array::from_fn::<_, 32, _>(|i| bytes[i % 8]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_window_is_libjpegs(
        seed in any::<u64>(),
        sampling in 0..SAMPLINGS.len() - 1,
        size in (5_usize..400, 1_usize..80),
        extreme in any::<bool>(),
        progressive in any::<bool>(),
        adobe in prop::option::of(0_u8..3),
        shares in prop::array::uniform4(0.0..=1.0),
    ) {
        let mut rng = seeded(seed);
        let mut picture = picture(&mut rng, SAMPLINGS[sampling], size, extreme);
        picture.adobe = adobe;
        let write = if progressive { progressive_file } else { file };
        let bytes = write(&mut rng, &picture, extreme);
        let window = window(size, shares);
        let plain = plain_rows(&bytes, &window).unwrap();
        // An Adobe segment may say that the components are no YCbCr, which is taken at full sampling alone.
        let is_taken = Geometry::of(&Header::read(&bytes).unwrap()).is_ok();
        prop_assert!(is_taken || SAMPLINGS[sampling].len() > 1 && SAMPLINGS[sampling][0] != (1, 1));
        for level in levels_to_test() {
            let own = own_rows(&bytes, &window, level);
            prop_assert!(own.as_ref() == if is_taken { Some(&plain) } else { None }, "{:?} {:?}", window, level);
        }
    }

    /// Where nothing is upsampled, reduced images are libjpeg's too, but for samples far beyond a byte, of which it
    /// keeps the lowest bits.
    #[test]
    fn reduced_images_are_libjpegs(
        seed in any::<u64>(),
        sampling in prop::sample::select(vec![0, 3, 4, 5, 8]),
        size in (16_usize..300, 16_usize..80),
        reduction in prop::sample::select(vec![2, 4, 8]),
        progressive in any::<bool>(),
        shares in prop::array::uniform4(0.0..=1.0),
    ) {
        let mut rng = seeded(seed);
        let picture = picture(&mut rng, SAMPLINGS[sampling], size, false);
        let write = if progressive { progressive_file } else { file };
        let bytes = write(&mut rng, &picture, false);
        let window = window((size.0.div_ceil(reduction), size.1.div_ceil(reduction)), shares);
        let plain = reduced_rows(&bytes, &window, reduction).unwrap();
        for level in levels_to_test() {
            let own = own_rows_of(&bytes, None, &window, reduction, level);
            prop_assert!(own.as_ref() == Some(&plain), "{:?} {:?}", window, level);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    /// Whatever is taken has libjpeg's rows, and is no file that Pillow refuses.
    #[test]
    fn damaged_files_that_are_taken_have_libjpegs_rows(
        seed in any::<u64>(),
        file_number in 0..2 * FILES.len(),
        sampling in 0..SAMPLINGS.len() - 1,
        progressive in any::<bool>(),
        changes in prop::collection::vec((0.0..1.0, any::<u8>(), any::<bool>()), 1..3),
        end in prop::option::weighted(0.3, 0.0..1.0),
        held in 0.0..1.0,
        shares in prop::array::uniform4(0.0..=1.0),
    ) {
        if !libjpeg_clips() {
            return Ok(()); // damage makes samples of any size
        }
        let mut rng = seeded(seed);
        let picture = picture(&mut rng, SAMPLINGS[sampling], (60, 40), false);
        let write = if progressive { progressive_file } else { file };
        let mut bytes = match FILES.get(file_number) {
            Some(bytes) => bytes.to_vec(),
            None => write(&mut rng, &picture, false),
        };
        for (at, value, is_bit) in changes {
            let at = (bytes.len() as f64 * at) as usize;
            bytes[at] = if is_bit { bytes[at] ^ 1 << (value % 8) } else { value };
        }
        if let Some(end) = end {
            bytes.truncate((bytes.len() as f64 * end) as usize);
        }
        // By these the format is known.
        prop_assume!(bytes.starts_with(b"\xff\xd8\xff"));
        let Ok(header) = Header::read(&bytes) else { return Ok(()) };
        let (width, height) = (header.frame.width, header.frame.height);
        prop_assume!(width > 0 && height > 0 && width * height < 1 << 20);
        let window = window((width, height), shares);
        let Some(own) = own_rows(&bytes, &window, Level::active()) else { return Ok(()) };
        let plain = plain_rows(&bytes, &window);
        prop_assert!(plain.as_ref().is_ok_and(|plain| *plain == own));
        if let Some(streamed) = rows_of_file(&bytes, held, &window) {
            prop_assert!(streamed == own);
        }
    }
}
