//! Every kernel against the scalar one, over widths, tap counts, channels, filters and alignments.

mod oracle;
mod properties;

use super::kernels::{HorizontalPass, Pixel, VerticalPass, scalar, stride};
use super::two_pass::{Order, Scratch, TwoPass};
use super::{Filter, Products, Weights, torch};
use crate::error::Result;
use crate::pixels::{BLOCK_ROWS, RowBlock, Rows};
use crate::simd::{Level, levels_to_test};

const CONVOLVING: [Filter; 5] =
    [Filter::Box, Filter::Bilinear, Filter::Hamming, Filter::Bicubic, Filter::Lanczos];

/// Pixels of 1 to 4 channels, and of 3 with a fourth byte.
const PIXELS: [Pixel; 5] = [
    Pixel { bytes: 1, channels: 1 },
    Pixel { bytes: 2, channels: 2 },
    Pixel { bytes: 3, channels: 3 },
    Pixel { bytes: 4, channels: 3 },
    Pixel { bytes: 4, channels: 4 },
];

/// Bytes of three kinds: noise, extremes that overshoot and clip, and a ramp.
fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    match seed % 3 {
        0 => (0..len).map(|_| noise()).collect(),
        1 => (0..len).map(|_| if noise() < 128 { 0 } else { 255 }).collect(),
        _ => (0..len).map(|i| i as u8).collect(),
    }
}

fn scalar_horizontal(weights: &Weights, pixel: Pixel, row: &[u8]) -> Vec<u8> {
    let mut out = vec![0; weights.len() * pixel.channels];
    match (pixel.bytes, pixel.channels) {
        (1, _) => scalar::resize_row::<1, 1>(weights, row, &mut out),
        (2, _) => scalar::resize_row::<2, 2>(weights, row, &mut out),
        (3, _) => scalar::resize_row::<3, 3>(weights, row, &mut out),
        (_, 3) => scalar::resize_row::<4, 3>(weights, row, &mut out),
        _ => scalar::resize_row::<4, 4>(weights, row, &mut out),
    }
    out
}

/// Checks one horizontal pass on rows that lie at odd addresses and end where their pixels end.
fn check_horizontal(level: Level, weights: &Weights, pixel: Pixel, seed: u64, name: &str) {
    let row_bytes = weights.inputs().len() * pixel.bytes;
    let data: [Vec<u8>; BLOCK_ROWS] = std::array::from_fn(|i| bytes(row_bytes + i, seed + i as u64));
    let rows: RowBlock<'_> = std::array::from_fn(|i| &data[i][i..]);
    let pass = HorizontalPass::new(level, weights, pixel);
    for count in 1..=BLOCK_ROWS {
        let mut out = vec![0xaa; BLOCK_ROWS * pass.stride()];
        pass.run(&rows, count, &mut out);
        for (i, row) in rows[..count].iter().enumerate() {
            let got = &out[i * pass.stride()..][..weights.len() * pixel.channels];
            assert_eq!(got, scalar_horizontal(weights, pixel, row), "{name}, row {i} of {count}");
        }
    }
}

#[test]
fn horizontal_equals_scalar_at_every_width() {
    for level in levels_to_test() {
        for pixel in PIXELS {
            for width in 1..=140 {
                for (k, output) in [1, 3, 7, 16, 33, width].into_iter().enumerate() {
                    let filter = CONVOLVING[(width + k) % CONVOLVING.len()];
                    let weights = Weights::new(filter, Products::Rounded, width, output, 0..output);
                    let name = format!("{level:?} {filter:?} {pixel:?} {width} to {output}");
                    check_horizontal(level, &weights, pixel, (width * 7 + k) as u64, &name);
                }
            }
        }
    }
}

#[test]
fn horizontal_equals_scalar_at_every_tap_count() {
    for level in levels_to_test() {
        for pixel in PIXELS {
            for filter in CONVOLVING {
                for (i, scale) in [1, 2, 3, 4, 5, 6, 9, 12, 17, 30, 64, 150, 300].into_iter().enumerate() {
                    let (output, crop) = (24, 3 + i % 4..17 + i % 5);
                    let weights = Weights::new(filter, Products::Rounded, output * scale + i, output, crop);
                    let name = format!("{level:?} {filter:?} {pixel:?}, scale {scale}");
                    check_horizontal(level, &weights, pixel, i as u64, &name);
                }
            }
        }
    }
}

#[test]
fn vertical_equals_scalar() {
    for level in levels_to_test() {
        for filter in CONVOLVING {
            for (height, output) in [(1, 5), (2, 9), (5, 5), (9, 4), (31, 7), (100, 9), (257, 3), (900, 3)] {
                let weights = Weights::new(filter, Products::Rounded, height, output, 0..output);
                let pass = VerticalPass::new(level, &weights);
                for len in [1, 2, 31, 32, 33, 63, 64, 65, 100, 672] {
                    let data: Vec<_> = (0..height).map(|y| bytes(stride(len), (y + len) as u64)).collect();
                    for (y, (start, taps)) in weights.iter().enumerate() {
                        let rows: Vec<&[u8]> =
                            data[start..start + taps.len()].iter().map(Vec::as_slice).collect();
                        let (mut got, mut want) = (vec![0; stride(len)], vec![0; len]);
                        pass.run(y, &rows, &mut got, len);
                        scalar::combine_rows(taps, &rows, &mut want);
                        assert_eq!(
                            got[..len],
                            want,
                            "{level:?} {filter:?} {height} to {output}, {len} bytes"
                        );
                    }
                }
            }
        }
    }
}

