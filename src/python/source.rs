//! What a Python object is as a source of an image.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::PathBuf;

use ndarray::{ArrayView3, Axis, Ix3};
use numpy::{
    PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArray1, PyReadonlyArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString, PyType};

use super::errors::{Fault, shape as tuple, value_error};
use super::fork;
use super::pillow::Pixels;
use crate::pixels::Layout;
use crate::spec::Channels;
use crate::{Array, Element, Error, Limits, Preprocess, Report, Spec};

/// Files from so many bytes on are not held where a piece at a time is enough.
const LONG: u64 = 4 << 20;

/// A source with what it holds: buffers are borrowed, not copied, until it is dropped.
pub(super) enum Source<'py> {
    Path(PathBuf),
    Bytes(PyBackedBytes),
    Buffer(PyReadonlyArray1<'py, u8>),
    /// Rows, columns and, where there are three axes, channels.
    Array(PyReadonlyArrayDyn<'py, u8>),
    /// Channels, rows, columns.
    Planes(PyReadonlyArrayDyn<'py, u8>),
    Image(Pixels),
    /// What its own Python code raised is its row's error.
    Failed(Option<Fault>),
}

/// A source as worker threads see it.
pub(super) enum Item<'a> {
    Path(&'a PathBuf),
    Encoded(&'a [u8]),
    Array(ArrayView3<'a, u8>),
    Image(&'a Pixels),
}

/// What was done with an item, and by whom it was decoded.
pub(super) struct Done {
    pub report: Report,
    /// Pillow's name of the format, and why the native decoder did not take it.
    pub pillow: Option<(Option<String>, String)>,
}

impl<'py> Source<'py> {
    /// Raises `TypeError` or `ValueError` for what is no source at all. What `spec` says
    /// of PIL images is done.
    pub fn of(object: &Bound<'py, PyAny>, spec: &Spec) -> PyResult<Self> {
        let py = object.py();
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.clone().into()));
        }
        if let Ok(array) = object.cast::<PyUntypedArray>() {
            return Self::of_array(array, spec.profile.array_channels);
        }
        if object.is_instance(image_class(py)?)? {
            return match Pixels::of(object, spec) {
                Ok(pixels) => Ok(Self::Image(pixels)),
                Err(Fault::Stop(error)) => Err(error),
                Err(fault) => Ok(Self::Failed(Some(fault))),
            };
        }
        // Behind the types, which are quicker to tell than an attribute.
        if object.is_instance_of::<PyString>() || object.hasattr("__fspath__")? {
            return Ok(Self::Path(object.extract()?));
        }
        if object.is_instance_of::<PyByteArray>() || object.is_instance_of::<PyMemoryView>() {
            return Self::of_buffer(object);
        }
        if object.hasattr("read")? {
            return match object.call_method0("read") {
                Ok(read) => match read.cast_into::<PyBytes>() {
                    Ok(bytes) => Ok(Self::Bytes(bytes.into())),
                    Err(_) => Err(PyTypeError::new_err(
                        "expected a binary file, found one that reads something else than bytes",
                    )),
                },
                Err(error) => match Fault::raised(py, error) {
                    Fault::Stop(error) => Err(error),
                    fault => Ok(Self::Failed(Some(fault))),
                },
            };
        }
        // Anything else with the buffer protocol, such as mmap.
        if let Ok(view) = PyMemoryView::from(object) {
            return Self::of_buffer(&view);
        }
        Err(PyTypeError::new_err(format!(
            "expected a path, encoded bytes, a binary file, a PIL image or a uint8 array, found {}",
            object.get_type().name()?
        )))
    }

    fn of_buffer(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let numpy = py.import("numpy")?;
        let view = PyMemoryView::from(object)?;
        if !view.getattr("c_contiguous")?.extract::<bool>()? {
            return Err(value_error("a contiguous buffer of encoded bytes", "one with gaps"));
        }
        if view.getattr("nbytes")?.extract::<usize>()? == 0 {
            return Ok(Self::Bytes(PyBytes::new(py, b"").into()));
        }
        // NumPy's view keeps the buffer exported, so that it is neither resized nor freed.
        let array = numpy.call_method1("frombuffer", (object, numpy.getattr("uint8")?))?;
        Ok(Self::Buffer(borrowed(array.cast::<PyArray1<u8>>()?.try_readonly())?))
    }

    fn of_array(array: &Bound<'py, PyUntypedArray>, channels: Channels) -> PyResult<Self> {
        let Ok(bytes) = array.cast::<PyArrayDyn<u8>>() else {
            return Err(PyTypeError::new_err(format!("expected an array of uint8, found {}", array.dtype())));
        };
        if let Ok(encoded) = array.cast::<PyArray1<u8>>() {
            let encoded = borrowed(encoded.try_readonly())?;
            return match encoded.as_slice() {
                Ok(_) => Ok(Self::Buffer(encoded)),
                Err(_) => Err(value_error("contiguous encoded bytes", "a 1-D array with gaps")),
            };
        }
        let shape = bytes.shape().to_vec();
        let pixels = borrowed(bytes.try_readonly())?;
        match *shape.as_slice() {
            [0, ..] | [_, 0, ..] => {}
            [1 | 3 | 4, _, width] if width > 0 && channels == Channels::FirstIfPossible => {
                return Ok(Self::Planes(pixels));
            }
            [_, _] | [_, _, 1..=4] => return Ok(Self::Array(pixels)),
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
            Self::Bytes(bytes) => Item::Encoded(bytes),
            Self::Buffer(bytes) => Item::Encoded(bytes.as_slice().expect("checked to be contiguous")),
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
            Self::Failed(fault) => return Err(fault.take().expect("a source is run once")),
        })
    }
}

impl Item<'_> {
    /// About how long it takes, in units of its own, where that is known without looking at a file.
    pub fn cost(&self) -> Option<u64> {
        // A byte of a photo's file costs as much as ten or twenty of its pixels.
        Some(match self {
            Item::Path(_) => return None,
            Item::Encoded(bytes) => 16 * bytes.len() as u64,
            Item::Array(view) => view.len() as u64,
            Item::Image(pixels) => pixels.len() as u64,
        })
    }

    /// Runs the item; Python is attached to for what Pillow must decode, and only then.
    pub fn run<T: Element>(&self, core: &Preprocess, out: &mut [T]) -> Result<Done, Fault> {
        match self {
            Item::Path(path) => {
                let file = File::open(path).map_err(Error::from)?;
                let len = file.metadata().map_err(Error::from)?.len();
                core.spec().limits.check_bytes(len)?;
                if len >= LONG
                    && let Some(report) = core.streamed(&file, out)?
                {
                    return Ok(Done { report, pillow: None });
                }
                encoded(core, &read(file, len, &core.spec().limits)?, out)
            }
            Item::Encoded(bytes) => encoded(core, bytes, out),
            Item::Array(view) => {
                let layout = [Layout::L, Layout::GreyAlpha, Layout::Rgb, Layout::Rgba][view.dim().2 - 1];
                let report = core.image(&mut Array::new(view.view(), layout, None)?, out)?;
                Ok(Done { report, pillow: None })
            }
            Item::Image(pixels) => Ok(Done { report: pixels.run(core, out)?, pillow: None }),
        }
    }
}

