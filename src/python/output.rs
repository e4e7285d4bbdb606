//! The array that results are written to: a fresh one, or the caller's.

use half::slice::HalfBitsSliceExt;
use half::{bf16, f16};
use numpy::{PyArrayDyn, PyArrayMethods, PyReadwriteArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyException, PyMemoryError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::errors::{output_error, shape as tuple, type_error, value_error};
use super::memory::own_view;
use super::words::{self, said};
use crate::named::named;
use crate::{Element, Limits};

named! {
    /// The data type of an output.
    pub enum Dtype {
        /// Single-precision floats.
        Float32 = "float32",
        /// The float32 values, rounded to nearest, ties to even.
        Float16 = "float16",
        /// The same in bfloat16. NumPy has no such type, so an array holds the bits as uint16.
        BFloat16 = "bfloat16",
        /// The levels of 0 to 255, before they are rescaled and normalised.
        UInt8 = "uint8",
    }
}

/// Evaluates `$body` with `$number` as the type of number that a [`Dtype`] stands for.
macro_rules! with_number {
    ($dtype:expr, $number:ident => $body:expr) => {
        match $dtype {
            $crate::python::output::Dtype::Float32 => {
                type $number = f32;
                $body
            }
            $crate::python::output::Dtype::Float16 => {
                type $number = half::f16;
                $body
            }
            $crate::python::output::Dtype::BFloat16 => {
                type $number = half::bf16;
                $body
            }
            $crate::python::output::Dtype::UInt8 => {
                type $number = u8;
                $body
            }
        }
    };
}
pub(super) use with_number;

/// A type of number, and what NumPy keeps it in.
pub(super) trait Number: Element {
    type InNumpy: numpy::Element;

    fn of(kept: &mut [Self::InNumpy]) -> &mut [Self];
}

macro_rules! kept_as_it_is {
    ($($number:ty),*) => {$(
        impl Number for $number {
            type InNumpy = Self;

            fn of(kept: &mut [Self]) -> &mut [Self] {
                kept
            }
        }
    )*};
}
kept_as_it_is!(f32, f16, u8);

impl Number for bf16 {
    type InNumpy = u16;

    fn of(kept: &mut [u16]) -> &mut [Self] {
        kept.reinterpret_cast_mut()
    }
}

/// An array of results.
pub(super) type Array<'py, N> = Bound<'py, PyArrayDyn<<N as Number>::InNumpy>>;

/// Refuses a new array of results that is larger than the limits allow.
pub(super) fn check<N: Number>(py: Python<'_>, shape: &[usize], limits: &Limits) -> PyResult<()> {
    let bytes = shape.iter().fold(size_of::<N>() as u64, |bytes, &side| bytes.saturating_mul(side as u64));
    limits.check_memory(bytes).map_err(|error| output_error(py, shape, &error.to_string()))
}

/// An array of `shape`: the memory of `out` when given, checked, else a new one whose content is unspecified.
pub(super) fn array<'py, N: Number>(
    py: Python<'py>,
    out: Option<&Bound<'py, PyAny>>,
    shape: &[usize],
) -> PyResult<Array<'py, N>> {
    let dtype = numpy::dtype::<N::InNumpy>(py);
    let Some(out) = out else {
        let array = empty(py)?.call1((shape, dtype)).map_err(|error| {
            let no_memory = error.is_instance_of::<PyMemoryError>(py);
            if no_memory { output_error(py, shape, "expected memory for it, found less") } else { error }
        })?;
        return Ok(array.cast_into()?);
    };
    // Written for an error alone: NumPy takes longer for the name of a dtype than for the whole array.
    let expected = || format!("out= a C-contiguous, writeable {dtype} array of shape {}", tuple(shape));
    let array = match out.cast::<PyUntypedArray>() {
        Ok(array) => own_view(array)?,
        Err(_) => match py.import("clipprep._out")?.getattr("of_out")?.call1((out,)) {
            Ok(lent) if !lent.is_none() => lent.cast_into::<PyUntypedArray>()?,
            Ok(_) => return Err(type_error(expected(), words::kind(out))),
            Err(error) if error.is_instance_of::<PyException>(py) => {
                let kind = words::kind(out);
                let found = format!("a {kind} that does not lend its memory: {}", said(py, &error));
                return Err(type_error(expected(), found));
            }
            Err(error) => return Err(error),
        },
    };
    let Ok(numbers) = array.cast::<PyArrayDyn<N::InNumpy>>() else {
        let found = words::dtype(&array.dtype());
        if !out.is_instance_of::<PyUntypedArray>() {
            return Err(type_error(expected(), format_args!("a {} of {found}", words::kind(out))));
        }
        return Err(value_error(expected(), format_args!("dtype {found}")));
    };
    if numbers.shape() != shape {
        return Err(value_error(expected(), format_args!("shape {}", tuple(numbers.shape()))));
    }
    if !numbers.is_c_contiguous() {
        return Err(value_error(expected(), "one that is not C-contiguous"));
    }
    if numbers.data().addr() % align_of::<N::InNumpy>() != 0 {
        return Err(value_error(expected(), "one that is not aligned"));
    }
    Ok(numbers.clone())
}

/// `numpy.empty`.
pub(super) fn empty(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static EMPTY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    EMPTY.import(py, "numpy", "empty")
}

/// Exclusive access to the array, as far as Rust code goes.
pub(super) fn borrow<'py, N: Number>(
    array: &Array<'py, N>,
) -> PyResult<PyReadwriteArrayDyn<'py, N::InNumpy>> {
    array.try_readwrite().map_err(|error| {
        let found = match error {
            numpy::BorrowError::NotWriteable => "a read-only one",
            _ => "one that overlaps a source or is in use by another call",
        };
        value_error("out= a writeable array of its own", found)
    })
}