struct Slice<'a> {
    rows: std::slice::Chunks<'a, u8>,
}

impl Rows for Slice<'_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        Ok(std::array::from_fn(|i| if i < count { self.rows.next().unwrap() } else { &[] }))
    }
}

/// Both passes over whole images, without ring, block or kernel.
fn plain(
    data: &[u8],
    (width, height): (usize, usize),
    pixel: Pixel,
    columns: &Weights,
    rows: &Weights,
    order: Order,
) -> Vec<u8> {
    let horizontal = |data: &[u8], width: usize| -> Vec<u8> {
        data.chunks(width * pixel.bytes).flat_map(|row| scalar_horizontal(columns, pixel, row)).collect()
    };
    let vertical = |data: &[u8], line: usize| -> Vec<u8> {
        let lines: Vec<&[u8]> = data.chunks(line).collect();
        let mut out = vec![0; rows.len() * line];
        for ((start, taps), out) in rows.iter().zip(out.chunks_mut(line)) {
            scalar::combine_rows(taps, &lines[start..start + taps.len()], out);
        }
        out
    };
    assert_eq!(data.len(), width * height * pixel.bytes);
    match order {
        Order::HorizontalFirst => vertical(&horizontal(data, width), columns.len() * pixel.channels),
        Order::VerticalFirst => horizontal(&vertical(data, width * pixel.bytes), width),
    }
}

#[test]
fn streaming_equals_whole_images() {
    let mut scratch = Scratch::default();
    for level in levels_to_test() {
        for order in [Order::HorizontalFirst, Order::VerticalFirst] {
            for (i, (w, h, nw, nh)) in [
                (1, 1, 5, 5),
                (40, 1, 7, 3),
                (1, 40, 3, 7),
                (50, 37, 8, 8),
                (13, 90, 20, 9),
                (64, 64, 64, 10),
            ]
            .into_iter()
            .enumerate()
            {
                for pixel in PIXELS {
                    let (columns, rows) = (
                        Weights::new(Filter::Bicubic, Products::Rounded, w, nw, 0..nw),
                        Weights::new(Filter::Lanczos, Products::Rounded, h, nh, 0..nh),
                    );
                    let (width, height) = (columns.inputs().len(), rows.inputs().len());
                    let data = bytes(width * height * pixel.bytes, i as u64);
                    let want = plain(&data, (width, height), pixel, &columns, &rows, order);
                    let passes = TwoPass::new(level, &columns, rows, pixel, order);
                    let mut got = Vec::new();
                    let mut source = Slice { rows: data.chunks(width * pixel.bytes) };
                    passes
                        .run(&mut source, &mut scratch, |y, row| {
                            assert_eq!(y * nw * pixel.channels, got.len());
                            got.extend_from_slice(row);
                        })
                        .unwrap();
                    assert_eq!(got, want, "{level:?} {order:?} {w}x{h} to {nw}x{nh}, {pixel:?}");
                }
            }
        }
    }
}

#[test]
fn weights_are_pillows_formula() {
    // Bicubic, 4 to 2, first output: its window reaches from 1 - 4 to 1 + 4, cut to the input.
    let weights: Weights = Weights::new(Filter::Bicubic, Products::Rounded, 4, 2, 0..2);
    let (start, taps) = weights.get(0);
    assert_eq!((start, taps.len()), (0, 4));
    let k = |t: f64| {
        let t = t.abs();
        if t < 1.0 { (1.5 * t - 2.5) * t * t + 1.0 } else { (((t - 5.0) * t + 8.0) * t - 4.0) * -0.5 }
    };
    let real = [k(-0.25), k(0.25), k(0.75), k(1.25)];
    let sum: f64 = real.iter().sum();
    let want = real.map(|w| (w / sum * f64::from(1 << 22)).round() as i32);
    assert_eq!(taps, want);
}

#[test]
fn torch_weights_are_sixteen_bits_wide_for_the_whole_axis() {
    for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos] {
        for (input, output) in [(1, 9), (5, 40), (64, 63), (500, 30), (4000, 30), (40_000, 12)] {
            let whole = torch::weights(filter, input, output, 0..output);
            let all =
                |weights: &Weights| weights.iter().flat_map(|(_, taps)| taps.to_vec()).collect::<Vec<_>>();
            // Zeros at the end of every weight, as many as the largest of the axis leaves over.
            let zeros = all(&whole).iter().fold(0, |bits, weight| bits | weight).trailing_zeros();
            let largest = all(&whole).into_iter().max().unwrap();
            assert!(largest >> zeros < 1 << 15, "{filter:?} {input} to {output}");
            let x = output / 3;
            let part = torch::weights(filter, input, output, x..x + 1);
            assert_eq!(part.get(0).1, whole.get(x).1, "{filter:?} {input} to {output}");
        }
    }
}
