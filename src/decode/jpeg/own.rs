//! Rows of a regular file, from its codes to pixels, without libjpeg.

use std::ops::Range;

use super::back::{Back, Geometry, Planes};
use super::bands::BandTaker;
use super::bits::Irregular;
use super::header::Header;
use super::progressive::{Progressive, SharedRows};
use super::sequential::Sequential;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::pixels::Window;
use crate::simd::Level;

/// Why there are no more rows.
#[derive(Debug)]
pub(super) enum Stop {
    /// libjpeg has to read the file, from its beginning.
    Irregular,
    Error(Error),
}

impl From<Irregular> for Stop {
    fn from(_: Irregular) -> Self {
        Self::Irregular
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// The reader of a file's codes, a row of MCUs at a time.
pub(super) enum Codes<'a> {
    Sequential(Box<Sequential<'a>>),
    Progressive(Box<Progressive>),
    /// Another thread reads them.
    Ahead(BandTaker<'a>),
    /// Another thread shares them.
    Shared(SharedRows),
}

impl Codes<'_> {
    /// Passes over a row of MCUs.
    pub fn pass(&mut self) -> std::result::Result<(), Irregular> {
        match self {
            Self::Sequential(scan) => scan.pass(),
            Self::Progressive(scans) => scans.pass(),
            Self::Ahead(bands) => bands.with_next(|_| ()),
            Self::Shared(rows) => rows.row(|_| ()),
        }
    }

    /// Reads a row of MCUs.
    pub fn row(&mut self, planes: &mut Planes) -> std::result::Result<(), Irregular> {
        match self {
            Self::Sequential(scan) => scan.row(planes),
            Self::Progressive(scans) => scans.row(planes),
            Self::Ahead(bands) => bands.with_next(|band| band.hand_over(planes)),
            Self::Shared(rows) => rows.row(|row| row.hand_over(planes)),
        }
    }

    /// Looks at what the file has after the rows that are needed.
    pub fn finish(&mut self) -> std::result::Result<(), Irregular> {
        match self {
            Self::Sequential(scan) => scan.finish(),
            // All of the file has been looked at before its first row was read.
            Self::Progressive(_) | Self::Shared(_) => Ok(()),
            Self::Ahead(bands) => bands.with_next(|_| ()),
        }
    }
}

/// The rows of a window.
pub(super) struct OwnRows<'a> {
    codes: Codes<'a>,
    back: Back,
    /// The next row, and the one after the last.
    y: usize,
    end: usize,
}

impl<'a> OwnRows<'a> {
    pub fn new(
        codes: Codes<'a>,
        header: &Header,
        geometry: &Geometry,
        window: &Window,
        level: Level,
    ) -> Result<Self> {
        let back = Back::new(header, geometry, window, level)?;
        Ok(Self { codes, back, y: window.rows.start, end: window.rows.end })
    }

    /// The reader of the codes, for another thread, and the rest, to which [`Codes::Ahead`] is to be given.
    pub fn split(self) -> (Codes<'a>, impl FnOnce(Codes<'a>) -> Self) {
        let Self { codes, back, y, end } = self;
        (codes, move |codes| Self { codes, back, y, end })
    }

    /// The rows of MCUs that are needed.
    pub fn mcu_rows(&self) -> Range<usize> {
        self.back.mcu_rows(self.y).start..self.back.mcu_rows(self.end - 1).end
    }

    /// The columns of MCUs that are needed.
    pub fn mcus(&self) -> Range<usize> {
        self.back.mcus()
    }

    /// The column that rows begin with.
    pub fn first_column(&self) -> usize {
        self.back.first_column()
    }

    /// Bytes from one row to the next.
    pub fn row_bytes(&self) -> usize {
        self.back.row_bytes()
    }

    /// Bytes that `count` rows need, and the room after them.
    pub fn room(&self, count: usize) -> usize {
        self.back.room(count)
    }

    /// The next `count` rows. With the last one all of the file has been looked at.
    pub fn read(&mut self, count: usize, out: &mut [u8]) -> std::result::Result<(), Stop> {
        for i in 0..count {
            while !self.back.has(self.y) {
                interrupt::check()?;
                if self.back.done() < self.back.mcu_rows(self.y).start {
                    self.codes.pass()?;
                    self.back.pass();
                } else {
                    self.back.make(|planes| self.codes.row(planes))?;
                }
            }
            self.back.row(self.y, &mut out[i * self.back.row_bytes()..]);
            self.y += 1;
        }
        if self.y == self.end {
            self.codes.finish()?;
        }
        Ok(())
    }
}
