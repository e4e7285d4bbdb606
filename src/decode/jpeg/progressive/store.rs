//! The coefficients of one row of MCUs, while all scans add to them.

use super::index::MOST_LOW_BITS;
use crate::decode::jpeg::back::{Geometry, Group, LANES, TakeBlocks, at};
use crate::decode::rows::reserve;
use crate::error::Result;

/// The first bits of a block's coefficients in natural order. The first one, DC, is kept apart.
pub(super) type Block = [i16; 64];

/// A bit for each coefficient of a block: the highest one is that of the first one in coded order.
pub(super) type Map = u64;

/// What later scans add to a block. They read and write nothing else, and its coefficients are made once, at the end.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub(super) struct Maps {
    /// Those that are not zero.
    pub nonzero: Map,
    /// Those that were zero after the first scan, and are negative.
    pub negative: Map,
    /// For each low bit those whose magnitude has it.
    pub low_bits: [Map; MOST_LOW_BITS as usize],
}

/// The bit of a coefficient in coded order.
pub(super) const fn bit_of(coded: usize) -> u32 {
    63 - coded as u32
}

/// A processor's way of adding what refinements give.
pub(super) trait AddLowBits {
    /// Adds the low bits `refined` to the magnitude of a block's coefficients.
    fn add(block: &mut Block, maps: &Maps, refined: &[u8]);
}

/// One component's blocks, row by row.
pub(super) struct Blocks {
    /// Blocks of an MCU's row.
    pub per_mcu: usize,
    /// Blocks of a row, filled up to whole MCUs.
    pub across: usize,
    pub down: usize,
    pub blocks: Vec<Block>,
    pub maps: Vec<Maps>,
    pub dc: Vec<i16>,
    /// The low bits that later scans of AC give.
    refined: Vec<u8>,
}

impl Blocks {
    fn new(mcus: usize, (per_mcu, down): (usize, usize), refined: Vec<u8>) -> Result<Self> {
        let across = mcus * per_mcu;
        let count = across * down;
        let (mut blocks, mut maps, mut dc) =
            (reserve("JPEG", count)?, reserve("JPEG", count)?, reserve("JPEG", count)?);
        blocks.resize(count, [0; 64]);
        maps.resize(count, Maps::default());
        dc.resize(count, 0);
        Ok(Self { per_mcu, across, down, blocks, maps, dc, refined })
    }
}

/// The blocks of all components.
pub(in crate::decode::jpeg) struct Store {
    pub(super) components: Vec<Blocks>,
    hand_over: HandOver,
}

/// Hands blocks to a back half.
pub(super) type HandOver = fn(&mut [Blocks], &mut dyn TakeBlocks);

impl Store {
    /// `refined` has the low bits of each component's AC that refinements give.
    pub(super) fn new(
        geometry: &Geometry,
        refined: impl Fn(usize) -> Vec<u8>,
        hand_over: HandOver,
    ) -> Result<Self> {
        let component = |i| Blocks::new(geometry.mcus.0, geometry.blocks(i), refined(i));
        let components = (0..geometry.components()).map(component).collect::<Result<_>>()?;
        Ok(Self { components, hand_over })
    }

    /// A store of the same size, all zeros.
    pub(super) fn another(&self) -> Result<Self> {
        let component = |like: &Blocks| {
            let mcus = like.across / like.per_mcu;
            Blocks::new(mcus, (like.per_mcu, like.down), like.refined.clone())
        };
        let components = self.components.iter().map(component).collect::<Result<_>>()?;
        Ok(Self { components, hand_over: self.hand_over })
    }

    /// Bytes that a store takes.
    pub fn memory(geometry: &Geometry) -> u64 {
        let blocks = |i: usize| geometry.blocks(i).0 * geometry.blocks(i).1 * geometry.mcus.0;
        let block = size_of::<Block>() + size_of::<Maps>() + size_of::<i16>();
        ((0..geometry.components()).map(blocks).sum::<usize>() * block) as u64
    }

    /// Hands a row of MCUs to the back half.
    pub fn hand_over(&mut self, back: &mut impl TakeBlocks) {
        (self.hand_over)(&mut self.components, back);
    }

    /// Makes all coefficients zero.
    pub fn clear(&mut self) {
        for component in &mut self.components {
            for (block, maps) in component.blocks.iter_mut().zip(&mut component.maps) {
                if maps.nonzero != 0 {
                    *maps = Maps::default();
                    block.fill(0);
                }
            }
            // A scan of DC alone leaves out what is below the image.
            component.dc.fill(0);
        }
    }
}

/// [`Store::hand_over`], by one way of adding low bits.
#[inline(always)]
pub(super) fn hand_over<A: AddLowBits>(components: &mut [Blocks], back: &mut dyn TakeBlocks) {
    let mut group = [0; 64 * LANES];
    let mcus = back.mcus();
    for (i, component) in components.iter_mut().enumerate() {
        let per_mcu = component.per_mcu;
        for row in 0..component.down {
            let first = row * component.across;
            let needed = first + mcus.start * per_mcu..first + mcus.end * per_mcu;
            for (number, first) in needed.clone().step_by(LANES).enumerate() {
                let mut last = 0;
                for (lane, block) in (first..needed.end.min(first + LANES)).enumerate() {
                    last = last.max(component.take::<A>(block, lane, &mut group));
                }
                back.put(i, row, number, &mut group, last);
            }
        }
    }
}

impl Blocks {
    /// Moves a block to a group of zeros; returns the number of its last coefficient.
    #[inline(always)]
    fn take<A: AddLowBits>(&mut self, block: usize, lane: usize, group: &mut Group) -> u8 {
        let (values, maps) = (&mut self.blocks[block], &mut self.maps[block]);
        let last = 63 - (maps.nonzero | 1 << bit_of(0)).trailing_zeros() as u8;
        if maps.nonzero != 0 {
            A::add(values, maps, &self.refined);
            *maps = Maps::default();
            for (row, values) in values.as_chunks::<8>().0.iter().enumerate() {
                group[at(row, lane)..][..8].copy_from_slice(values);
            }
            values.fill(0);
        }
        group[at(0, lane)] = self.dc[block];
        last
    }
}
