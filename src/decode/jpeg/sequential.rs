//! A sequential scan as the source of a back half's blocks.

use super::back::{Geometry, Group, LANES, TakeBlocks, at};
use super::bits::Irregular;
use super::header::NATURAL;
use super::markers::END_OF_IMAGE;
use super::scan::Scan;

/// Where each coefficient in coded order is in a group, from the first value of its block on. What is set beyond the
/// last one goes to the place of DC, which is set after it.
const IN_GROUP: [u8; 256] = {
    let mut places = [0; 256];
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
    pub fn new(scan: Scan<'a>, geometry: &Geometry, components: impl Iterator<Item = usize>) -> Self {
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
        Self { scan, mcus: geometry.mcus.0, groups, places, targets }
    }

    /// Passes over a row of MCUs.
    pub fn pass(&mut self) -> Result<(), Irregular> {
        self.scan.skip(self.mcus)?;
        self.scan.check()
    }

    /// Reads a row of MCUs.
    pub fn row(&mut self, back: &mut impl TakeBlocks) -> Result<(), Irregular> {
        let needed = back.mcus();
        self.scan.skip(needed.start)?;
        for (number, first) in needed.clone().step_by(LANES).enumerate() {
            let count = (needed.end - first).min(LANES);
            for targets in &self.targets[..count] {
                let groups = &mut self.groups;
                self.scan.mcu(|i, coded| {
                    let (group, lane) = targets[i];
                    let group = &mut groups[group];
                    let block: &mut [i16; 256] =
                        group.values[at(0, lane)..].first_chunk_mut().ok_or(Irregular)?;
                    let last = coded.read(|at, value| {
                        block[usize::from(IN_GROUP[usize::from(at)])] = value;
                    })?;
                    group.last = group.last.max(last as u8);
                    Ok(())
                })?;
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
