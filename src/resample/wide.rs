//! Samples of 16 and 32 bits: float64 sums with weights as computed, in the two passes of
//! libImaging/Resample.c, each of which rounds to what the mode can hold.

use std::collections::VecDeque;

use super::Products;
use super::two_pass::Order;
use super::weights::Weights;
use crate::error::Result;
use crate::pixels::{Rows, Sample};

impl Sample {
    fn decode(self, row: &[u8]) -> Vec<f64> {
        let pairs = || row.as_chunks::<2>().0.iter();
        let fours = || row.as_chunks::<4>().0.iter();
        match self {
            Self::U16Le => pairs().map(|&pair| u16::from_le_bytes(pair).into()).collect(),
            Self::U16Be => pairs().map(|&pair| u16::from_be_bytes(pair).into()).collect(),
            Self::I32 => fours().map(|&four| i32::from_ne_bytes(four).into()).collect(),
            Self::F32 => fours().map(|&four| f32::from_ne_bytes(four).into()).collect(),
        }
    }

    fn encode(self, values: &[f64], out: &mut Vec<u8>) {
        out.clear();
        for &value in values {
            match self {
                Self::U16Le => out.extend((value as u16).to_le_bytes()),
                Self::U16Be => out.extend((value as u16).to_be_bytes()),
                Self::I32 => out.extend((value as i32).to_ne_bytes()),
                Self::F32 => out.extend((value as f32).to_ne_bytes()),
            }
        }
    }

    /// The sum as the mode stores it between the passes and after them.
    fn round(self, sum: f64, products: Products) -> f64 {
        match self {
            Self::U16Le | Self::U16Be => f64::from(half_away(sum, products).clamp(0, 0xFFFF)),
            Self::I32 => f64::from(half_away(sum, products)),
            Self::F32 => f64::from(sum as f32),
        }
    }
}

/// Rounds half away from zero; a sum beyond 32 bits becomes what the processor makes of Pillow's cast: x86 has one
/// value for all that do not fit, ARM, where products are fused, saturates.
fn half_away(sum: f64, products: Products) -> i32 {
    let rounded = (if sum >= 0.0 { sum + 0.5 } else { sum - 0.5 }).trunc();
    let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&rounded);
    if products == Products::Rounded && !fits { i32::MIN } else { rounded as i32 }
}

/// A resize in two passes, for the rows and columns that survive a crop.
#[derive(Debug)]
pub(crate) struct Wide {
    columns: Weights<f64>,
    rows: Weights<f64>,
    order: Order,
    sample: Sample,
    products: Products,
}

impl Wide {
    pub fn new(
        columns: Weights<f64>,
        rows: Weights<f64>,
        order: Order,
        sample: Sample,
        products: Products,
    ) -> Self {
        Self { columns, rows, order, sample, products }
    }

    pub fn order(&self) -> Order {
        self.order
    }

    /// An upper estimate of the bytes that the buffers take.
    pub fn memory(&self) -> u64 {
        let samples = match self.order {
            Order::HorizontalFirst => self.columns.len(),
            Order::VerticalFirst => self.columns.inputs().len(),
        };
        (self.rows.max_taps() + 4) as u64 * (samples * size_of::<f64>()) as u64
    }

    /// Feeds `source` through both passes and hands each finished row to `sink`, top to bottom.
    pub fn run(&self, source: &mut dyn Rows, mut sink: impl FnMut(usize, &[u8])) -> Result<()> {
        let mut ring = VecDeque::with_capacity(self.rows.max_taps());
        let (mut dropped, mut bytes) = (0, Vec::new());
        for (y, (start, taps)) in self.rows.iter().enumerate() {
            while dropped + ring.len() < start + taps.len() {
                let row = self.sample.decode(source.next(1)?[0]);
                ring.push_back(match self.order {
                    Order::HorizontalFirst => self.horizontal(&row),
                    Order::VerticalFirst => row,
                });
            }
            ring.drain(..start - dropped);
            dropped = start;
            let row = self.vertical(taps, &ring);
            let row = match self.order {
                Order::HorizontalFirst => row,
                Order::VerticalFirst => self.horizontal(&row),
            };
            self.sample.encode(&row, &mut bytes);
            sink(y, &bytes);
        }
        Ok(())
    }

    fn horizontal(&self, row: &[f64]) -> Vec<f64> {
        let pixel = |(start, taps): (usize, &[f64])| {
            let values = &row[start..start + taps.len()];
            let sum = values
                .iter()
                .zip(taps)
                .fold(0.0, |sum, (value, weight)| self.products.sum(*value, *weight, sum));
            self.sample.round(sum, self.products)
        };
        self.columns.iter().map(pixel).collect()
    }

