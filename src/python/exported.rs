//! Pixels for a helper to send: memory that Pillow exports, a piece at a time.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule};

use super::arrow::ArrowBytes;
use super::errors::value_error;
use super::pillow::{layout, stored_pixels};

/// Memory that Pillow exports, of an image or of some rows.
#[pyclass(frozen, module = "clipprep._core")]
pub(super) struct Exported(ArrowBytes);

#[pymethods]
impl Exported {
    #[new]
    fn new(capsule: Bound<'_, PyCapsule>, mode: &str, width: usize, height: usize) -> PyResult<Self> {
        let layout = layout(mode, true).ok_or_else(|| value_error("a mode of Pillow's", mode))?;
        stored_pixels(capsule, width, height, layout)
            .map(Self)
            .map_err(|error| value_error("an image's memory", error))
    }

    fn __len__(&self) -> usize {
        self.0.as_slice().len()
    }

    /// Some of the bytes.
    fn piece<'py>(&self, py: Python<'py>, start: usize, size: usize) -> Bound<'py, PyBytes> {
        let bytes = self.0.as_slice();
        let start = start.min(bytes.len());
        PyBytes::new(py, &bytes[start..start.saturating_add(size).min(bytes.len())])
    }
}

/// Bytes of a pixel of a mode, packed or as Pillow stores it; `None` for a mode that is not read.
#[pyfunction]
pub(super) fn pixel_bytes(mode: &str, stored: bool) -> Option<usize> {
    layout(mode, stored).map(|layout| layout.bytes())
}
