//! Options as Python gives them, checked and turned into a specification.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString, PyTuple};

use super::errors::value_error;
use crate::{
    Fill, Filter, FloatSteps, MEAN, MODELS, PassOrder, Precision, Profile, ResizeMode, STD, Spec,
    TensorLayout, Truncated, model_size,
};

/// The largest side of an output.
const MAX_SIZE: i64 = 1 << 14;

/// Upper bounds on what one image may cost, checked from its header; None lifts a bound. An image
/// beyond one raises `LimitError`.
///
/// - `max_pixels=178_956_970`: width times height. The default is where Pillow raises
///   `DecompressionBombError`. For what Pillow decodes, its own bound holds as well.
/// - `max_bytes=1 << 30`: the length of the encoded file, 1 GiB.
/// - `max_memory=2 << 30`: bytes that decoding and resizing take besides the encoded file and the
///   output, by an upper estimate, 2 GiB. A JPEG of one scan and a PNG that is not interlaced take a
///   few rows; other files take the whole image, and a JPEG of several scans two bytes per sample.
/// - `max_scans=500`: the scans of a JPEG. Each costs time for the whole image however short it is;
///   encoders write about ten.
#[pyclass(frozen, module = "clipprep", from_py_object)]
#[derive(Clone)]
pub(super) struct Limits(pub crate::Limits);

#[pymethods]
impl Limits {
    #[new]
    #[pyo3(
        signature = (
            *, max_pixels = Some(178_956_970), max_bytes = Some(1 << 30), max_memory = Some(2 << 30), max_scans = Some(500)
        ),
        text_signature = "(*, max_pixels=178956970, max_bytes=1073741824, max_memory=2147483648, max_scans=500)"
    )]
    fn new(
        max_pixels: Option<u64>,
        max_bytes: Option<u64>,
        max_memory: Option<u64>,
        max_scans: Option<u64>,
    ) -> Self {
        Self(crate::Limits { max_pixels, max_bytes, max_memory, max_scans })
    }

    /// The largest width times height.
    #[getter]
    fn max_pixels(&self) -> Option<u64> {
        self.0.max_pixels
    }

    /// The largest number of encoded bytes.
    #[getter]
    fn max_bytes(&self) -> Option<u64> {
        self.0.max_bytes
    }

    /// The largest number of bytes that decoding and resizing may take.
    #[getter]
    fn max_memory(&self) -> Option<u64> {
        self.0.max_memory
    }

    /// The largest number of scans of a JPEG.
    #[getter]
    fn max_scans(&self) -> Option<u64> {
        self.0.max_scans
    }

    fn __repr__(&self) -> String {
        let show = |(name, bound): (_, Option<u64>)| match bound {
            Some(bound) => format!("{name}={bound}"),
            None => format!("{name}=None"),
        };
        format!("Limits({})", self.bounds().map(show).join(", "))
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        hash(self.0)
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((), Bound<'py, PyDict>)> {
        let kwargs = PyDict::new(py);
        for (name, bound) in self.bounds() {
            kwargs.set_item(name, bound)?;
        }
        Ok(((), kwargs))
    }
}

impl Limits {
    fn bounds(&self) -> [(&'static str, Option<u64>); 4] {
        let crate::Limits { max_pixels, max_bytes, max_memory, max_scans } = self.0;
        [
            ("max_pixels", max_pixels),
            ("max_bytes", max_bytes),
            ("max_memory", max_memory),
            ("max_scans", max_scans),
        ]
    }
}

pub(super) fn hash(value: impl std::hash::Hash) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The height and width that a model's name, a number of pixels or a pair of them means.
pub(super) fn model(model: &Bound<'_, PyAny>) -> PyResult<(usize, usize)> {
    if let Ok(name) = model.cast::<PyString>() {
        let name = name.to_str()?;
        return model_size(name).map(|size| (size, size)).ok_or_else(|| {
            let known: Vec<_> = MODELS.iter().map(|&(known, _)| known).collect();
            value_error(format_args!("a model of {}", known.join(", ")), format_args!("{name:?}"))
        });
    }
    size("a model's name, a size in pixels or a pair (height, width)", model)
}

/// Height and width, of one number or of a pair; `expected` says what else there may be.
fn size(expected: &str, value: &Bound<'_, PyAny>) -> PyResult<(usize, usize)> {
    let side = |number: &Bound<'_, PyAny>| {
        let index = number.call_method0("__index__").ok().filter(|_| !number.is_instance_of::<PyBool>());
        let Some(index) = index else {
            let found = number.get_type().name()?;
            return Err(PyTypeError::new_err(format!("expected {expected}, found {found}")));
        };
        match index.extract::<i64>() {
            Ok(side @ 1..=MAX_SIZE) => Ok(side as usize),
            _ => Err(value_error(format_args!("{expected}, of 1 to {MAX_SIZE}"), index)),
        }
    };
    let pair = value.cast::<PyTuple>().map(|pair| pair.as_sequence());
    match pair.or_else(|_| value.cast::<PyList>().map(|pair| pair.as_sequence())) {
        Err(_) => side(value).map(|side| (side, side)),
        Ok(pair) if pair.len()? == 2 => Ok((side(&pair.get_item(0)?)?, side(&pair.get_item(1)?)?)),
        Ok(pair) => Err(PyTypeError::new_err(format!("expected {expected}, found {} numbers", pair.len()?))),
    }
}

