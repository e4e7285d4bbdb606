//! The limits of a call, as the checks of headers before Pillow's readers ask for them.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;

use super::errors::Class;
use crate::decode::{self, Input, Rules};
use crate::{Error, Limits, Result};

/// `clipprep._pillow.formats.Guard`. It keeps the error for which it raises.
#[pyclass(frozen, module = "clipprep._core")]
pub(super) struct Guard {
    limits: Limits,
    error: Mutex<Option<Error>>,
}

#[pymethods]
impl Guard {
    fn pixels(&self, width: usize, height: usize) -> PyResult<()> {
        self.keep(self.limits.check_pixels(width, height))
    }

    fn memory(&self, size: u64) -> PyResult<()> {
        self.keep(self.limits.check_memory(size))
    }

    fn scans(&self, count: u64, pixels: u64) -> PyResult<()> {
        self.keep(self.limits.check_scans(count, pixels))
    }

    /// Checks a file as far as our own decoders do before they leave it to Pillow.
    fn file(&self, data: PyBackedBytes) -> PyResult<()> {
        let rules = Rules { limits: self.limits, ..Rules::default() };
        match decode::open(&Input::new(&data), &rules) {
            Err(error) if !error.is_refusal() => self.keep(Err(error)),
            _ => Ok(()),
        }
    }

    /// Checks a block of EXIF.
    fn exif(&self, block: PyBackedBytes) -> PyResult<()> {
        self.keep(decode::check_exif(&block))
    }

    /// The limits by name.
    fn limits<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        bounds(py, self.limits)
    }

    /// The kind and the text of the error for which it raised, if it did.
    fn refused(&self) -> Option<(&'static str, String)> {
        self.take().map(|error| (Class::of(&error).map_or("decode", Class::kind), error.to_string()))
    }

    /// Checks a PNG inside another file, and returns its size.
    fn png(&self, data: &Bound<'_, PyAny>) -> PyResult<(usize, usize)> {
        let bytes: PyBackedBytes = data.call_method0("tobytes")?.extract()?;
        self.keep(png_size(&bytes, self.limits))
    }
}

/// Every bound by its name.
pub(super) fn bounds(py: Python<'_>, mut limits: Limits) -> PyResult<Bound<'_, PyDict>> {
    let bounds = PyDict::new(py);
    for bound in Limits::TABLE {
        bounds.set_item(bound.name, *(bound.field)(&mut limits))?;
    }
    Ok(bounds)
}

/// A PNG that our decoder refuses may still be read by Pillow, to which the last of several headers counts:
/// of them the one of the most pixels is taken.
fn png_size(bytes: &[u8], limits: Limits) -> Result<(usize, usize)> {
    match decode::open(&Input::new(bytes), &Rules { limits, ..Rules::default() }) {
        Ok((_, image)) => return Ok((image.header().width, image.header().height)),
        Err(error) if !error.is_refusal() => return Err(error),
        Err(_) => {}
    }
    let mut largest = (0, 0);
    for at in memchr::memmem::find_iter(bytes, b"IHDR") {
        let side = |at: usize| bytes.get(at..)?.first_chunk().map(|side| u32::from_be_bytes(*side) as usize);
        let (Some(width), Some(height)) = (side(at + 4), side(at + 8)) else { continue };
        limits.check_pixels(width, height)?;
        largest = std::cmp::max_by_key(largest, (width, height), |size| size.0.saturating_mul(size.1));
    }
    Ok(largest)
}

impl Guard {
    pub fn new(limits: Limits) -> Self {
        Self { limits, error: Mutex::default() }
    }

    /// The error for which it raised, if it did.
    pub fn take(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep<T>(&self, result: Result<T>) -> PyResult<T> {
        result.map_err(|error| {
            let raised = PyRuntimeError::new_err(error.to_string());
            *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            raised
        })
    }
}
