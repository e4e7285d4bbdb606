//! One scan as it is read, a row of MCUs at a time.

use super::index::{Index, Part, ScanPart};
use super::refine::{Band, MapBits, Plain, refine, refine_old};
use super::store::{Block, Blocks, Maps, Store, bit_of};
use crate::decode::jpeg::bits::{Bits, Irregular};
use crate::decode::jpeg::header::NATURAL;
use crate::decode::jpeg::huffman::{END_OF_BLOCK, MOST_BITS, MOST_BITS_OF_AC, MOST_BITS_OF_RUN, Table};

/// Rows of blocks, and blocks of a row, that a component has in the row of MCUs that is read.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub across: usize,
    pub down: usize,
}

/// A block of an MCU in a scan of DC.
struct DcBlock {
    /// The place of its component in the scan, and in the frame.
    place: usize,
    component: usize,
    /// Where it is among its component's blocks in the first MCU, and how much further in the next one.
    first: usize,
    per_mcu: usize,
}

impl DcBlock {
    #[inline(always)]
    fn value<'a>(&self, mcu: usize, store: &'a mut Store) -> &'a mut i16 {
        &mut store.components[self.component].dc[self.first + mcu * self.per_mcu]
    }
}

/// Blocks of a row without a restart between them, and the bytes to read them from.
pub(super) struct Piece<'a> {
    window: &'a [u8],
    blocks: &'a mut [Block],
    maps: &'a mut [Maps],
}

