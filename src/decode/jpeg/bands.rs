//! Rows of MCUs whose codes one thread reads, while another one makes rows of pixels of those before.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::back::{Geometry, LANES, TakeBlocks};
use super::bits::Irregular;
use super::sequential::{Batch, Guesses, Place, Sequential, Target, Worked};
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
    /// When this thread was given the band that it works on, and how long it has worked on bands, and on codes.
    given: Option<Instant>,
    on_bands: Worked,
    on_codes: Worked,
}

impl<'a> BandTaker<'a> {
    pub fn new(bands: Taker<Band, Irregular>, guesses: Option<Arc<Guesses<'a>>>) -> Self {
        Self { bands, guesses, given: None, on_bands: Worked::default(), on_codes: Worked::default() }
    }

    /// Runs `use_it` on the next band. Until there is one, this thread reads codes as well.
    pub fn with_next(&mut self, use_it: impl FnOnce(&mut Band)) -> std::result::Result<(), Irregular> {
        let Some(guesses) = &self.guesses else {
            return self.bands.with_next(|| false, use_it).unwrap_or(Err(Irregular));
        };
        self.given.take().into_iter().for_each(|given| self.on_bands.add(given.elapsed()));
        let meanwhile = || {
            let begun = Instant::now();
            let has_more = guesses.read_ahead(self.on_bands.nanoseconds() + self.on_codes.nanoseconds());
            if has_more {
                self.on_codes.add(begun.elapsed());
            }
            has_more
        };
        let given = &mut self.given;
        let used = self.bands.with_next(meanwhile, |band| {
            *given = Some(Instant::now());
            use_it(band);
        });
        used.unwrap_or(Err(Irregular))
    }
}

/// The blocks of a row of MCUs, or none where it was passed over.
pub(super) struct Band {
    mcus: Range<usize>,
    /// All of them zero but those that have a place.
    groups: Vec<Batch>,
    places: Vec<Place>,
}

impl Band {
    /// As many as there are.
    pub fn all(mcus: &Range<usize>, geometry: &Geometry) -> Result<Vec<Self>> {
        let count = groups(geometry, mcus.len());
        let band = |_| {
            let mut groups = reserve("JPEG", count)?;
            groups.resize(count, Batch::EMPTY);
            Ok(Self { mcus: mcus.clone(), groups, places: reserve("JPEG", count)? })
        };
        (0..BANDS).map(band).collect()
    }

    /// Bytes that all of them take at the most.
    pub fn memory(geometry: &Geometry) -> u64 {
        let group = size_of::<Batch>() + size_of::<Place>();
        (BANDS * groups(geometry, geometry.mcus.0) * group) as u64
    }

    /// Hands its blocks to the back half.
    pub fn hand_over(&mut self, back: &mut impl TakeBlocks) {
        for (batch, place) in self.groups.iter_mut().zip(self.places.drain(..)) {
            batch.hand_over(place, back);
        }
    }
}

/// Groups in a row of that many MCUs.
fn groups(geometry: &Geometry, mcus: usize) -> usize {
    let blocks = |i: usize| geometry.blocks(i).0 * geometry.blocks(i).1;
    mcus.div_ceil(LANES) * (0..geometry.components()).map(blocks).sum::<usize>()
}

impl Target for Band {
    fn mcus(&self) -> Range<usize> {
        self.mcus.clone()
    }

    fn room(&mut self, count: usize) -> &mut [Batch] {
        &mut self.groups[self.places.len()..][..count]
    }

    fn placed(&mut self, place: Place) {
        self.places.push(place);
    }
}

/// Reads the codes of the rows of MCUs up to the end of `rows`, of which those before it are passed over, and looks at
/// what the file has after them.
pub(super) fn read(mut codes: Sequential<'_>, rows: Range<usize>, maker: &BandMaker) {
    for row in 0..=rows.end {
        let Some(mut band) = maker.free() else { return };
        let read = if row == rows.end {
            codes.finish()
        } else if row < rows.start {
            codes.pass()
        } else {
            codes.row_to(&mut band)
        };
        let is_over = read.is_err();
        maker.hand_over(read.map(|()| band));
        if is_over {
            return;
        }
    }
}