    fn vertical(&self, taps: &[f64], rows: &VecDeque<Vec<f64>>) -> Vec<f64> {
        let mut sums = vec![0.0; rows[0].len()];
        for (row, weight) in rows.iter().zip(taps) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum = self.products.sum(*value, *weight, *sum);
            }
        }
        sums.iter_mut().for_each(|sum| *sum = self.sample.round(*sum, self.products));
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{Header, Image, Layout, Whole, Window};
    use crate::resample::Filter;

    const SIZE: (usize, usize) = (37, 53);

    /// Noise, so that every bit of a sum counts.
    fn noise(layout: Layout) -> Whole {
        let mut state = 7_u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let len = SIZE.0 * SIZE.1 * layout.bytes();
        let data = match layout {
            Layout::F => (0..len / 4).flat_map(|_| (f32::from(byte()) / 7.0 - 9.0).to_ne_bytes()).collect(),
            _ => (0..len).map(|_| byte()).collect(),
        };
        Whole { header: Header { width: SIZE.0, height: SIZE.1, layout, palette: None }, data }
    }

    fn resize(layout: Layout, to: (usize, usize), crop: Window, order: Order) -> Vec<u8> {
        let columns = Weights::new(Filter::Lanczos, Products::Rounded, SIZE.0, to.0, crop.columns);
        let rows = Weights::new(Filter::Bicubic, Products::Rounded, SIZE.1, to.1, crop.rows);
        let window = Window { columns: columns.inputs(), rows: rows.inputs() };
        let passes = Wide::new(columns, rows, order, layout.sample().unwrap(), Products::Rounded);
        let (mut image, mut out) = (noise(layout), Vec::new());
        passes.run(image.rows(&window).unwrap().as_mut(), |_, row| out.extend_from_slice(row)).unwrap();
        out
    }

    #[test]
    fn a_crop_changes_no_bit() {
        for layout in [Layout::I16, Layout::I16N, Layout::I, Layout::F] {
            for order in [Order::HorizontalFirst, Order::VerticalFirst] {
                for to in [(11, 13), (50, 20), (40, 90)] {
                    let bytes = layout.bytes();
                    let whole = Window { columns: 0..to.0, rows: 0..to.1 };
                    let part = Window { columns: 2..9, rows: 3..12 };
                    let whole = resize(layout, to, whole, order);
                    let cut: Vec<u8> =
                        whole.chunks_exact(to.0 * bytes).skip(3).take(9).fold(Vec::new(), |mut cut, row| {
                            cut.extend_from_slice(&row[2 * bytes..9 * bytes]);
                            cut
                        });
                    assert_eq!(resize(layout, to, part, order), cut, "{layout:?} {order:?} {to:?}");
                }
            }
        }
    }

    /// Else "13-arm" would be "13".
    #[test]
    fn fused_products_round_once() {
        let [a, b] = [1.0 + f64::EPSILON, 1.0 - f64::EPSILON];
        assert_eq!(Products::Rounded.sum(a, b, -1.0), 0.0);
        assert_eq!(Products::Fused.sum(a, b, -1.0), -f64::EPSILON * f64::EPSILON);
        assert_eq!(half_away(3e9, Products::Rounded), i32::MIN);
        assert_eq!(half_away(3e9, Products::Fused), i32::MAX);
    }

    #[test]
    fn the_byte_order_is_carried_through() {
        let swap = |bytes: &[u8]| -> Vec<u8> {
            bytes.as_chunks::<2>().0.iter().flat_map(|&[a, b]| [b, a]).collect()
        };
        let row = [0x12, 0x34, 0xFF, 0x01];
        assert_eq!(Sample::U16Le.decode(&row), Sample::U16Be.decode(&swap(&row)));
        let mut out = Vec::new();
        Sample::U16Be.encode(&Sample::U16Be.decode(&row), &mut out);
        assert_eq!(out, row);
    }

    #[test]
    fn sums_are_rounded_as_the_mode_holds_them() {
        assert_eq!(
            [0.49, 0.5, -0.5, -0.49, 2.5].map(|sum| half_away(sum, Products::Rounded)),
            [0, 1, -1, 0, 3]
        );
        assert_eq!(
            [-3.0, 65535.4, 70000.0].map(|sum| Sample::U16Le.round(sum, Products::Rounded)),
            [0.0, 65535.0, 65535.0]
        );
        assert_eq!(Sample::I32.round(-2_147_483_648.4, Products::Rounded), -2_147_483_648.0);
        assert_eq!(Sample::F32.round(0.1, Products::Rounded), f64::from(0.1_f32));
    }
}
