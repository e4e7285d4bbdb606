//! The samples of a row of MCUs, as its blocks are transformed.

use std::ops::Range;

use super::geometry::{Geometry, Pixels};
use super::idct::{Group, LANES, quantisation_of_group};
use super::kernels::Kernels;
use super::kernels_for;
use crate::decode::jpeg::header::Header;
use crate::decode::rows::allocate;
use crate::decode::ycc::SLACK;
use crate::error::Result;
use crate::simd::Level;

/// Bytes before a plane's first column, of which the last one repeats it.
const LEFT: usize = 64;
/// Rows of a plane that are kept of the row of MCUs before.
const KEPT: usize = 1;

/// Takes the blocks of a row of MCUs.
pub trait TakeBlocks {
    /// The columns of MCUs that are needed.
    fn mcus(&self) -> Range<usize>;

    /// Takes four blocks: of `component`, in the row `row` of its blocks, of which it is the group number `number` that
    /// is needed. `last` is the number of the last coefficient, in coded order, that may not be zero. The group is
    /// zeroed.
    fn put(&mut self, component: usize, row: usize, number: usize, group: &mut Group, last: u8);
}

/// One component's samples.
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
}

/// The samples of a row of MCUs, and the last rows of the one before.
pub(in crate::decode::jpeg) struct Planes {
    kernels: Box<dyn Kernels>,
    planes: Vec<Plane>,
    /// The columns of MCUs that are needed.
    mcus: Range<usize>,
}

impl Planes {
    /// For the MCUs of these columns.
    pub fn new(header: &Header, geometry: &Geometry, mcus: &Range<usize>, level: Level) -> Result<Self> {
        let frame = &header.frame;
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
        Ok(Self { kernels: kernels_for(level), planes, mcus: mcus.clone() })
    }

    /// Bytes that they take at the most.
    pub fn memory(geometry: &Geometry) -> u64 {
        let plane = |i: usize| {
            let (across, down) = geometry.blocks(i);
            (LEFT + SLACK + 8 * across * (geometry.mcus.0 + LANES)) * (KEPT + 8 * down)
        };
        (0..geometry.components()).map(plane).sum::<usize>() as u64
    }

    /// Begins a row of MCUs.
    pub fn begin(&mut self) {
        for plane in &mut self.planes {
            let end = plane.samples.len() - SLACK;
            plane.samples.copy_within(end - KEPT * plane.stride..end, 0);
        }
    }

    /// Takes a row of MCUs from other planes of the same columns, and leaves them an older one.
    pub fn take(&mut self, other: &mut Self) {
        for (plane, other) in self.planes.iter_mut().zip(&mut other.planes) {
            let kept = KEPT * plane.stride;
            other.samples[..kept].copy_from_slice(&plane.samples[..kept]);
            std::mem::swap(&mut plane.samples, &mut other.samples);
        }
    }

    /// Ends a row of MCUs: beside the edges of the image the last samples of chroma are repeated.
    pub fn end(&mut self, pixels: Pixels) {
        for (i, plane) in self.planes.iter_mut().enumerate() {
            if !pixels.is_chroma(i) {
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

    /// Rows of all of a component's samples.
    pub fn rows(&self, component: usize) -> usize {
        self.planes[component].size.1
    }

    /// The samples of the component's row `row` from column `x - before` on, where the row of MCUs `mcu_row` is held.
    pub fn samples(&self, component: usize, mcu_row: usize, row: usize, x: usize, before: usize) -> &[u8] {
        let plane = &self.planes[component];
        let held = row + KEPT - mcu_row * plane.rows;
        &plane.samples[plane.row(held) + x - plane.from - before..]
    }
}

impl TakeBlocks for Planes {
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
