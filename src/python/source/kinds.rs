//! Finds out the kind of an object. Whatever it is, it costs at most its own row: only an interrupt ends the call.

use std::path::PathBuf;

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyMemoryView, PyString, PyType};

use super::held::Source;
use super::{arrays, files};
use crate::Spec;
use crate::python::errors::{Class, Fault};
use crate::python::pillow::{self, Pixels};
use crate::python::words::kind;

/// A stand-in for an object of a rarer kind: a simpler object, whether it is a tensor of torch, and what to call
/// when it was read.
type Simpler<'py> = (Bound<'py, PyAny>, bool, Option<Bound<'py, PyAny>>);

/// The source that an object is; one that is none, or that fails, has its error.
pub(in crate::python) fn source<'py>(object: &Bound<'py, PyAny>, spec: &Spec) -> PyResult<Source<'py>> {
    match of_any(object, spec) {
        Ok(source) => Ok(source),
        Err(Fault::Stop(error)) => Err(error),
        Err(fault) => Ok(Source::Failed(Some(fault))),
    }
}

fn of_any<'py>(object: &Bound<'py, PyAny>, spec: &Spec) -> Result<Source<'py>, Fault> {
    if let Some(source) = of_common(object, spec, false)? {
        return Ok(source);
    }
    let py = object.py();
    static SIMPLER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let (simpler, of_torch, close) = SIMPLER
        .import(py, "clipprep._sources", "simpler")
        .and_then(|simpler| simpler.call1((object,))?.extract::<Simpler<'py>>())
        .map_err(|error| Fault::raised(py, error))?;
    let source = of_common(&simpler, spec, of_torch);
    if let Some(close) = close {
        close.call0().map_err(|error| Fault::raised(py, error))?;
    }
    source?.ok_or_else(|| none_of_them(&simpler))
}

/// The kinds that are told at once, the commonest first.
fn of_common<'py>(
    object: &Bound<'py, PyAny>,
    spec: &Spec,
    of_torch: bool,
) -> Result<Option<Source<'py>>, Fault> {
    let py = object.py();
    let raised = |error| Fault::raised(py, error);
    if let Ok(bytes) = object.cast_exact::<PyBytes>() {
        return Ok(Some(Source::Bytes(bytes.clone().into())));
    }
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        // An array without axes holds an object, such as a path.
        let pixels = || arrays::of_array(array, spec, spec.channels(of_torch)).map(Some);
        return if array.ndim() == 0 { Ok(None) } else { pixels() };
    }
    let image = pillow::image_class(py).map_err(raised)?;
    if object.is_instance(image).map_err(raised)? {
        return of_image(object, spec).map(Some);
    }
    if object.is_instance_of::<PyString>() {
        return path(object).map(Some);
    }
    let has = |name| object.hasattr(name).map_err(raised);
    // A file of fsspec that is not open has `__fspath__` too, by which it opens itself and stays open.
    if has("__fspath__")? && !has("fs")? {
        return path(object).map(Some);
    }
    // Scalars lend the bytes of numbers and of texts too: those of pyarrow, and NumPy's.
    static SCALAR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let scalar = SCALAR.import(py, "numpy", "generic").map_err(raised)?;
    if has("as_py")? || object.is_instance(scalar).map_err(raised)? {
        return Ok(None);
    }
    // A buffer that is a file as well, as mmap is, counts as a buffer.
    match PyMemoryView::from(object) {
        Ok(view) => return arrays::of_buffer(&view, spec).map(Some),
        Err(error) if error.is_instance_of::<PyException>(py) => {}
        Err(error) => return Err(Fault::Stop(error)),
    }
    if has("read")? {
        return Ok(Some(Source::Bytes(files::read(object, &spec.limits)?.into())));
    }
    Ok(None)
}

fn path<'py>(object: &Bound<'py, PyAny>) -> Result<Source<'py>, Fault> {
    let py = object.py();
    let found = object.extract::<PathBuf>().or_else(|_| {
        // A path may be of bytes, as those of `os.scandir(b"...")` are.
        py.import("os")?.call_method1("fsdecode", (object,))?.extract::<PathBuf>()
    });
    found.map(Source::Path).map_err(|error| {
        let text = "expected a path, found one that cannot be read";
        if error.is_instance_of::<PyException>(py) {
            Fault::foreign(Class::Source, text, "", error)
        } else {
            Fault::Stop(error)
        }
    })
}

/// An image whose pixels are in memory is read where they lie; any other is decoded in its turn.
fn of_image<'py>(image: &Bound<'py, PyAny>, spec: &Spec) -> Result<Source<'py>, Fault> {
    let loaded = pillow::check_size(image, &spec.limits)?;
    if loaded {
        Pixels::of(image, spec).map(Source::Image)
    } else {
        Ok(Source::Unloaded(image.clone().unbind()))
    }
}

fn none_of_them(object: &Bound<'_, PyAny>) -> Fault {
    Fault::no_source("a path, encoded bytes, a binary file, a PIL image or a uint8 array", kind(object))
}