/// The loops over blocks, which are compiled one by one for each kind of processors: of all that is read they take the
/// most time, and need all of its registers.
pub(super) trait Loops {
    /// [`Reader::first`].
    fn first(reader: &mut Reader, scan: &ScanPart, table: &Table, piece: Piece<'_>) -> Result<(), Irregular>;

    /// [`Reader::refinement`].
    fn refinement(reader: &mut Reader, table: &Table, band: &Band, piece: Piece<'_>)
    -> Result<(), Irregular>;
}

impl Loops for Plain {
    fn first(reader: &mut Reader, scan: &ScanPart, table: &Table, piece: Piece<'_>) -> Result<(), Irregular> {
        reader.first(scan, table, piece)
    }

    fn refinement(
        reader: &mut Reader,
        table: &Table,
        band: &Band,
        piece: Piece<'_>,
    ) -> Result<(), Irregular> {
        reader.refinement::<Self>(table, band, piece)
    }
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
    pub fn row<L: Loops>(
        &mut self,
        scan: &ScanPart,
        index: &Index,
        extents: &[Extent],
        mcus: usize,
        store: &mut Store,
    ) -> Result<(), Irregular> {
        match (&scan.part, scan.components.as_slice()) {
            (Part::Dc(_) | Part::DcBit, [one]) => {
                let (extent, across) = (extents[*one], store.components[*one].across);
                for row in 0..extent.down {
                    let block = DcBlock { place: 0, component: *one, first: row * across, per_mcu: 1 };
                    self.dc(scan, index, &[block], extent.across, store)?;
                }
            }
            (Part::Dc(_) | Part::DcBit, several) => {
                let mut blocks = Vec::new();
                for (place, &component) in several.iter().enumerate() {
                    let &Blocks { per_mcu, across, down, .. } = &store.components[component];
                    let firsts = (0..down).flat_map(|row| (0..per_mcu).map(move |x| row * across + x));
                    blocks.extend(firsts.map(|first| DcBlock { place, component, first, per_mcu }));
                }
                self.dc(scan, index, &blocks, mcus, store)?;
            }
            (Part::First(table) | Part::Refinement(table), components) => {
                let band = Band::new(scan.spectrum, scan.bit);
                let (extent, component) = (extents[components[0]], &mut store.components[components[0]]);
                for row in 0..extent.down {
                    let first = row * component.across;
                    let mut blocks = &mut component.blocks[first..first + extent.across];
                    let mut maps = &mut component.maps[first..first + extent.across];
                    while !blocks.is_empty() {
                        let count = self.begin(scan, blocks.len())?;
                        let (piece, maps_of_piece);
                        (piece, blocks) = blocks.split_at_mut(count);
                        (maps_of_piece, maps) = maps.split_at_mut(count);
                        let window = scan.window(index, self.piece);
                        let piece = Piece { window, blocks: piece, maps: maps_of_piece };
                        if matches!(scan.part, Part::First(_)) {
                            L::first(self, scan, table, piece)?;
                        } else {
                            L::refinement(self, table, &band, piece)?;
                        }
                        self.check(scan)?;
                    }
                }
            }
        }
        // To libjpeg a sum beyond 32 bits is an error; a row adds less than 2^27.
        if self.last.iter().all(|last| last.unsigned_abs() < 1 << 30) { Ok(()) } else { Err(Irregular) }
    }

    /// Reads the DC of `mcus` MCUs, whose blocks are `blocks`.
    #[inline(always)]
    fn dc(
        &mut self,
        scan: &ScanPart,
        index: &Index,
        blocks: &[DcBlock],
        mcus: usize,
        store: &mut Store,
    ) -> Result<(), Irregular> {
        let mut mcu = 0;
        while mcu < mcus {
            let end = mcu + self.begin(scan, mcus - mcu)?;
            let window = scan.window(index, self.piece);
            let mut bits = self.bits;
            for mcu in mcu..end {
                if let Part::Dc(tables) = &scan.part {
                    const { assert!(2 * MOST_BITS <= Bits::REFILLED) };
                    for blocks in blocks.chunks(2) {
                        bits.refill(window)?;
                        for block in blocks {
                            let (entry, coded) = bits.next(&tables[block.place])?;
                            let last = &mut self.last[block.place & 3];
                            *last += entry.number(coded);
                            *block.value(mcu, store) = (*last << scan.bit) as i16;
                        }
                    }
                } else {
                    // An MCU has ten blocks at the most.
                    bits.refill(window)?;
                    for block in blocks {
                        *block.value(mcu, store) |= (bits.take(1) << scan.bit) as i16;
                    }
                }
            }
            self.bits = bits;
            self.check(scan)?;
            mcu = end;
        }
        Ok(())
    }

    /// Begins to read MCUs, with a restart where one is due: returns how many of `count` come before the next one.
    #[inline(always)]
    fn begin(&mut self, scan: &ScanPart, count: usize) -> Result<usize, Irregular> {
        if self.until_restart == 0 {
            self.restart(scan)?;
        }
        let count = count.min(self.until_restart as usize);
        if scan.interval > 0 {
            self.until_restart -= count as u32;
        }
        Ok(count)
    }

    /// Sees to it that no bits were read after the end of the piece, which belong to another one.
    #[inline(always)]
    fn check(&self, scan: &ScanPart) -> Result<(), Irregular> {
        self.bits.left(scan.pieces[self.piece].len()).map(drop).ok_or(Irregular)
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

    /// Reads the first bits of some blocks.
    #[inline(always)]
    pub fn first(&mut self, scan: &ScanPart, table: &Table, piece: Piece<'_>) -> Result<(), Irregular> {
        let Piece { window, blocks, maps } = piece;
        let (mut bits, mut ended) = (self.bits, self.ended);
        let mut at = 0;
        while at < blocks.len() {
            let over = (ended as usize).min(blocks.len() - at);
            ended -= over as u32;
            at += over;
            if let (Some(block), Some(maps)) = (blocks.get_mut(at), maps.get_mut(at)) {
                ended = first_block(&mut bits, window, table, scan, block, maps)?;
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
    pub fn refinement<M: MapBits>(
        &mut self,
        table: &Table,
        band: &Band,
        piece: Piece<'_>,
    ) -> Result<(), Irregular> {
        let Piece { window, maps, .. } = piece;
        let (mut bits, mut ended) = (self.bits, self.ended);
        let mut at = 0;
        while at < maps.len() {
            let over = (ended as usize).min(maps.len() - at);
            ended -= over as u32;
            for maps in &mut maps[at..at + over] {
                refine_old::<M>(&mut bits, window, band, maps)?;
            }
            at += over;
            bits.refill(window)?;
            while let (0, Some(maps)) = (ended, maps.get_mut(at)) {
                ended = refine::<M>(&mut bits, window, table, band, maps)?.saturating_sub(1);
                at += 1;
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
    maps: &mut Maps,
) -> Result<u32, Irregular> {
    const { assert!(MOST_BITS_OF_AC + MOST_BITS_OF_RUN <= Bits::REFILLED) };
    let last = usize::from(scan.spectrum.1);
    let mut at = usize::from(scan.spectrum.0) - 1;
    let mut nonzero = maps.nonzero;
    let ended = 'block: loop {
        bits.refill(window)?;
        for _ in 0..2 {
            let entry = bits.look_up(table);
            let coded = bits.take_entry(entry);
            at += entry.step();
            if at > last {
                if entry.step() != END_OF_BLOCK {
                    return Err(Irregular);
                }
                break 'block entry.blocks(coded);
            }
            block[usize::from(NATURAL[at & 63])] = (entry.number(coded) << scan.bit) as i16;
            nonzero |= u64::from(entry.has_value()) << bit_of(at & 63);
            if at == last {
                // Only the band ends.
                break 'block 0;
            }
        }
    };
    maps.nonzero = nonzero;
    Ok(ended)
}
