//! Properties for any image and any bytes, drawn at random: plans stay inside their image, and decoders end.

use clipprep::decode::Input;
use clipprep::pixels::{Header, Layout};
use clipprep::plan::Plan;
use clipprep::{Error, Filter, Level, Limits, PillowBuild, Preprocess, Profile, ResizeMode, Spec, Truncated};
use proptest::prelude::*;

/// A file of each kind with a native decoder, written by `fuzz/seeds.py`.
fn seeds() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/seeds");
    let files = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 50);
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn specs() -> impl Strategy<Value = Spec> {
    let side = prop_oneof![1..=40_usize, Just(224)];
    let profile = prop::sample::select(Profile::ALL.to_vec());
    let filter = prop::sample::select(Filter::ALL.map(|(_, filter)| filter).to_vec());
    let pillow = prop::sample::select(PillowBuild::ALL.map(|(_, build)| build).to_vec());
    (side, profile, filter, pillow, any::<(bool, bool)>()).prop_map(
        |(size, profile, filter, pillow, (pad, exif))| {
            Spec {
                profile,
                // torch has one filter only.
                filter: if profile.filters.contains(&filter) { filter } else { Filter::Bicubic },
                pillow,
                truncated: if pad { Truncated::Pad } else { Truncated::Error },
                exif,
                limits: Limits { max_pixels: Some(1 << 20), max_memory: Some(1 << 26), ..Limits::default() },
                ..Spec::openai(size)
            }
        },
    )
}

const LAYOUTS: [Layout; 12] = [
    Layout::One,
    Layout::L,
    Layout::GreyAlpha,
    Layout::P,
    Layout::Rgb,
    Layout::Rgbx,
    Layout::Rgba,
    Layout::Cmyk,
    Layout::I16,
    Layout::I16N,
    Layout::I,
    Layout::F,
];

/// Damage at random places: bytes that change, go, or come twice.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..6_u8), 1..6);
    (prop::sample::select(seeds()), edits).prop_map(|(mut data, edits)| {
        for (place, value, kind) in edits {
            if data.is_empty() {
                break;
            }
            let at = place.index(data.len());
            match kind {
                0 => data.truncate(at),
                1 => data.insert(at, value),
                2 => drop(data.remove(at)),
                3 => data[at] ^= 1 << (value % 8),
                4 => data.extend_from_within(at..),
                _ => data[at] = value,
            }
        }
        data
    })
}

/// Bytes of no meaning after the first few of a format.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let heads = seeds().into_iter().map(|seed| seed[..seed.len().min(30)].to_vec()).collect::<Vec<_>>();
    let bytes = prop::collection::vec(any::<u8>(), 0..400);
    (prop::sample::select(heads), 0..30_usize, bytes).prop_map(|(mut data, len, bytes)| {
        data.truncate(len);
        data.extend(bytes);
        data
    })
}

/// A number that products and sums overflow by.
fn extreme() -> impl Strategy<Value = u32> {
    let near = |power: u32| (1_u64 << power) - 1..(1_u64 << power) + 2;
    prop_oneof![
        (0..=32_u32).prop_flat_map(near).prop_map(|number| number as u32),
        (4..=31_u32).prop_map(|power| 1 << power),
        any::<u32>(),
    ]
}

/// Files with extreme numbers at random places, in either order of bytes.
fn exaggerated() -> impl Strategy<Value = Vec<u8>> {
    let numbers = prop::collection::vec((any::<prop::sample::Index>(), extreme(), any::<bool>()), 1..4);
    (prop::sample::select(seeds()), numbers).prop_map(|(mut data, numbers)| {
        for (place, number, big_endian) in numbers {
            let at = place.index(data.len() - 3);
            let bytes = if big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
            data[at..at + 4].copy_from_slice(&bytes);
        }
        mend_checksums(&mut data);
        data
    })
}

/// Makes the checksums of a PNG's chunks right, so that their numbers are read.
fn mend_checksums(data: &mut [u8]) {
    let mut at = if data.starts_with(b"\x89PNG") { 8 } else { return };
    while let Some(len) = data.get(at..).and_then(<[u8]>::first_chunk).copied().map(u32::from_be_bytes) {
        let Some(end) = (at + 8).checked_add(len as usize) else { return };
        let Some(checksum) = data.get(at + 4..end).map(crc32fast::hash) else { return };
        let Some(place) = data.get_mut(end..).and_then(<[u8]>::first_chunk_mut) else { return };
        *place = checksum.to_be_bytes();
        at = end + 4;
    }
}

/// Runs without the net that turns a decoder's panic into an error.
fn run(data: &[u8], spec: &Spec) -> Result<Vec<f32>, Error> {
    run_at(Level::active(), data, spec)
}

