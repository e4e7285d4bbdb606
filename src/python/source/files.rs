//! Python's file objects, read whole.

use pyo3::exceptions::{
    PyAttributeError, PyNotImplementedError, PyOSError, PyTypeError, PyUnicodeDecodeError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyMemoryView, PyString, PyType};

use super::arrays::is_of_bytes;
use crate::python::errors::Fault;
use crate::python::words::{kind, shown};
use crate::{Error, Limits};

/// Bytes that are read from a file object at first; each further read takes twice as many.
const FIRST_READ: u64 = 1 << 20;
/// Bytes by which every format's beginning is told from anything after it.
const LONGEST_BEGINNING: usize = 16;

const BINARY: &str = "a binary file, whose read() gives bytes";

/// All of a binary file, from its beginning where it can seek, as `PIL.Image.open` reads it. It is read a piece at a
/// time, so that an endless one ends at `max_bytes`.
pub(super) fn read<'py>(file: &Bound<'py, PyAny>, limits: &Limits) -> Result<Bound<'py, PyBytes>, Fault> {
    let py = file.py();
    let raised = |error: PyErr| {
        // A text file stumbles over the first byte that is no text.
        if error.is_instance_of::<PyUnicodeDecodeError>(py) { of_text() } else { Fault::raised(py, error) }
    };
    rewind(file).map_err(raised)?;
    let method = file.getattr("read").map_err(raised)?;
    let mut bytes = Vec::new();
    let mut size = FIRST_READ;
    loop {
        let piece = match method.call1((size,)) {
            // An object of the caller's whose `read` takes no size gives all there is.
            Err(error) if bytes.is_empty() && error.is_instance_of::<PyTypeError>(py) => {
                size = 0;
                method.call0().map_err(raised)?
            }
            piece => piece.map_err(raised)?,
        };
        let piece = piece_bytes(piece, bytes.len() as u64, limits)?;
        let read = piece.as_bytes();
        let (wanted, read_bytes) = ((bytes.len() + read.len()) as u64, read.len() as u64);
        limits.check_bytes(wanted)?;
        // An object of the caller's may give all there is each time: no file begins twice.
        let again = bytes.len() >= LONGEST_BEGINNING && bytes == read;
        let is_all = read.is_empty() || read_bytes > size || again;
        if again || is_all && bytes.is_empty() {
            return Ok(piece);
        }
        bytes.try_reserve(read.len()).map_err(|_| Error::out_of_memory("the file", wanted))?;
        bytes.extend_from_slice(read);
        if is_all {
            return Ok(PyBytes::new(py, &bytes));
        }
        // A file that gives less than it is asked for is not asked for more.
        if read_bytes == size {
            size *= 2;
        }
    }
}

/// Moves to the beginning; a stream that cannot is read from where it is.
fn rewind(file: &Bound<'_, PyAny>) -> PyResult<()> {
    match file.call_method1("seek", (0,)) {
        Ok(position) => {
            close_if_awaitable(&position);
            Ok(())
        }
        Err(error) if is_no_seek(file.py(), &error)? => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether an error of `seek` says that the file is a stream.
fn is_no_seek(py: Python<'_>, error: &PyErr) -> PyResult<bool> {
    static UNSUPPORTED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    Ok(error.is_instance_of::<PyAttributeError>(py)
        || error.is_instance_of::<PyNotImplementedError>(py)
        || error.is_instance(py, UNSUPPORTED.import(py, "io", "UnsupportedOperation")?)
        || error.is_instance_of::<PyOSError>(py) && error.value(py).getattr("errno")?.eq(libc::ESPIPE)?)
}

/// The bytes that `read` gave.
fn piece_bytes<'py>(
    piece: Bound<'py, PyAny>,
    before: u64,
    limits: &Limits,
) -> Result<Bound<'py, PyBytes>, Fault> {
    let piece = match piece.cast_into::<PyBytes>() {
        Ok(bytes) => return Ok(bytes),
        Err(error) => error.into_inner(),
    };
    let py = piece.py();
    if piece.is_instance_of::<PyString>() {
        return Err(of_text());
    }
    if piece.is_none() {
        return Err(Fault::no_source(BINARY, "one that gives None, as it has nothing to read yet"));
    }
    if close_if_awaitable(&piece) {
        let found = "one that is read asynchronously: await its read() and pass what that gives";
        return Err(Fault::no_source(BINARY, found));
    }
    let raised = |error| Fault::raised(py, error);
    let Ok(view) = PyMemoryView::from(&piece) else {
        return Err(Fault::no_source(BINARY, format_args!("one that gives {}", kind(&piece))));
    };
    let format = view.getattr("format").map_err(raised)?;
    let format = format.cast::<PyString>().map_err(|error| raised(error.into()))?;
    if !is_of_bytes(&format.to_string_lossy()) {
        return Err(Fault::no_source(
            BINARY,
            format_args!("one that gives a buffer of format {}", shown(format)),
        ));
    }
    let len: u64 = view.getattr("nbytes").and_then(|len| len.extract()).map_err(raised)?;
    limits.check_bytes(before.saturating_add(len))?;
    let bytes = view.call_method0("tobytes").map_err(raised)?;
    bytes.cast_into().map_err(|error| raised(error.into()))
}

fn of_text() -> Fault {
    Fault::no_source(BINARY, "one that gives str: open it with mode \"rb\"")
}

/// Closes a coroutine, which nobody will wait for, so that no warning says so; whether it was one.
fn close_if_awaitable(object: &Bound<'_, PyAny>) -> bool {
    let awaitable = object.hasattr("__await__").unwrap_or(false);
    if awaitable {
        // Its exceptions are of no interest: the source is refused anyway.
        let _ = object.call_method0("close");
    }
    awaitable
}
