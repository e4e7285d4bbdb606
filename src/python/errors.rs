//! One place where the core's errors become Python's exceptions (`clipprep.errors`).

use pyo3::exceptions::{PyException, PyMemoryError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::source::name;
use crate::Error;

/// Why one source gave no tensor.
pub(super) enum Fault {
    /// The core refused it.
    Core(Error),
    /// The core refused it, and so did Pillow.
    Pillow(Error, PyErr),
    /// Python code of the source itself raised, and this is what that means.
    Source(Error, PyErr),
    /// Python code of the source itself raised an `OSError`.
    Raised(PyErr),
    /// Python code raised what is about no source, such as `KeyboardInterrupt`.
    Stop(PyErr),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

fn class<'py>(py: Python<'py>, name: &'static str) -> PyResult<Bound<'py, PyType>> {
    Ok(py.import("clipprep.errors")?.getattr(name)?.cast_into::<PyType>()?)
}

/// Pillow's `DecompressionBombError`.
pub(super) fn bomb_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static BOMB: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    BOMB.import(py, "PIL.Image", "DecompressionBombError")
}

impl Fault {
    /// The exception for `source`.
    pub fn into_pyerr(self, source: &Bound<'_, PyAny>) -> PyErr {
        let (py, name) = (source.py(), name(source));
        let mut who = "";
        let (error, cause) = match self {
            Self::Core(error) => (error, None),
            Self::Source(error, cause) => (error, Some(cause)),
            Self::Pillow(error, cause) => {
                who = "Pillow: ";
                (error, Some(cause))
            }
            Self::Raised(error) | Self::Stop(error) => return error,
        };
        let kind = match &error {
            Error::Io(error) => {
                let Some(code) = error.raw_os_error() else {
                    return PyOSError::new_err(format!("{name}: {error}"));
                };
                // Three arguments make it the subclass that belongs to the code.
                let text = error.to_string();
                let text = text.split(" (os error").next().unwrap_or_default().to_owned();
                return PyOSError::new_err((code, text, name));
            }
            Error::Interrupted => return PyRuntimeError::new_err(format!("{name}: {error}")),
            Error::Decode(_) => "DecodeError",
            Error::Truncated(_) => "TruncatedError",
            Error::Unsupported(_) => "UnsupportedError",
            Error::Limit(_) => "LimitError",
        };
        let message = match &cause {
            Some(cause) => format!("{name}: {error} ({who}{})", cause.value(py)),
            None => format!("{name}: {error}"),
        };
        let raised = match class(py, kind) {
            Ok(class) => PyErr::from_type(class, message),
            Err(error) => return error,
        };
        raised.set_cause(py, cause);
        match raised.value(py).setattr("source", source) {
            Ok(()) => raised,
            Err(error) => error,
        }
    }

    /// What a source's own Python code raised.
    pub fn raised(py: Python<'_>, error: PyErr) -> Self {
        match Self::beyond_the_source(py, error) {
            Ok(fault) => fault,
            Err(error) => Self::Source(
                Error::Unsupported("expected a binary file that can be read, found one that raises".into()),
                error,
            ),
        }
    }

    /// What loading a caller's PIL image raised.
    pub fn raised_by_pillow(py: Python<'_>, error: PyErr) -> Self {
        match Self::beyond_the_source(py, error) {
            Ok(fault) => fault,
            Err(error) => Self::Pillow(
                Error::Decode("expected an image that Pillow can load, found one it cannot".into()),
                error,
            ),
        }
    }

    /// Sorts out what is no fault of the source's bytes: interrupts, the system's errors, no memory.
    fn beyond_the_source(py: Python<'_>, error: PyErr) -> Result<Self, PyErr> {
        if !error.is_instance_of::<PyException>(py) {
            return Ok(Self::Stop(error));
        }
        if error.is_instance_of::<PyMemoryError>(py) {
            let found = "expected memory for the image, found too little";
            return Ok(Self::Source(Error::Limit(found.into()), error));
        }
        if error.is_instance_of::<PyOSError>(py) {
            return Ok(Self::Raised(error));
        }
        Err(error)
    }

    /// After Pillow refused as well: its reason decides where it is clearer than ours.
    pub fn refused_by_pillow(py: Python<'_>, ours: Error, pillows: PyErr) -> Self {
        let pillows = match Self::beyond_the_source(py, pillows) {
            // Pillow says so of any file that it cannot read.
            Ok(Self::Raised(error)) | Err(error) => error,
            Ok(fault) => return fault,
        };
        if bomb_class(py).is_ok_and(|bomb| pillows.is_instance(py, bomb)) {
            return Self::Pillow(
                Error::Limit("expected an image within Pillow's own limit, found a larger one".into()),
                pillows,
            );
        }
        let truncated = pillows.value(py).to_string().contains("truncated");
        match ours {
            Error::Decode(found) | Error::Unsupported(found) if truncated => {
                Self::Pillow(Error::Truncated(found), pillows)
            }
            ours => Self::Pillow(ours, pillows),
        }
    }
}

/// `BatchError` for the lowest index that failed.
pub(super) fn batch_error(
    py: Python<'_>,
    index: usize,
    source: Bound<'_, PyAny>,
    cause: PyErr,
    others: usize,
) -> PyErr {
    let others = match others {
        0 => String::new(),
        1 => "; 1 other failed".into(),
        n => format!("; {n} others failed"),
    };
    let message = format!("source {index}: {}{others}", cause.value(py));
    let raised =
        class(py, "BatchError").map(|class| PyErr::from_type(class, (message, index, source.unbind())));
    match raised {
        Ok(raised) => {
            raised.set_cause(py, Some(cause));
            raised
        }
        Err(error) => error,
    }
}

/// `ValueError` with the two halves that every message has.
pub(super) fn value_error(expected: impl std::fmt::Display, found: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("expected {expected}, found {found}"))
}

/// A shape as Python writes it.
pub(super) fn shape(sides: &[usize]) -> String {
    let sides: Vec<_> = sides.iter().map(usize::to_string).collect();
    format!("({}{})", sides.join(", "), if sides.len() == 1 { "," } else { "" })
}
