//! How the horizontal SIMD kernels lay out their work.
//!
//! A 128-bit lane belongs to one output pixel. Each step loads 16 source bytes into it and shuffles
//! them so that a 32-bit element holds four taps of one channel. One lane per output means that
//! neighbouring outputs are computed side by side and no reduction is paid across lanes. With one channel, a lane
//! may belong to four outputs instead, each of which has an element.

use std::num::NonZero;

use super::kernel::Pixel;
use crate::pixels::RowBlock;
use crate::resample::weights::Weights;

/// Source bytes that one lane loads per step.
pub(super) const LOAD: usize = 16;
/// Neighbouring outputs of one channel in a lane.
#[cfg(target_arch = "x86_64")]
const OUTPUTS: usize = 4;
/// Marks a lane byte that holds no source byte, for `pshufb`.
const NONE: u8 = 0x80;

/// Calls the version of a method that is compiled for a number of channels, from 1 to 4.
macro_rules! for_channels {
    ($channels:expr, $object:ident.$method:ident($($argument:expr),*)) => {
        match $channels {
            1 => $object.$method::<1>($($argument),*),
            2 => $object.$method::<2>($($argument),*),
            3 => $object.$method::<3>($($argument),*),
            _ => $object.$method::<4>($($argument),*),
        }
    };
}
pub(super) use for_channels;

/// Taps that one lane takes in per step.
#[inline]
pub(super) fn taps_per_lane(channels: usize) -> usize {
    if channels == 3 { 4 } else { LOAD / channels }
}

/// The tap and the channel of each byte of a lane, `order` being the taps inside an element.
pub(super) fn lane_map(channels: usize, order: [usize; 4]) -> [Option<(usize, usize)>; LOAD] {
    std::array::from_fn(|byte| {
        let (element, tap) = (byte / 4, order[byte % 4]);
        match channels {
            1 => Some((4 * element + tap, 0)),
            2 => Some((4 * (element / 2) + tap, element % 2)),
            _ => (element < channels).then_some((tap, element)),
        }
    })
}

/// Where the lane of one output pixel reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placement {
    /// Byte offset of the first load in the row.
    pub offset: usize,
    /// Bytes at the start of each load that are skipped.
    pub skip: usize,
    /// Taps of weight zero before the first real one.
    pub lead: usize,
}

/// Places `steps` loads so that they cover `taps` pixels from `start` on and never leave a row of
/// `width` pixels; `None` when the row is too short for that.
pub(super) fn place(pixel: Pixel, width: usize, start: usize, steps: usize) -> Option<Placement> {
    let lane_taps = taps_per_lane(pixel.channels);
    let reach = steps * lane_taps;
    let first = start.min(width.checked_sub(reach)?);
    let bytes = first * pixel.bytes;
    // A load of pixels of three bytes ends 4 bytes after its last tap: near the row's end it starts 4
    // bytes earlier instead.
    let tail = LOAD - lane_taps * pixel.bytes;
    let skip = if bytes + reach * pixel.bytes + tail <= width * pixel.bytes { 0 } else { tail };
    Some(Placement { offset: bytes.checked_sub(skip)?, skip, lead: start - first })
}

/// Outputs `LANES` at a time, with what each step of each of them needs.
#[derive(Debug)]
pub(super) struct LanePlan<const LANES: usize> {
    pub blocks: Vec<LaneBlock<LANES>>,
    /// Values of a lane: the channels of its output, or neighbouring outputs of one channel.
    pub channels: usize,
    /// Outputs of a lane.
    outputs: usize,
    /// From the first byte of a load to that of the next one.
    pub step_bytes: usize,
    /// Bytes that a source row must have.
    row_bytes: usize,
}

#[derive(Debug)]
pub(super) struct LaneBlock<const LANES: usize> {
    pub offsets: [usize; LANES],
    /// Steps of all blocks before this one.
    first_step: usize,
    pub steps: NonZero<usize>,
    /// Shuffle of a load's bytes into the lane's order.
    pub shuffle: [[u8; LOAD]; LANES],
    /// Taps of weight zero before the first real one of each value.
    leads: [[usize; 4]; LANES],
}

impl<const LANES: usize> LaneBlock<LANES> {
    /// With nothing placed yet.
    fn new(first_step: usize, steps: NonZero<usize>) -> Self {
        Self {
            offsets: [0; LANES],
            first_step,
            steps,
            shuffle: [[NONE; LOAD]; LANES],
            leads: [[0; 4]; LANES],
        }
    }
}

