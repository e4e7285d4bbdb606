//! The kernels of each instruction set against the scalar one, and that against libjpeg's.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::*;
use crate::simd::levels_to_test;

/// All values of chroma, with some luma for each.
#[test]
fn colours_are_the_same_in_each_instruction_set() {
    let padded = |values: &dyn Fn(u8) -> u8| {
        // A row of chroma has a sample before the first pixel's and one after the last.
        let mut row: Vec<u8> = (0..258).map(|x: usize| values(x.min(255) as u8)).collect();
        row.resize(258 + SLACK, 0);
        row
    };
    let luma = padded(&|x| x);
    for level in levels_to_test() {
        let kernel = kernel(level);
        let mut sums = [vec![0; 256 + SLACK], vec![0; 256 + SLACK]];
        let mut out = vec![0; 3 * 256 + SLACK];
        for (blue, red) in (0..=255_u8).flat_map(|blue| (0..=255_u8).map(move |red| (blue, red))) {
            let (blues, reds) = (padded(&|_| blue), padded(&|_| red));
            for (sampling, rgb) in [
                (Sampling::Full, rgb_of_libjpeg as fn(u8, u8, u8) -> [u8; 3]),
                (Sampling::QuarterOfLibwebp, rgb_of_libwebp),
            ] {
                let row = YccRow {
                    sampling,
                    far_is_below: false,
                    luma: &luma,
                    blue: Chroma { near: &blues, far: &blues },
                    red: Chroma { near: &reds, far: &reds },
                    width: 256,
                };
                kernel.rgb_row(&row, &mut sums, &mut out);
                for (y, pixel) in (0..=255).zip(out.as_chunks::<3>().0) {
                    assert_eq!(*pixel, rgb(y, blue, red), "{level:?} {sampling:?} {y} {blue} {red}");
                }
            }
        }
    }
}

/// The tables of libjpeg's conversion, as its source computes them.
#[test]
fn colours_are_libjpegs() {
    for chroma in 0..256_i64 {
        let x = chroma - 128;
        let scaled = |factor: f64| ((factor * 65536.0 + 0.5) as i64 * x + 32768) >> 16;
        let both =
            ((-((0.34414 * 65536.0 + 0.5) as i64)) * x + (-((0.71414 * 65536.0 + 0.5) as i64)) * x + 32768)
                >> 16;
        let expected = [100 + scaled(1.402), 100 + both, 100 + scaled(1.772)].map(|v| v.clamp(0, 255) as u8);
        assert_eq!(rgb_of_libjpeg(100, chroma as u8, chroma as u8), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn rows_are_the_same_in_each_instruction_set(
        seed in any::<[u8; 32]>(),
        width in 1_usize..300,
        sampling in prop::sample::select(vec![Sampling::Full, Sampling::HalfWidth, Sampling::HalfHeight, Sampling::Quarter, Sampling::QuarterOfLibwebp]),
        far_is_below in any::<bool>(),
    ) {
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut samples = || -> Vec<u8> {
            (0..width + 2 + SLACK).map(|_| [0, 255, rng.random()][rng.random_range(0..3)]).collect()
        };
        let (luma, blue, blue_far, red, red_far) = (samples(), samples(), samples(), samples(), samples());
        let row = YccRow {
            sampling,
            far_is_below,
            luma: &luma,
            blue: Chroma { near: &blue, far: &blue_far },
            red: Chroma { near: &red, far: &red_far },
            width,
        };
        let mut expected = vec![0; 3 * width];
        rgb_row(&row, &mut expected);
        for level in levels_to_test() {
            let mut sums = [vec![0; width / 2 + SLACK], vec![0; width / 2 + SLACK]];
            let mut out = vec![0; 3 * width + SLACK];
            kernel(level).rgb_row(&row, &mut sums, &mut out);
            prop_assert!(out[..3 * width] == expected, "{:?}", level);
        }
    }
}
