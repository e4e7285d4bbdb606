//! The back half of a decoder: from the coefficients of a row of MCUs to rows of pixels, limited to a window.
//!
//! Blocks come in groups of four neighbours, in any order, and are transformed into planes of samples that hold one
//! row of MCUs, and the last row of the one before: the chroma of a pixel depends on the rows above and below it.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod factors;
mod geometry;
mod idct;
mod kernels;
#[cfg(target_arch = "aarch64")]
mod neon;
mod reduced;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::ops::Range;

use super::header::Header;
use crate::decode::rows::allocate;
use crate::decode::ycc::{Chroma, Kernel, SLACK, Sums, YccRow, kernel};
use crate::error::Result;
use crate::pixels::Window;
use crate::simd::{Level, best};
use geometry::Pixels;
use idct::quantisation_of_group;
use kernels::{Kernels, Scalar};

pub(super) use geometry::Geometry;
pub(super) use idct::{Group, LANES, at};

/// Bytes before a plane's first column, of which the last one repeats it.
const LEFT: usize = 64;
/// Rows of a plane that are kept of the row of MCUs before.
const KEPT: usize = 1;

/// The fastest one for `level`.
fn kernels(level: Level) -> Box<dyn Kernels> {
    best! { level;
        "x86_64" Avx512 => |proof| Some(Box::new(avx512::Kernels::new(proof)) as Box<dyn Kernels>),
        "x86_64" Avx2 => |proof| Some(Box::new(avx2::Kernels::new(proof)) as Box<dyn Kernels>),
        "aarch64" Neon => |proof| Some(Box::new(neon::Kernels::new(proof)) as Box<dyn Kernels>),
        _ => Box::new(Scalar),
    }
}

/// Takes the blocks of a row of MCUs.
pub trait TakeBlocks {
    /// The columns of MCUs that are needed.
    fn mcus(&self) -> Range<usize>;

    /// Takes four blocks: of `component`, in the row `row` of its blocks, of which it is the group number `number` that
    /// is needed. `last` is the number of the last coefficient, in coded order, that may not be zero. The group is
    /// zeroed.
    fn put(&mut self, component: usize, row: usize, number: usize, group: &mut Group, last: u8);
}

/// One component's samples of a row of MCUs.
struct Plane {
    /// Rows of samples in a row of MCUs, and samples of a block per side.
    rows: usize,
    side: usize,
    quantisation: Group,
    /// Columns and rows of the whole component.
    size: (usize, usize),
    samples: Vec<u8>,
    stride: usize,
    /// The component's column that comes first.
    from: usize,
}

impl Plane {
    /// The row number `row` of what is held.
    fn row(&self, row: usize) -> usize {
        row * self.stride + LEFT
    }

    /// The samples of the component's row `row` from column `x - before` on, where the row of MCUs `mcu_row` is held.
    fn samples(&self, mcu_row: usize, row: usize, x: usize, before: usize) -> &[u8] {
        let held = row + KEPT - mcu_row * self.rows;
        &self.samples[self.row(held) + x - self.from - before..]
    }
}

/// The back half of one file's decoder.
pub(super) struct Back {
    kernels: Box<dyn Kernels>,
    ycc: Box<dyn Kernel>,
    planes: Vec<Plane>,
    pixels: Pixels,
    /// Rows of the image, and of an MCU.
    height: usize,
    mcu_height: usize,
    /// The columns of MCUs that are needed.
    mcus: Range<usize>,
    /// Rows of MCUs that are done or passed over.
    done: usize,
    first_column: usize,
    width: usize,
    sums: Sums,
}

impl Back {
    /// For the pixels of `window`.
    pub fn new(header: &Header, geometry: &Geometry, window: &Window, level: Level) -> Result<Self> {
        let frame = &header.frame;
        let (columns, mcu) = (&window.columns, geometry.mcu());
        // The chroma of a pixel depends on that of its neighbours.
        let mcus =
            columns.start.saturating_sub(2) / mcu.0..(columns.end + 2).div_ceil(mcu.0).min(geometry.mcus.0);
        let mut planes = Vec::new();
        for (i, component) in frame.components.iter().enumerate() {
            let ((across, down), side) = (geometry.blocks(i), geometry.side(i));
            let stride = LEFT + side * across * mcus.len().next_multiple_of(LANES) + SLACK;
            let table = header.quantisation[component.quantisation].expect("checked by the geometry");
            planes.push(Plane {
                rows: side * down,
                side,
                quantisation: quantisation_of_group(&table),
                size: geometry.samples(frame, i),
                samples: allocate("JPEG", stride * (KEPT + side * down) + SLACK)?,
                stride,
                from: side * across * mcus.start,
            });
        }
        // Columns that share chroma are made together.
        let first_column = columns.start / 2 * 2;
        let width = columns.end - first_column;
        Ok(Self {
            kernels: kernels(level),
            ycc: kernel(level),
            planes,
            pixels: geometry.pixels,
            height: geometry.size.1,
            mcu_height: mcu.1,
            mcus,
            done: 0,
            first_column,
            width,
            sums: std::array::from_fn(|_| vec![0; width / 2 + SLACK]),
        })
    }

