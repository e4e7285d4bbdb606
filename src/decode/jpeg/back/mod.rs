//! The back half of a decoder: from the coefficients of a row of MCUs to rows of pixels, limited to a window.
//!
//! Blocks come in groups of four neighbours, in any order, and are transformed into planes of samples that hold one
//! row of MCUs, and the last row of the one before: the chroma of a pixel depends on the rows above and below it.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod colour;
mod idct;
mod kernels;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::ops::Range;

use super::header::{Colours, Frame, Header};
use crate::decode::rows::allocate;
use crate::error::Result;
use crate::pixels::Window;
use crate::simd::Level;
use colour::{Chroma, Sampling, YccRow};
use idct::quantisation_of_group;
use kernels::{Kernels, SLACK, kernels};

pub(super) use idct::{Group, LANES, at};

/// Bytes before a plane's first column, of which the last one repeats it.
const LEFT: usize = 64;
/// Rows of a plane that are kept of the row of MCUs before.
const KEPT: usize = 1;

/// One component's samples of a row of MCUs.
struct Plane {
    /// Blocks of an MCU, horizontally and vertically.
    blocks: (usize, usize),
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
        let held = row + KEPT - mcu_row * 8 * self.blocks.1;
        &self.samples[self.row(held) + x - self.from - before..]
    }
}

/// The back half of one file's decoder.
pub(super) struct Back {
    kernels: Box<dyn Kernels>,
    planes: Vec<Plane>,
    /// `None` for one component.
    sampling: Option<Sampling>,
    /// Rows of the image, and of an MCU.
    height: usize,
    mcu_height: usize,
    /// The columns of MCUs that are needed.
    mcus: Range<usize>,
    /// Rows of MCUs that are done or passed over.
    done: usize,
    first_column: usize,
    width: usize,
    sums: [Vec<u16>; 2],
}

/// How a file is laid out, if this back half takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    sampling: Option<Sampling>,
    /// Columns and rows of an MCU.
    mcu: (usize, usize),
    /// MCUs in a row, and rows of them.
    pub mcus: (usize, usize),
}

impl Geometry {
    /// `Err` says why not.
    pub fn of(header: &Header) -> std::result::Result<Self, &'static str> {
        let frame = &header.frame;
        let factors = |i: usize| frame.components[i].factors;
        let sampling = match header.colours() {
            Colours::Grey => None,
            Colours::YCbCr if factors(1) == (1, 1) && factors(2) == (1, 1) => {
                Some(Sampling::of(factors(0)).ok_or("its components are sampled in a rare way")?)
            }
            Colours::YCbCr => return Err("its components are sampled in a rare way"),
            _ => return Err("its colours are not YCbCr"),
        };
        // libjpeg has another way of upsampling for two samples and less.
        if sampling.is_some_and(|sampling| sampling.columns() == 2) && frame.width <= 4 {
            return Err("it is too narrow");
        }
        let has_table = |number: usize| header.quantisation.get(number).is_some_and(Option::is_some);
        if !frame.components.iter().all(|component| has_table(component.quantisation)) {
            return Err("a quantisation table is missing");
        }
        // The MCU of a single component is a block.
        let factors = sampling.map_or((1, 1), |_| factors(0));
        let mcu = (8 * factors.0, 8 * factors.1);
        let mcus = (frame.width.div_ceil(mcu.0), frame.height.div_ceil(mcu.1));
        Ok(Self { sampling, mcu, mcus })
    }

    /// Blocks of each component in an MCU.
    pub fn blocks(&self, component: usize) -> (usize, usize) {
        if component == 0 { (self.mcu.0 / 8, self.mcu.1 / 8) } else { (1, 1) }
    }

    /// Blocks that a component has, across and down, which may not fill the last MCUs.
    pub fn blocks_of_component(&self, frame: &Frame, component: usize) -> (usize, usize) {
        let (across, down) = self.blocks(component);
        ((frame.width * across).div_ceil(self.mcu.0), (frame.height * down).div_ceil(self.mcu.1))
    }

    /// MCUs of a scan of these components, across and down: of a single one they are its blocks.
    pub fn mcus_of_scan(&self, frame: &Frame, components: &[usize]) -> (usize, usize) {
        match components {
            [one] => self.blocks_of_component(frame, *one),
            _ => self.mcus,
        }
    }

    /// Components of the image.
    pub fn components(&self) -> usize {
        self.sampling.map_or(1, |_| 3)
    }

    /// Bytes that a back half takes at the most.
    pub fn memory(&self) -> u64 {
        let plane = |i: usize| {
            let (across, down) = self.blocks(i);
            (LEFT + SLACK + 8 * across * (self.mcus.0 + LANES)) * (KEPT + 8 * down)
        };
        let sums = 4 * (8 * self.mcus.0 + SLACK);
        ((0..self.components()).map(plane).sum::<usize>() + sums) as u64
    }
}

