//! One place where the core's errors become Python's exceptions (`clipprep.errors`).

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::PyTypeInfo;
use pyo3::exceptions::{
    PyException, PyMemoryError, PyOSError, PyRecursionError, PyRuntimeError, PyTypeError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyType};

use super::words::{self, kind, message, said};
use crate::Error;

/// Why one source gave no tensor.
pub(super) enum Fault {
    /// The core refused it.
    Core(Error),
    /// Other code raised while it read the source: the class of ours that this is, our words and theirs.
    Foreign { class: Class, text: String, who: &'static str, cause: Option<PyErr> },
    /// The system did not hand over the bytes of the file at a path.
    File(PathBuf, io::Error),
    /// Python code of the source itself raised an `OSError`.
    System(PyErr),
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
    Source,
    Helper,
}

/// Credits words to Pillow.
pub(super) const PILLOW: &str = "Pillow: ";

impl Class {
    /// The class of an error that is about the image; the others are the system's or the caller's.
    pub fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Decode { .. } => Some(Self::Decode),
            Error::Truncated { .. } => Some(Self::Truncated),
            Error::Unsupported(_) | Error::RuledOut(_) => Some(Self::Unsupported),
            Error::Limit { .. } | Error::OutOfMemory { .. } => Some(Self::Limit),
            Error::Io(_) | Error::Interrupted => None,
        }
    }

    /// By its name in `clipprep._pillow.refusals`.
    fn of_kind(kind: &str) -> Self {
        let known = [Self::Truncated, Self::Unsupported, Self::Limit, Self::Source, Self::Helper];
        known.into_iter().find(|class| class.kind() == kind).unwrap_or(Self::Decode)
    }

    /// Its name there.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Truncated => "truncated",
            Self::Unsupported => "unsupported",
            Self::Limit => "limit",
            Self::Source => "source",
            Self::Helper => "helper",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Decode => "DecodeError",
            Self::Truncated => "TruncatedError",
            Self::Unsupported => "UnsupportedError",
            Self::Limit => "LimitError",
            Self::Source => "SourceError",
            Self::Helper => "HelperError",
        }
    }
}

/// For a PIL image of which nothing better is known.
const NOT_LOADED: &str = "expected an image that Pillow can load, found one it cannot";

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

fn exception<'py>(py: Python<'py>, name: &'static str) -> PyResult<Bound<'py, PyType>> {
    Ok(py.import("clipprep.errors")?.getattr(name)?.cast_into::<PyType>()?)
}

/// Pillow's exceptions for an image that is too large: the second is a warning, which may be made an error.
pub(super) fn bomb_classes(py: Python<'_>) -> PyResult<[&Bound<'_, PyType>; 2]> {
    static BOMBS: [PyOnceLock<Py<PyType>>; 2] = [PyOnceLock::new(), PyOnceLock::new()];
    Ok([
        BOMBS[0].import(py, "PIL.Image", "DecompressionBombError")?,
        BOMBS[1].import(py, "PIL.Image", "DecompressionBombWarning")?,
    ])
}

/// The kind and the words of an exception that our own Python code raised.
fn refused(py: Python<'_>, error: &PyErr) -> Option<(String, String)> {
    let class =
        py.import("clipprep._pillow.refusals").and_then(|module| module.getattr("RefusedError")).ok()?;
    let is_ours = error.value(py).is_instance(&class).unwrap_or(false);
    if is_ours { error.value(py).getattr("args").ok()?.extract().ok() } else { None }
}

impl Fault {
    /// An exception of other code as the error of ours that it means.
    pub fn foreign(class: Class, text: impl Into<String>, who: &'static str, cause: PyErr) -> Self {
        Self::Foreign { class, text: text.into(), who, cause: Some(cause) }
    }

    /// An object that is no source.
    pub fn no_source(expected: &str, found: impl Display) -> Self {
        let text = format!("expected {expected}, found {found}");
        Self::Foreign { class: Class::Source, text, who: "", cause: None }
    }

    /// Whether the object is no source, whatever is done with it.
    pub fn is_no_source(&self) -> bool {
        matches!(self, Self::Foreign { class: Class::Source, .. })
    }

    /// The exception for `source`.
    pub fn into_pyerr(self, source: &Bound<'_, PyAny>) -> PyErr {
        let (py, name) = (source.py(), name(source));
        let (class, message, cause) = match self {
            Self::Core(error) => match Class::of(&error) {
                Some(class) => (class, format!("{name}: {error}"), None),
                None => return new::<PyRuntimeError>(py, format_args!("{name}: {error}")),
            },
            Self::Foreign { class, text, who, cause: Some(cause) } => {
                (class, format!("{name}: {text} ({who}{})", said(py, &cause)), Some(cause))
            }
            Self::Foreign { class, text, cause: None, .. } => (class, format!("{name}: {text}"), None),
            Self::File(path, error) => return not_opened(py, &path, &error).unwrap_or_else(|error| error),
            Self::System(error) => return raised_system_error(py, name, error),
            Self::Stop(error) => return error,
        };
        let raised = match exception(py, class.name()) {
            Ok(exception) => PyErr::from_type(exception, words::message(message)),
            Err(error) => return error,
        };
        raised.set_cause(py, cause);
        match raised.value(py).setattr("source", source) {
            Ok(()) => raised,
            Err(error) => error,
        }
    }

