//! The class `clipprep.Limits` as Python has it: attributes by the table of the core.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyList, PyType};

use super::entry::row;
use super::value::{Value, Wrong};
use crate::Limits;
use crate::python::guard::bounds;

/// The class, written in Python for its signature.
pub(super) fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "clipprep.limits", "Limits")
}

/// The bounds that an object of the class has.
pub(in crate::python) fn read(given: &Bound<'_, PyAny>) -> PyResult<Limits> {
    let mut limits = Limits::default();
    for bound in Limits::TABLE {
        let value = given.getattr(bound.name)?;
        *(bound.field)(&mut limits) = match value.is_none() {
            true => None,
            false => Some(number(&value).map_err(|wrong| {
                wrong.into_pyerr(bound.name, "a number of 0 to 2**64 - 1, or None", &value)
            })?),
        };
    }
    Ok(limits)
}

fn number(value: &Bound<'_, PyAny>) -> Result<u64, Wrong> {
    if value.is_instance_of::<PyBool>() {
        return Err(Wrong::Type);
    }
    value.extract().map_err(|error| Wrong::of(value.py(), error))
}

/// An object of the class with these bounds.
pub(super) fn show<'py>(py: Python<'py>, limits: &Limits) -> PyResult<Bound<'py, PyAny>> {
    class(py)?.call((), Some(&bounds(py, *limits)?))
}

/// Raises TypeError or ValueError for bounds that are none.
#[pyfunction]
pub(in crate::python) fn check_limits(limits: &Bound<'_, PyAny>) -> PyResult<()> {
    read(limits).map(|_| ())
}

/// The bounds of `Limits`, in rows like those of `describe_options`.
#[pyfunction]
pub(in crate::python) fn describe_limits(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let mut default = Limits::default();
    let rows = Limits::TABLE.iter().map(|bound| {
        let value = (bound.field)(&mut default).into_bound_py_any(py)?;
        row(py, bound.name, bound.doc, "bound", "int | None", value)
    });
    PyList::new(py, rows.collect::<PyResult<Vec<_>>>()?)
}

impl Value for Limits {
    const KIND: &'static str = "limits";

    fn read(given: &Bound<'_, PyAny>) -> Result<Self, Wrong> {
        let class = class(given.py()).map_err(Wrong::Raised)?;
        if !given.is_instance(class).map_err(Wrong::Raised)? {
            return Err(Wrong::Type);
        }
        read(given).map_err(Wrong::Ours)
    }

    fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        show(py, self)
    }

    fn annotation() -> String {
        "Limits".into()
    }

    fn expected() -> String {
        "a clipprep.Limits".into()
    }
}
