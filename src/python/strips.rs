//! Images that Pillow keeps in several blocks of memory, which it does not lend: it copies a few rows at a time, which
//! are still in the processor's cache when they are resized.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyCapsule;

use super::arrow::ArrowBytes;
use super::errors::Fault;
use super::fork::attached;
use crate::pixels::{BLOCK_ROWS, Header, Image, RowBlock, Rows, Window};
use crate::{Error, Result};

/// Bytes of a strip, about: a share of the cache of one core.
const SMALL: usize = 1 << 18;
/// The most bytes of a strip.
const LARGE: usize = 1 << 23;
/// A wait for Python after which strips become larger, so that a busy interpreter is waited for a few times only.
const LONG: Duration = Duration::from_millis(1);

/// Pillow's image, of class `ImagingCore`: its size and the bytes of its pixels never change.
pub(super) struct Stored(pub Py<PyAny>);

impl Stored {
    /// A copy of `rows` rows or fewer from `top` on, of `columns`.
    fn strip(
        &self,
        columns: &Range<usize>,
        top: usize,
        rows: usize,
        header: &Header,
    ) -> Result<Strip, Fault> {
        static STRIP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let (bytes, size) = (header.layout.bytes(), header.layout.sample_bytes());
        let row = columns.len() * bytes;
        let start = Instant::now();
        attached(|py| {
            let waited = start.elapsed();
            let (capsule, count) = STRIP
                .import(py, "clipprep._pillow", "strip")
                .and_then(|strip| strip.call1((&self.0, columns.start, columns.end, top, rows, row)))
                .and_then(|found| found.extract::<(Bound<'_, PyCapsule>, usize)>())
                .map_err(|error| Fault::raised_by_pillow(py, error))?;
            let pixels = ArrowBytes::new(capsule, count * columns.len(), bytes / size, size);
            let pixels =
                pixels.filter(|_| (1..=rows).contains(&count)).ok_or_else(ArrowBytes::another_layout)?;
            Ok(Strip { pixels, rows: top..top + count, waited })
        })
    }
}

/// Some rows of an image.
struct Strip {
    pixels: ArrowBytes,
    rows: Range<usize>,
    /// How long Python was waited for.
    waited: Duration,
}

/// The image to the core.
pub(super) struct StoredImage<'a> {
    pub stored: &'a Stored,
    pub header: Header,
    /// Bytes that are held besides the strips.
    pub held: u64,
    /// Where an error of Python's goes, for which the rows end with an error of ours.
    pub fault: &'a Mutex<Option<Fault>>,
}

impl Image for StoredImage<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn memory(&self) -> u64 {
        let Header { width, height, layout, .. } = self.header;
        let row = (width * layout.bytes()) as u64;
        // One strip, or where a strip cannot have more than a row, those of a block.
        let strips = (LARGE as u64).max(BLOCK_ROWS as u64 * row).min(height as u64 * row);
        self.held.saturating_add(strips)
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        Ok(Box::new(StoredRows {
            image: self,
            columns: window.columns.clone(),
            rows: window.rows.clone(),
            strips: Vec::new(),
            target: SMALL,
        }))
    }
}

struct StoredRows<'s> {
    image: &'s StoredImage<'s>,
    columns: Range<usize>,
    /// The rows that were not asked for yet.
    rows: Range<usize>,
    /// The last rows that were asked for are in these.
    strips: Vec<Strip>,
    /// Bytes of the next strip.
    target: usize,
}

impl StoredRows<'_> {
    /// Makes strips of all rows up to `end`, and lets go of those before.
    fn reach(&mut self, end: usize) -> Result<()> {
        let start = self.rows.start;
        if self.strips.first().is_some_and(|strip| strip.rows.end <= start) {
            self.let_go(|strip| strip.rows.end > start);
        }
        let row = self.columns.len() * self.image.header.layout.bytes();
        loop {
            let top = self.strips.last().map_or(start, |strip| strip.rows.end);
            if top >= end {
                return Ok(());
            }
            let rows = (self.target / row).next_multiple_of(BLOCK_ROWS).max(BLOCK_ROWS);
            let rows = rows.min(self.rows.end - top);
            match self.image.stored.strip(&self.columns, top, rows, &self.image.header) {
                Ok(strip) => {
                    if strip.waited > LONG {
                        self.target = (2 * self.target).min(LARGE);
                    }
                    self.strips.push(strip);
                }
                Err(Fault::Core(error)) => return Err(error),
                Err(fault) => {
                    *self.image.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
                    return Err(Error::Interrupted);
                }
            }
        }
    }

    /// Keeps the strips for which `keep` is true. Python's objects are let go of with Python attached.
    fn let_go(&mut self, keep: impl Fn(&Strip) -> bool) {
        let strips = &mut self.strips;
        // At the interpreter's end nobody attaches any more, and PyO3 leaves the rest to nobody.
        let _ = attached(|_| {
            strips.retain(keep);
            Ok(())
        });
    }
}

impl Drop for StoredRows<'_> {
    fn drop(&mut self) {
        self.let_go(|_| false);
    }
}

impl Rows for StoredRows<'_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        let start = self.rows.start;
        self.reach(start + count)?;
        self.rows.start += count;
        let row = self.columns.len() * self.image.header.layout.bytes();
        let strips = &self.strips;
        Ok(std::array::from_fn(|i| match strips.iter().find(|strip| strip.rows.contains(&(start + i))) {
            Some(strip) if i < count => {
                &strip.pixels.as_slice()[(start + i - strip.rows.start) * row..][..row]
            }
            _ => &[],
        }))
    }
}
