//! Memory that a call reads and writes: the two must be apart, whatever objects they came from, and what was checked
//! must stay as it was.

use std::ops::Range;

use ndarray::ArrayViewD;
use numpy::PyUntypedArray;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::errors::value_error;

/// A range of addresses; an upper estimate where an array has gaps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span(Range<usize>);

impl Span {
    pub fn of<T>(values: &[T]) -> Self {
        let range = values.as_ptr_range();
        Self(range.start.addr()..range.end.addr())
    }

    pub fn at(address: usize, len: usize) -> Self {
        Self(address..address + len)
    }

    pub fn of_view<T>(view: &ArrayViewD<'_, T>) -> Self {
        let (mut first, mut last) = (view.as_ptr().addr(), view.as_ptr().addr());
        for (&len, &stride) in view.shape().iter().zip(view.strides()) {
            let reach = len.saturating_sub(1) * stride.unsigned_abs() * size_of::<T>();
            if stride < 0 { first -= reach } else { last += reach }
        }
        Self(first..if view.is_empty() { first } else { last + size_of::<T>() })
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.start.max(other.0.start) < self.0.end.min(other.0.end)
    }
}

/// A view of an array that nobody else has. The array itself can get another shape, other strides or another dtype at
/// any time, from a source's own code or from a thread.
pub(super) fn own_view<'py>(array: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyUntypedArray>> {
    static VIEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = array.py();
    let class = py.get_type::<PyUntypedArray>();
    let view = VIEW.get_or_try_init(py, || class.getattr("view").map(Bound::unbind))?;
    Ok(view.bind(py).call1((array, &class))?.cast_into()?)
}

/// The error for memory that a call would both read and write.
pub(super) fn overlap() -> PyErr {
    value_error(
        "out= a writeable array of its own",
        "one that overlaps a source or is in use by another call",
    )
}
