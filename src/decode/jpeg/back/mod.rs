//! The back half of a decoder: from the coefficients of a row of MCUs to rows of pixels, limited to a window.
//!
//! Blocks come in groups of four neighbours, in any order, and are transformed into `planes` of samples that hold one
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
mod planes;
mod reduced;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::ops::Range;

use super::header::Header;
use crate::decode::ycc::{Chroma, Kernel, SLACK, Sums, YccRow, kernel};
use crate::error::Result;
use crate::pixels::Window;
use crate::simd::{Level, best};
use geometry::Pixels;
use kernels::{Kernels, Scalar};

pub(super) use geometry::Geometry;
pub(super) use idct::{Group, LANES, at};
pub(super) use planes::{Planes, TakeBlocks};

/// The fastest one for `level`.
fn kernels_for(level: Level) -> Box<dyn Kernels> {
    best! { level;
        "x86_64" Avx512 => |proof| Some(Box::new(avx512::Kernels::new(proof)) as Box<dyn Kernels>),
        "x86_64" Avx2 => |proof| Some(Box::new(avx2::Kernels::new(proof)) as Box<dyn Kernels>),
        "aarch64" Neon => |proof| Some(Box::new(neon::Kernels::new(proof)) as Box<dyn Kernels>),
        _ => Box::new(Scalar),
    }
}

/// The back half of one file's decoder.
pub(super) struct Back {
    ycc: Box<dyn Kernel>,
    planes: Planes,
    pixels: Pixels,
    /// Rows of the image, and of an MCU.
    height: usize,
    mcu_height: usize,
    /// Rows of MCUs that are done or passed over.
    done: usize,
    first_column: usize,
    width: usize,
    sums: Sums,
}

impl Back {
    /// Bytes that one takes at the most.
    pub fn memory(geometry: &Geometry) -> u64 {
        let sums = 4 * (8 * geometry.mcus.0 + SLACK);
        Planes::memory(geometry) + sums as u64
    }

    /// For the pixels of `window`.
    pub fn new(header: &Header, geometry: &Geometry, window: &Window, level: Level) -> Result<Self> {
        let (columns, mcu) = (&window.columns, geometry.mcu());
        // The chroma of a pixel depends on that of its neighbours.
        let mcus =
            columns.start.saturating_sub(2) / mcu.0..(columns.end + 2).div_ceil(mcu.0).min(geometry.mcus.0);
        // Columns that share chroma are made together.
        let first_column = columns.start / 2 * 2;
        let width = columns.end - first_column;
        Ok(Self {
            ycc: kernel(level),
            planes: Planes::new(header, geometry, &mcus, level)?,
            pixels: geometry.pixels,
            height: geometry.size.1,
            mcu_height: mcu.1,
            done: 0,
            first_column,
            width,
            sums: std::array::from_fn(|_| vec![0; width / 2 + SLACK]),
        })
    }

    /// The columns of MCUs that are needed.
    pub fn mcus(&self) -> Range<usize> {
        self.planes.mcus()
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

    /// Makes a row of MCUs of what `fill` gives its blocks or samples.
    pub fn make<E>(&mut self, fill: impl FnOnce(&mut Planes) -> Result<(), E>) -> Result<(), E> {
        self.planes.begin();
        fill(&mut self.planes)?;
        self.planes.end(self.pixels);
        self.done += 1;
        Ok(())
    }

    /// Writes the pixels of row `y`, which this [has](Self::has), to the beginning of `out`, which has
    /// [room](Self::room) for them.
    pub fn row(&mut self, y: usize, out: &mut [u8]) {
        let (mcu_row, x) = (self.done - 1, self.first_column);
        let full = |i: usize| &self.planes.samples(i, mcu_row, y, x, 0)[..self.width];
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
                let black = &self.planes.samples(3, mcu_row, y, x, 0)[..self.width];
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
            (true, _) => (y / 2, (y / 2 + 1).min(self.planes.rows(1) - 1)),
        };
        let luma = self.planes.samples(0, mcu_row, y, x, 0);
        let chroma = |i: usize| {
            let samples = |row: usize| self.planes.samples(i, mcu_row, row, x / sampling.columns(), 1);
            Chroma { near: samples(near), far: samples(far) }
        };
        let (blue, red) = (chroma(1), chroma(2));
        let row = YccRow { sampling, far_is_below: y % 2 == 1, luma, blue, red, width: self.width };
        self.ycc.rgb_row(&row, &mut self.sums, out);
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
