//! The options of `Preprocess` as Python gives them: read by one table, checked together.

mod found;
mod limits;
mod table;
mod value;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyString, PyTuple, PyType};

use super::errors::value_error;
use super::output::Dtype;
use crate::{FloatSteps, MODELS, ResizeMode, Spec, model_size};
pub(super) use limits::{check_limits, describe_limits};
pub(super) use table::OPTIONS;
use value::{Value, Wrong};

/// Everything that the keywords of `Preprocess` decide.
#[derive(Clone, PartialEq)]
pub(super) struct Options {
    pub spec: Spec,
    pub dtype: Dtype,
}

/// An option: a row of [`OPTIONS`].
pub(super) struct Entry {
    pub name: &'static str,
    /// What it does, in lines; the first sentence is a summary.
    pub doc: &'static str,
    marks: &'static [Mark],
    /// What the command line and the documentation know of its value.
    value: fn() -> About,
    set: fn(&mut Options, &Bound<'_, PyAny>) -> Result<(), Wrong>,
    get: for<'py> fn(&Options, Python<'py>) -> PyResult<Bound<'py, PyAny>>,
    is_same: fn(&Options, &Options) -> bool,
}

/// What is special about an option.
#[derive(PartialEq)]
enum Mark {
    /// None stands for the default.
    NoneIsDefault,
    /// It may be given beside a model's config, since it says nothing about what is computed.
    BesideConfig,
}

/// What an option's value may be.
struct About {
    kind: &'static str,
    /// Its type as a parameter, and as an attribute.
    annotation: String,
    shown: String,
    expected: String,
    choices: Vec<(&'static str, &'static str)>,
}

impl Options {
    /// The defaults for an output of that height and width.
    pub fn new(size: (usize, usize)) -> Self {
        Self { spec: Spec { size, resize_size: size, ..Spec::openai(1) }, dtype: Dtype::Float32 }
    }

    /// The options of a call.
    pub fn read(size: (usize, usize), given: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut options = Self::new(size);
        for (name, value) in given.into_iter().flatten() {
            let name = name.cast_into::<PyString>()?;
            let name = name.to_str()?;
            let Some(entry) = OPTIONS.iter().find(|entry| entry.name == name) else {
                let known: Vec<_> = OPTIONS.iter().map(|entry| entry.name).collect();
                let known = known.join(", ");
                return Err(PyTypeError::new_err(format!("expected an option of {known}, found {name}=")));
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
        if spec.profile.floats == FloatSteps::DivideBy255 && spec.rescale_factor != Some(1.0 / 255.0) {
            let found = spec.rescale_factor.map_or("None".to_owned(), |factor| factor.to_string());
            let expected =
                format_args!("rescale_factor=1/255 with profile={profile:?}, which divides by 255");
            return Err(value_error(expected, found));
        }
        if spec.resize_mode == ResizeMode::Keep && spec.resize_size != spec.size {
            return Err(value_error(
                "no resize_size= with resize_mode=\"none\"",
                format_args!("{:?}", spec.resize_size),
            ));
        }
        Ok(())
    }

    /// The height and width of the output; one number for a square.
    pub fn size<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.spec.size.show(py)
    }

    /// Each option that is not at its default, by name.
    pub fn changed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (changed, default) = (PyDict::new(py), Self::new(self.spec.size));
        for entry in OPTIONS.iter().filter(|entry| !(entry.is_same)(self, &default)) {
            changed.set_item(entry.name, (entry.get)(self, py)?)?;
        }
        Ok(changed)
    }

    /// Python's hash of all values, which is the same for equal options.
    pub fn hash(&self, py: Python<'_>) -> PyResult<isize> {
        let values = OPTIONS.iter().map(|entry| (entry.get)(self, py));
        let values = values.chain([self.size(py)]).collect::<PyResult<Vec<_>>>()?;
        PyTuple::new(py, values)?.hash()
    }
}

impl Entry {
    fn read(&self, options: &mut Options, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let none_is_default = self.marks.contains(&Mark::NoneIsDefault);
        if none_is_default && value.is_none() {
            return Ok(());
        }
        (self.set)(options, value).map_err(|wrong| {
            let expected = (self.value)().expected;
            let or_none = if none_is_default { ", or None" } else { "" };
            wrong.into_pyerr(self.name, &format!("{expected}{or_none}"), value)
        })
    }

    /// What the documentation, the stub and the command line are made from.
    pub fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let About { kind, mut annotation, shown, choices, .. } = (self.value)();
        let default = if self.marks.contains(&Mark::NoneIsDefault) {
            annotation += " | None";
            py.None().into_bound(py)
        } else {
            (self.get)(&Options::new((1, 1)), py)?
        };
        let row = row(py, self.name, self.doc, kind, &annotation, default)?;
        let named = PyDict::new(py);
        for (choice, meaning) in choices {
            named.set_item(choice, meaning.trim())?;
        }
        row.set_item("choices", named)?;
        row.set_item("shown", shown)?;
        row.set_item("beside_config", self.marks.contains(&Mark::BesideConfig))?;
        Ok(row)
    }

    /// Adds the attribute that shows the option's value.
    pub fn add_getter(&'static self, class: &Bound<'_, PyType>) -> PyResult<()> {
        let py = class.py();
        let get = move |arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
            let object = arguments.get_item(0)?;
            let options = object.cast::<super::preprocess::Preprocess>()?.get().options();
            (self.get)(&options, arguments.py()).map(Bound::unbind)
        };
        let get = PyCFunction::new_closure(py, None, None, get)?;
        let property = py.import("builtins")?.getattr("property")?;
        class.setattr(self.name, property.call1((get, py.None(), py.None(), self.doc.trim()))?)
    }
}

/// A row of a table, as Python has it.
fn row<'py>(
    py: Python<'py>,
    name: &str,
    doc: &str,
    kind: &str,
    annotation: &str,
    default: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let row = PyDict::new(py);
    row.set_item("name", name)?;
    row.set_item("doc", doc.trim())?;
    row.set_item("kind", kind)?;
    row.set_item("annotation", annotation)?;
    row.set_item("default", default)?;
    Ok(row)
}

/// The height and width that a model's name, a number of pixels or a pair of them means, and the name.
pub(super) fn model(model: &Bound<'_, PyAny>) -> PyResult<((usize, usize), Option<String>)> {
    if let Ok(name) = model.cast::<PyString>() {
        let name = name.to_str()?;
        return model_size(name).map(|size| ((size, size), Some(name.to_owned()))).ok_or_else(|| {
            let known: Vec<_> = MODELS.iter().map(|&(known, _)| known).collect();
            value_error(format_args!("a model of {}", known.join(", ")), format_args!("{name:?}"))
        });
    }
    let expected = format!("a model's name or {}", <(usize, usize)>::expected());
    let size = Value::read(model).map_err(|wrong: Wrong| wrong.into_pyerr("", &expected, model))?;
    Ok((size, None))
}
