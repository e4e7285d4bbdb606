//! Options as Python gives them, checked and turned into a specification.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};

use super::errors::value_error;
use crate::{Filter, MEAN, MODELS, PassOrder, Profile, STD, Spec, model_size};

/// The largest side of an output.
const MAX_SIZE: i64 = 1 << 14;

/// Upper bounds on what one image may cost, checked from its header; None lifts a bound.
#[pyclass(frozen, module = "clipprep", from_py_object)]
#[derive(Clone)]
pub(super) struct Limits(pub crate::Limits);

#[pymethods]
impl Limits {
    #[new]
    #[pyo3(
        signature = (*, max_pixels = Some(178_956_970), max_bytes = Some(1 << 30)),
        text_signature = "(*, max_pixels=178956970, max_bytes=1073741824)"
    )]
    fn new(max_pixels: Option<u64>, max_bytes: Option<u64>) -> Self {
        Self(crate::Limits { max_pixels, max_bytes })
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

    fn __repr__(&self) -> String {
        let show = |bound: Option<u64>| bound.map_or("None".into(), |bound| bound.to_string());
        format!("Limits(max_pixels={}, max_bytes={})", show(self.0.max_pixels), show(self.0.max_bytes))
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        hash(self.0)
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((), Bound<'py, PyDict>)> {
        let kwargs = PyDict::new(py);
        kwargs.set_item("max_pixels", self.0.max_pixels)?;
        kwargs.set_item("max_bytes", self.0.max_bytes)?;
        Ok(((), kwargs))
    }
}

pub(super) fn hash(value: impl std::hash::Hash) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The size that a model's name or a number of pixels means.
pub(super) fn size(model: &Bound<'_, PyAny>) -> PyResult<usize> {
    if let Ok(name) = model.cast::<PyString>() {
        let name = name.to_str()?;
        return model_size(name).ok_or_else(|| {
            let known: Vec<_> = MODELS.iter().map(|&(known, _)| known).collect();
            value_error(format_args!("a model of {}", known.join(", ")), format_args!("{name:?}"))
        });
    }
    let number = model.call_method0("__index__").ok().filter(|_| !model.is_instance_of::<PyBool>());
    let Some(number) = number else {
        return Err(PyTypeError::new_err(format!(
            "expected a model's name or a size in pixels, found {}",
            model.get_type().name()?
        )));
    };
    match number.extract::<i64>() {
        Ok(size @ 1..=MAX_SIZE) => Ok(size as usize),
        _ => Err(value_error(format_args!("a size of 1 to {MAX_SIZE} pixels"), number)),
    }
}

/// One of the named choices of an option.
fn choice<T: Copy>(option: &str, name: &str, choices: &[(&str, T)]) -> PyResult<T> {
    choices.iter().find(|(known, _)| *known == name).map(|&(_, value)| value).ok_or_else(|| {
        let known: Vec<_> = choices.iter().map(|(known, _)| format!("{known:?}")).collect();
        value_error(format_args!("{option}= one of {}", known.join(", ")), format_args!("{name:?}"))
    })
}

/// The specification that the options of `Preprocess` make up.
#[expect(clippy::too_many_arguments, reason = "they are the keywords of the class")]
pub(super) fn spec(
    py: Python<'_>,
    size: usize,
    profile: &str,
    pillow: &str,
    mean: Option<[f64; 3]>,
    std: Option<[f64; 3]>,
    interpolation: &str,
    limits: Option<&Limits>,
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
        size,
        profile: choice("profile", profile, &Profile::ALL)?,
        pass_order,
        mean: mean.unwrap_or(MEAN),
        std: std.unwrap_or(STD),
        filter: choice("interpolation", interpolation, &Filter::ALL)?,
        limits: limits.map_or_else(Default::default, |limits| limits.0),
    };
    if !spec.mean.iter().all(|value| (*value as f32).is_finite()) {
        return Err(value_error("mean= three finite numbers", format_args!("{:?}", spec.mean)));
    }
    if !spec.std.iter().all(|value| (*value as f32).is_finite() && *value as f32 > 0.0) {
        return Err(value_error("std= three finite numbers above 0", format_args!("{:?}", spec.std)));
    }
    if spec.profile == Profile::HfTorchvision && spec.filter != Filter::Bicubic {
        return Err(PyValueError::new_err(format!(
            "expected interpolation=\"bicubic\" with profile=\"hf-torchvision\", found {interpolation:?}"
        )));
    }
    Ok(spec)
}