impl<const LANES: usize> LanePlan<LANES> {
    /// `None` when a row is too short for the loads.
    pub fn new(weights: &Weights, pixel: Pixel, order: [usize; 4]) -> Option<Self> {
        let width = weights.inputs().len();
        let Pixel { bytes, channels } = pixel;
        let step_bytes = taps_per_lane(channels) * bytes;
        let map = lane_map(channels, order);
        let mut blocks = Vec::with_capacity(weights.len().div_ceil(LANES));
        let mut first_step = 0;
        for x in (0..weights.len()).step_by(LANES) {
            let last = weights.len() - 1;
            let outputs: [_; LANES] = std::array::from_fn(|lane| weights.get((x + lane).min(last)));
            let taps = outputs.iter().map(|(_, taps)| taps.len()).max().unwrap_or(0);
            let steps = NonZero::new(taps.div_ceil(taps_per_lane(channels))).unwrap_or(NonZero::<usize>::MIN);
            let mut block = LaneBlock::new(first_step, steps);
            first_step += steps.get();
            for (lane, &(start, _)) in outputs.iter().enumerate() {
                let place = place(pixel, width, start, steps.get())?;
                block.offsets[lane] = place.offset;
                block.leads[lane] = [place.lead; 4];
                for (byte, &source) in block.shuffle[lane].iter_mut().zip(&map) {
                    if let Some((tap, channel)) = source {
                        *byte = (place.skip + tap * bytes + channel) as u8;
                    }
                }
                // The kernels' loads rely on this.
                let end = place.offset + (steps.get() - 1) * step_bytes + LOAD;
                assert!(end <= width * bytes, "a load would leave the row");
            }
            blocks.push(block);
        }
        Some(Self { blocks, channels, outputs: 1, step_bytes, row_bytes: width * bytes })
    }

    /// The plan for pixels of one byte in which each lane has four neighbouring outputs, as if these were the channels of
    /// one. `None` when a row is too short for the loads, or four windows are too far apart for one.
    #[cfg(target_arch = "x86_64")]
    pub fn of_neighbours(weights: &Weights, order: [usize; 4]) -> Option<Self> {
        let width = weights.inputs().len();
        let map = lane_map(OUTPUTS, order);
        let step_taps = taps_per_lane(OUTPUTS);
        let last = weights.len().checked_sub(1)?;
        let mut blocks = Vec::with_capacity(weights.len().div_ceil(LANES * OUTPUTS));
        let mut first_step = 0;
        for x in (0..weights.len()).step_by(LANES * OUTPUTS) {
            let outputs = x..(x + LANES * OUTPUTS).min(weights.len());
            let taps = outputs.map(|x| weights.get(x).1.len()).max().unwrap_or(0);
            let steps = NonZero::new(taps.div_ceil(step_taps)).unwrap_or(NonZero::<usize>::MIN);
            let last_first = width.checked_sub(steps.get() * step_taps)?;
            let last_offset = width.checked_sub((steps.get() - 1) * step_taps + LOAD)?;
            let mut block = LaneBlock::new(first_step, steps);
            first_step += steps.get();
            for lane in 0..LANES {
                let starts: [_; OUTPUTS] =
                    std::array::from_fn(|i| weights.get((x + lane * OUTPUTS + i).min(last)).0);
                let firsts = starts.map(|start| start.min(last_first));
                let offset = firsts[0].min(last_offset);
                block.offsets[lane] = offset;
                block.leads[lane] = std::array::from_fn(|i| starts[i] - firsts[i]);
                for (byte, &source) in block.shuffle[lane].iter_mut().zip(&map) {
                    if let Some((tap, output)) = source {
                        let at = firsts[output] + tap - offset;
                        *byte = u8::try_from(at).ok().filter(|_| at < LOAD)?;
                    }
                }
                // The kernels' loads rely on this.
                let end = offset + (steps.get() - 1) * step_taps + LOAD;
                assert!(end <= width, "a load would leave the row");
            }
            blocks.push(block);
        }
        Some(Self { blocks, channels: OUTPUTS, outputs: OUTPUTS, step_bytes: step_taps, row_bytes: width })
    }

    /// Steps of all blocks.
    pub fn steps(&self) -> usize {
        self.blocks.iter().map(|block| block.steps.get()).sum()
    }

    /// Panics if a row is too short for the loads.
    pub fn check(&self, rows: &RowBlock<'_>) {
        assert!(rows.iter().all(|row| row.len() >= self.row_bytes), "rows hold the window");
    }

    /// The weight of every lane byte: called with block, step (counted from the first block's first
    /// one), lane, byte and weight.
    pub fn for_each_weight(
        &self,
        weights: &Weights,
        order: [usize; 4],
        mut set: impl FnMut(usize, usize, usize, usize, i32),
    ) {
        let map = lane_map(self.channels, order);
        for (b, block) in self.blocks.iter().enumerate() {
            for lane in 0..LANES {
                let taps: [_; 4] = std::array::from_fn(|value| {
                    let x = (b * LANES + lane) * self.outputs + value % self.outputs;
                    // Lanes after the last output compute with weights of zero.
                    if x < weights.len() { weights.get(x).1 } else { &[] }
                });
                for step in 0..block.steps.get() {
                    for (byte, &source) in map.iter().enumerate() {
                        let Some((tap, value)) = source else { continue };
                        let tap = step * taps_per_lane(self.channels) + tap;
                        let weight =
                            tap.checked_sub(block.leads[lane][value]).and_then(|tap| taps[value].get(tap));
                        set(b, block.first_step + step, lane, byte, weight.copied().unwrap_or(0));
                    }
                }
            }
        }
    }
}