    /// Rows of MCUs that are done or passed over.
    pub fn done(&self) -> usize {
        self.done
    }

    /// The rows of MCUs that row `y` of pixels depends on.
    pub fn mcu_rows(&self, y: usize) -> Range<usize> {
        let last = (y + self.context()).min(self.height - 1);
        y.saturating_sub(self.context()) / self.mcu_height..last / self.mcu_height + 1
    }

    /// Whether row `y` of pixels can be made.
    pub fn has(&self, y: usize) -> bool {
        self.mcu_rows(y).end <= self.done
    }

    fn context(&self) -> usize {
        self.pixels.sampling().has_context().into()
    }

    /// The column of the first pixel of a row.
    pub fn first_column(&self) -> usize {
        self.first_column
    }

    /// Bytes of a row of pixels, without the room after it that is needed.
    pub fn row_bytes(&self) -> usize {
        self.width * self.pixels.bytes()
    }

    /// The same with the room.
    pub fn room(&self, rows: usize) -> usize {
        rows * self.row_bytes() + SLACK
    }

    /// Passes over a row of MCUs.
    pub fn pass(&mut self) {
        self.done += 1;
    }

    /// Begins a row of MCUs.
    pub fn begin(&mut self) {
        for plane in &mut self.planes {
            let end = plane.samples.len() - SLACK;
            plane.samples.copy_within(end - KEPT * plane.stride..end, 0);
        }
    }

    /// Ends a row of MCUs: beside the edges of the image its last samples are repeated.
    pub fn end(&mut self) {
        self.done += 1;
        for (i, plane) in self.planes.iter_mut().enumerate() {
            if !self.pixels.is_chroma(i) {
                continue;
            }
            for row in KEPT..KEPT + plane.rows {
                let at = plane.row(row);
                plane.samples[at - 1] = plane.samples[at];
                let end = plane.size.0 - plane.from;
                if end < plane.stride - LEFT {
                    plane.samples[at + end] = plane.samples[at + end - 1];
                }
            }
        }
    }

    /// Writes the pixels of row `y`, which this [has](Self::has), to the beginning of `out`, which has
    /// [room](Self::room) for them.
    pub fn row(&mut self, y: usize, out: &mut [u8]) {
        let (mcu_row, x) = (self.done - 1, self.first_column);
        let full = |i: usize| &self.planes[i].samples(mcu_row, y, x, 0)[..self.width];
        match self.pixels {
            Pixels::Grey => out[..self.width].copy_from_slice(full(0)),
            Pixels::Rgb => interleave([full(0), full(1), full(2)], out),
            Pixels::Cmyk => {
                interleave([full(0), full(1), full(2), full(3)], out);
                out[..4 * self.width].iter_mut().for_each(|value| *value = 255 - *value);
            }
            Pixels::Ycc(_) => self.ycc_row(y, out),
            Pixels::Ycck(_) => {
                self.ycc_row(y, out);
                let black = &self.planes[3].samples(mcu_row, y, x, 0)[..self.width];
                // From the end, where there is room.
                for (x, black) in black.iter().enumerate().rev() {
                    out.copy_within(3 * x..3 * x + 3, 4 * x);
                    out[4 * x + 3] = 255 - *black;
                }
            }
        }
    }

    fn ycc_row(&mut self, y: usize, out: &mut [u8]) {
        let (mcu_row, x, sampling) = (self.done - 1, self.first_column, self.pixels.sampling());
        let (near, far) = match (sampling.has_context(), y % 2) {
            (false, _) => (y, y),
            (true, 0) => (y / 2, (y / 2).saturating_sub(1)),
            (true, _) => (y / 2, (y / 2 + 1).min(self.planes[1].size.1 - 1)),
        };
        let luma = self.planes[0].samples(mcu_row, y, x, 0);
        let chroma = |i: usize| {
            let samples = |row: usize| self.planes[i].samples(mcu_row, row, x / sampling.columns(), 1);
            Chroma { near: samples(near), far: samples(far) }
        };
        let (blue, red) = (chroma(1), chroma(2));
        let row = YccRow { sampling, far_is_below: y % 2 == 1, luma, blue, red, width: self.width };
        self.ycc.rgb_row(&row, &mut self.sums, out);
    }
}

impl TakeBlocks for Back {
    fn mcus(&self) -> Range<usize> {
        self.mcus.clone()
    }

    fn put(&mut self, component: usize, row: usize, number: usize, group: &mut Group, last: u8) {
        let plane = &mut self.planes[component];
        let at = plane.row(KEPT + plane.side * row) + plane.side * LANES * number;
        let out = &mut plane.samples[at..];
        self.kernels.inverse_dct(group, &plane.quantisation, last, plane.side, out, plane.stride);
    }
}

/// Pixels of planes of the same size.
fn interleave<const N: usize>(planes: [&[u8]; N], out: &mut [u8]) {
    for (i, plane) in planes.into_iter().enumerate() {
        for (pixel, value) in out.as_chunks_mut::<N>().0.iter_mut().zip(plane) {
            pixel[i] = *value;
        }
    }
}