    /// An exception of a source's own Python code.
    pub fn raised(py: Python<'_>, error: PyErr) -> Self {
        Self::beyond_the_source(py, error).unwrap_or_else(|error| {
            if let Some((kind, said)) = refused(py, &error) {
                return Self::Foreign { class: Class::of_kind(&kind), text: said, who: "", cause: None };
            }
            let text = "expected a source that can be read, found one that raises";
            Self::foreign(Class::Unsupported, text, "", error)
        })
    }

    /// An exception from loading a caller's PIL image.
    pub fn raised_by_pillow(py: Python<'_>, error: PyErr) -> Self {
        Self::beyond_the_source(py, error).unwrap_or_else(|error| {
            if bomb_classes(py).is_ok_and(|bombs| bombs.iter().any(|bomb| error.is_instance(py, bomb))) {
                let text = "expected an image within Pillow's own limit, found a larger one";
                return Self::foreign(Class::Limit, text, PILLOW, error);
            }
            if let Some((kind, said)) = refused(py, &error) {
                return Self::refused_image(&kind, said, error.cause(py));
            }
            Self::foreign(Class::Decode, NOT_LOADED, PILLOW, error)
        })
    }

    /// A refusal of an image, or of what our own Python code says of it.
    pub fn refused_image(kind: &str, said: String, cause: Option<PyErr>) -> Self {
        let text = if said.is_empty() { NOT_LOADED.to_owned() } else { said };
        Self::Foreign { class: Class::of_kind(kind), text, who: PILLOW, cause }
    }

    /// Sorts out what is no fault of the source's bytes: interrupts, the system's errors, no memory, no stack.
    fn beyond_the_source(py: Python<'_>, error: PyErr) -> Result<Self, PyErr> {
        if !error.is_instance_of::<PyException>(py) {
            return Ok(Self::Stop(error));
        }
        if error.is_instance_of::<PyMemoryError>(py) {
            let text = Error::out_of_memory("the image", None).to_string();
            return Ok(Self::foreign(Class::Limit, text, "", error));
        }
        if error.is_instance_of::<PyRecursionError>(py) {
            let text = "expected a call with room on Python's stack for Pillow, found its recursion limit reached; \
                        call from fewer functions inside each other, or raise it by sys.setrecursionlimit";
            return Ok(Self::foreign(Class::Limit, text, "", error));
        }
        if error.is_instance_of::<PyOSError>(py) {
            return Ok(Self::System(error));
        }
        Err(error)
    }

    /// After Pillow refused as well, for a reason of that `kind`, which decides where it is clearer than ours.
    /// `said` is said in place of our own words where these name no format.
    pub fn refused_by_pillow(ours: Error, kind: &str, said: String, cause: Option<PyErr>) -> Self {
        let pillows = Class::of_kind(kind);
        let (class, text) = match (&ours, pillows) {
            (Error::Truncated { .. }, _) => (Class::Truncated, ours.to_string()),
            (_, Class::Limit) => (Class::Limit, said),
            (Error::Decode { .. }, Class::Truncated) => (Class::Truncated, ours.to_string()),
            (Error::Decode { .. }, _) => (Class::Decode, ours.to_string()),
            _ if said.is_empty() => (pillows, ours.to_string()),
            _ => (pillows, said),
        };
        Self::Foreign { class, text, who: PILLOW, cause }
    }
}

/// `OSError` for the file at a path, as Python has it.
fn not_opened(py: Python<'_>, path: &Path, error: &io::Error) -> PyResult<PyErr> {
    let said = error.to_string();
    let said = said.split(" (os error").next().unwrap_or_default();
    let is_folder = error.kind() == io::ErrorKind::IsADirectory;
    let make = py.import("clipprep._hints")?.getattr("not_opened")?;
    Ok(PyErr::from_value(make.call1((error.raw_os_error(), said, path.as_os_str(), is_folder))?))
}

