//! The values of options: how each type is read from Python, and how it is shown there.

use std::num::NonZeroUsize;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyException, PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyList, PyString, PyTuple};

use super::found::found;
use crate::Fill;
use crate::python::errors::{raised_error, type_error, value_error};

/// The largest side of an output.
const MAX_SIZE: i64 = 1 << 14;

/// A value of an option.
pub(super) trait Value: PartialEq + Sized {
    /// How a command line says it.
    const KIND: &'static str;

    /// The value that `given` means.
    fn read(given: &Bound<'_, PyAny>) -> Result<Self, Wrong>;

    /// The value as Python has it.
    fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;

    /// Its type as a parameter of Python.
    fn annotation() -> String;

    /// Its type as an attribute.
    fn shown() -> String {
        Self::annotation()
    }

    /// The text of messages after "expected".
    fn expected() -> String;

    /// The choices with their meanings, where there is a list of them.
    fn choices() -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }
}

/// Why an object is no value of an option.
pub(super) enum Wrong {
    Type,
    Value,
    /// The object's own code raised something else.
    Raised(PyErr),
    /// An exception with a message of ours.
    Ours(PyErr),
}

impl Wrong {
    /// `error` as the text of a message about the object that raised it.
    pub fn of(py: Python<'_>, error: PyErr) -> Self {
        if error.is_instance_of::<PyTypeError>(py) {
            Self::Type
        } else if error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyOverflowError>(py) {
            Self::Value
        } else {
            Self::Raised(error)
        }
    }

    /// The exception; `option` is empty for what has no name.
    pub fn into_pyerr(self, option: &str, expected: &str, given: &Bound<'_, PyAny>) -> PyErr {
        let name = if option.is_empty() { String::new() } else { format!("{option}= ") };
        let expected = format!("{name}{expected}");
        match self {
            Self::Type => type_error(expected, found(given)),
            Self::Value => value_error(expected, found(given)),
            Self::Ours(error) => error,
            Self::Raised(error) => match error.is_instance_of::<PyException>(given.py()) {
                true => raised_error(given.py(), expected, found(given), error),
                false => error,
            },
        }
    }
}

/// A number from 1, of which none is too large, that is no option of a table's.
pub(in crate::python) fn count(
    name: &str,
    expected: &str,
    given: &Bound<'_, PyAny>,
) -> PyResult<NonZeroUsize> {
    let wrong = |error| Wrong::of(given.py(), error);
    let count =
        given.extract::<isize>().or_else(|error| match error.is_instance_of::<PyOverflowError>(given.py()) {
            true if given.gt(0).map_err(wrong)? => Ok(isize::MAX),
            _ => Err(wrong(error)),
        });
    let count = count.and_then(|count| usize::try_from(count).map_err(|_| Wrong::Value));
    let count = count.and_then(|count| NonZeroUsize::new(count).ok_or(Wrong::Value));
    count.map_err(|wrong| wrong.into_pyerr(name, expected, given))
}

/// Three values, of anything that can be iterated over but text.
fn three<T: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr>>(
    given: &Bound<'_, PyAny>,
) -> Result<[T; 3], Wrong> {
    let py = given.py();
    if given.is_instance_of::<PyString>() || given.is_instance_of::<PyBytes>() {
        return Err(Wrong::Type);
    }
    let mut values = Vec::with_capacity(4);
    for item in given.try_iter().map_err(|error| Wrong::of(py, error))?.take(4) {
        let value = item.and_then(|item| item.extract::<T>());
        values.push(value.map_err(|error| Wrong::of(py, error))?);
    }
    values.try_into().map_err(|_| Wrong::Value)
}

impl Value for bool {
    const KIND: &'static str = "flag";

    fn read(given: &Bound<'_, PyAny>) -> Result<Self, Wrong> {
        given.extract().map_err(|error| Wrong::of(given.py(), error))
    }

    fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.into_bound_py_any(py)
    }

    fn annotation() -> String {
        "bool".into()
    }

    fn expected() -> String {
        "True or False".into()
    }
}

/// Channels' numbers.
impl Value for [f64; 3] {
    const KIND: &'static str = "numbers";

    fn read(given: &Bound<'_, PyAny>) -> Result<Self, Wrong> {
        let numbers = three::<f64>(given)?;
        let finite = numbers.iter().all(|number| (*number as f32).is_finite());
        if finite { Ok(numbers) } else { Err(Wrong::Value) }
    }

    fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyTuple::new(py, self)?.into_any())
    }

    fn annotation() -> String {
        "Sequence[float] | NDArray[Any]".into()
    }

    fn shown() -> String {
        "tuple[float, float, float]".into()
    }

    fn expected() -> String {
        "3 finite numbers".into()
    }
}

/// A factor, or none.
impl Value for Option<f64> {
    const KIND: &'static str = "factor";

    fn read(given: &Bound<'_, PyAny>) -> Result<Self, Wrong> {
        if given.is_none() {
            return Ok(None);
        }
        let factor = given.extract::<f64>().map_err(|error| Wrong::of(given.py(), error))?;
        if factor.is_finite() && factor > 0.0 { Ok(Some(factor)) } else { Err(Wrong::Value) }
    }

    fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.into_bound_py_any(py)
    }

    fn annotation() -> String {
        "float | None".into()
    }

    fn expected() -> String {
        "a finite number above 0, or None".into()
    }
}

/// Height and width; one number for a square.
impl Value for (usize, usize) {
    const KIND: &'static str = "size";

    fn read(given: &Bound<'_, PyAny>) -> Result<Self, Wrong> {
        let py = given.py();
        let side = |number: &Bound<'_, PyAny>| {
            if number.is_instance_of::<PyBool>() {
                return Err(Wrong::Type);
            }
            match number.extract::<i64>().map_err(|error| Wrong::of(py, error))? {
                side @ 1..=MAX_SIZE => Ok(side as usize),
                _ => Err(Wrong::Value),
            }
        };
        let pair = given.cast::<PyTuple>().map(|pair| pair.as_sequence());
        match pair.or_else(|_| given.cast::<PyList>().map(|pair| pair.as_sequence())) {
            Err(_) => side(given).map(|side| (side, side)),
            Ok(pair) if pair.len().map_err(Wrong::Raised)? == 2 => {
                let item = |index| pair.get_item(index).map_err(Wrong::Raised);
                Ok((side(&item(0)?)?, side(&item(1)?)?))
            }
            Ok(_) => Err(Wrong::Type),
        }
    }

    fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if self.0 == self.1 { self.0.into_bound_py_any(py) } else { self.into_bound_py_any(py) }
    }

    fn annotation() -> String {
        "int | Sequence[int]".into()
    }

    fn shown() -> String {
        "int | tuple[int, int]".into()
    }

    fn expected() -> String {
        format!("a size of 1 to {MAX_SIZE} pixels or a pair (height, width)")
    }
}

impl Value for Fill {
    const KIND: &'static str = "colour";

    fn read(given: &Bound<'_, PyAny>) -> Result<Self, Wrong> {
        if given.is_none() {
            return Ok(Self::Zero);
        }
        let level = given.extract::<u8>().map_err(|error| Wrong::of(given.py(), error));
        match level {
            Ok(level) => Ok(Self::Level(level)),
            Err(Wrong::Type) => three(given).map(Self::Bands),
            Err(wrong) => Err(wrong),
        }
    }

    fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Level(level) => level.into_bound_py_any(py),
            Self::Bands([a, b, c]) => (a, b, c).into_bound_py_any(py),
            Self::Zero => Ok(py.None().into_bound(py)),
        }
    }

    fn annotation() -> String {
        "int | Sequence[int] | None".into()
    }

    fn shown() -> String {
        "int | tuple[int, int, int] | None".into()
    }

    fn expected() -> String {
        "a level of 0 to 255, 3 of them, or None".into()
    }
}

/// Pillow's names of formats.
impl Value for Option<Vec<String>> {
    const KIND: &'static str = "names";

    fn read(given: &Bound<'_, PyAny>) -> Result<Self, Wrong> {
        if given.is_none() {
            return Ok(None);
        }
        let py = given.py();
        if given.is_instance_of::<PyString>() || given.is_instance_of::<PyBytes>() {
            return Err(Wrong::Type);
        }
        let names = given.try_iter().and_then(|names| names.map(|name| name?.extract()).collect());
        let names: Vec<String> = names.map_err(|error| Wrong::of(py, error))?;
        let check = py.import("clipprep._pillow").and_then(|pillow| pillow.getattr("allowed_formats"));
        check.and_then(|check| check.call1((names,))?.extract()).map(Some).map_err(Wrong::Ours)
    }

    fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Some(names) => Ok(PyTuple::new(py, names)?.into_any()),
            None => Ok(py.None().into_bound(py)),
        }
    }

    fn annotation() -> String {
        "Iterable[str] | None".into()
    }

    fn shown() -> String {
        "tuple[str, ...] | None".into()
    }

    fn expected() -> String {
        "a list of Pillow's names of formats, or None".into()
    }
}
