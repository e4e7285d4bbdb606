//! Sources while a call lasts, with what they hold.

use std::path::PathBuf;

use ndarray::{ArrayView3, Axis, Ix3};
use numpy::PyReadonlyArrayDyn;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::Source as CoreSource;
use crate::pixels::Layout;
use crate::python::errors::Fault;
use crate::python::memory::Span;
use crate::python::pillow::Pixels;

/// A source with what it holds.
///
/// Encoded bytes are parsed more than once, so nobody may write to them meanwhile: only `bytes`, which
/// nobody can write to, are held; any other buffer is copied. Pixels are borrowed.
pub(in crate::python) enum Source<'py> {
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
pub(in crate::python) enum Item<'a> {
    Path(&'a PathBuf),
    Encoded(&'a PyBackedBytes),
    Array(ArrayView3<'a, u8>),
    Image(&'a Pixels),
    Unloaded(&'a Py<PyAny>),
}

impl Source<'_> {
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
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Bytes(bytes) => Some(Span::of(bytes)),
            Self::Copied(_, span) => Some(span.clone()),
            Self::Array(array) | Self::Planes(array) => Some(Span::of_view(&array.as_array())),
            Self::Image(pixels) => pixels.span(),
            Self::Path(_) | Self::Unloaded(_) | Self::Failed(_) => None,
        }
    }
}

impl Item<'_> {
    /// The same to the core; `None` for a PIL image.
    pub fn core(&self) -> Option<CoreSource<'_>> {
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
