//! JPEG files as images: what they cost, and whether their rows are made here or by libjpeg.
//!
//! - `markers` finds the markers of a file as libjpeg does, `header` reads what stands before the first scan, once;
//!   everything else takes its facts from there. `pillow` knows what Pillow does with the same segments.
//! - A regular file is read here: its codes by `sequential` (over `scan`, `pairs`, `feed` and `bits`) or `progressive`, a row
//!   of MCUs at a time; `back` makes rows of pixels of the coefficients. `own` ties them together, and `bands` lets one
//!   thread read the codes of a sequential file while another one makes the rows, and reads codes too if it has to wait;
//!   more threads read codes ahead.
//! - Any other file is read by `libjpeg`, the room with C in it, from its beginning. It mends damaged files, and what
//!   it makes of them is what Pillow shows.

mod back;
mod bands;
mod bits;
mod feed;
mod header;
mod huffman;
mod libjpeg;
mod markers;
mod own;
mod pairs;
mod pillow;
mod progressive;
mod scan;
mod sequential;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use super::decoder::{Decoder, Input, Rules};
use super::metadata::Metadata;
use super::rows::{allocate, dimensions};
use crate::ahead::ahead;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pixels::{BLOCK_ROWS, Image, Layout, RowBlock, RowBuffer, Rows, Window};
use crate::simd::Level;
use back::{Back, Geometry, Planes};
use bands::{Band, BandTaker};
use header::{Colours, Header};
use markers::count_scans;
use own::{Codes, OwnRows, Stop};
use progressive::Progressive;
use scan::{Scan, ScanTables};
use sequential::{Guesses, Sequential};

pub use libjpeg::has_simd;

/// Pillow hands a file to libjpeg in blocks of this many bytes. The library's arithmetic decoder, which
/// cannot wait for the next one, fails there.
const PILLOWS_BLOCK: usize = 65536;
/// Why libjpeg reads a file that seemed regular by its header.
const IRREGULAR: &str = "its scans are not regular";

/// A JPEG file whose header is read.
struct Jpeg<'a> {
    input: Input<'a>,
    limits: Limits,
    parsed: Rc<Header>,
    header: crate::pixels::Header,
    way: Way,
    /// Why its rows were made by libjpeg, if they were.
    left: Cell<Option<&'static str>>,
    pad: bool,
    level: Level,
    /// The downscale factor that it is decoded at, if bits do not count.
    reduction: Option<usize>,
    /// Threads that may work on it.
    threads: usize,
}

/// Reads a file's header and checks it against the limits.
pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    let jpeg = Jpeg::open(input, rules).map_err(|error| bounded(error, input.head(), &rules.limits))?;
    Ok(Box::new(jpeg))
}

/// An error for which Pillow may be asked to read the file in our place, unless that would cost more than allowed.
/// Pillow counts no scans.
fn bounded(error: Error, bytes: &[u8], limits: &Limits) -> Error {
    if matches!(error, Error::Limit { .. } | Error::Interrupted) {
        return error;
    }
    let scans = || {
        let (scans, pixels) = count_scans(bytes);
        limits.check_scans(scans, pixels)
    };
    pillow::check_cost(bytes, limits).and_then(|()| scans()).err().unwrap_or(error)
}

