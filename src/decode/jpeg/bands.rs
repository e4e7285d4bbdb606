//! Rows of MCUs whose codes one thread reads, while another one makes rows of pixels of those before.
//!
//! Of two threads the one that makes pixels has the inverse DCTs to do as well; where others read ahead, the one that hands out
//! what they read does them, so that both have about as much to do.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::back::{Geometry, LANES, Planes, TakeBlocks};
use super::bits::Irregular;
use super::sequential::{Batch, Guesses, Own, Place, Sequential, Target, Worked};
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
    own: Option<Own>,
    /// When this thread was given the band that it works on, and how long it has worked on bands, and on codes.
    given: Option<Instant>,
    on_bands: Worked,
    on_codes: Worked,
}

impl<'a> BandTaker<'a> {
    pub fn new(bands: Taker<Band, Irregular>, guesses: Option<Arc<Guesses<'a>>>) -> Self {
        Self {
            bands,
            guesses,
            own: None,
            given: None,
            on_bands: Worked::default(),
            on_codes: Worked::default(),
        }
    }

    /// Runs `use_it` on the next band. Until there is one, this thread reads codes as well.
    pub fn with_next(&mut self, use_it: impl FnOnce(&mut Band)) -> std::result::Result<(), Irregular> {
        let Some(guesses) = &self.guesses else {
            return self.bands.with_next(|| false, use_it).unwrap_or(Err(Irregular));
        };
        self.given.take().into_iter().for_each(|given| self.on_bands.add(given.elapsed()));
        let meanwhile = || {
            let begun = Instant::now();
            let worked = self.on_bands.nanoseconds() + self.on_codes.nanoseconds();
            let has_more = guesses.read_ahead(worked, &mut self.own);
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

/// A row of MCUs, or nothing where it was passed over.
pub(super) enum Band {
    Blocks(Blocks),
    Samples(Planes),
}

impl Band {
    /// Of blocks, as many as there are.
    pub fn of_blocks(mcus: &Range<usize>, geometry: &Geometry) -> Result<Vec<Self>> {
        (0..BANDS).map(|_| Ok(Self::Blocks(Blocks::new(mcus, geometry)?))).collect()
    }

    /// The same of samples; `planes` makes room for them.
    pub fn of_samples(planes: impl Fn() -> Result<Planes>) -> Result<Vec<Self>> {
        (0..BANDS).map(|_| Ok(Self::Samples(planes()?))).collect()
    }

    /// Bytes that all of them take at the most.
    pub fn memory(geometry: &Geometry) -> u64 {
        BANDS as u64 * Planes::memory(geometry).max(Blocks::memory(geometry))
    }

    fn read(&mut self, codes: &mut Sequential<'_>) -> std::result::Result<(), Irregular> {
        match self {
            Self::Blocks(blocks) => codes.row_to(blocks),
            Self::Samples(planes) => codes.row(planes),
        }
    }

    /// Hands its samples to `planes`.
    pub fn hand_over(&mut self, planes: &mut Planes) {
        match self {
            Self::Blocks(blocks) => blocks.hand_over(planes),
            Self::Samples(samples) => planes.take(samples),
        }
    }
}

/// The blocks of a row of MCUs.
pub(super) struct Blocks {
    mcus: Range<usize>,
    /// All of them zero but those that have a place.
    groups: Vec<Batch>,
    places: Vec<Place>,
}

impl Blocks {
    fn new(mcus: &Range<usize>, geometry: &Geometry) -> Result<Self> {
        let count = groups(geometry, mcus.len());
        let mut groups = reserve("JPEG", count)?;
        groups.resize(count, Batch::EMPTY);
        Ok(Self { mcus: mcus.clone(), groups, places: reserve("JPEG", count)? })
    }

    /// Bytes that they take at the most.
    fn memory(geometry: &Geometry) -> u64 {
        let group = size_of::<Batch>() + size_of::<Place>();
        (groups(geometry, geometry.mcus.0) * group) as u64
    }

    /// Hands them to the back half.
    fn hand_over(&mut self, back: &mut impl TakeBlocks) {
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

impl Target for Blocks {
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
            band.read(&mut codes)
        };
        let is_over = read.is_err();
        maker.hand_over(read.map(|()| band));
        if is_over {
            return;
        }
    }
}
