use half::{bf16, f16};
use proptest::prelude::*;

use super::{Element, Normalise};
use crate::pixels::Layout;
use crate::simd::{Level, levels_to_test};
use crate::spec::{Profile, Spec, TensorLayout};

const LAYOUTS: [Layout; 6] =
    [Layout::L, Layout::GreyAlpha, Layout::Rgb, Layout::Rgbx, Layout::Rgba, Layout::Cmyk];

/// Two rows of pixels as a tensor.
fn tensor<T: Element>(normalise: &Normalise, layout: Layout, rows: &[Vec<u8>; 2]) -> Vec<T> {
    let width = rows[0].len() / layout.bytes();
    let mut out = vec![T::ZERO; 3 * 2 * width];
    for (y, row) in rows.iter().enumerate() {
        normalise.write(layout, None, row, y, &mut out, &mut vec![9; 5]);
    }
    out
}

fn bits<T: Element>(values: Vec<T>, bits: impl Fn(T) -> u32) -> Vec<u32> {
    values.into_iter().map(bits).collect()
}

/// A tensor of each type, as bits.
fn tensors(normalise: &Normalise, layout: Layout, rows: &[Vec<u8>; 2]) -> [Vec<u32>; 4] {
    [
        bits(tensor(normalise, layout, rows), f32::to_bits),
        bits(tensor(normalise, layout, rows), |half: f16| half.to_bits().into()),
        bits(tensor(normalise, layout, rows), |half: bf16| half.to_bits().into()),
        bits(tensor(normalise, layout, rows), |byte: u8| byte.into()),
    ]
}

fn spec(profile: &'static Profile, layout: TensorLayout) -> Spec {
    Spec { profile, layout, ..Spec::openai(8) }
}

proptest! {
    #[test]
    fn arithmetic_gives_the_tables_bits(
        pixels in prop::collection::vec(any::<u8>(), 4..800),
        layout in prop::sample::select(&LAYOUTS[..]),
        profile in prop::sample::select(&Profile::ALL[..]),
        tensor in prop::sample::select(&TensorLayout::ALL[..]),
        numbers in prop::option::of((prop::array::uniform3(-3.0..3.0), prop::array::uniform3(1e-4..9.0))),
    ) {
        let mut spec = spec(profile, tensor.1);
        if let Some((mean, std)) = numbers {
            (spec.mean, spec.std) = (mean, std);
        }
        let width = pixels.len() / 2 / layout.bytes();
        prop_assume!(width > 0);
        let mut rows = pixels.chunks_exact(width * layout.bytes()).map(<[u8]>::to_vec);
        let rows = [rows.next().unwrap(), rows.next().unwrap()];
        let expected = tensors(&Normalise::new(&spec, Level::Scalar), layout, &rows);
        for level in levels_to_test() {
            prop_assert_eq!(&tensors(&Normalise::new(&spec, level), layout, &rows), &expected);
        }
    }
}

/// Else the fast path would be gone, and no value would tell. Quotients and products have one each.
#[test]
fn clips_numbers_need_no_table() {
    for level in levels_to_test() {
        for profile in Profile::ALL {
            let normalise = Normalise::new(&spec(profile, TensorLayout::Nchw), level);
            assert_eq!(
                normalise.arithmetic.is_some(),
                level != Level::Scalar,
                "{} at {level:?}",
                profile.name
            );
        }
    }
}

/// The library's own rounding, which a block does not use.
#[test]
fn halves_are_rounded_as_the_library_does() {
    let normalise = Normalise::new(&Spec::openai(8), Level::active());
    let row: Vec<u8> = (0..=255).collect();
    let rows = [row.clone(), row];
    let floats = tensor::<f32>(&normalise, Layout::L, &rows);
    let expected: Vec<_> = floats.iter().map(|&float| f16::from_f32(float)).collect();
    assert_eq!(tensor::<f16>(&normalise, Layout::L, &rows), expected);
    let expected: Vec<_> = floats.iter().map(|&float| bf16::from_f32(float)).collect();
    assert_eq!(tensor::<bf16>(&normalise, Layout::L, &rows), expected);
}