impl<'a> Jpeg<'a> {
    fn open(input: &Input<'a>, rules: &Rules<'_>) -> Result<Self> {
        let (bytes, limits) = (input.head(), rules.limits);
        let parsed = Header::read(bytes)?;
        parsed.check_resolution(bytes)?;
        let frame = &parsed.frame;
        let (width, height) = dimensions("JPEG", frame.width as u64, frame.height as u64, &limits)?;
        let scans = if parsed.has_several_scans() { count_scans(bytes).0 } else { 1 };
        if parsed.has_several_scans() {
            limits.check_scans(scans, parsed.pixels())?;
        }
        if frame.arithmetic && bytes.len() > PILLOWS_BLOCK {
            return Err(Error::unsupported("expected an arithmetic JPEG of one block, found a longer one"));
        }
        let layout = match parsed.colours() {
            Colours::Grey => Layout::L,
            Colours::YCbCr | Colours::Rgb => Layout::Rgb,
            Colours::Cmyk | Colours::Ycck => Layout::Cmyk,
        };
        let header = crate::pixels::Header { width, height, layout, palette: None };
        let way = Way::of(&parsed, rules.pad, scans);
        if input.rest().is_some() && !matches!(way, Way::Sequential(..)) {
            return Err(Error::unsupported(
                "expected a JPEG of one scan, found one that needs all of its bytes",
            ));
        }
        let parsed = Rc::new(parsed);
        Ok(Self {
            input: *input,
            limits,
            parsed,
            header,
            way,
            left: Cell::new(None),
            pad: rules.pad,
            level: rules.level,
            reduction: None,
            threads: 1,
        })
    }

    /// Rows made here, or why that is left to libjpeg.
    fn own(&self, window: &Window) -> Result<std::result::Result<OwnRows<'a>, &'static str>> {
        let (header, level) = (&self.parsed, self.level);
        let geometry = match &self.way {
            Way::Sequential(geometry, _) | Way::Progressive(geometry, _) => geometry,
            Way::Libjpeg(why) => return Ok(Err(why)),
        };
        let geometry = &geometry.reduced(&header.frame, self.reduction());
        let codes = match &self.way {
            Way::Sequential(_, tables) => {
                let scan = Scan::new(header, tables.clone(), self.input.head(), self.input.rest());
                let components = header.scan.components.iter().map(|component| component.index);
                Codes::Sequential(Sequential::new(scan, geometry, components, level).into())
            }
            _ => match Progressive::new(header, geometry, self.input.head(), level)? {
                Some(scans) => Codes::Progressive(scans.into()),
                None => return Ok(Err(IRREGULAR)),
            },
        };
        Ok(Ok(OwnRows::new(codes, header, geometry, window, level)?))
    }

    /// Rows by libjpeg, and why.
    fn libjpeg(&self, window: &Window, why: &'static str) -> Result<libjpeg::LibjpegRows<'a>> {
        self.left.set(Some(why));
        let mut decoder = libjpeg::Decoder::new(self.parsed.clone(), self.input.head(), &self.limits)?;
        // The arithmetic decoder takes no more bytes after its first ones, so that Pillow's end of image
        // comes too late.
        if self.pad && !self.parsed.frame.arithmetic {
            decoder.pad();
        }
        if let Some(reduction) = self.reduction {
            decoder.set_fast(reduction as u32);
        }
        libjpeg::LibjpegRows::new(decoder, self.header.layout, window, self.pad)
    }

    /// The reader of the rows of `window`, and of none before.
    fn reader(&self, window: &Window) -> Result<Reader<'a>> {
        Ok(match self.own(window)? {
            Ok(own) => Reader::Own(own.into()),
            Err(why) => Reader::Libjpeg(self.libjpeg(window, why)?),
        })
    }

