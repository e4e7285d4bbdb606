//! The MCUs of a scan in their order, whoever reads them.

use std::sync::Arc;
use std::time::Instant;

use super::guess::{Found, ReadOn};
use super::guesses::Guesses;
use super::worked::Worked;
use crate::decode::jpeg::bits::Irregular;
use crate::decode::jpeg::scan::{Dropped, Scan, Target};
use crate::error::Result;

pub(super) struct Source<'a> {
    scan: Scan<'a>,
    /// Rows of MCUs that are begun.
    rows: usize,
    /// What another thread reads ahead, and what of it comes next.
    guesses: Option<Arc<Guesses<'a>>>,
    pub(super) found: Option<Found<'a>>,
    /// How long the rows took, and when this one was begun, where another thread reads ahead.
    worked: Worked,
    begun: Option<Instant>,
}

impl<'a> Source<'a> {
    pub fn new(scan: Scan<'a>) -> Self {
        Self { scan, rows: 0, guesses: None, found: None, worked: Worked::default(), begun: None }
    }

    /// As [`Sequential::guesses`](super::Sequential::guesses).
    pub fn guesses(
        &mut self,
        bytes: &'a [u8],
        rows: usize,
        threads: usize,
        read_on: ReadOn,
    ) -> Result<Option<Arc<Guesses<'a>>>> {
        self.guesses = Guesses::new(bytes, &self.scan, rows, threads, read_on)?.map(Arc::new);
        Ok(self.guesses.clone())
    }

    /// Begins a row of MCUs.
    pub fn begin_row(&mut self) -> std::result::Result<(), Irregular> {
        self.begun = self.guesses.as_ref().map(|_| Instant::now());
        if self.found.is_none() {
            self.look()?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Looks whether another thread has the next MCUs.
    fn look(&mut self) -> std::result::Result<(), Irregular> {
        if let Some(guesses) = &self.guesses {
            self.scan.begin_mcu()?;
            self.found = guesses.look(&self.scan, self.rows);
        }
        Ok(())
    }

    /// Reads the next MCU.
    #[inline(always)]
    pub fn mcu(&mut self, target: &mut impl Target) -> std::result::Result<(), Irregular> {
        if self.found.is_some() && self.found_mcu(target)? {
            return Ok(());
        }
        self.scan.mcu(target)
    }

    /// Hands out the next MCU, if it is there already. After those of a guess come those of another one, if it has the next ones.
    fn found_mcu(&mut self, target: &mut impl Target) -> std::result::Result<bool, Irregular> {
        while let Some(found) = &mut self.found {
            if found.hand_out(&mut self.scan, target).is_some() {
                return Ok(true);
            }
            if let (Some(guesses), Some(found)) = (&self.guesses, self.found.take()) {
                guesses.end(found, &mut self.scan)?;
            }
            self.look()?;
        }
        Ok(false)
    }

    /// Reads `count` MCUs and drops them.
    #[inline(always)]
    pub fn skip(&mut self, count: usize) -> std::result::Result<(), Irregular> {
        for _ in 0..count {
            self.mcu(&mut Dropped)?;
        }
        Ok(())
    }

    /// Ends it, and [checks](Scan::check) its DC coefficients.
    pub fn end_row(&mut self) -> std::result::Result<(), Irregular> {
        if let (Some(guesses), Some(begun)) = (&self.guesses, self.begun) {
            self.worked.add(begun.elapsed());
            guesses.tell(&self.worked);
        }
        self.scan.check()
    }

    /// The marker that ends the scan.
    pub fn marker_ahead(&mut self) -> Option<u8> {
        self.scan.marker_ahead()
    }
}

impl Drop for Source<'_> {
    /// Who reads ahead has nothing more to do.
    fn drop(&mut self) {
        self.guesses.iter().for_each(|guesses| guesses.end_all());
    }
}
