//! The text of messages after "found": a value that is not one of those expected.

use numpy::PyArrayDescr;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};

use crate::python::words;

/// The longest value that is shown, in characters.
const LONGEST: usize = 100;

/// The value itself where it is plain and short, else its type: nothing that differs from run to run.
pub(super) fn found(value: &Bound<'_, PyAny>) -> String {
    let shown = if let Ok(text) = value.cast_exact::<PyString>() {
        text.to_str().map(|text| format!("{text:?}")).ok() // in the quotes that the choices have
    } else if let Ok(class) = value.cast::<PyType>() {
        Some(words::class(class))
    } else if let Ok(dtype) = value.cast::<PyArrayDescr>() {
        Some(words::dtype(dtype))
    } else if is_plain(value) || is_plain_sequence(value) {
        Some(words::shown(value))
    } else {
        None
    };
    shown.filter(|text| text.chars().count() <= LONGEST).unwrap_or_else(|| words::kind(value))
}

fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    value.is_none()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyString>()
}

fn is_plain_sequence(value: &Bound<'_, PyAny>) -> bool {
    if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        return tuple.len() <= LONGEST && tuple.iter().all(|item| is_plain(&item));
    }
    value
        .cast_exact::<PyList>()
        .is_ok_and(|list| list.len() <= LONGEST && list.iter().all(|item| is_plain(&item)))
}
