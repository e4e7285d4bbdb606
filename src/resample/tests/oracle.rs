//! torch's resizing against the crate `fast_image_resize`, written by others.
//!
//! The crate holds weights in 16 bits, as torch does, and for bytes does the vertical pass first.
//! Called twice, for the width and then for the height, it gives torch's bits.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x4;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use proptest::prelude::*;

use super::*;

/// Its sums of 16-bit weights are torch's up to this shrink of an axis.
const MOST_SHRINK: usize = 130;

/// One pass over pixels of four bytes each: every type of pixel more has this crate compile all kernels of theirs again.
fn one_pass(data: &[U8x4], from: (usize, usize), to: (usize, usize), filter: Filter) -> Vec<U8x4> {
    let filter = match filter {
        Filter::Bilinear => FilterType::Bilinear,
        Filter::Bicubic => FilterType::CatmullRom,
        Filter::Lanczos => FilterType::Lanczos3,
        other => unreachable!("torch has no {other:?}"),
    };
    let source = TypedImageRef::new(from.0 as u32, from.1 as u32, data).unwrap();
    let mut out = TypedImage::new(to.0 as u32, to.1 as u32);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false);
    Resizer::new().resize_typed(&source, &mut out, &options).unwrap();
    out.pixels().to_vec()
}

fn axis() -> impl Strategy<Value = (usize, usize)> {
    prop_oneof![1..=9_usize, 1..=260_usize].prop_flat_map(|to| (1..=(to * MOST_SHRINK).min(1500), Just(to)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn torchs_resizing_is_that_of_fast_image_resize(
        (width, new_width) in axis(),
        (height, new_height) in axis(),
        filter in prop::sample::select(vec![Filter::Bilinear, Filter::Bicubic, Filter::Lanczos]),
        channels in 1..=4_usize,
        seed: u64,
    ) {
        let weights = |from, to| match from == to {
            true => Weights::identity(0..to),
            false => torch::weights(filter, from, to, 0..to),
        };
        let (columns, rows) = (weights(width, new_width), weights(height, new_height));
        let window = (columns.inputs().len(), rows.inputs().len());
        prop_assert_eq!(window, (width, height), "each pixel has a weight");
        let data = bytes(width * height * channels, seed);
        let pixel = |found: &[u8]| U8x4::new(std::array::from_fn(|i| found.get(i).copied().unwrap_or(0)));
        let pixels: Vec<_> = data.chunks(channels).map(pixel).collect();
        let wide = one_pass(&pixels, (width, height), (new_width, height), filter);
        let resized = one_pass(&wide, (new_width, height), (new_width, new_height), filter);
        let want: Vec<_> = resized.iter().flat_map(|pixel| pixel.0[..channels].to_vec()).collect();
        let of_channels = Pixel { bytes: channels, channels };
        let passes = TwoPass::new(Level::active(), &columns, rows, of_channels, Order::HorizontalFirst);
        let mut got = Vec::new();
        let mut source = Slice { rows: data.chunks(width * channels) };
        let sink = |_, row: &mut [u8]| got.extend_from_slice(row);
        passes.run(&mut source, &mut Scratch::default(), sink).unwrap();
        prop_assert!(got == want, "{} values differ", got.iter().zip(&want).filter(|(a, b)| a != b).count());
    }
}
