//! Pixels out of Pillow: images that the caller opened, and files that only Pillow decodes.

use ndarray::ArrayView3;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyCapsule};

use super::arrow::ArrowBytes;
use super::errors::Fault;
use crate::pixels::{Layout, palette_from};
use crate::{Array, Error};

/// The pixels of a loaded Pillow image.
pub(super) struct Pixels {
    width: usize,
    height: usize,
    layout: Layout,
    palette: Option<PyBackedBytes>,
    memory: Memory,
}

enum Memory {
    Shared(ArrowBytes),
    Packed(PyBackedBytes),
}

impl Pixels {
    /// Loads `image` if it was not, and takes hold of its memory.
    pub fn of(image: &Bound<'_, PyAny>) -> Result<Self, Fault> {
        let py = image.py();
        let (mode, width, height, memory, shared, palette) = py
            .import("clipprep._pillow")
            .and_then(|module| module.getattr("pixels")?.call1((image,)))
            .and_then(|found| {
                found.extract::<(String, usize, usize, Bound<'_, PyAny>, bool, Option<PyBackedBytes>)>()
            })
            .map_err(|error| Fault::raised_by_pillow(py, error))?;
        let layout = match (mode.as_str(), shared) {
            ("1", _) => Layout::One,
            ("L", _) => Layout::L,
            ("P", _) => Layout::P,
            ("LA", true) => Layout::Llla,
            ("LA", false) => Layout::La,
            ("RGB", true) => Layout::Rgbx,
            ("RGB", false) => Layout::Rgb,
            ("RGBA", _) => Layout::Rgba,
            ("CMYK", _) => Layout::Cmyk,
            _ => return Err(Error::Unsupported(format!("mode \"{mode}\" is not supported yet")).into()),
        };
        let memory = if shared {
            let capsule = memory.cast_into::<PyCapsule>().map_err(|error| Fault::Raised(error.into()))?;
            let bytes = ArrowBytes::new(capsule, width * height, layout.bytes());
            Memory::Shared(bytes.ok_or_else(|| {
                Error::Decode("expected the Arrow layout of a Pillow image, found another".into())
            })?)
        } else {
            Memory::Packed(
                memory.extract().map_err(|error: pyo3::CastError<'_, '_>| Fault::Raised(error.into()))?,
            )
        };
        Ok(Self { width, height, layout, palette, memory })
    }

    /// Has Pillow decode `bytes`, which the core refused with `ours`; also gives Pillow's name of
    /// the format.
    pub fn decode(py: Python<'_>, bytes: &[u8], ours: Error) -> Result<(Self, Option<String>), Fault> {
        let image = py
            .import("clipprep._pillow")
            .and_then(|module| module.getattr("decode")?.call1((PyBytes::new(py, bytes),)));
        match image {
            Ok(image) => {
                let format = image.getattr("format").and_then(|name| name.extract()).unwrap_or(None);
                match Self::of(&image) {
                    Err(Fault::Raised(error)) => Err(Fault::refused_by_pillow(py, ours, error)),
                    pixels => Ok((pixels?, format)),
                }
            }
            Err(error) => Err(Fault::refused_by_pillow(py, ours, error)),
        }
    }

    /// The pixels as an image for the core.
    pub fn array(&self) -> Result<Array<'_>, Error> {
        let bytes = match &self.memory {
            Memory::Shared(bytes) => bytes.as_slice(),
            Memory::Packed(bytes) => bytes,
        };
        let view = ArrayView3::from_shape((self.height, self.width, self.layout.bytes()), bytes)
            .map_err(|error| Error::Decode(format!("expected whole rows of pixels, found: {error}")))?;
        Array::new(view, self.layout, self.palette.as_deref().map(palette_from))
    }
}
