//! One scan as it is read, a row of MCUs at a time.

use super::index::{Index, Part, ScanPart};
use super::refine::{Band, MapBits, refine, refine_old};
use super::store::{Block, Blocks, Map, Store, bit_of};
use crate::decode::jpeg::bits::{Bits, Irregular};
use crate::decode::jpeg::header::NATURAL;
use crate::decode::jpeg::huffman::{END_OF_BLOCK, MOST_BITS_OF_AC, MOST_BITS_OF_RUN, Table};

/// Rows of blocks, and blocks of a row, that a component has in the row of MCUs that is read.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub across: usize,
    pub down: usize,
}

/// The state of a scan.
#[derive(Debug)]
pub(super) struct Reader {
    bits: Bits,
    /// The piece between restarts that is read, and MCUs until the next restart.
    piece: usize,
    until_restart: u32,
    /// Blocks that are known to end already.
    ended: u32,
    /// The last DC coefficient of each component of the scan.
    last: [i32; 4],
}

impl Reader {
    pub fn new(scan: &ScanPart) -> Self {
        let until_restart = if scan.interval == 0 { u32::MAX } else { scan.interval };
        Self { bits: Bits::default(), piece: 0, until_restart, ended: 0, last: [0; 4] }
    }

    /// Reads a scan's part of a row of MCUs; `extents` says how many blocks each component of the frame has there.
    #[inline(always)]
    pub fn row<M: MapBits>(
        &mut self,
        scan: &ScanPart,
        index: &Index,
        extents: &[Extent],
        mcus: usize,
        store: &mut Store,
    ) -> Result<(), Irregular> {
        match (&scan.part, scan.components.as_slice()) {
            (Part::Dc(_) | Part::DcBit, [one]) => {
                let (extent, blocks) = (extents[*one], &mut store.components[*one]);
                for row in 0..extent.down {
                    let row = &mut blocks.dc[row * blocks.across..][..extent.across];
                    self.pieces(scan, index, row.len(), |reader, window, range| {
                        row[range].iter_mut().try_for_each(|value| reader.dc(scan, window, 0, value))
                    })?;
                }
            }
            (Part::Dc(_) | Part::DcBit, several) => {
                self.pieces(scan, index, mcus, |reader, window, range| {
                    for mcu in range {
                        for (i, &component) in several.iter().enumerate() {
                            let Blocks { mcus, across, down, dc, .. } = &mut store.components[component];
                            let per_mcu = *across / *mcus;
                            for row in 0..*down {
                                let first = row * *across + mcu * per_mcu;
                                for value in &mut dc[first..first + per_mcu] {
                                    reader.dc(scan, window, i, value)?;
                                }
                            }
                        }
                    }
                    Ok(())
                })?
            }
            (Part::First(table), components) => {
                self.ac_rows(
                    scan,
                    index,
                    extents[components[0]],
                    &mut store.components[components[0]],
                    |reader, window, blocks, maps| reader.first(scan, table, window, blocks, maps),
                )?;
            }
            (Part::Refinement(table), components) => {
                let band = Band::new(scan.spectrum, scan.bit);
                self.ac_rows(
                    scan,
                    index,
                    extents[components[0]],
                    &mut store.components[components[0]],
                    |reader, window, blocks, maps| reader.refinement::<M>(table, &band, window, blocks, maps),
                )?;
            }
        }
        // To libjpeg a sum beyond 32 bits is an error; a row adds less than 2^27.
        if self.last.iter().all(|last| last.unsigned_abs() < 1 << 30) { Ok(()) } else { Err(Irregular) }
    }

    #[inline(always)]
    fn ac_rows(
        &mut self,
        scan: &ScanPart,
        index: &Index,
        extent: Extent,
        component: &mut Blocks,
        mut read: impl FnMut(&mut Self, &[u8], &mut [Block], &mut [Map]) -> Result<(), Irregular>,
    ) -> Result<(), Irregular> {
        for row in 0..extent.down {
            let first = row * component.across;
            let blocks = &mut component.blocks[first..first + extent.across];
            let maps = &mut component.maps[first..first + extent.across];
            self.pieces(scan, index, extent.across, |reader, window, range| {
                read(reader, window, &mut blocks[range.clone()], &mut maps[range])
            })?;
        }
        Ok(())
    }

