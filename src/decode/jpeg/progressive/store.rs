//! The coefficients of one row of MCUs, while all scans add to them.

use crate::decode::jpeg::back::{Geometry, Group, LANES, TakeBlocks, at};
use crate::decode::rows::reserve;
use crate::error::Result;

/// The coefficients of a block in natural order. The first one, DC, is kept apart.
pub(super) type Block = [i16; 64];

/// Which coefficients are not zero: the highest bit is the first one in coded order.
pub(super) type Map = u64;

/// The bit of a coefficient in coded order.
pub(super) const fn bit_of(coded: usize) -> u32 {
    63 - coded as u32
}

/// One component's blocks, row by row.
pub(super) struct Blocks {
    /// Blocks of an MCU's row.
    pub per_mcu: usize,
    /// Blocks of a row, filled up to whole MCUs.
    pub across: usize,
    pub down: usize,
    pub blocks: Vec<Block>,
    pub maps: Vec<Map>,
    pub dc: Vec<i16>,
}

impl Blocks {
    fn new(mcus: usize, (per_mcu, down): (usize, usize)) -> Result<Self> {
        let across = mcus * per_mcu;
        let count = across * down;
        let (mut blocks, mut maps, mut dc) =
            (reserve("JPEG", count)?, reserve("JPEG", count)?, reserve("JPEG", count)?);
        blocks.resize(count, [0; 64]);
        maps.resize(count, 0);
        dc.resize(count, 0);
        Ok(Self { per_mcu, across, down, blocks, maps, dc })
    }
}

/// The blocks of all components.
pub(in crate::decode::jpeg) struct Store {
    pub(super) components: Vec<Blocks>,
}

impl Store {
    pub fn new(geometry: &Geometry) -> Result<Self> {
        let component = |i| Blocks::new(geometry.mcus.0, geometry.blocks(i));
        Ok(Self { components: (0..geometry.components()).map(component).collect::<Result<_>>()? })
    }

    /// Bytes that a store takes.
    pub fn memory(geometry: &Geometry) -> u64 {
        let blocks = |i: usize| geometry.blocks(i).0 * geometry.blocks(i).1 * geometry.mcus.0;
        let block = size_of::<Block>() + size_of::<Map>() + size_of::<i16>();
        ((0..geometry.components()).map(blocks).sum::<usize>() * block) as u64
    }

    /// Hands a row of MCUs to the back half.
    pub fn hand_over(&mut self, back: &mut impl TakeBlocks) {
        let mut group = [0; 64 * LANES];
        let mcus = back.mcus();
        for (i, component) in self.components.iter_mut().enumerate() {
            let per_mcu = component.per_mcu;
            for row in 0..component.down {
                let first = row * component.across;
                let needed = first + mcus.start * per_mcu..first + mcus.end * per_mcu;
                for (number, first) in needed.clone().step_by(LANES).enumerate() {
                    let mut last = 0;
                    for (lane, block) in (first..needed.end.min(first + LANES)).enumerate() {
                        last = last.max(component.take(block, lane, &mut group));
                    }
                    back.put(i, row, number, &mut group, last);
                }
            }
        }
    }

    /// Makes all coefficients zero.
    pub fn clear(&mut self) {
        for component in &mut self.components {
            for (block, map) in component.blocks.iter_mut().zip(&mut component.maps) {
                if std::mem::take(map) != 0 {
                    block.fill(0);
                }
            }
            // A scan of DC alone leaves out what is below the image.
            component.dc.fill(0);
        }
    }
}

impl Blocks {
    /// Moves a block to a group of zeros; returns the number of its last coefficient.
    fn take(&mut self, block: usize, lane: usize, group: &mut Group) -> u8 {
        let (values, map) = (&mut self.blocks[block], std::mem::take(&mut self.maps[block]));
        let last = 63 - (map | 1 << bit_of(0)).trailing_zeros() as u8;
        if map != 0 {
            for (row, values) in values.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                group[at(row, lane)..][..8].copy_from_slice(values);
                values.fill(0);
            }
        }
        group[at(0, lane)] = self.dc[block];
        last
    }
}