/// An `OSError` that other code raised, as one about the source: of the same class, where that is Python's own.
fn raised_system_error(py: Python<'_>, name: String, error: PyErr) -> PyErr {
    let value = error.value(py);
    let code = value.getattr("errno").and_then(|code| code.extract::<i32>()).ok();
    let text = value.getattr("strerror").and_then(|text| Ok(text.cast_into::<PyString>()?)).ok();
    let raised = match (code, text) {
        (Some(code), Some(text)) => PyOSError::new_err((code, words::quoted(&text), name)),
        _ => {
            let text = message(format_args!("{name}: {}", said(py, &error)));
            let own = py.import("builtins").ok().and_then(|builtins| {
                let is_own = |class: &Bound<'_, PyAny>| {
                    let name = class.getattr("__name__").and_then(|name| Ok(name.cast_into::<PyString>()?));
                    name.and_then(|name| builtins.getattr(name)).is_ok_and(|own| own.is(class))
                };
                error.get_type(py).mro().iter().find(is_own)?.cast_into::<PyType>().ok()
            });
            PyErr::from_type(own.unwrap_or_else(|| PyOSError::type_object(py)), text)
        }
    };
    raised.set_cause(py, Some(error));
    raised
}

/// `BatchError`, or its subclass of that name, for the lowest index that failed.
pub(super) fn batch_error(
    py: Python<'_>,
    class: &'static str,
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
    // A long message loses the middle of its source's.
    let text = format!(
        "source {index}: {}",
        cause.value(py).str().map_or_else(|_| said(py, &cause), |text| text.to_string_lossy().into_owned())
    );
    let text = message(format_args!("{text}{others}"));
    let raised = exception(py, class).map(|class| PyErr::from_type(class, (text, index, source.unbind())));
    match raised {
        Ok(raised) => {
            raised.set_cause(py, Some(cause));
            raised
        }
        Err(error) => error,
    }
}

/// `LimitError` for a new array of results.
pub(super) fn output_error(py: Python<'_>, sides: &[usize], why: &str) -> PyErr {
    let hint = "use smaller batches, a stream, or out=";
    let text = format!("an output of shape {}: {why}: {hint}", shape(sides));
    match exception(py, Class::Limit.name()) {
        Ok(exception) => PyErr::from_type(exception, words::message(text)),
        Err(error) => error,
    }
}

/// An exception of Python's own.
fn new<T: PyTypeInfo>(py: Python<'_>, text: impl Display) -> PyErr {
    PyErr::from_type(T::type_object(py), message(text))
}

/// `ValueError` with the two halves that every message has.
pub(super) fn value_error(expected: impl Display, found: impl Display) -> PyErr {
    PyValueError::new_err(message(format_args!("expected {expected}, found {found}")))
}

/// `TypeError` with the two halves that every message has.
pub(super) fn type_error(expected: impl Display, found: impl Display) -> PyErr {
    PyTypeError::new_err(message(format_args!("expected {expected}, found {found}")))
}

/// The error for the caller where a value's own code raised `error`.
pub(super) fn raised_error(
    py: Python<'_>,
    expected: impl Display,
    found: impl Display,
    error: PyErr,
) -> PyErr {
    let raised = value_error(expected, format_args!("{found}, which raises {}", said(py, &error)));
    raised.set_cause(py, Some(error));
    raised
}

/// A shape as Python writes it.
pub(super) fn shape(sides: &[usize]) -> String {
    let sides: Vec<_> = sides.iter().map(usize::to_string).collect();
    format!("({}{})", sides.join(", "), if sides.len() == 1 { "," } else { "" })
}

/// The name of a source in messages.
fn name(object: &Bound<'_, PyAny>) -> String {
    if let Ok(path) = object.extract::<PathBuf>() {
        return words::name(&path_name(&path));
    }
    if let Ok(text) = object.cast::<PyString>() {
        return words::name(&text.to_string_lossy());
    }
    if let Ok(row) = object.cast::<PyDict>()
        && let Ok(Some(path)) = row.get_item("path")
        && let Ok(path) = path.extract::<PathBuf>()
    {
        return words::name(&path_name(&path));
    }
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        return format!("<array of shape {}>", shape(array.shape()));
    }
    let attribute = |name| object.getattr(name).ok()?.cast_into::<PyString>().ok();
    let is_named = |name: &Bound<'_, PyString>| name.len().is_ok_and(|len| len > 0);
    if let Some(name) = attribute("filename").or_else(|| attribute("name")).filter(is_named) {
        return words::own_name(&name);
    }
    let kind = kind(object);
    match object.len() {
        Ok(len) => format!("<{kind} of length {len}>"),
        Err(_) => format!("<{kind}>"),
    }
}

/// A path as messages show it. Bytes that are not UTF-8 are shown by their number.
fn path_name(path: &Path) -> String {
    let chunks = path.as_os_str().as_encoded_bytes().utf8_chunks();
    chunks.map(|chunk| format!("{}{}", chunk.valid(), chunk.invalid().escape_ascii())).collect()
}
