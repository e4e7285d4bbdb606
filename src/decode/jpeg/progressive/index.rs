//! Where the scans of a progressive file are, and what each of them needs.
//!
//! One walk over the file, which refuses whatever libjpeg mends, smooths or has another way for.

use std::ops::Range;
use std::sync::Arc;

use crate::decode::jpeg::back::Geometry;
use crate::decode::jpeg::header::{Header, ScanHeader, Tables, read_scan, read_tables};
use crate::decode::jpeg::huffman::{Kind, Table};
use crate::decode::jpeg::markers::{
    COMMENT, DEFINE_HUFFMAN, DEFINE_RESTART, END_OF_IMAGE, Marker, Markers, START_OF_SCAN,
};
use crate::decode::rows::reserve;
use crate::error::Result;
use crate::interrupt;

/// Scans that are read side by side.
const MOST_SCANS: usize = 64;
/// Pieces between restarts of all scans.
const MOST_PIECES: usize = 1 << 16;
/// Coefficients of a block that libjpeg estimates where they have no bits yet.
const SMOOTHED: usize = 10;
/// The most bits that a scan may leave for later ones: with more, coefficients of ten bits would not fit into 16.
pub(super) const MOST_LOW_BITS: u8 = 5;
/// Zeros after the last byte, so that eight can be looked at anywhere.
const PADDING: usize = 16;
/// Bytes that are copied between two looks at the interrupt.
const POLLED: usize = 1 << 20;

/// The step by which a scan refines its coefficients.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// The first bits of DC, by a table for each of its components.
    Dc(Vec<Arc<Table>>),
    /// The next bit of DC.
    DcBit,
    /// The first bits of AC.
    First(Arc<Table>),
    /// The next bit of AC.
    Refinement(Arc<Table>),
}

/// A scan of the file.
#[derive(Clone, Debug)]
pub(super) struct ScanPart {
    pub part: Part,
    /// Places of its components in the frame.
    pub components: Vec<usize>,
    /// First and last coefficient in coded order.
    pub spectrum: (u8, u8),
    /// The lowest bit that it gives.
    pub bit: u8,
    /// MCUs between restarts; 0 for none.
    pub interval: u32,
    /// Where its bytes are in the index, piece by piece between restarts.
    pub pieces: Vec<Range<usize>>,
}

impl ScanPart {
    /// The bytes of a piece, with those after it.
    #[inline(always)]
    pub fn window<'a>(&self, index: &'a Index, piece: usize) -> &'a [u8] {
        &index.bytes[self.pieces[piece].start..]
    }
}

/// All scans of a file, with their bytes.
#[derive(Debug)]
pub(super) struct Index {
    pub scans: Vec<ScanPart>,
    /// The bytes of all scans without stuffed zeros, and some zeros after them.
    pub bytes: Vec<u8>,
}

impl Index {
    /// Bytes that an index of a file of `scans` scans takes at the most.
    pub fn memory(header: &Header, bytes: &[u8], scans: u64) -> u64 {
        let pieces = if header.restart_interval > 0 { MOST_PIECES * size_of::<Range<usize>>() } else { 0 };
        // A scan of AC has one table, one of DC one for each component.
        let tables = scans.min(MOST_SCANS as u64) + 2 * header.frame.components.len() as u64;
        tables * size_of::<Table>() as u64 + (bytes.len() + PADDING + pieces) as u64
    }

    /// `None` where libjpeg has to read the file.
    pub fn new(header: &Header, geometry: &Geometry, bytes: &[u8]) -> Result<Option<Self>> {
        let mut builder = Builder {
            file: bytes,
            index: Self { scans: Vec::new(), bytes: reserve("JPEG", bytes.len() + PADDING)? },
            tables: header.tables.clone(),
            built: Vec::new(),
            low_bits: vec![[None; 64]; header.frame.components.len()],
            interval: header.restart_interval,
            pieces: 0,
        };
        Ok(match builder.walk(header, geometry)? {
            Some(()) => Some(builder.index),
            None => None,
        })
    }

