//! A sequential scan as the source of a back half's blocks.

#[cfg(target_arch = "x86_64")]
mod x86;

use super::back::{Geometry, Group, LANES, TakeBlocks, at};
use super::bits::Irregular;
use super::header::NATURAL;
use super::markers::END_OF_IMAGE;
use super::pairs::{Block, MOST_PLACES};
use super::scan::{Scan, Target};
use crate::simd::{Level, best};

/// Reads a row of MCUs for a back half, or passes over it.
type Read = fn(&mut Sequential<'_>, Option<&mut dyn TakeBlocks>) -> Result<(), Irregular>;

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
    fn block(&mut self, number: usize) -> (BlockOfGroup<'_>, &mut u8) {
        let (group, lane) = self.targets[number];
        let group = &mut self.groups[group];
        let values = group.values[at(0, lane)..].first_chunk_mut().expect("room for any place");
        (BlockOfGroup { values }, &mut group.last)
    }
}

struct BlockOfGroup<'a> {
    values: &'a mut [i16; 256],
}

impl Block for BlockOfGroup<'_> {
    #[inline(always)]
    fn set(&mut self, at: usize, value: i16) {
        self.values[usize::from(IN_GROUP[at])] = value;
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
    scan: Scan<'a>,
    read: Read,
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
        Self { scan, read, mcus: geometry.mcus.0, groups, places, targets }
    }

    /// Passes over a row of MCUs.
    pub fn pass(&mut self) -> Result<(), Irregular> {
        (self.read)(self, None)
    }

    /// Reads a row of MCUs.
    pub fn row(&mut self, back: &mut impl TakeBlocks) -> Result<(), Irregular> {
        (self.read)(self, Some(back))
    }

    #[inline(always)]
    fn read_row(&mut self, back: Option<&mut dyn TakeBlocks>) -> Result<(), Irregular> {
        let Some(back) = back else {
            self.scan.skip(self.mcus)?;
            return self.scan.check();
        };
        let needed = back.mcus();
        self.scan.skip(needed.start)?;
        for (number, first) in needed.clone().step_by(LANES).enumerate() {
            let count = (needed.end - first).min(LANES);
            for targets in &self.targets[..count] {
                self.scan.mcu(&mut Mcu { groups: &mut self.groups, targets })?;
            }
            for (group, place) in self.groups.iter_mut().zip(&self.places) {
                let values: &mut Group = group.values.first_chunk_mut().ok_or(Irregular)?;
                back.put(place.component, place.row, number * place.count + place.number, values, group.last);
                group.last = 0;
            }
        }
        self.scan.skip(self.mcus - needed.end)?;
        self.scan.check()
    }

    /// Sees to it that the image ends after the scan. libjpeg fills up rows that are missing before its end; after
    /// any other marker only reading on can tell what comes.
    pub fn finish(&mut self) -> Result<(), Irregular> {
        if self.scan.marker_ahead() == Some(END_OF_IMAGE) { Ok(()) } else { Err(Irregular) }
    }
}
