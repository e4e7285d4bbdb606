//! A sequential scan as the source of a back half's blocks.
//!
//! `source` has its MCUs in their order: as they are read, or as another thread read them before it was known that they
//! are MCUs (`guess`), which keeps them in a compact form (`kept`). `guesses` are those of all threads; the one that makes pixels reads
//! ahead as long as it has `worked` less.

mod guess;
mod guesses;
mod kept;
mod source;
#[cfg(test)]
mod tests;
mod worked;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::ops::Range;
use std::sync::Arc;

use super::back::{Geometry, LANES, TakeBlocks, at};
use super::bits::Irregular;
use super::header::NATURAL;
use super::markers::END_OF_IMAGE;
use super::pairs::{Block, MOST_PLACES};
use super::scan::{self, Scan, TargetBlock};
use crate::error::Result;
use crate::simd::{Level, best};
use guess::ReadOn;
pub(super) use guesses::{Guesses, Own};
use source::Source;
pub(super) use worked::Worked;

/// Reads a row of MCUs, or passes over it.
type Read = fn(&mut Sequential<'_>, Option<&mut dyn Target>) -> std::result::Result<(), Irregular>;

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
#[derive(Clone)]
#[repr(align(64))]
pub(super) struct Batch {
    values: [i16; at(0, LANES - 1) + 256],
    /// The number of its last coefficient.
    last: u8,
}

impl Batch {
    /// All zeros.
    pub const EMPTY: Self = Self { values: [0; _], last: 0 };

    /// Hands its blocks to the back half, after which it is all zeros again.
    #[inline(always)]
    pub fn hand_over(&mut self, place: Place, back: &mut impl TakeBlocks) {
        let group = self.values.first_chunk_mut().expect("more than a group");
        back.put(place.component, place.row, place.number, group, self.last);
        self.last = 0;
    }
}

/// Where the blocks of a group belong, as [`TakeBlocks::put`] is told.
#[derive(Clone, Copy)]
pub(super) struct Place {
    component: usize,
    row: usize,
    number: usize,
}

/// Takes the groups of a row of MCUs.
pub(super) trait Target {
    /// The columns of MCUs that are needed.
    fn mcus(&self) -> Range<usize>;

    /// Groups of zeros that the next blocks are read into.
    fn room(&mut self, count: usize) -> &mut [Batch];

    /// Takes the next of these groups.
    fn placed(&mut self, place: Place);
}

/// Hands each group over as soon as it is read.
struct AtOnce<'a, B> {
    back: &'a mut B,
    groups: Vec<Batch>,
    placed: usize,
}

impl<B: TakeBlocks> Target for AtOnce<'_, B> {
    fn mcus(&self) -> Range<usize> {
        self.back.mcus()
    }

    fn room(&mut self, count: usize) -> &mut [Batch] {
        self.placed = 0;
        &mut self.groups[..count]
    }

    fn placed(&mut self, place: Place) {
        self.groups[self.placed].hand_over(place, self.back);
        self.placed += 1;
    }
}

/// The blocks of an MCU in groups.
struct Mcu<'a> {
    groups: &'a mut [Batch],
    /// For each block its group and lane.
    targets: &'a [(usize, usize)],
}

impl scan::Target for Mcu<'_> {
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

/// Where the blocks of a group of the first [`LANES`] MCUs belong, and how many groups further on those of the next ones do.
struct Step {
    first: Place,
    count: usize,
}

pub(super) struct Sequential<'a> {
    source: Source<'a>,
    read: Read,
    read_on: ReadOn,
    /// MCUs of a row.
    mcus: usize,
    /// The blocks of [`LANES`] MCUs.
    groups: Vec<Batch>,
    places: Vec<Step>,
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
                let before = places.len();
                let first = |number| Place { component, row, number };
                places.extend((0..across).map(|number| Step { first: first(number), count: across }));
                for (mcu, targets) in targets.iter_mut().enumerate() {
                    let blocks = mcu * across..(mcu + 1) * across;
                    targets.extend(blocks.map(|block| (before + block / LANES, block % LANES)));
                }
            }
        }
        let groups = vec![Batch::EMPTY; places.len()];
        let read: Read = best! { level;
            "x86_64" Avx2 => |proof| Some(x86::read(proof)),
            _ => |scan, target| scan.read_row(target),
        };
        let read_on: ReadOn = best! { level;
            "x86_64" Avx2 => |proof| Some(x86::read_on(proof)),
            _ => |guess| guess.read_on(),
        };
        Self { source: Source::new(scan), read, read_on, mcus: geometry.mcus.0, groups, places, targets }
    }

    /// Has other threads read ahead, by what is returned; `bytes` are the file, and the first `rows` rows of MCUs are to be
    /// read. `None` where they cannot help.
    pub fn guesses(
        &mut self,
        bytes: &'a [u8],
        rows: usize,
        threads: usize,
    ) -> Result<Option<Arc<Guesses<'a>>>> {
        self.source.guesses(bytes, rows, threads, self.read_on)
    }

    /// Passes over a row of MCUs.
    pub fn pass(&mut self) -> std::result::Result<(), Irregular> {
        (self.read)(self, None)
    }

    /// Reads a row of MCUs for a back half.
    pub fn row(&mut self, back: &mut impl TakeBlocks) -> std::result::Result<(), Irregular> {
        let groups = std::mem::take(&mut self.groups);
        let mut target = AtOnce { back, groups, placed: 0 };
        let read = self.row_to(&mut target);
        self.groups = target.groups;
        read
    }

    /// Reads a row of MCUs to where their groups stay.
    pub fn row_to(&mut self, target: &mut impl Target) -> std::result::Result<(), Irregular> {
        (self.read)(self, Some(target))
    }

    #[inline(always)]
    fn read_row(&mut self, target: Option<&mut dyn Target>) -> std::result::Result<(), Irregular> {
        self.source.begin_row()?;
        let Some(target) = target else {
            self.source.skip(self.mcus)?;
            return self.source.end_row();
        };
        let needed = target.mcus();
        self.source.skip(needed.start)?;
        for (number, first) in needed.clone().step_by(LANES).enumerate() {
            let count = (needed.end - first).min(LANES);
            let groups = target.room(self.places.len());
            for targets in &self.targets[..count] {
                self.source.mcu(&mut Mcu { groups, targets })?;
            }
            for Step { first, count } in &self.places {
                target.placed(Place { number: number * count + first.number, ..*first });
            }
        }
        self.source.skip(self.mcus - needed.end)?;
        self.source.end_row()
    }

    /// Sees to it that the image ends after the scan. libjpeg fills up rows that are missing before its end; after
    /// any other marker only reading on can tell what comes.
    pub fn finish(&mut self) -> std::result::Result<(), Irregular> {
        if self.source.marker_ahead() == Some(END_OF_IMAGE) { Ok(()) } else { Err(Irregular) }
    }
}