    /// The low bits of a component's AC that its refinements give.
    pub fn refined(&self, component: usize) -> Vec<u8> {
        let scans = self.scans.iter().filter(|scan| matches!(scan.part, Part::Refinement(_)));
        let mut bits: Vec<u8> =
            scans.filter(|scan| scan.components == [component]).map(|scan| scan.bit).collect();
        bits.sort_unstable();
        bits.dedup();
        bits
    }

    /// How many of the first scans one thread should read while another one reads the others and makes pixels, so
    /// that both take about as long.
    pub fn cut(&self, geometry: &Geometry) -> usize {
        let blocks = |component: usize| {
            let ((across, down), mcus) = (geometry.blocks(component), geometry.mcus);
            across * down * mcus.0 * mcus.1
        };
        // As measured, in thirds of the time of a byte of codes: a scan takes one for a block, the rest of the way six.
        let time = |scan: &ScanPart| {
            let bytes: usize = scan.pieces.iter().map(Range::len).sum();
            3 * bytes + scan.components.iter().map(|&component| blocks(component)).sum::<usize>()
        };
        let times: Vec<usize> = self.scans.iter().map(time).collect();
        let pixels: usize = (0..geometry.components()).map(|component| 6 * blocks(component)).sum();
        let longer = |cut: &usize| {
            let (first, last) = times.split_at(*cut);
            first.iter().sum::<usize>().max(last.iter().sum::<usize>() + pixels)
        };
        (1..=times.len()).min_by_key(longer).unwrap_or_default()
    }
}

struct Builder<'a> {
    file: &'a [u8],
    index: Index,
    tables: Tables,
    /// Tables that are built of those: by what they are for and their number.
    built: Vec<(Kind, usize, Arc<Table>)>,
    /// For each coefficient of each component the lowest bit so far.
    low_bits: Vec<[Option<u8>; 64]>,
    interval: u32,
    pieces: usize,
}