    /// As [`Image::with_rows`], while other threads read the codes; `None` where this file is read by one alone.
    fn with_rows_ahead(
        &self,
        window: &Window,
        read: &mut dyn FnMut(&mut dyn Rows) -> Result<()>,
    ) -> Result<Option<()>> {
        let (Some(geometry), true) = (self.way.geometry(), self.threads > 1) else { return Ok(None) };
        let Ok(own) = self.own(window).map_err(|error| self.error(error))? else { return Ok(None) };
        let (mcus, needed) = (own.mcus(), own.mcu_rows());
        let (codes, with_codes) = own.split();
        let take = |codes| {
            let own = with_codes(codes);
            read(&mut JpegRows::new(self, Reader::Own(own.into()), window)?)
        };
        match codes {
            Codes::Progressive(scans) => {
                scans.share(geometry, needed.end, |rows| take(Codes::Shared(rows)))?
            }
            Codes::Sequential(mut codes) => {
                let bands = if self.threads > 2 {
                    let geometry = geometry.reduced(&self.parsed.frame, self.reduction());
                    Band::of_samples(|| Planes::new(&self.parsed, &geometry, &mcus, self.level))?
                } else {
                    Band::of_blocks(&mcus, geometry)?
                };
                let guesses = codes.guesses(self.input.head(), needed.end, self.threads - 1)?;
                let help = |guesses: Arc<Guesses<'a>>| move || guesses.help();
                let helpers = guesses.iter().cycle().take(self.threads - 2).cloned().map(help);
                let take = |bands| take(Codes::Ahead(BandTaker::new(bands, guesses.clone())));
                ahead(bands, |maker| bands::read(*codes, needed, &maker), helpers, take)
            }
            Codes::Ahead(_) | Codes::Shared(_) => None,
        }
        .transpose()
    }

    fn error(&self, error: Error) -> Error {
        bounded(error, self.input.head(), &self.limits)
    }
}

/// The one decision on who makes a file's rows.
enum Way {
    Sequential(Geometry, ScanTables),
    /// With the number of scans.
    Progressive(Geometry, u64),
    /// libjpeg, and why.
    Libjpeg(&'static str),
}

impl Way {
    fn of(header: &Header, pad: bool, scans: u64) -> Self {
        if pad {
            return Self::Libjpeg("it may be truncated (truncated=\"pad\")");
        }
        if header.frame.arithmetic || header.has_conditions {
            return Self::Libjpeg("it is coded arithmetically");
        }
        let geometry = match Geometry::of(header) {
            Ok(geometry) => geometry,
            Err(why) => return Self::Libjpeg(why),
        };
        if header.frame.progressive {
            return Self::Progressive(geometry, scans);
        }
        if header.has_several_scans() {
            return Self::Libjpeg("its components are in scans of their own");
        }
        match ScanTables::new(header) {
            Some(tables) => Self::Sequential(geometry, tables),
            None => Self::Libjpeg("its Huffman tables are not regular"),
        }
    }
}

impl Way {
    fn geometry(&self) -> Option<&Geometry> {
        match self {
            Self::Sequential(geometry, _) | Self::Progressive(geometry, _) => Some(geometry),
            Self::Libjpeg(_) => None,
        }
    }
}

impl Decoder for Jpeg<'_> {
    fn metadata(&self) -> Result<Metadata<'_>> {
        self.parsed.metadata(self.input.head())
    }

    /// Has the image decoded at the smallest of the sizes that there is fast code for which is twice `resized` or more. An axis that is taken from its end has to begin with a whole pixel
    /// there, so `mirrored` ones are divided without a rest.
    fn set_fast(&mut self, resized: (usize, usize), mirrored: (bool, bool)) {
        let (width, height) = (self.header.width, self.header.height);
        let side = |side: usize, to: usize, mirrored: bool, by: usize| {
            side >= 2 * by * to && (!mirrored || side.is_multiple_of(by))
        };
        let fits =
            |by: &usize| side(width, resized.0, mirrored.0, *by) && side(height, resized.1, mirrored.1, *by);
        self.reduction = Some([8, 4, 2].into_iter().find(fits).unwrap_or(1));
    }

    fn set_threads(&mut self, threads: usize) {
        self.threads = threads.max(1);
    }
}

