//! The options of `Preprocess` as Python gives them: read by one table, checked together.

mod choices;
mod entry;
mod found;
mod limits;
mod table;
mod value;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::errors::{type_error, value_error};
use super::words;
use crate::{Filter, FloatSteps, Resampler, ResizeMode, model_size};
pub(super) use entry::Options;
use found::found;
pub(super) use limits::{check_limits, describe_limits, read as read_limits};
pub(super) use table::OPTIONS;
pub(super) use value::count;
use value::{Value, Wrong};

/// The error for an option that there is not, with what it may mean.
fn unknown(py: Python<'_>, name: &str) -> PyResult<PyErr> {
    let known: Vec<_> = OPTIONS.iter().map(|entry| entry.name).collect();
    let expected = format!("an option of {}", known.join(", "));
    let hint = py.import("clipprep._option_hints")?.call_method1("of_option", (name, known))?;
    let hint = hint.extract::<Option<String>>()?.map_or_else(String::new, |hint| format!(": {hint}"));
    Ok(type_error(expected, format_args!("{}={hint}", words::name(name))))
}

impl Options {
    /// The options of a call.
    pub fn read(size: (usize, usize), given: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut options = Self::new(size);
        for (name, value) in given.into_iter().flatten() {
            let name = name.cast_into::<PyString>()?;
            let name = name.to_string_lossy();
            let Some(entry) = OPTIONS.iter().find(|entry| entry.name == name) else {
                return Err(unknown(value.py(), &name)?);
            };
            entry.read(&mut options, &value)?;
        }
        options.check()?;
        Ok(options)
    }

    /// Refuses values that do not go together.
    fn check(&self) -> PyResult<()> {
        let Self { spec, .. } = self;
        let profile = spec.profile.name;
        if !spec.std.iter().all(|value| *value as f32 > 0.0) {
            return Err(value_error("std= 3 finite numbers above 0", format_args!("{:?}", spec.std)));
        }
        if !spec.profile.filters.contains(&spec.filter) {
            let filters = spec.profile.filters.iter().map(|filter| format!("{:?}", filter.name()));
            let filters = filters.collect::<Vec<_>>().join(", ");
            return Err(value_error(
                format_args!("interpolation= one of {filters} with profile={profile:?}"),
                format_args!("{:?}", spec.filter.name()),
            ));
        }
        let samples = spec.profile.resampler == Resampler::Torch && spec.filter != Filter::Lanczos;
        if !spec.antialias && !samples {
            let expected =
                "antialias=True, but for \"bilinear\" and \"bicubic\" with profile=\"hf-torchvision\"";
            return Err(value_error(expected, "False"));
        }
        if spec.profile.floats == FloatSteps::DivideBy255 && spec.rescale_factor != Some(1.0 / 255.0) {
            let found = spec.rescale_factor.map_or("None".to_owned(), |factor| factor.to_string());
            let expected =
                format_args!("rescale_factor=1/255 with profile={profile:?}, which divides by 255");
            return Err(value_error(expected, found));
        }
        if spec.rescale_offset && spec.rescale_factor.is_none() {
            return Err(value_error("rescale_factor= a number with rescale_offset=True", "None"));
        }
        self.check_resize()
    }

    /// Refuses a `resize_size` that `resize_mode` cannot be about.
    fn check_resize(&self) -> PyResult<()> {
        let Self { spec, .. } = self;
        let (height, width) = spec.resize_size;
        let expected = match spec.resize_mode {
            ResizeMode::Keep if spec.resize_size != spec.size => "no resize_size=",
            ResizeMode::BridgeTower
            | ResizeMode::Janus
            | ResizeMode::Tvp
            | ResizeMode::PpLcNet
            | ResizeMode::Sam
            | ResizeMode::Aria
            | ResizeMode::DeepseekOcr
                if height != width =>
            {
                "resize_size= one number of pixels"
            }
            ResizeMode::Detr if height > width => "resize_size= a pair whose second number is the larger one",
            ResizeMode::Perceiver if height < spec.size.0 || width < spec.size.1 => {
                "resize_size= at least the output's size"
            }
            _ => return Ok(()),
        };
        let mode = spec.resize_mode.name();
        Err(value_error(
            format_args!("{expected} with resize_mode={mode:?}"),
            format_args!("{:?}", spec.resize_size),
        ))
    }

    /// Each option that is not at its default, by name.
    pub fn changed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (changed, default) = (PyDict::new(py), Self::new(self.spec.size));
        for entry in OPTIONS.iter().filter(|entry| !(entry.is_same)(self, &default)) {
            changed.set_item(entry.name, entry.show(self, py)?)?;
        }
        Ok(changed)
    }

    /// Python's hash of all values, which is the same for equal options.
    pub fn hash(&self, py: Python<'_>) -> PyResult<isize> {
        let values = OPTIONS.iter().map(|entry| entry.show(self, py));
        let values = values.chain([self.size(py)]).collect::<PyResult<Vec<_>>>()?;
        PyTuple::new(py, values)?.hash()
    }
}

/// The meaning of the first argument of `Preprocess`.
pub(super) struct Model<'py> {
    /// Height and width of the output.
    pub size: (usize, usize),
    /// The name, where it is one of OpenAI's.
    pub name: Option<String>,
    /// The options that another name decides.
    pub decided: Option<Bound<'py, PyDict>>,
}

impl<'py> Model<'py> {
    /// Reads a model's name, a number of pixels or a pair of them. Names that are not OpenAI's, and those beside the
    /// tag of their weights, are looked up in the package's tables.
    pub fn read(model: &Bound<'py, PyAny>, pretrained: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        let Ok(name) = model.cast::<PyString>() else {
            if let Some(tag) = pretrained {
                let expected = "pretrained= beside a name of open_clip alone";
                return Err(type_error(expected, found(tag)));
            }
            return match Value::read(model) {
                Ok(size) => Ok(Self { size, name: None, decided: None }),
                Err(wrong) => Self::of_object(model, wrong),
            };
        };
        if let Some(tag) = pretrained.filter(|tag| !tag.is_instance_of::<PyString>()) {
            let expected = "pretrained= the tag of a model's weights or None";
            return Err(type_error(expected, found(tag)));
        }
        let openai = if pretrained.is_none() { model_size(&name.to_string_lossy()) } else { None };
        if let Some(size) = openai {
            return Ok(Self {
                size: (size, size),
                name: Some(name.to_string_lossy().into_owned()),
                decided: None,
            });
        }
        let lookup = model.py().import("clipprep.configs.lookup")?;
        let (size, decided) = lookup.call_method1("by_name", (name, pretrained))?.extract()?;
        Ok(Self { size, name: None, decided: Some(decided) })
    }

    /// Reads an object of another library, such as its image processor; `wrong` is why it is no size.
    fn of_object(object: &Bound<'py, PyAny>, wrong: Wrong) -> PyResult<Self> {
        let lookup = object.py().import("clipprep.configs.lookup")?;
        let Some((size, decided)) = lookup.call_method1("by_object", (object,))?.extract()? else {
            let expected = format!("a model's name or {}", <(usize, usize)>::expected());
            return Err(wrong.into_pyerr("", &expected, object));
        };
        Ok(Self { size, name: None, decided: Some(decided) })
    }
}
