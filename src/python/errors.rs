//! One place where the core's errors become Python's exceptions (`clipprep.errors`).

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyException, PyMemoryError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::Error;

/// Why one source gave no tensor.
pub(super) enum Fault {
    /// The core refused it.
    Core(Error),
    /// Other code raised while it read the source: the class of ours that this is, our words and theirs.
    Foreign { class: Class, text: String, who: &'static str, cause: PyErr },
    /// Python code of the source itself raised an `OSError`.
    Raised(PyErr),
    /// Python code raised what is about no source, such as `KeyboardInterrupt`.
    Stop(PyErr),
}

/// The subclasses of `ImageError`.
#[derive(Clone, Copy)]
pub(super) enum Class {
    Decode,
    Truncated,
    Unsupported,
    Limit,
}

/// Credits words to Pillow.
pub(super) const PILLOW: &str = "Pillow: ";
/// Words by which Pillow says that a file ends too early; its exceptions have no type for that.
const TRUNCATION: [&str; 1] = ["truncated"];

impl Class {
    /// The class of an error that is about the image; the others are the system's or the caller's.
    fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Decode { .. } => Some(Self::Decode),
            Error::Truncated { .. } => Some(Self::Truncated),
            Error::Unsupported(_) => Some(Self::Unsupported),
            Error::Limit { .. } | Error::OutOfMemory { .. } => Some(Self::Limit),
            Error::Io(_) | Error::Interrupted => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Decode => "DecodeError",
            Self::Truncated => "TruncatedError",
            Self::Unsupported => "UnsupportedError",
            Self::Limit => "LimitError",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

fn exception<'py>(py: Python<'py>, name: &'static str) -> PyResult<Bound<'py, PyType>> {
    Ok(py.import("clipprep.errors")?.getattr(name)?.cast_into::<PyType>()?)
}

/// Pillow's `DecompressionBombError`.
pub(super) fn bomb_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static BOMB: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    BOMB.import(py, "PIL.Image", "DecompressionBombError")
}

impl Fault {
    /// What other code raised, as the error of ours that it means.
    pub fn foreign(class: Class, text: impl Into<String>, who: &'static str, cause: PyErr) -> Self {
        Self::Foreign { class, text: text.into(), who, cause }
    }

    /// The exception for `source`.
    pub fn into_pyerr(self, source: &Bound<'_, PyAny>) -> PyErr {
        let (py, name) = (source.py(), name(source));
        let (class, message, cause) = match self {
            Self::Core(error) => match Class::of(&error) {
                Some(class) => (class, format!("{name}: {error}"), None),
                None => return system_error(&name, error),
            },
            Self::Foreign { class, text, who, cause } => {
                (class, format!("{name}: {text} ({who}{})", cause.value(py)), Some(cause))
            }
            Self::Raised(error) | Self::Stop(error) => return error,
        };
        let raised = match exception(py, class.name()) {
            Ok(exception) => PyErr::from_type(exception, message),
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
        Self::beyond_the_source(py, error).unwrap_or_else(|error| {
            let text = "expected a binary file that can be read, found one that raises";
            Self::foreign(Class::Unsupported, text, "", error)
        })
    }

    /// What loading a caller's PIL image raised.
    pub fn raised_by_pillow(py: Python<'_>, error: PyErr) -> Self {
        Self::beyond_the_source(py, error).unwrap_or_else(|error| {
            let text = "expected an image that Pillow can load, found one it cannot";
            Self::foreign(Class::Decode, text, PILLOW, error)
        })
    }

    /// Sorts out what is no fault of the source's bytes: interrupts, the system's errors, no memory.
    fn beyond_the_source(py: Python<'_>, error: PyErr) -> Result<Self, PyErr> {
        if !error.is_instance_of::<PyException>(py) {
            return Ok(Self::Stop(error));
        }
        if error.is_instance_of::<PyMemoryError>(py) {
            let text = Error::out_of_memory("the image", None).to_string();
            return Ok(Self::foreign(Class::Limit, text, "", error));
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
            let text = "expected an image within Pillow's own limit, found a larger one";
            return Self::foreign(Class::Limit, text, PILLOW, pillows);
        }
        let Some(class) = Class::of(&ours) else { return Self::Core(ours) };
        let said = pillows.value(py).to_string();
        let class = match class {
            Class::Decode | Class::Unsupported if TRUNCATION.iter().any(|word| said.contains(word)) => {
                Class::Truncated
            }
            class => class,
        };
        Self::foreign(class, ours.to_string(), PILLOW, pillows)
    }
}

/// The exception for what the system or the caller did.
fn system_error(name: &str, error: Error) -> PyErr {
    match error {
        Error::Io(error) => match error.raw_os_error() {
            // Three arguments make it the subclass that belongs to the code.
            Some(code) => {
                let text = error.to_string();
                let text = text.split(" (os error").next().unwrap_or_default().to_owned();
                PyOSError::new_err((code, text, name.to_owned()))
            }
            None => PyOSError::new_err(format!("{name}: {error}")),
        },
        error => PyRuntimeError::new_err(format!("{name}: {error}")),
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
        exception(py, "BatchError").map(|class| PyErr::from_type(class, (message, index, source.unbind())));
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

/// What messages call a source.
fn name(object: &Bound<'_, PyAny>) -> String {
    let attribute = |name| object.getattr(name).ok().and_then(|value| value.extract::<String>().ok());
    if let Ok(path) = object.extract::<std::path::PathBuf>() {
        return path.display().to_string();
    }
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        return format!("<array of shape {}>", shape(array.shape()));
    }
    if let Some(name) = attribute("filename").or_else(|| attribute("name")).filter(|name| !name.is_empty()) {
        return name;
    }
    let kind = object.get_type().name().map_or_else(|_| "source".into(), |name| name.to_string());
    match object.len() {
        Ok(len) => format!("<{kind} of length {len}>"),
        Err(_) => format!("<{kind}>"),
    }
}