impl Image for Jpeg<'_> {
    fn header(&self) -> &crate::pixels::Header {
        &self.header
    }

    fn memory(&self) -> u64 {
        let own = match &self.way {
            Way::Sequential(geometry, _) => Back::memory(geometry),
            Way::Progressive(geometry, scans) => {
                Back::memory(geometry)
                    + Progressive::memory(&self.parsed, geometry, self.input.head(), *scans)
            }
            Way::Libjpeg(_) => 0,
        };
        let ahead = match &self.way {
            Way::Sequential(geometry, _) if self.threads > 1 => {
                Band::memory(geometry) + Guesses::memory(self.threads - 1) as u64
            }
            Way::Progressive(geometry, _) if self.threads > 1 => Progressive::shared_memory(geometry),
            _ => 0,
        };
        // libjpeg may have to read the file after all.
        self.parsed.coefficient_bytes() + own + ahead + RowBuffer::memory(&self.header)
    }

    fn reduction(&self) -> usize {
        self.reduction.unwrap_or(1)
    }

    fn stand_in(&self) -> Option<(&'static str, &'static str)> {
        self.left.get().map(|why| ("libjpeg", why))
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        let rows = self.reader(window).and_then(|reader| JpegRows::new(self, reader, window));
        Ok(Box::new(rows.map_err(|error| self.error(error))?))
    }

    fn with_rows(
        &mut self,
        window: &Window,
        read: &mut dyn FnMut(&mut dyn Rows) -> Result<()>,
    ) -> Result<()> {
        match self.with_rows_ahead(window, read)? {
            Some(()) => Ok(()),
            None => read(self.rows(window)?.as_mut()),
        }
    }
}

enum Reader<'a> {
    Own(Box<OwnRows<'a>>),
    Libjpeg(libjpeg::LibjpegRows<'a>),
}

struct JpegRows<'s, 'a> {
    file: &'s Jpeg<'a>,
    reader: Reader<'a>,
    /// The rows and columns to hand out; rows that are done leave it.
    window: Window,
    buffer: Vec<u8>,
    row_bytes: usize,
    /// Where a row's wanted bytes are.
    wanted: std::ops::Range<usize>,
}

impl<'s, 'a> JpegRows<'s, 'a> {
    fn new(file: &'s Jpeg<'a>, reader: Reader<'a>, window: &Window) -> Result<Self> {
        let mut rows =
            Self { file, reader, window: window.clone(), buffer: Vec::new(), row_bytes: 0, wanted: 0..0 };
        rows.make_room()?;
        Ok(rows)
    }

    /// Makes room for rows as the reader lays them out.
    fn make_room(&mut self) -> Result<()> {
        let (first_column, row_bytes, room) = match &self.reader {
            Reader::Own(own) => (own.first_column(), own.row_bytes(), own.room(BLOCK_ROWS)),
            Reader::Libjpeg(rows) => (rows.first_column(), rows.row_bytes(), BLOCK_ROWS * rows.row_bytes()),
        };
        let bytes = self.file.header.layout.bytes();
        let from = (self.window.columns.start - first_column) * bytes;
        self.buffer = allocate("JPEG", room)?;
        self.row_bytes = row_bytes;
        self.wanted = from..from + self.window.columns.len() * bytes;
        Ok(())
    }

    fn read(&mut self, count: usize) -> Result<()> {
        loop {
            match &mut self.reader {
                Reader::Libjpeg(rows) => return rows.read(count, &mut self.buffer),
                Reader::Own(own) => match own.read(count, &mut self.buffer) {
                    Ok(()) => return Ok(()),
                    Err(Stop::Error(error)) => return Err(error),
                    Err(Stop::Irregular) if self.file.input.rest().is_some() => {
                        return Err(Error::unsupported(
                            "expected a regular JPEG, found one that needs all of its bytes",
                        ));
                    }
                    Err(Stop::Irregular) => {}
                },
            }
            // Rows that are done are the same as libjpeg's, which starts from the beginning.
            self.reader = Reader::Libjpeg(self.file.libjpeg(&self.window, IRREGULAR)?);
            self.make_room()?;
        }
    }
}

impl Rows for JpegRows<'_, '_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        self.read(count).map_err(|error| self.file.error(error))?;
        self.window.rows.start += count;
        let mut rows = self.buffer.chunks(self.row_bytes).map(|row| &row[self.wanted.clone()]);
        Ok(std::array::from_fn(|i| if i < count { rows.next().unwrap_or_default() } else { &[] }))
    }
}