fn encoded<T: Element>(core: &Preprocess, bytes: &[u8], out: &mut [T]) -> Result<Done, Fault> {
    let ours = match core.encoded(bytes, out) {
        Ok(report) => return Ok(Done { report, pillow: None }),
        Err(error @ (Error::Decode { .. } | Error::Truncated { .. } | Error::Unsupported(_))) => error,
        Err(error) => return Err(error.into()),
    };
    let why = ours.to_string();
    let (pixels, format) = attached(|py| Pixels::decode(py, bytes, ours, core.spec()))?;
    let report = pixels.run(core, out);
    // Python's objects are let go of with Python attached: elsewhere a lock is taken for it.
    attached(|_| {
        drop(pixels);
        Ok(())
    })?;
    Ok(Done { report: report?, pillow: Some((format, why)) })
}

/// Runs `work` with Python, unless that is about to end.
pub(super) fn attached<T>(work: impl FnOnce(Python<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    fork::attach(work).unwrap_or_else(|| Err(Error::Interrupted.into()))
}

/// Reads a file of `len` bytes whole: a mapped one that is cut short meanwhile would kill the process.
fn read(mut file: File, len: u64, limits: &Limits) -> Result<Vec<u8>, Error> {
    if len >= LONG {
        file.rewind()?;
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len as usize + 1).map_err(|_| Error::out_of_memory("the file", len))?;
    // One byte more than allowed tells a file that grows from one that fits.
    file.take(limits.max_bytes.map_or(u64::MAX, |max| max.saturating_add(1))).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `PIL.Image.Image`.
pub(super) fn image_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static IMAGE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    IMAGE.import(py, "PIL.Image", "Image")
}

fn borrowed<T>(array: Result<T, numpy::BorrowError>) -> PyResult<T> {
    array.map_err(|error| value_error("an array that no one writes to", error))
}

/// What messages call a source.
pub(super) fn name(object: &Bound<'_, PyAny>) -> String {
    let attribute = |name| object.getattr(name).ok().and_then(|value| value.extract::<String>().ok());
    if let Ok(path) = object.extract::<std::path::PathBuf>() {
        return path.display().to_string();
    }
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        return format!("<array of shape {}>", tuple(array.shape()));
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
