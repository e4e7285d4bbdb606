//! Rows of MCUs whose codes one thread reads, while another one makes rows of pixels of those before.

use std::ops::Range;
use std::sync::Arc;

use super::back::{Geometry, Group, LANES, TakeBlocks, at};
use super::bits::Irregular;
use super::own::Codes;
use super::sequential::Guesses;
use crate::ahead::{Maker, Taker};
use crate::decode::rows::reserve;
use crate::error::Result;

/// Rows of MCUs that may be read ahead.
const BANDS: usize = 4;

pub(super) type BandMaker = Maker<Band, Irregular>;

/// The bands to the thread that makes pixels.
pub(super) struct BandTaker<'a> {
    bands: Taker<Band, Irregular>,
    guesses: Option<Arc<Guesses<'a>>>,
}

impl<'a> BandTaker<'a> {
    pub fn new(bands: Taker<Band, Irregular>, guesses: Option<Arc<Guesses<'a>>>) -> Self {
        Self { bands, guesses }
    }

    /// Runs `use_it` on the next band. Until there is one, this thread reads codes as well.
    pub fn with_next(&self, use_it: impl FnOnce(&mut Band)) -> std::result::Result<(), Irregular> {
        let meanwhile = || self.guesses.as_ref().is_some_and(|guesses| guesses.read_ahead());
        self.bands.with_next_after(meanwhile, use_it).unwrap_or(Err(Irregular))
    }
}

/// The blocks of a row of MCUs, or none where it was passed over.
pub(super) struct Band {
    mcus: Range<usize>,
    /// All of them zero but the first [`Self::blocks`].
    groups: Vec<Group>,
    blocks: Vec<Blocks>,
}

/// Where a group of blocks belongs, as [`TakeBlocks::put`] is told.
struct Blocks {
    component: usize,
    row: usize,
    number: usize,
    last: u8,
}

impl Band {
    /// As many as there are.
    pub fn all(mcus: &Range<usize>, geometry: &Geometry) -> Result<Vec<Self>> {
        let count = groups(geometry, mcus.len());
        let band = |_| {
            let mut groups = reserve("JPEG", count)?;
            groups.resize(count, [0; 64 * LANES]);
            Ok(Self { mcus: mcus.clone(), groups, blocks: reserve("JPEG", count)? })
        };
        (0..BANDS).map(band).collect()
    }

    /// Bytes that all of them take at the most.
    pub fn memory(geometry: &Geometry) -> u64 {
        let group = size_of::<Group>() + size_of::<Blocks>();
        (BANDS * groups(geometry, geometry.mcus.0) * group) as u64
    }

    /// Hands its blocks to the back half.
    pub fn hand_over(&mut self, back: &mut impl TakeBlocks) {
        for (group, blocks) in self.groups.iter_mut().zip(self.blocks.drain(..)) {
            back.put(blocks.component, blocks.row, blocks.number, group, blocks.last);
        }
    }
}

/// Groups in a row of that many MCUs.
fn groups(geometry: &Geometry, mcus: usize) -> usize {
    let blocks = |i: usize| geometry.blocks(i).0 * geometry.blocks(i).1;
    mcus.div_ceil(LANES) * (0..geometry.components()).map(blocks).sum::<usize>()
}

impl TakeBlocks for Band {
    fn mcus(&self) -> Range<usize> {
        self.mcus.clone()
    }

    fn put(&mut self, component: usize, row: usize, number: usize, group: &mut Group, last: u8) {
        // Of DC alone, the first row of each block has all that there is.
        let len = if last == 0 { at(1, 0) } else { group.len() };
        self.groups[self.blocks.len()][..len].copy_from_slice(&group[..len]);
        group[..len].fill(0);
        self.blocks.push(Blocks { component, row, number, last });
    }
}

/// Reads the codes of the rows of MCUs up to the end of `rows`, of which those before it are passed over, and looks at
/// what the file has after them.
pub(super) fn read(mut codes: Codes<'_>, rows: Range<usize>, maker: &BandMaker) {
    for row in 0..=rows.end {
        let Some(mut band) = maker.free() else { return };
        let read = if row == rows.end {
            codes.finish()
        } else if row < rows.start {
            codes.pass()
        } else {
            codes.row(&mut band)
        };
        let is_over = read.is_err();
        maker.hand_over(read.map(|()| band));
        if is_over {
            return;
        }
    }
}
