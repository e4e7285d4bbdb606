//! Python objects as sources of images.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use ndarray::{ArrayView3, Axis, Ix3};
use numpy::{
    PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyMemoryView, PyString};

use super::errors::{Fault, shape as tuple, value_error};
use super::fork::attached;
use super::memory::{self, Span};
use super::pillow::{self, Pixels};
use crate::pixels::Layout;
use crate::spec::Channels;
use crate::{Element, Error, Limits, Preprocess, Report, Source as CoreSource, Spec};

/// A source with what it holds.
///
/// Encoded bytes are parsed more than once, so nobody may write to them meanwhile: only `bytes`, which
/// nobody can write to, are held; any other buffer is copied. Pixels are borrowed.
pub(super) enum Source<'py> {
    Path(PathBuf),
    Bytes(PyBackedBytes),
    /// The bytes of a buffer, and where that is.
    Copied(PyBackedBytes, Span),
    /// Rows, columns and, where there are three axes, channels.
    Array(PyReadonlyArrayDyn<'py, u8>),
    /// Channels, rows, columns.
    Planes(PyReadonlyArrayDyn<'py, u8>),
    Image(Pixels),
    /// A PIL image whose pixels are not in memory yet.
    Unloaded(Py<PyAny>),
    /// An error of this source's own row.
    Failed(Option<Fault>),
}

/// A source as worker threads see it.
pub(super) enum Item<'a> {
    Path(&'a PathBuf),
    Encoded(&'a PyBackedBytes),
    Array(ArrayView3<'a, u8>),
    Image(&'a Pixels),
    Unloaded(&'a Py<PyAny>),
}

/// What the sources of one call share.
pub(super) struct Call<'a> {
    pub core: &'a Preprocess,
    /// The memory that the call writes to.
    out: Span,
    /// Held while Pillow loads an image: two of them may share a file, or be the same object.
    loading: Mutex<()>,
}

/// What was done with an item, and who decoded it.
pub(super) struct Done {
    pub report: Report,
    /// Pillow's name of the format, and why the native decoder did not take it.
    pub pillow: Option<(Option<String>, String)>,
}

impl From<Report> for Done {
    fn from(report: Report) -> Self {
        Self { report, pillow: None }
    }
}

impl<'py> Source<'py> {
    /// Raises `TypeError` or `ValueError` for what is no source at all.
    pub fn of(object: &Bound<'py, PyAny>, spec: &Spec) -> PyResult<Self> {
        let py = object.py();
        if let Ok(bytes) = object.cast_exact::<PyBytes>() {
            return Ok(Self::Bytes(bytes.clone().into()));
        }
        if let Ok(array) = object.cast::<PyUntypedArray>() {
            return Self::of_array(array, spec);
        }
        if object.is_instance(pillow::image_class(py)?)? {
            return Self::of_image(object, spec).or_else(Self::failed);
        }
        // The types come first: they are quicker to tell than an attribute.
        if object.is_instance_of::<PyString>() || object.hasattr("__fspath__")? {
            return Ok(Self::Path(object.extract()?));
        }
        // A buffer that is a file as well, as mmap is, counts as a buffer.
        if let Ok(view) = PyMemoryView::from(object) {
            return Self::of_buffer(&view, &spec.limits);
        }
        if object.hasattr("read")? {
            return match read(object, &spec.limits) {
                Ok(bytes) => Ok(Self::Bytes(bytes.into())),
                Err(error) => Self::failed(error),
            };
        }
        Err(PyTypeError::new_err(format!(
            "expected a path, encoded bytes, a binary file, a PIL image or a uint8 array, found {}",
            object.get_type().name()?
        )))
    }

    /// A fault of the source is its row's error; a caller's mistake or an interrupt ends the call.
    fn failed(fault: Fault) -> PyResult<Self> {
        match fault {
            Fault::Stop(error) => Err(error),
            fault => Ok(Self::Failed(Some(fault))),
        }
    }

    fn of_image(image: &Bound<'py, PyAny>, spec: &Spec) -> Result<Self, Fault> {
        let loaded = pillow::check_size(image, &spec.limits)?;
        if loaded {
            Pixels::of(image, spec).map(Self::Image)
        } else {
            Ok(Self::Unloaded(image.clone().unbind()))
        }
    }

    fn of_buffer(view: &Bound<'py, PyMemoryView>, limits: &Limits) -> PyResult<Self> {
        if !view.getattr("c_contiguous")?.extract::<bool>()? {
            return Err(value_error("a contiguous buffer of encoded bytes", "one with gaps"));
        }
        if view.getattr("nbytes")?.extract::<usize>()? == 0 {
            return Ok(Self::Bytes(PyBytes::new(view.py(), b"").into()));
        }
        let numpy = view.py().import("numpy")?;
        let array = numpy.call_method1("frombuffer", (view, numpy.getattr("uint8")?))?;
        Self::copied(array.cast::<PyArray1<u8>>()?, limits)
    }

    /// The bytes of a buffer.
    fn copied(buffer: &Bound<'py, PyArray1<u8>>, limits: &Limits) -> PyResult<Self> {
        if let Err(error) = limits.check_bytes(buffer.len() as u64) {
            return Self::failed(error.into());
        }
        let span = Span::at(buffer.data().addr(), buffer.len());
        Ok(Self::Copied(buffer.call_method0("tobytes")?.cast_into::<PyBytes>()?.into(), span))
    }

    fn of_array(array: &Bound<'py, PyUntypedArray>, spec: &Spec) -> PyResult<Self> {
        let Ok(bytes) = array.cast::<PyArrayDyn<u8>>() else {
            return Err(PyTypeError::new_err(format!("expected an array of uint8, found {}", array.dtype())));
        };
        let (shape, channels) = (bytes.shape().to_vec(), spec.profile.array_channels);
        let borrowed =
            || bytes.try_readonly().map_err(|error| value_error("an array that no one writes to", error));
        match *shape.as_slice() {
            [_] if array.is_c_contiguous() => return Self::copied(array.cast()?, &spec.limits),
            [_] => return Err(value_error("contiguous encoded bytes", "a 1-D array with gaps")),
            [0, ..] | [_, 0, ..] => {}
            [1 | 3 | 4, _, width] if width > 0 && channels == Channels::FirstIfPossible => {
                return Ok(Self::Planes(borrowed()?));
            }
            [_, _] | [_, _, 1..=4] => return Ok(Self::Array(borrowed()?)),
            [1 | 3 | 4, _, _] if channels == Channels::Last => {
                return Err(value_error(
                    "an array with channels last, (H, W) or (H, W, 1 to 4)",
                    format_args!("shape {}, which looks like channels first", tuple(&shape)),
                ));
            }
            [_, _, _, _] => {
                return Err(value_error(
                    "an array of one image, (H, W) or (H, W, 1 to 4)",
                    format_args!("shape {}: give several images to batch()", tuple(&shape)),
                ));
            }
            _ => {}
        }
        let expected = match channels {
            Channels::Last => "an array of shape (H, W) or (H, W, 1 to 4) with H and W at least 1",
            Channels::FirstIfPossible => {
                "an array of shape (H, W), (1 or 3 or 4, H, W) or (H, W, 1 to 4) with H and W at least 1"
            }
        };
        Err(value_error(expected, format_args!("shape {}", tuple(&shape))))
    }

    /// Its view for worker threads, or its own error.
    pub fn item(&mut self) -> Result<Item<'_>, Fault> {
        Ok(match self {
            Self::Path(path) => Item::Path(path),
            Self::Bytes(bytes) | Self::Copied(bytes, _) => Item::Encoded(bytes),
            Self::Array(array) => {
                let mut view = array.as_array();
                if view.ndim() == 2 {
                    view = view.insert_axis(Axis(2));
                }
                Item::Array(view.into_dimensionality::<Ix3>().expect("checked to have 2 or 3 axes"))
            }
            Self::Planes(array) => {
                let view = array.as_array().into_dimensionality::<Ix3>().expect("checked to have 3 axes");
                Item::Array(view.permuted_axes([1, 2, 0]))
            }
            Self::Image(pixels) => Item::Image(pixels),
            Self::Unloaded(image) => Item::Unloaded(image),
            Self::Failed(fault) => return Err(fault.take().expect("a source is run once")),
        })
    }

    /// The memory that is read while the call writes, if it is not the source's own.
    fn span(&self) -> Option<Span> {
        match self {
            Self::Bytes(bytes) => Some(Span::of(bytes)),
            Self::Copied(_, span) => Some(span.clone()),
            Self::Array(array) | Self::Planes(array) => Some(Span::of_view(&array.as_array())),
            Self::Image(pixels) => Some(pixels.span()),
            Self::Path(_) | Self::Unloaded(_) | Self::Failed(_) => None,
        }
    }
}

/// Bytes that are read from a file object at first; each further read takes twice as many.
const FIRST_READ: u64 = 1 << 20;

/// What is left of a binary file, read a piece at a time so that an endless one ends at `max_bytes`.
fn read<'py>(file: &Bound<'py, PyAny>, limits: &Limits) -> Result<Bound<'py, PyBytes>, Fault> {
    let py = file.py();
    let raised = |error| Fault::raised(py, error);
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
        let Ok(piece) = piece.cast_into::<PyBytes>() else {
            let found = "expected a binary file, found one that reads something else than bytes";
            return Err(Fault::Stop(PyTypeError::new_err(found)));
        };
        let read = piece.as_bytes();
        limits.check_bytes((bytes.len() + read.len()) as u64)?;
        let is_all = read.is_empty() || read.len() as u64 > size;
        if is_all && bytes.is_empty() {
            return Ok(piece);
        }
        let wanted = (bytes.len() + read.len()) as u64;
        bytes.try_reserve(read.len()).map_err(|_| Error::out_of_memory("the file", wanted))?;
        bytes.extend_from_slice(read);
        if is_all {
            return Ok(PyBytes::new(py, &bytes));
        }
        size *= 2;
    }
}