fn run_at(level: Level, data: &[u8], spec: &Spec) -> Result<Vec<f32>, Error> {
    let preprocess = Preprocess::new(spec.clone()).with_level(level);
    let mut out = vec![0.0_f32; preprocess.output_len()];
    let mut opened = preprocess.open(&Input::new(data))?;
    preprocess.process_image(opened.image.as_mut(), &mut out)?;
    Ok(out)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn a_plan_stays_inside_its_image(
        spec in specs(),
        width in prop_oneof![1..=60_usize, 1..=20_000_usize],
        height in prop_oneof![1..=60_usize, 1..=20_000_usize],
        layout in prop::sample::select(&LAYOUTS[..]),
    ) {
        let header = Header { width, height, layout, palette: None };
        let plan = Plan::new(&spec, &header, Level::Scalar);
        let Ok(plan) = plan else {
            // Only what Pillow's own tables cannot hold.
            prop_assert!(width.max(height) / width.min(height) * spec.size.0 > 100_000);
            return Ok(());
        };
        let (n, _) = spec.size;
        prop_assert_eq!(plan.resized.0.min(plan.resized.1), n);
        for (crop, resized) in [(plan.crop.0, plan.resized.0), (plan.crop.1, plan.resized.1)] {
            prop_assert!(usize::try_from(crop).is_ok_and(|crop| crop + n <= resized));
        }
        let window = &plan.window;
        prop_assert!(!window.columns.is_empty() && window.columns.end <= width, "{:?}", window);
        prop_assert!(!window.rows.is_empty() && window.rows.end <= height, "{:?}", window);
    }

    #[test]
    fn damaged_files_are_read_or_refused(data in damaged(), spec in specs()) {
        if let Ok(out) = run(&data, &spec) {
            prop_assert!(out.iter().all(|value| value.is_finite()));
        }
    }

    #[test]
    fn every_level_gives_the_same_bits_and_words(data in damaged(), spec in specs()) {
        let at = |level| match run_at(level, &data, &spec) {
            Ok(out) => Ok(out.into_iter().map(f32::to_bits).collect::<Vec<_>>()),
            Err(error) => Err(error.to_string()),
        };
        let scalar = at(Level::Scalar);
        for level in Level::supported() {
            prop_assert!(at(level) == scalar, "{}", level.name());
        }
    }

    /// No number of a file makes a product or a sum overflow, which would be a panic here, with few bits to an address
    /// or many.
    #[test]
    fn extreme_numbers_are_read_or_refused(data in exaggerated(), spec in specs()) {
        let limits = Limits { max_pixels: None, ..spec.limits };
        let _ = run(&data, &Spec { limits, ..spec });
    }

    #[test]
    fn extreme_sizes_are_planned_or_refused(
        width in extreme(),
        height in extreme(),
        layout in prop::sample::select(&LAYOUTS[..]),
        mode in prop::sample::select(ResizeMode::ALL.map(|(_, mode)| mode).to_vec()),
        (resize_height, resize_width) in (1..=1_usize << 14, 1..=1_usize << 14),
        // torch's weights need a look at each output, however few are wanted.
        profile in prop::sample::select(&[
            &Profile::OPENAI, &Profile::HF_PIL, &Profile::HF_TORCHVISION_FLOATS, &Profile::HF_SCIPY,
        ][..]),
        spec in specs(),
    ) {
        // As many pixels as decoders allow.
        let width = width.max(1).min(i32::MAX as u32) as usize;
        let height = (height.max(1).min(i32::MAX as u32) as usize).min(isize::MAX as usize / 8 / width);
        let header = Header { width, height: height.max(1), layout, palette: None };
        let resize_size = (resize_height, resize_width);
        // Enough for the weights of few sizes, so that this takes no time.
        let limits = Limits { max_memory: Some(1 << 20), ..spec.limits };
        let filter = if profile.filters.contains(&spec.filter) { spec.filter } else { profile.filters[0] };
        let spec = Spec { resize_mode: mode, resize_size, limits, profile, filter, ..spec };
        let plan = Plan::new(&spec, &header, Level::Scalar);
        // Of a step before it, a plan's window is a part of what that one makes.
        if let Ok(plan) = plan && mode != ResizeMode::Donut {
            prop_assert!(plan.window.columns.end <= header.width, "{:?}", plan.window);
            prop_assert!(plan.window.rows.end <= header.height, "{:?}", plan.window);
        }
    }

    #[test]
    fn garbage_is_read_or_refused(data in garbage(), spec in specs()) {
        if let Ok(out) = run(&data, &spec) {
            prop_assert!(out.iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn the_seeds_are_sound() {
    for data in seeds() {
        assert!(run(&data, &Spec::openai(16)).is_ok(), "{:?}", &data[..8]);
    }
}
