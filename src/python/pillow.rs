//! Pixels out of Pillow: images that the caller opened, and files that only Pillow decodes.

use std::sync::{Mutex, PoisonError};

use ndarray::ArrayView3;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyCapsule, PyType};

use super::arrow::ArrowBytes;
use super::errors::{Class, Fault, PILLOW};
use super::fork::attached;
use super::guard::Guard;
use super::memory::Span;
use super::strips::{Stored, StoredImage};
use crate::pixels::{Header, Image, Layout, Palette, palette_from};
use crate::{Array, Element, Error, Limits, Orientation, Preprocess, Report, Spec, apply_orientation};

/// `PIL.Image.Image`.
pub(super) fn image_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static IMAGE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    IMAGE.import(py, "PIL.Image", "Image")
}

/// Checks a PIL image's size against the limits; says whether its pixels are in memory already.
pub(super) fn check_size(image: &Bound<'_, PyAny>, limits: &Limits) -> Result<bool, Fault> {
    let py = image.py();
    static SIZE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let (width, height, loaded) = SIZE
        .import(py, "clipprep._pillow", "size")
        .and_then(|size| size.call1((image,)))
        .and_then(|found| found.extract::<(usize, usize, bool)>())
        .map_err(|error| Fault::raised_by_pillow(py, error))?;
    limits.check_pixels(width, height)?;
    if !loaded {
        check_storage(width, height, limits)?;
    }
    Ok(loaded)
}

/// Pillow stores up to four bytes per pixel, and may have to hand out a copy.
fn check_storage(width: usize, height: usize, limits: &Limits) -> Result<(), Error> {
    limits.check_memory((width as u64).saturating_mul(height as u64).saturating_mul(8))
}

/// The pixels of a loaded Pillow image.
pub(super) struct Pixels {
    width: usize,
    height: usize,
    layout: Layout,
    palette: Option<Box<Palette>>,
    memory: Memory,
    /// Bytes that are held by them, and were not held before the call.
    held: u64,
    pub orientation: Orientation,
}

/// The result of `clipprep._pillow.pixels`: mode, width, height, memory, whether that is as Pillow stores pixels,
/// palette, EXIF orientation, bytes that are held.
pub(super) type Found<'py> = (String, usize, usize, Bound<'py, PyAny>, bool, Option<PyBackedBytes>, u64, u64);

/// The layout of the pixels of a mode, packed or as Pillow stores them.
pub(super) fn layout(mode: &str, stored: bool) -> Option<Layout> {
    Some(match (mode, stored) {
        ("1", _) => Layout::One,
        ("L", _) => Layout::L,
        ("P", _) => Layout::P,
        ("LA", true) => Layout::GreyAlphaWide,
        ("LA", false) => Layout::GreyAlpha,
        ("RGB", true) => Layout::Rgbx,
        ("RGB", false) => Layout::Rgb,
        ("RGBA", _) => Layout::Rgba,
        ("CMYK", _) => Layout::Cmyk,
        ("RGBX", _) => Layout::RgbAndX,
        ("RGBa", _) => Layout::RgbPremultiplied,
        ("PA", _) => Layout::IndexAlpha,
        ("YCbCr", _) => Layout::YCbCr,
        ("HSV", _) => Layout::Hsv,
        ("LAB", _) => Layout::Lab,
        ("I;16", _) => Layout::I16,
        ("I;16L", _) => Layout::I16L,
        ("I;16B", _) => Layout::I16B,
        ("I;16N", _) => Layout::I16N,
        ("I", _) => Layout::I,
        ("F", _) => Layout::F,
        // "La" is one: Pillow resizes it, and then converts it to LA alone.
        _ => return None,
    })
}

/// The pixels of a capsule that Pillow exported.
pub(super) fn stored_pixels(
    capsule: Bound<'_, PyCapsule>,
    width: usize,
    height: usize,
    layout: Layout,
) -> Result<ArrowBytes, Error> {
    let size = layout.sample_bytes();
    ArrowBytes::new(capsule, width * height, layout.bytes() / size, size)
        .ok_or_else(ArrowBytes::another_layout)
}

/// Bytes a pixel that converting LAB takes: copies of the pixels, bands, both images and the RGB twice and once more.
const LAB_TO_RGB: u64 = 28;

enum Memory {
    /// Pillow's own.
    Shared(ArrowBytes),
    /// Pillow's own, in several blocks.
    Stored(Stored),
    /// Packed pixels, or those of a helper.
    Packed(PyBackedBytes),
    Owned(Vec<u8>),
}

