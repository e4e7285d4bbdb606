//! A row of the table of options, and what it reads and shows.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::value::{Value, Wrong};
use crate::Spec;
use crate::python::fallback::Fallback;
use crate::python::output::Dtype;

/// Everything that the keywords of `Preprocess` decide.
#[derive(Clone, PartialEq)]
pub(in crate::python) struct Options {
    pub spec: Spec,
    pub dtype: Dtype,
    pub fallback: Fallback,
}

/// An option: a row of the table.
pub(in crate::python) struct Entry {
    pub name: &'static str,
    /// Its documentation, in lines; the first sentence is a summary.
    pub doc: &'static str,
    pub(super) marks: &'static [Mark],
    /// The description of its value for the command line and the documentation.
    pub(super) value: fn() -> About,
    pub(super) set: fn(&mut Options, &Bound<'_, PyAny>) -> Result<(), Wrong>,
    pub(super) get: for<'py> fn(&Options, Python<'py>) -> PyResult<Bound<'py, PyAny>>,
    pub(super) is_same: fn(&Options, &Options) -> bool,
}

/// A peculiarity of an option.
#[derive(PartialEq)]
pub(super) enum Mark {
    /// None stands for the default.
    NoneIsDefault,
    /// It may be given beside a model's config, since it says nothing about what is computed.
    BesideConfig,
}

/// A description of an option's value.
pub(super) struct About {
    pub kind: &'static str,
    /// Its type as a parameter, and as an attribute.
    pub annotation: String,
    pub shown: String,
    pub expected: String,
    pub choices: Vec<(&'static str, &'static str)>,
}

impl Options {
    /// The defaults for an output of that height and width.
    pub fn new(size: (usize, usize)) -> Self {
        let spec = Spec { size, resize_size: size, ..Spec::openai(1) };
        Self { spec, dtype: Dtype::Float32, fallback: Fallback::Inline }
    }

    /// The options by which outputs are told apart: the same ones for all that give the same rows.
    pub fn outcome(self) -> Self {
        Self { fallback: self.fallback.outcome(), ..self }
    }

    /// The height and width of the output; one number for a square.
    pub fn size<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.spec.size.show(py)
    }
}

impl Entry {
    /// Sets the option.
    pub fn read(&self, options: &mut Options, value: &Bound<'_, PyAny>) -> PyResult<()> {
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

    /// The row from which documentation, stub and command line are made.
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

    /// The option's value.
    pub fn show<'py>(&self, options: &Options, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        (self.get)(options, py)
    }
}

/// A row of a table, as Python has it.
pub(super) fn row<'py>(
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