impl Builder<'_> {
    fn walk(&mut self, header: &Header, geometry: &Geometry) -> Result<Option<()>> {
        let Some(mut at) = self.scan(header, geometry, &header.scan)? else { return Ok(None) };
        loop {
            let mut markers = Markers::from(self.file, at);
            // After a scan only a marker can stand.
            let Some(Marker { code, length, content }) = markers.next() else { return Ok(None) };
            let Some(data) = self.file.get(content.clone()) else { return Ok(None) };
            at = content.end;
            if code == END_OF_IMAGE {
                let is_whole =
                    self.low_bits.iter().all(|bits| bits[..SMOOTHED].iter().all(|&bit| bit == Some(0)));
                self.index.bytes.resize(self.index.bytes.len() + PADDING, 0);
                return Ok(is_whole.then_some(()));
            }
            if length < 2 {
                return Ok(None);
            }
            let done = match (code, data) {
                (START_OF_SCAN, data) => match read_scan(data, content.end, &header.frame) {
                    Some(scan) => self.scan(header, geometry, &scan)?.map(|end| at = end),
                    None => None,
                },
                (DEFINE_HUFFMAN, data) => {
                    self.built.clear();
                    read_tables(data, &mut self.tables)
                }
                (DEFINE_RESTART, &[high, low]) if header.restart_interval > 0 => {
                    self.interval = u16::from_be_bytes([high, low]).into();
                    Some(())
                }
                (COMMENT | 0xe0..=0xef, _) => Some(()),
                _ => None,
            };
            if done.is_none() {
                return Ok(None);
            }
        }
    }

    /// Takes in a scan; returns where the marker after it is.
    fn scan(&mut self, header: &Header, geometry: &Geometry, scan: &ScanHeader) -> Result<Option<usize>> {
        let Some(part) = self.part(scan) else { return Ok(None) };
        let Some((pieces, end)) = self.copy(scan.data)? else { return Ok(None) };
        let components: Vec<usize> = scan.components.iter().map(|component| component.index).collect();
        // As many pieces as there are restarts.
        let (across, down) = geometry.mcus_of_scan(&header.frame, &components);
        let expected = match self.interval {
            0 => 1,
            interval => (across * down).div_ceil(interval as usize),
        };
        if pieces.len() != expected || self.index.scans.len() == MOST_SCANS {
            return Ok(None);
        }
        self.index.scans.push(ScanPart {
            part,
            components,
            spectrum: scan.spectrum,
            bit: scan.bits.1,
            interval: self.interval,
            pieces,
        });
        Ok(Some(end))
    }

    /// The step of a scan, if it is the one that the scans before it leave to come next.
    fn part(&mut self, scan: &ScanHeader) -> Option<Part> {
        let ((first, last), (before, bit)) = (scan.spectrum, scan.bits);
        let is_first = before == 0;
        if last > 63 || first > last || first == 0 && last != 0 || bit > MOST_LOW_BITS {
            return None;
        }
        if first > 0 && scan.components.len() != 1 || !is_first && bit + 1 != before {
            return None;
        }
        for component in &scan.components {
            let bits = &mut self.low_bits[component.index];
            if first > 0 && bits[0].is_none() {
                return None;
            }
            for low in &mut bits[usize::from(first)..=usize::from(last)] {
                if *low != if is_first { None } else { Some(before) } {
                    return None;
                }
                *low = Some(bit);
            }
        }
        Some(match (first, is_first) {
            (0, true) => {
                let tables = scan.components.iter().map(|component| self.table(Kind::Dc, component.dc));
                Part::Dc(tables.collect::<Option<_>>()?)
            }
            (0, false) => Part::DcBit,
            (_, true) => Part::First(self.table(Kind::First, scan.components[0].ac)?),
            (_, false) => Part::Refinement(self.table(Kind::Refinement, scan.components[0].ac)?),
        })
    }

    fn table(&mut self, kind: Kind, number: usize) -> Option<Arc<Table>> {
        let built = self.built.iter().find(|(of, at, _)| (*of, *at) == (kind, number));
        if let Some((_, _, table)) = built {
            return Some(table.clone());
        }
        let all = if kind == Kind::Dc { &self.tables.dc } else { &self.tables.ac };
        let table = Arc::new(Table::new(all.get(number)?.as_ref()?, kind)?);
        self.built.push((kind, number, table.clone()));
        Some(table)
    }

    /// Copies a scan's bytes from `at` on without stuffed zeros; returns its pieces, and where the next marker is.
    fn copy(&mut self, mut at: usize) -> Result<Option<(Vec<Range<usize>>, usize)>> {
        let (mut pieces, out) = (Vec::new(), &mut self.index.bytes);
        let (mut start, mut polled) = (out.len(), out.len());
        loop {
            let Some(data) = memchr::memchr(0xff, &self.file[at..]) else { return Ok(None) };
            out.extend_from_slice(&self.file[at..at + data]);
            at += data;
            if out.len() - polled > POLLED {
                interrupt::check()?;
                polled = out.len();
            }
            match self.file.get(at + 1) {
                Some(0) => {
                    out.push(0xff);
                    at += 2;
                }
                Some(&marker @ 0xd0..=0xd7) => {
                    if usize::from(marker - 0xd0) != pieces.len() % 8 || self.pieces == MOST_PIECES {
                        return Ok(None);
                    }
                    self.pieces += 1;
                    pieces.push(start..out.len());
                    start = out.len();
                    at += 2;
                }
                Some(0xff) => at += 1,
                Some(_) => {
                    pieces.push(start..out.len());
                    return Ok(Some((pieces, at)));
                }
                None => return Ok(None),
            }
        }
    }
}