impl Back {
    /// For the pixels of `window`.
    pub fn new(header: &Header, geometry: &Geometry, window: &Window, level: Level) -> Result<Self> {
        let frame = &header.frame;
        let (columns, mcu) = (&window.columns, geometry.mcu);
        // The chroma of a pixel depends on that of its neighbours.
        let mcus =
            columns.start.saturating_sub(2) / mcu.0..(columns.end + 2).div_ceil(mcu.0).min(geometry.mcus.0);
        let mut planes = Vec::new();
        for (i, component) in frame.components.iter().enumerate() {
            let blocks = geometry.blocks(i);
            let share = |side: usize, blocks: usize, mcu: usize| (side * blocks * 8).div_ceil(mcu);
            let stride = LEFT + 8 * blocks.0 * mcus.len().next_multiple_of(LANES) + SLACK;
            let table = header.quantisation[component.quantisation].expect("checked by the geometry");
            planes.push(Plane {
                blocks,
                quantisation: quantisation_of_group(&table),
                size: (share(frame.width, blocks.0, mcu.0), share(frame.height, blocks.1, mcu.1)),
                samples: allocate("JPEG", stride * (KEPT + 8 * blocks.1) + SLACK)?,
                stride,
                from: 8 * blocks.0 * mcus.start,
            });
        }
        // Columns that share chroma are made together.
        let first_column = columns.start / 2 * 2;
        let width = columns.end - first_column;
        Ok(Self {
            kernels: kernels(level),
            planes,
            sampling: geometry.sampling,
            height: frame.height,
            mcu_height: mcu.1,
            mcus,
            done: 0,
            first_column,
            width,
            sums: std::array::from_fn(|_| vec![0; width / 2 + SLACK]),
        })
    }

    /// The columns of MCUs that are needed.
    pub fn mcus(&self) -> Range<usize> {
        self.mcus.clone()
    }

    /// Rows of MCUs that are done or passed over.
    pub fn done(&self) -> usize {
        self.done
    }

    /// The first row of MCUs that row `y` of pixels depends on.
    pub fn first_mcu_row(&self, y: usize) -> usize {
        y.saturating_sub(self.context()) / self.mcu_height
    }

    /// Whether row `y` of pixels can be made.
    pub fn has(&self, y: usize) -> bool {
        (y + self.context()).min(self.height - 1) < self.done * self.mcu_height
    }

    fn context(&self) -> usize {
        self.sampling.is_some_and(Sampling::has_context).into()
    }

    /// The column of the first pixel of a row.
    pub fn first_column(&self) -> usize {
        self.first_column
    }

    /// Bytes of a row of pixels, without the room after it that is needed.
    pub fn row_bytes(&self) -> usize {
        self.width * self.sampling.map_or(1, |_| 3)
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

    /// Takes four blocks of a row of MCUs: of `component`, in the row `row` of its blocks, of which it is the
    /// group number `number` that is needed. The group is zeroed.
    pub fn put(&mut self, component: usize, row: usize, number: usize, group: &mut Group, last: u8) {
        let plane = &mut self.planes[component];
        let at = plane.row(KEPT + 8 * row) + 8 * LANES * number;
        let out = &mut plane.samples[at..];
        self.kernels.inverse_dct(group, &plane.quantisation, last, out, plane.stride);
    }

    /// Ends a row of MCUs: beside the edges of the image its last samples are repeated.
    pub fn end(&mut self) {
        self.done += 1;
        for plane in self.planes.iter_mut().skip(1) {
            for row in KEPT..KEPT + 8 * plane.blocks.1 {
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
        let luma = self.planes[0].samples(mcu_row, y, x, 0);
        let Some(sampling) = self.sampling else {
            return out[..self.width].copy_from_slice(&luma[..self.width]);
        };
        let (near, far) = match (sampling.has_context(), y % 2) {
            (false, _) => (y, y),
            (true, 0) => (y / 2, (y / 2).saturating_sub(1)),
            (true, _) => (y / 2, (y / 2 + 1).min(self.planes[1].size.1 - 1)),
        };
        let chroma = |i: usize| {
            let samples = |row: usize| self.planes[i].samples(mcu_row, row, x / sampling.columns(), 1);
            Chroma { near: samples(near), far: samples(far) }
        };
        let (blue, red) = (chroma(1), chroma(2));
        let row = YccRow { sampling, far_is_below: y % 2 == 1, luma, blue, red, width: self.width };
        self.kernels.rgb_row(&row, &mut self.sums, out);
    }
}
