//! Arrays and buffers: pixels in memory, or the bytes of a file.

use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

use super::held::Source;
use crate::python::errors::{Fault, shape as tuple, value_error};
use crate::python::memory::Span;
use crate::spec::Channels;
use crate::{Limits, Spec};

/// A buffer of one axis holds the bytes of a file; one of more is an array of pixels.
pub(super) fn of_buffer<'py>(view: &Bound<'py, PyMemoryView>, spec: &Spec) -> Result<Source<'py>, Fault> {
    let py = view.py();
    let raised = |error| Fault::raised(py, error);
    let get = |name| view.getattr(name).map_err(raised);
    let numpy = py.import("numpy").map_err(raised)?;
    if get("ndim")?.extract::<usize>().map_err(raised)? > 1 {
        let array = numpy.call_method1("asarray", (view,)).map_err(raised)?;
        return of_array(array.cast().map_err(|error| raised(error.into()))?, spec);
    }
    if !get("c_contiguous")?.extract::<bool>().map_err(raised)? {
        return Err(Fault::no_source("a contiguous buffer of encoded bytes", "one with gaps"));
    }
    if get("nbytes")?.extract::<usize>().map_err(raised)? == 0 {
        return Ok(Source::Bytes(PyBytes::new(py, b"").into()));
    }
    let array = numpy
        .getattr("uint8")
        .and_then(|uint8| numpy.call_method1("frombuffer", (view, uint8)))
        .map_err(raised)?;
    copied(array.cast().map_err(|error| raised(error.into()))?, &spec.limits)
}

/// The bytes of a buffer.
fn copied<'py>(buffer: &Bound<'py, PyArray1<u8>>, limits: &Limits) -> Result<Source<'py>, Fault> {
    let raised = |error| Fault::raised(buffer.py(), error);
    limits.check_bytes(buffer.len() as u64)?;
    let span = Span::at(buffer.data().addr(), buffer.len());
    let bytes = buffer.call_method0("tobytes").map_err(raised)?;
    let bytes = bytes.cast_into::<PyBytes>().map_err(|error| raised(error.into()))?;
    Ok(Source::Copied(bytes.into(), span))
}

/// An array of pixels, or of the bytes of a file.
pub(super) fn of_array<'py>(array: &Bound<'py, PyUntypedArray>, spec: &Spec) -> Result<Source<'py>, Fault> {
    let Ok(bytes) = array.cast::<PyArrayDyn<u8>>() else {
        return Err(Fault::no_source("an array of uint8", array.dtype()));
    };
    let (shape, channels) = (bytes.shape().to_vec(), spec.profile.array_channels);
    let borrowed = || {
        // Another call writes to it at this moment: that is about the calls, and not about the row.
        bytes
            .try_readonly()
            .map_err(|error| Fault::Stop(value_error("an array that no one writes to", error)))
    };
    match *shape.as_slice() {
        [_] if array.is_c_contiguous() => {
            return copied(
                array.cast().map_err(|error| Fault::raised(array.py(), error.into()))?,
                &spec.limits,
            );
        }
        [_] => return Err(Fault::no_source("contiguous encoded bytes", "a 1-D array with gaps")),
        [0, ..] | [_, 0, ..] => {}
        [1 | 3 | 4, _, width] if width > 0 && channels == Channels::FirstIfPossible => {
            return Ok(Source::Planes(borrowed()?));
        }
        [_, _] | [_, _, 1..=4] => return Ok(Source::Array(borrowed()?)),
        [1 | 3 | 4, _, _] if channels == Channels::Last => {
            return Err(Fault::no_source(
                "an array with channels last, (H, W) or (H, W, 1 to 4)",
                format_args!("shape {}, which looks like channels first", tuple(&shape)),
            ));
        }
        [_, _, _, _] => {
            return Err(Fault::no_source(
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
    Err(Fault::no_source(expected, format_args!("shape {}", tuple(&shape))))
}