/// A size as Python shows it: one number for a square.
pub(super) fn show_size<'py>(
    py: Python<'py>,
    (height, width): (usize, usize),
) -> PyResult<Bound<'py, PyAny>> {
    if height == width { height.into_bound_py_any(py) } else { (height, width).into_bound_py_any(py) }
}

pub(super) fn fill(colour: &Bound<'_, PyAny>) -> PyResult<Fill> {
    let fill = colour.extract().map(Fill::Level).or_else(|_| colour.extract().map(Fill::Bands));
    fill.map_err(|_| value_error("fill_color= a number or three of 0 to 255", colour))
}

pub(super) fn show_fill<'py>(py: Python<'py>, fill: Fill) -> PyResult<Bound<'py, PyAny>> {
    match fill {
        Fill::Level(level) => level.into_bound_py_any(py),
        Fill::Bands([a, b, c]) => (a, b, c).into_bound_py_any(py),
    }
}

/// One of the named choices of an option.
pub(super) fn choice<T: Copy>(option: &str, name: &str, choices: &[(&str, T)]) -> PyResult<T> {
    choices.iter().find(|(known, _)| *known == name).map(|&(_, value)| value).ok_or_else(|| {
        let known: Vec<_> = choices.iter().map(|(known, _)| format!("{known:?}")).collect();
        value_error(format_args!("{option}= one of {}", known.join(", ")), format_args!("{name:?}"))
    })
}

/// Names of formats, checked by Pillow's list of them.
fn allowed(formats: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    formats.py().import("clipprep._pillow")?.getattr("allowed_formats")?.call1((formats,))?.extract()
}

/// The specification that the options of `Preprocess` make up.
#[expect(clippy::too_many_arguments, reason = "they are the keywords of the class")]
pub(super) fn spec(
    py: Python<'_>,
    model_size: (usize, usize),
    profile: &str,
    pillow: &str,
    mean: Option<[f64; 3]>,
    std: Option<[f64; 3]>,
    interpolation: &str,
    layout: &str,
    precision: &str,
    resize_mode: &str,
    resize_size: Option<&Bound<'_, PyAny>>,
    fill: Fill,
    convert_rgb: bool,
    rescale_factor: Option<f64>,
    normalize: bool,
    limits: Option<&Limits>,
    truncated: &str,
    exif: bool,
    formats: Option<&Bound<'_, PyAny>>,
) -> PyResult<Spec> {
    let pass_order =
        match choice("pillow", pillow, &[("13", Some(true)), ("12", Some(false)), ("installed", None)])? {
            Some(true) => PassOrder::Pillow13,
            Some(false) => PassOrder::Pillow12,
            None => {
                let major: u32 =
                    py.import("clipprep._pillow")?.getattr("major_version")?.call0()?.extract()?;
                if major >= 13 { PassOrder::Pillow13 } else { PassOrder::Pillow12 }
            }
        };
    let spec = Spec {
        size: model_size,
        profile: choice("profile", profile, &Profile::ALL.map(|profile| (profile.name, profile)))?,
        resize_mode: choice("resize_mode", resize_mode, &ResizeMode::ALL)?,
        resize_size: resize_size.map_or(Ok(model_size), |pair| {
            size("resize_size= a size in pixels, a pair (height, width) or None", pair)
        })?,
        fill,
        convert_rgb,
        rescale_factor,
        normalize,
        pass_order,
        mean: mean.unwrap_or(MEAN),
        std: std.unwrap_or(STD),
        filter: choice("interpolation", interpolation, &Filter::ALL)?,
        layout: choice("layout", layout, &TensorLayout::ALL)?,
        precision: choice("precision", precision, &Precision::ALL)?,
        limits: limits.map_or_else(Default::default, |limits| limits.0),
        truncated: choice("truncated", truncated, &Truncated::ALL)?,
        exif,
        formats: formats.map(allowed).transpose()?,
    };
    if !spec.mean.iter().all(|value| (*value as f32).is_finite()) {
        return Err(value_error("mean= three finite numbers", format_args!("{:?}", spec.mean)));
    }
    if !spec.std.iter().all(|value| (*value as f32).is_finite() && *value as f32 > 0.0) {
        return Err(value_error("std= three finite numbers above 0", format_args!("{:?}", spec.std)));
    }
    if !spec.profile.filters.contains(&spec.filter) {
        let filters: Vec<_> =
            spec.profile.filters.iter().map(|filter| format!("{:?}", filter.name())).collect();
        return Err(value_error(
            format_args!("interpolation= one of {} with profile={profile:?}", filters.join(", ")),
            format_args!("{interpolation:?}"),
        ));
    }
    if spec.profile.floats == FloatSteps::DivideBy255 && spec.rescale_factor != Some(1.0 / 255.0) {
        return Err(value_error(
            format_args!("rescale_factor=1/255 with profile={profile:?}, which divides by 255"),
            format_args!("{rescale_factor:?}"),
        ));
    }
    if spec.rescale_factor.is_some_and(|factor| !(factor.is_finite() && factor > 0.0)) {
        return Err(value_error(
            "rescale_factor= a finite number above 0, or None",
            format_args!("{rescale_factor:?}"),
        ));
    }
    if spec.resize_mode == ResizeMode::Keep && resize_size.is_some() {
        return Err(value_error(
            "no resize_size= with resize_mode=\"none\"",
            format_args!("{:?}", spec.resize_size),
        ));
    }
    Ok(spec)
}
