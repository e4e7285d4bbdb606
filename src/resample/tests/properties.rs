//! Properties for any size, window, filter and number of channels, drawn at random.

use proptest::prelude::*;

use super::*;

fn filters() -> impl Strategy<Value = Filter> {
    proptest::sample::select(&CONVOLVING[..])
}

/// An input and an output length with a crop of the output, more often small than large.
fn axis(largest: usize) -> impl Strategy<Value = (usize, usize, std::ops::Range<usize>)> {
    let len = prop_oneof![1..=9_usize, 1..=largest];
    (len.clone(), len).prop_flat_map(|(input, output)| {
        (0..output).prop_flat_map(move |start| {
            (1..=output - start).prop_map(move |len| (input, output, start..start + len))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn every_output_has_weights_within_the_input(
        (input, output, crop) in axis(5000),
        filter in filters(),
    ) {
        let weights: Weights = Weights::new(filter, Products::Rounded, input, output, crop.clone());
        prop_assert_eq!(weights.len(), crop.len());
        let inputs = weights.inputs();
        prop_assert!(inputs.end <= input);
        let (mut first, mut last) = (usize::MAX, 0);
        for (start, taps) in weights.iter() {
            prop_assert!(!taps.is_empty());
            prop_assert!(start + taps.len() <= inputs.len());
            // Each is rounded, so that a flat image stays as it is.
            let off = taps.iter().sum::<i32>() - (1 << 22);
            prop_assert!(off.unsigned_abs() as usize <= taps.len(), "{} taps, off by {}", taps.len(), off);
            (first, last) = (first.min(start), last.max(start + taps.len()));
        }
        // No input is asked for that has no weight.
        prop_assert_eq!((first, last), (0, inputs.len()));
        // A crop changes no weight.
        let whole: Weights = Weights::new(filter, Products::Rounded, input, output, 0..output);
        for (x, (start, taps)) in crop.zip(weights.iter()) {
            let (uncropped, same) = whole.get(x);
            prop_assert_eq!((start + inputs.start, taps), (uncropped + whole.inputs().start, same));
        }
    }

    #[test]
    fn every_level_equals_the_scalar_truth(
        (width, new_width, columns) in axis(160),
        (height, new_height, rows) in axis(160),
        (column_filter, row_filter) in (filters(), filters()),
        pixel in proptest::sample::select(&PIXELS[..]),
        vertical_first: bool,
        seed: u64,
    ) {
        let order = if vertical_first { Order::VerticalFirst } else { Order::HorizontalFirst };
        let columns = Weights::new(column_filter, Products::Rounded, width, new_width, columns);
        let rows = Weights::new(row_filter, Products::Rounded, height, new_height, rows);
        let size = (columns.inputs().len(), rows.inputs().len());
        let data = bytes(size.0 * size.1 * pixel.bytes, seed);
        let want = plain(&data, size, pixel, &columns, &rows, order);
        for level in levels_to_test() {
            let passes = TwoPass::new(level, &columns, rows.clone(), pixel, order);
            let mut got = Vec::new();
            let mut source = Slice { rows: data.chunks(size.0 * pixel.bytes) };
            let sink = |_, row: &mut [u8]| got.extend_from_slice(row);
            passes.run(&mut source, &mut Scratch::default(), sink).unwrap();
            prop_assert_eq!(&got, &want, "{:?}", level);
        }
    }
}
