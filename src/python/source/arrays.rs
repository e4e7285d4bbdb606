//! Arrays and buffers: pixels in memory, or the bytes of a file.

use numpy::{
    PyArray1, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PyString};

use super::held::Source;
use crate::python::errors::{Fault, shape as tuple, value_error};
use crate::python::memory::{Span, own_view};
use crate::python::words::{dtype, shown};
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
        let array = array.cast().map_err(|error| raised(error.into()))?;
        return of_array(array, spec, spec.channels(false));
    }
    if !get("c_contiguous")?.extract::<bool>().map_err(raised)? {
        return Err(Fault::no_source("a contiguous buffer of encoded bytes", "one with gaps"));
    }
    let format = get("format")?;
    let format = format.cast::<PyString>().map_err(|error| raised(error.into()))?;
    if !is_of_bytes(&format.to_string_lossy()) {
        return Err(Fault::no_source("a buffer of bytes", format_args!("one of format {}", shown(format))));
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

/// Whether the items of a buffer are bytes, not numbers, structs or the addresses of objects.
pub(super) fn is_of_bytes(format: &str) -> bool {
    matches!(format.trim_start_matches(['@', '=', '<', '>', '!']), "B" | "b" | "c")
}

/// The bytes of a buffer.
fn copied<'py>(buffer: &Bound<'py, PyArray1<u8>>, limits: &Limits) -> Result<Source<'py>, Fault> {
    let raised = |error| Fault::raised(buffer.py(), error);
    limits.check_bytes(buffer.len() as u64)?;
    let span = Span::at(buffer.data().addr(), buffer.len());
    let read = buffer
        .try_readonly()
        .map_err(|error| Fault::Stop(value_error("bytes that no one writes to", error.to_string())))?;
    // By their address: a class of the caller's may have other ideas of what its bytes are.
    let bytes = PyBytes::new_with(buffer.py(), buffer.len(), |bytes| {
        bytes.copy_from_slice(read.as_slice().expect("checked to be contiguous"));
        Ok(())
    });
    let bytes = bytes.map_err(raised)?;
    Ok(Source::Copied(bytes.into(), span))
}

/// An array of pixels, or of the bytes of a file.
pub(super) fn of_array<'py>(
    array: &Bound<'py, PyUntypedArray>,
    spec: &Spec,
    channels: Channels,
) -> Result<Source<'py>, Fault> {
    let array = &own_view(array).map_err(|error| Fault::raised(array.py(), error))?;
    let Ok(bytes) = array.cast::<PyArrayDyn<u8>>() else {
        let found = dtype(&array.dtype());
        let hint = match array.dtype().kind() {
            b'f' => ": numbers from 0 to 1 become it by (255 * x).round().astype(\"uint8\")",
            b'i' | b'u' => ": numbers from 0 to 255 become it by x.astype(\"uint8\")",
            _ => "",
        };
        return Err(Fault::no_source("an array of uint8", format_args!("{found}{hint}")));
    };
    let shape = bytes.shape().to_vec();
    let borrowed = || {
        // Another call writes to it at this moment: that is about the calls, and not about the row.
        bytes
            .try_readonly()
            .map_err(|error| Fault::Stop(value_error("an array that no one writes to", error.to_string())))
    };
    match (channels, shape.as_slice()) {
        (_, [_]) if array.is_c_contiguous() => {
            let bytes = array.cast().map_err(|error| Fault::raised(array.py(), error.into()))?;
            copied(bytes, &spec.limits)
        }
        (_, [_]) => Err(Fault::no_source("contiguous encoded bytes", "a 1-D array with gaps")),
        (_, sides) if sides.contains(&0) => Err(no_image(channels, sides, "")),
        (Channels::First, [1..=4, _, _]) | (Channels::FirstIfPossible, [1 | 3 | 4, _, _]) => {
            Ok(Source::Planes(borrowed()?))
        }
        (_, [_, _]) | (Channels::Last | Channels::FirstIfPossible, [_, _, 1..=4]) => {
            Ok(Source::Array(borrowed()?))
        }
        (Channels::Last, [1 | 3 | 4, _, _]) => Err(Fault::no_source(
            "an array with channels last, (H, W) or (H, W, 1 to 4)",
            format_args!(
                "shape {}, which looks like channels first: pass input_layout=\"CHW\"",
                tuple(&shape)
            ),
        )),
        (Channels::First, [_, _, 1..=4]) => {
            Err(no_image(channels, &shape, ", which looks like channels last: pass input_layout=\"HWC\""))
        }
        (_, [_, _, _, _]) => Err(no_image(channels, &shape, ": give several images to batch()")),
        _ => Err(no_image(channels, &shape, "")),
    }
}

fn no_image(channels: Channels, shape: &[usize], hint: &str) -> Fault {
    let axes = match channels {
        Channels::Last => "(H, W) or (H, W, 1 to 4)",
        Channels::First => "(H, W) or (1 to 4, H, W)",
        Channels::FirstIfPossible => "(H, W), (1 or 3 or 4, H, W) or (H, W, 1 to 4)",
    };
    let expected = format!("an array of one image, of shape {axes} with H and W at least 1");
    Fault::no_source(&expected, format_args!("shape {}{hint}", tuple(shape)))
}