impl Item<'_> {
    /// The same to the core; `None` for a PIL image.
    fn core(&self) -> Option<CoreSource<'_>> {
        match self {
            Self::Path(path) => Some(CoreSource::Path(path)),
            Self::Encoded(bytes) => Some(CoreSource::Bytes(bytes)),
            Self::Array(view) => {
                let layout = [Layout::L, Layout::GreyAlpha, Layout::Rgb, Layout::Rgba][view.dim().2 - 1];
                Some(CoreSource::Pixels(view.view(), layout))
            }
            Self::Image(_) | Self::Unloaded(_) => None,
        }
    }

    /// About how long it takes, in the core's units.
    pub fn cost(&self) -> u64 {
        match self {
            Self::Image(pixels) => pixels.len() as u64,
            Self::Unloaded(_) => u64::MAX,
            _ => self.core().map_or(0, |source| source.cost()),
        }
    }
}

impl<'a> Call<'a> {
    /// A call that reads `sources` and writes to `out`; raises `ValueError` where the two overlap.
    pub fn new(core: &'a Preprocess, sources: &[Source<'_>], out: Span) -> PyResult<Self> {
        match sources.iter().filter_map(Source::span).any(|span| span.overlaps(&out)) {
            true => Err(memory::overlap()),
            false => Ok(Self { core, out, loading: Mutex::new(()) }),
        }
    }

    /// Runs an item; Python is attached to only for what Pillow must decode.
    pub fn run<T: Element>(&self, item: &Item<'_>, out: &mut [T]) -> Result<Done, Fault> {
        match item {
            Item::Image(pixels) => Ok(pixels.run(self.core, out)?.into()),
            Item::Unloaded(image) => {
                let turn = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
                let load = |py: Python<'_>| {
                    let pixels = Pixels::of(image.bind(py), self.core.spec())?;
                    if pixels.span().overlaps(&self.out) {
                        Err(Fault::Stop(memory::overlap()))
                    } else {
                        Ok(pixels)
                    }
                };
                let pixels = attached(load);
                drop(turn);
                Ok(run_and_drop(self.core, pixels?, out)?.into())
            }
            _ => {
                let source = item.core().expect("the others are the core's");
                self.core.process_or(&source, out, |refused, out| {
                    let why = refused.error.to_string();
                    let (pixels, format) = attached(|py| {
                        let bytes = match (item, refused.bytes) {
                            (Item::Encoded(bytes), _) => {
                                bytes.into_bound_py_any(py).map_err(Fault::Raised)?
                            }
                            (_, bytes) => PyArray1::from_vec(py, bytes.into_owned()).into_any(),
                        };
                        Pixels::decode(&bytes, refused.error, self.core.spec())
                    })?;
                    let report = run_and_drop(self.core, pixels, out)?;
                    Ok(Done { report, pillow: Some((format, why)) })
                })
            }
        }
    }
}

/// Python's objects are let go of with Python attached: elsewhere a lock is taken for it.
fn run_and_drop<T: Element>(core: &Preprocess, pixels: Pixels, out: &mut [T]) -> Result<Report, Fault> {
    let report = pixels.run(core, out);
    attached(|_| {
        drop(pixels);
        Ok(())
    })?;
    report
}