    /// Reads `count` MCUs in ranges without a restart, each with the bytes to read them from.
    #[inline(always)]
    fn pieces(
        &mut self,
        scan: &ScanPart,
        index: &Index,
        count: usize,
        mut read: impl FnMut(&mut Self, &[u8], std::ops::Range<usize>) -> Result<(), Irregular>,
    ) -> Result<(), Irregular> {
        let mut at = 0;
        while at < count {
            if self.until_restart == 0 {
                self.restart(scan)?;
            }
            let to = at + (count - at).min(self.until_restart as usize);
            if scan.interval > 0 {
                self.until_restart -= (to - at) as u32;
            }
            let piece = &scan.pieces[self.piece];
            read(self, &index.bytes[piece.start..], at..to)?;
            // Bits that were read after the piece belong to another one.
            self.bits.left(piece.len()).ok_or(Irregular)?;
            at = to;
        }
        Ok(())
    }

    /// Goes on after a restart, which has to be reached to the byte.
    #[cold]
    fn restart(&mut self, scan: &ScanPart) -> Result<(), Irregular> {
        let left = self.bits.left(scan.pieces[self.piece].len());
        if left.is_none_or(|left| left >= 8) || self.ended > 0 || self.piece + 1 == scan.pieces.len() {
            return Err(Irregular);
        }
        let piece = self.piece + 1;
        *self = Self { piece, ..Self::new(scan) };
        Ok(())
    }

    #[inline(always)]
    fn dc(&mut self, scan: &ScanPart, window: &[u8], i: usize, value: &mut i16) -> Result<(), Irregular> {
        match &scan.part {
            Part::Dc(tables) => {
                self.bits.refill(window)?;
                let (entry, coded) = self.bits.next(&tables[i])?;
                let last = &mut self.last[i & 3];
                *last += entry.number(coded);
                *value = (*last << scan.bit) as i16;
            }
            _ => {
                self.bits.refill(window)?;
                *value |= (self.bits.take(1) << scan.bit) as i16;
            }
        }
        Ok(())
    }

    /// Reads the first bits of some blocks.
    #[inline(always)]
    fn first(
        &mut self,
        scan: &ScanPart,
        table: &Table,
        window: &[u8],
        blocks: &mut [Block],
        maps: &mut [Map],
    ) -> Result<(), Irregular> {
        let (mut bits, mut ended) = (self.bits, self.ended);
        let mut at = 0;
        while at < blocks.len() {
            let over = (ended as usize).min(blocks.len() - at);
            ended -= over as u32;
            at += over;
            if let (Some(block), Some(map)) = (blocks.get_mut(at), maps.get_mut(at)) {
                ended = first_block(&mut bits, window, table, scan, block, map)?;
                // This one is done.
                ended = ended.saturating_sub(1);
                at += 1;
            }
        }
        (self.bits, self.ended) = (bits, ended);
        Ok(())
    }

    /// Reads the next bit of some blocks.
    #[inline(always)]
    fn refinement<M: MapBits>(
        &mut self,
        table: &Table,
        band: &Band,
        window: &[u8],
        blocks: &mut [Block],
        maps: &mut [Map],
    ) -> Result<(), Irregular> {
        let (mut bits, mut ended) = (self.bits, self.ended);
        let mut is_filled = false;
        for (block, map) in blocks.iter_mut().zip(maps) {
            if ended > 0 {
                ended -= 1;
                refine_old::<M>(&mut bits, window, band, block, *map)?;
                is_filled = false;
            } else {
                if !is_filled {
                    bits.refill(window)?;
                    is_filled = true;
                }
                ended = refine::<M>(&mut bits, window, table, band, block, map)?.saturating_sub(1);
            }
        }
        (self.bits, self.ended) = (bits, ended);
        Ok(())
    }
}

/// Reads the first bits of a block; returns how many blocks end with it, if it ends before its band does.
#[inline(always)]
fn first_block(
    bits: &mut Bits,
    window: &[u8],
    table: &Table,
    scan: &ScanPart,
    block: &mut Block,
    map: &mut Map,
) -> Result<u32, Irregular> {
    const { assert!(MOST_BITS_OF_AC + MOST_BITS_OF_RUN <= Bits::REFILLED) };
    let last = usize::from(scan.spectrum.1);
    let mut at = usize::from(scan.spectrum.0) - 1;
    let mut new = *map;
    // The number of blocks that end; none where only the band does.
    let mut coefficient = |bits: &mut Bits| {
        let (entry, coded) = bits.next(table)?;
        at += entry.step();
        if at > last {
            return if entry.step() == END_OF_BLOCK { Ok(Some(entry.blocks(coded))) } else { Err(Irregular) };
        }
        block[usize::from(NATURAL[at & 63])] = (entry.number(coded) << scan.bit) as i16;
        new |= u64::from(entry.has_value()) << bit_of(at & 63);
        Ok(if at == last { Some(0) } else { None })
    };
    let ended = loop {
        bits.refill(window)?;
        if let Some(ended) = coefficient(bits)? {
            break ended;
        }
        if let Some(ended) = coefficient(bits)? {
            break ended;
        }
    };
    *map = new;
    Ok(ended)
}
