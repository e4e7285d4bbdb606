//! The array that results are written to: a fresh one, or the caller's.

use numpy::{PyArrayDyn, PyArrayMethods, PyReadwriteArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::errors::{shape as tuple, value_error};

/// A float32 array of `shape`: `out` when given, checked, else a new one of zeros.
pub(super) fn array<'py>(
    py: Python<'py>,
    out: Option<&Bound<'py, PyAny>>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    let Some(out) = out else {
        return Ok(PyArrayDyn::zeros(py, shape, false));
    };
    let expected = format!("out= a C-contiguous, writeable float32 array of shape {}", tuple(shape));
    let Ok(array) = out.cast::<PyUntypedArray>() else {
        return Err(PyTypeError::new_err(format!("expected {expected}, found {}", out.get_type().name()?)));
    };
    let Ok(floats) = array.cast::<PyArrayDyn<f32>>() else {
        return Err(value_error(expected, format_args!("dtype {}", array.dtype())));
    };
    if floats.shape() != shape {
        return Err(value_error(expected, format_args!("shape {}", tuple(floats.shape()))));
    }
    if !floats.is_c_contiguous() {
        return Err(value_error(expected, "one that is not C-contiguous"));
    }
    if floats.data().addr() % align_of::<f32>() != 0 {
        return Err(value_error(expected, "one that is not aligned"));
    }
    Ok(floats.clone())
}

/// Exclusive access to the array, as far as Rust code goes.
pub(super) fn borrow<'py>(array: &Bound<'py, PyArrayDyn<f32>>) -> PyResult<PyReadwriteArrayDyn<'py, f32>> {
    array.try_readwrite().map_err(|error| {
        let found = match error {
            numpy::BorrowError::NotWriteable => "a read-only one",
            _ => "one that overlaps a source or is in use by another call",
        };
        value_error("out= a writeable array of its own", found)
    })
}
