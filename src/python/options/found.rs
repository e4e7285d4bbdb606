//! What a message says of a value that is not one of those expected.

use numpy::PyArrayDescr;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};

/// The longest value that is shown, in characters.
const LONGEST: usize = 100;

/// The value itself where it is plain and short, else its type: nothing that differs from run to run.
pub(super) fn found(value: &Bound<'_, PyAny>) -> String {
    let kind = || value.get_type().name().map_or_else(|_| "an object".into(), |name| name.to_string());
    let shown = if let Ok(text) = value.cast_exact::<PyString>() {
        text.to_str().map(|text| format!("{text:?}")).ok() // quoted as the choices are
    } else if let Ok(class) = value.cast::<PyType>() {
        class.name().map(|name| name.to_string()).ok()
    } else if value.is_instance_of::<PyArrayDescr>() {
        value.str().map(|text| text.to_string()).ok()
    } else if is_plain(value) || is_plain_sequence(value) {
        value.repr().map(|text| text.to_string()).ok()
    } else {
        None
    };
    shown.filter(|text| text.chars().count() <= LONGEST).unwrap_or_else(kind)
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
