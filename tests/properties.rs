//! Properties for any image and any bytes, drawn at random: plans stay inside their image, and decoders end.

use clipprep::decode::Input;
use clipprep::pixels::{Header, Layout};
use clipprep::plan::Plan;
use clipprep::{Error, Filter, Level, Limits, PillowBuild, Preprocess, Profile, Spec, Truncated};
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
