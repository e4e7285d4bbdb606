//! A sequential scan as the source of a back half's blocks.
//!
//! `source` has its MCUs in their order: as they are read, or as another thread read them before it was known that they
//! are MCUs (`guess`), which keeps them in a compact form (`kept`).

mod guess;
mod kept;
mod source;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::Arc;

use super::back::{Geometry, Group, LANES, TakeBlocks, at};
use super::bits::Irregular;
use super::header::NATURAL;
use super::markers::END_OF_IMAGE;
use super::pairs::{Block, MOST_PLACES};
use super::scan::{Scan, Target, TargetBlock};
use crate::error::Result;
use crate::simd::{Level, best};
pub(super) use guess::Guesses;
use source::Source;

/// Reads a row of MCUs for a back half, or passes over it.
type Read = fn(&mut Sequential<'_>, Option<&mut dyn TakeBlocks>) -> std::result::Result<(), Irregular>;

/// Where each coefficient in coded order is in a group, from the first value of its block on. What is set beyond the
/// last one goes to the place of DC, which is set after it.
const IN_GROUP: [u8; MOST_PLACES] = {
    let mut places = [0; MOST_PLACES];
    let mut i = 0;
    while i < 64 {
        places[i] = (at(NATURAL[i] as usize / 8, 0) + NATURAL[i] as usize % 8) as u8;
        i += 1;
    }
    places
};

/// A group with room after it for any place of its last block.
#[repr(align(64))]
struct Batch {
    values: [i16; at(0, LANES - 1) + 256],
    /// The number of its last coefficient.
    last: u8,
}

/// The blocks of an MCU in groups.
struct Mcu<'a> {
    groups: &'a mut [Batch],
    /// For each block its group and lane.
    targets: &'a [(usize, usize)],
}

impl Target for Mcu<'_> {
    type Block<'b>
        = BlockOfGroup<'b>
    where
        Self: 'b;

    #[inline(always)]
    fn block(&mut self, number: usize) -> BlockOfGroup<'_> {
        let (group, lane) = self.targets[number];
        let group = &mut self.groups[group];
        let values = group.values[at(0, lane)..].first_chunk_mut().expect("room for any place");
        BlockOfGroup { values, last: &mut group.last }
    }
}

struct BlockOfGroup<'a> {
    values: &'a mut [i16; 256],
    last: &'a mut u8,
}

impl Block for BlockOfGroup<'_> {
    #[inline(always)]
    fn set(&mut self, at: usize, value: i16) {
        self.values[usize::from(IN_GROUP[at])] = value;
    }
}

impl TargetBlock for BlockOfGroup<'_> {
    #[inline(always)]
    fn end(self, dc: i16, last: u8) {
        self.values[0] = dc;
        *self.last = last.max(*self.last);
    }
}

/// Where the blocks of a group belong: to which component, and where in [`LANES`] MCUs.
struct Place {
    component: usize,
    row: usize,
    /// The group's number in its row, and how many there are.
    number: usize,
    count: usize,
}

pub(super) struct Sequential<'a> {
    source: Source<'a>,
    read: Read,
    level: Level,
    /// MCUs of a row.
    mcus: usize,
    /// The blocks of [`LANES`] MCUs.
    groups: Vec<Batch>,
    places: Vec<Place>,
    /// For each of [`LANES`] MCUs the group and the lane of each of its blocks.
    targets: [Vec<(usize, usize)>; LANES],
}

impl<'a> Sequential<'a> {
    /// `components` are those of the scan in its order.
    pub fn new(
        scan: Scan<'a>,
        geometry: &Geometry,
        components: impl Iterator<Item = usize>,
        level: Level,
    ) -> Self {
        let (mut places, mut targets) = (Vec::new(), <[Vec<_>; LANES]>::default());
        for component in components {
            let (across, down) = geometry.blocks(component);
            for row in 0..down {
                let first = places.len();
                places.extend((0..across).map(|number| Place { component, row, number, count: across }));
                for (mcu, targets) in targets.iter_mut().enumerate() {
                    let blocks = mcu * across..(mcu + 1) * across;
                    targets.extend(blocks.map(|block| (first + block / LANES, block % LANES)));
                }
            }
        }
        let groups = places.iter().map(|_| Batch { values: [0; _], last: 0 }).collect();
        let read: Read = best! { level;
            "x86_64" Avx2 => |proof| Some(x86::read(proof)),
            _ => |scan, back| scan.read_row(back),
        };
        Self { source: Source::new(scan), read, level, mcus: geometry.mcus.0, groups, places, targets }
    }

    /// Has another thread read ahead, by what is returned; `bytes` are the file, and the first `rows` rows of MCUs are to be
    /// read. `None` where it cannot help.
    pub fn guesses(&mut self, bytes: &'a [u8], rows: usize) -> Result<Option<Arc<Guesses<'a>>>> {
        self.source.guesses(bytes, rows, self.level)
    }

    /// Passes over a row of MCUs.
    pub fn pass(&mut self) -> std::result::Result<(), Irregular> {
        (self.read)(self, None)
    }

    /// Reads a row of MCUs.
    pub fn row(&mut self, back: &mut impl TakeBlocks) -> std::result::Result<(), Irregular> {
        (self.read)(self, Some(back))
    }

    #[inline(always)]
    fn read_row(&mut self, back: Option<&mut dyn TakeBlocks>) -> std::result::Result<(), Irregular> {
        self.source.begin_row();
        let Some(back) = back else {
            self.source.skip(self.mcus)?;
            return self.source.check();
        };
        let needed = back.mcus();
        self.source.skip(needed.start)?;
        for (number, first) in needed.clone().step_by(LANES).enumerate() {
            let count = (needed.end - first).min(LANES);
            for targets in &self.targets[..count] {
                self.source.mcu(&mut Mcu { groups: &mut self.groups, targets })?;
            }
            for (group, place) in self.groups.iter_mut().zip(&self.places) {
                let values: &mut Group = group.values.first_chunk_mut().ok_or(Irregular)?;
                back.put(place.component, place.row, number * place.count + place.number, values, group.last);
                group.last = 0;
            }
        }
        self.source.skip(self.mcus - needed.end)?;
        self.source.check()
    }

    /// Sees to it that the image ends after the scan. libjpeg fills up rows that are missing before its end; after
    /// any other marker only reading on can tell what comes.
    pub fn finish(&mut self) -> std::result::Result<(), Irregular> {
        if self.source.marker_ahead() == Some(END_OF_IMAGE) { Ok(()) } else { Err(Irregular) }
    }
}
