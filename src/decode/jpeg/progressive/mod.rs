//! The scans of a progressive file as the source of a back half's blocks.
//!
//! All scans are read side by side, a row of MCUs at a time, so that no more than that row is held. libjpeg, which
//! reads them one after the other, holds the coefficients of the whole image. Two threads share the scans: one reads
//! the first ones of a row, and either adds the rest.
//!
//! - `index` finds the scans and their bytes; `reader` reads one of them, and `refine` the blocks of a refinement, by
//!   the bit instructions of `x86` where the processor has them.
//! - `shared` is two threads' way of reading them.
//! - First scans write coefficients to the `store`. Refinements read and write maps of them alone, a bit for each
//!   coefficient; what they gave is added at the end, by `low_bits`, `avx2` or `avx512`.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod index;
mod low_bits;
mod reader;
mod refine;
mod shared;
mod store;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::ops::Range;
use std::sync::Arc;

use super::back::{Geometry, TakeBlocks};
use super::bits::Irregular;
use super::header::Header;
use crate::error::Result;
use crate::simd::{Level, best};
use index::Index;
use reader::{Extent, Loops, Reader};
use refine::Plain;
pub(super) use shared::SharedRows;
use store::{HandOver, Store};

/// Reads a row of MCUs of some scans.
type ReadRow = fn(&mut Scans, &[Extent], usize, &mut Store) -> std::result::Result<(), Irregular>;

/// Rows of MCUs that may be read ahead.
const STORES: usize = 4;

/// Scans that follow each other in a file.
struct Scans {
    index: Arc<Index>,
    /// The numbers of those, and how far each is read.
    numbers: Range<usize>,
    readers: Vec<Reader>,
}

impl Scans {
    fn new(index: Arc<Index>, numbers: Range<usize>) -> Self {
        let readers = index.scans[numbers.clone()].iter().map(Reader::new).collect();
        Self { index, numbers, readers }
    }

    #[inline(always)]
    fn row<L: Loops>(
        &mut self,
        extents: &[Extent],
        mcus: usize,
        store: &mut Store,
    ) -> std::result::Result<(), Irregular> {
        for (reader, scan) in self.readers.iter_mut().zip(&self.index.scans[self.numbers.clone()]) {
            reader.row::<L>(scan, &self.index, extents, mcus, store)?;
        }
        Ok(())
    }
}

/// What adds scans to rows of MCUs.
struct Part {
    scans: Scans,
    read_row: ReadRow,
    /// Rows of MCUs that are done.
    done: usize,
    /// Blocks of each component in a row of MCUs, and rows of blocks in all.
    blocks: Vec<((usize, usize), usize)>,
    mcus: usize,
}

impl Part {
    /// Adds the scans to the next row of MCUs.
    fn add(&mut self, store: &mut Store) -> std::result::Result<(), Irregular> {
        let extent = |&((across, down), all): &((usize, usize), usize)| Extent {
            across,
            down: down.min(all.saturating_sub(self.done * down)),
        };
        let extents: Vec<Extent> = self.blocks.iter().map(extent).collect();
        (self.read_row)(&mut self.scans, &extents, self.mcus, store)?;
        self.done += 1;
        Ok(())
    }
}

pub(super) struct Progressive {
    part: Part,
    store: Store,
}

impl Progressive {
    /// Bytes that reading a file takes at the most.
    pub fn memory(header: &Header, geometry: &Geometry, bytes: &[u8], scans: u64) -> u64 {
        Index::memory(header, bytes, scans) + Store::memory(geometry)
    }

    /// Bytes that [`share`](Self::share) takes besides.
    pub fn shared_memory(geometry: &Geometry) -> u64 {
        STORES as u64 * Store::memory(geometry)
    }

    /// `None` where libjpeg has to read the file.
    pub fn new(header: &Header, geometry: &Geometry, bytes: &[u8], level: Level) -> Result<Option<Self>> {
        let Some(mut index) = Index::new(header, geometry, bytes)? else { return Ok(None) };
        index.scans.retain(|scan| scan.spectrum.0 == 0 || !geometry.is_flat(scan.components[0]));
        let read_row: ReadRow = best! { level;
            "x86_64" Avx2 => |proof| x86::read_row(proof),
            _ => Scans::row::<Plain>,
        };
        let blocks = (0..geometry.components()).map(|i| {
            let (across, down) = geometry.blocks_of_component(&header.frame, i);
            ((across, geometry.blocks(i).1), down)
        });
        let hand_over: HandOver = best! { level;
            "x86_64" Avx512 => |proof| Some(avx512::hand_over(proof)),
            "x86_64" Avx2 => |proof| Some(avx2::hand_over(proof)),
            _ => store::hand_over::<Plain>,
        };
        let store = Store::new(geometry, |component| index.refined(component), hand_over)?;
        let numbers = 0..index.scans.len();
        let part = Part {
            scans: Scans::new(index.into(), numbers),
            read_row,
            done: 0,
            blocks: blocks.collect(),
            mcus: geometry.mcus.0,
        };
        Ok(Some(Self { part, store }))
    }

    /// Passes over a row of MCUs.
    pub fn pass(&mut self) -> std::result::Result<(), Irregular> {
        self.store.clear();
        self.part.add(&mut self.store)
    }

    /// Reads a row of MCUs.
    pub fn row(&mut self, back: &mut impl TakeBlocks) -> std::result::Result<(), Irregular> {
        self.pass()?;
        self.store.hand_over(back);
        Ok(())
    }

    /// Shares the scans of a file, of which no row is read, with another thread: it begins `rows` rows of MCUs, and `take`
    /// runs in this one. `None` where the system grants no thread.
    pub fn share<R>(
        self,
        geometry: &Geometry,
        rows: usize,
        take: impl FnOnce(SharedRows) -> R,
    ) -> Result<Option<R>> {
        let Self { part, store } = self;
        let Part { scans: Scans { index, numbers, .. }, read_row, done, blocks, mcus } = part;
        let cut = index.cut(geometry);
        let part = |numbers: Range<usize>| Part {
            scans: Scans::new(index.clone(), numbers),
            read_row,
            done,
            blocks: blocks.clone(),
            mcus,
        };
        let mut stores = vec![store];
        for _ in 1..STORES {
            stores.push(stores[0].another()?);
        }
        Ok(shared::share(part(0..cut), part(cut..numbers.end), stores, rows, take))
    }
}
