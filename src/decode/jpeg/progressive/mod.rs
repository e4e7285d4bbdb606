//! The scans of a progressive file as the source of a back half's blocks.
//!
//! All scans are read side by side, a row of MCUs at a time, so that no more than that row is held. libjpeg, which
//! reads them one after the other, holds the coefficients of the whole image.

mod index;
mod reader;
mod refine;
mod store;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::back::{Geometry, TakeBlocks};
use super::bits::Irregular;
use super::header::Header;
use crate::error::Result;
use crate::simd::{Level, best};
use index::Index;
use reader::{Extent, Loops, Reader};
use refine::Plain;
use store::Store;

/// Reads a row of MCUs of all scans.
type ReadRow = fn(&mut Scans, &[Extent], usize) -> std::result::Result<(), Irregular>;

/// The scans of a file, and the coefficients of the row of MCUs that was read last.
struct Scans {
    index: Index,
    readers: Vec<Reader>,
    store: Store,
}

impl Scans {
    #[inline(always)]
    fn row<L: Loops>(&mut self, extents: &[Extent], mcus: usize) -> std::result::Result<(), Irregular> {
        for (reader, scan) in self.readers.iter_mut().zip(&self.index.scans) {
            reader.row::<L>(scan, &self.index, extents, mcus, &mut self.store)?;
        }
        Ok(())
    }
}

pub(super) struct Progressive {
    scans: Scans,
    read_row: ReadRow,
    /// Rows of MCUs that are done.
    done: usize,
    /// Blocks of each component in a row of MCUs, and rows of blocks in all.
    blocks: Vec<((usize, usize), usize)>,
    mcus: usize,
}

impl Progressive {
    /// Bytes that reading a file takes at the most.
    pub fn memory(header: &Header, geometry: &Geometry, bytes: &[u8], scans: u64) -> u64 {
        Index::memory(header, bytes, scans) + Store::memory(geometry)
    }

    /// `None` where libjpeg has to read the file.
    pub fn new(header: &Header, geometry: &Geometry, bytes: &[u8], level: Level) -> Result<Option<Self>> {
        let Some(mut index) = Index::new(header, geometry, bytes)? else { return Ok(None) };
        index.scans.retain(|scan| scan.spectrum.0 == 0 || !geometry.is_flat(scan.components[0]));
        let readers = index.scans.iter().map(Reader::new).collect();
        let read_row: ReadRow = best! { level;
            "x86_64" Avx2 => |proof| x86::read_row(proof),
            _ => Scans::row::<Plain>,
        };
        let blocks = (0..geometry.components()).map(|i| {
            let (across, down) = geometry.blocks_of_component(&header.frame, i);
            ((across, geometry.blocks(i).1), down)
        });
        Ok(Some(Self {
            scans: Scans { index, readers, store: Store::new(geometry)? },
            read_row,
            done: 0,
            blocks: blocks.collect(),
            mcus: geometry.mcus.0,
        }))
    }

    /// Passes over a row of MCUs.
    pub fn pass(&mut self) -> std::result::Result<(), Irregular> {
        self.read()
    }

    /// Reads a row of MCUs.
    pub fn row(&mut self, back: &mut impl TakeBlocks) -> std::result::Result<(), Irregular> {
        self.read()?;
        self.scans.store.hand_over(back);
        Ok(())
    }

    fn read(&mut self) -> std::result::Result<(), Irregular> {
        self.scans.store.clear();
        let extent = |&((across, down), all): &((usize, usize), usize)| Extent {
            across,
            down: down.min(all.saturating_sub(self.done * down)),
        };
        let extents: Vec<Extent> = self.blocks.iter().map(extent).collect();
        (self.read_row)(&mut self.scans, &extents, self.mcus)?;
        self.done += 1;
        Ok(())
    }
}