impl Pixels {
    /// Takes hold of the memory of a loaded `image` of the caller's; with `exif`, it is turned as it says.
    pub fn of(image: &Bound<'_, PyAny>, spec: &Spec) -> Result<Self, Fault> {
        let py = image.py();
        static PIXELS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let guard = Bound::new(py, Guard::new(spec.limits)).map_err(Fault::Stop)?;
        let found = PIXELS
            .import(py, "clipprep._pillow", "pixels")
            .and_then(|pixels| pixels.call1((image, false, spec.rgb(), spec.exif, &guard)))
            .and_then(|found| found.extract::<Found<'_>>());
        if let Some(error) = guard.get().take() {
            return Err(error.into());
        }
        Self::of_found(py, found.map_err(|error| Fault::raised_by_pillow(py, error))?)
    }

    /// The pixels that Python found.
    pub fn of_found(py: Python<'_>, found: Found<'_>) -> Result<Self, Fault> {
        let (mode, width, height, memory, stored, palette, orientation, held) = found;
        let Some(layout) = layout(&mode, stored) else {
            let found = format!("expected a mode that Pillow converts to RGB, found \"{mode}\"");
            return Err(Error::unsupported(found).into());
        };
        let memory = match memory.cast_into::<PyCapsule>().map_err(pyo3::CastIntoError::into_inner) {
            Ok(capsule) => Memory::Shared(stored_pixels(capsule, width, height, layout)?),
            Err(bytes) if !stored || bytes.is_instance_of::<PyBytes>() => Memory::Packed(
                bytes
                    .extract()
                    .map_err(|error: pyo3::CastError<'_, '_>| Fault::raised_by_pillow(py, error.into()))?,
            ),
            Err(image) => Memory::Stored(Stored(image.unbind())),
        };
        let palette = palette.map(|entries| palette_from(&entries));
        let orientation = Orientation::from_exif(orientation);
        Ok(Self { width, height, layout, palette, memory, held, orientation })
    }

    /// Width and height.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Writes the tensor to `out`; Python is attached to for LAB, and only then.
    pub fn run<T: Element>(&self, core: &Preprocess, out: &mut [T]) -> Result<Report, Fault> {
        let report = self.run_turned(core, out)?;
        Ok(Report { orientation: self.orientation, ..report })
    }

    fn run_turned<T: Element>(&self, core: &Preprocess, out: &mut [T]) -> Result<Report, Fault> {
        let fault = Mutex::default();
        let mut image = self.image(&fault)?;
        let raised = |error: Error| {
            let raised = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
            raised.unwrap_or(error.into())
        };
        if self.layout != Layout::Lab {
            return core.process_image(image.as_mut(), out).map_err(raised);
        }
        // Pillow converts, by colour management: before our core resizes, or after.
        if core.spec().profile.rgb_first {
            let pixels = (self.width * self.height) as u64;
            let held = self.held.saturating_add(LAB_TO_RGB.saturating_mul(pixels));
            core.spec().limits.check_memory(held)?;
            let mut rgb = Self::from_lab(
                self.bytes().ok_or_else(ArrowBytes::another_layout)?,
                self.width,
                self.height,
            )?;
            rgb.held = self.held.saturating_add(3 * pixels);
            rgb.orientation = self.orientation;
            let mut report = core.process_image(rgb.image(&fault)?.as_mut(), out)?;
            report.header.layout = Layout::Lab;
            return Ok(report);
        }
        let (report, pixels) = core.cropped(image.as_mut()).map_err(raised)?;
        let (height, width) = core.spec().size;
        core.normalise_rgb(Self::from_lab(&pixels, width, height)?.bytes().unwrap_or_default(), out);
        Ok(report)
    }

    /// LAB pixels, as Pillow stores them, in RGB.
    fn from_lab(pixels: &[u8], width: usize, height: usize) -> Result<Self, Fault> {
        attached(|py| {
            let converted = py
                .import("clipprep._pillow")
                .and_then(|module| {
                    module.getattr("rgb_of_lab")?.call1((PyBytes::new(py, pixels), width, height))
                })
                .and_then(|rgb| Ok(rgb.extract::<PyBackedBytes>()?.to_vec()));
            match converted {
                Ok(rgb) => Ok(Self {
                    width,
                    height,
                    layout: Layout::Rgb,
                    palette: None,
                    memory: Memory::Owned(rgb),
                    held: 0,
                    orientation: Orientation::default(),
                }),
                Err(error) => Err(Fault::foreign(
                    Class::Unsupported,
                    "expected a Pillow that converts mode \"LAB\", found one that does not",
                    PILLOW,
                    error,
                )),
            }
        })
    }

    /// Bytes of its pixels.
    pub fn len(&self) -> usize {
        self.width * self.height * self.layout.bytes()
    }

    /// The memory that they are in, if they are in one block.
    pub fn span(&self) -> Option<Span> {
        self.bytes().map(Span::of)
    }

    /// The pixels, if they are in one block.
    fn bytes(&self) -> Option<&[u8]> {
        match &self.memory {
            Memory::Shared(bytes) => Some(bytes.as_slice()),
            Memory::Stored(_) => None,
            Memory::Packed(bytes) => Some(bytes),
            Memory::Owned(bytes) => Some(bytes),
        }
    }

    /// The pixels as an image for the core, turned. `fault` is where an error of Python's goes.
    fn image<'a>(&'a self, fault: &'a Mutex<Option<Fault>>) -> Result<Box<dyn Image + 'a>, Error> {
        let image: Box<dyn Image + 'a> = match &self.memory {
            Memory::Stored(stored) => {
                let Self { width, height, layout, ref palette, held, .. } = *self;
                let header = Header { width, height, layout, palette: palette.clone() };
                Box::new(StoredImage { stored, header, held, fault })
            }
            _ => Box::new(self.array()?),
        };
        Ok(apply_orientation(image, self.orientation))
    }

    fn array(&self) -> Result<Array<'_>, Error> {
        let bytes = self.bytes().unwrap_or_default();
        let view = ArrayView3::from_shape((self.height, self.width, self.layout.bytes()), bytes)
            .map_err(|error| Error::decode("PIL image", error))?;
        Ok(Array::new(view, self.layout, self.palette.clone())?.of_image().holding(self.held))
    }
}
