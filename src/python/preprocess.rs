//! The class `clipprep._core.Preprocess`: the arithmetic under `clipprep.Preprocess`, which has the signatures.

use std::borrow::Cow;
use std::num::NonZeroUsize;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

use super::batch::{self, Each, Rows};
use super::fallback::Fallback;
use super::fork::Visit;
use super::options::{Model, OPTIONS, Options};
use super::output::{self, Dtype, Number, with_number};
use super::source::{Done, Engine, Pillows, source as source_of};
use super::stop::{Cancel, Stop};
use crate::Orientation;

/// The Rust half of `clipprep.Preprocess`.
#[pyclass(frozen, subclass, module = "clipprep._core")]
pub(super) struct Preprocess {
    engine: Engine,
    /// The model's name, where one was given.
    model: Option<String>,
    pub dtype: Dtype,
}

/// The fields of `clipprep.Explanation`.
type Explained<'py> = (
    Option<String>,
    &'static str,
    (usize, usize),
    (usize, usize),
    (isize, isize, isize, isize),
    &'static str,
    &'static str,
    Bound<'py, PyTuple>,
);

#[pymethods]
impl Preprocess {
    #[new]
    #[pyo3(signature = (model, *, pretrained = None, **options))]
    fn new<'py>(
        py: Python<'py>,
        model: &Bound<'py, PyAny>,
        pretrained: Option<&Bound<'py, PyAny>>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Self> {
        let Model { size, name, decided } = Model::read(model, pretrained)?;
        if let (Some(decided), Some(options)) = (&decided, options) {
            decided.update(options.as_mapping())?;
        }
        let _visit = Visit::new(py);
        let Options { spec, dtype, fallback } = Options::read(size, decided.as_ref().or(options))?;
        Ok(Self { engine: Engine { core: crate::Preprocess::new(spec), fallback }, model: name, dtype })
    }

    /// Turns one image into one tensor.
    #[pyo3(signature = (source, out, num_threads))]
    fn _call<'py>(
        &self,
        py: Python<'py>,
        source: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        num_threads: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let threads = match num_threads {
            Some(_) => batch::threads(num_threads)?,
            None => NonZeroUsize::MIN,
        };
        let engine = match threads {
            NonZeroUsize::MIN => Cow::Borrowed(&self.engine),
            threads => Cow::Owned(self.engine.clone().with_threads(threads)),
        };
        let visit = Visit::new(py);
        let from = source_of(source, self.engine.core.spec())?;
        with_number!(self.dtype, N => {
            let array = output::array::<N>(py, out, &self.engine.core.output_shape())?;
            let mut borrowed = output::borrow::<N>(&array)?;
            let row = N::of(borrowed.as_slice_mut().expect("checked to be contiguous"));
            batch::run_one(&engine, &visit, source, from, row)?;
            Ok(out.cloned().unwrap_or(array.into_any()))
        })
    }

    /// The pixels of a batch, whose first error is raised as BatchError. `cancel` stops it with CancelledError.
    #[pyo3(signature = (sources, *, out = None, num_threads = None, cancel = None))]
    fn _batch<'py>(
        &self,
        py: Python<'py>,
        sources: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        num_threads: Option<&Bound<'_, PyAny>>,
        cancel: Option<&Cancel>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.rows(sources, out, num_threads, true, cancel)?.all(py)
    }

    /// The fields of a `BatchResult`. `cancel` stops it with CancelledError.
    #[pyo3(signature = (sources, *, out = None, num_threads = None, cancel = None))]
    fn _rows<'py>(
        &self,
        py: Python<'py>,
        sources: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        num_threads: Option<&Bound<'_, PyAny>>,
        cancel: Option<&Cancel>,
    ) -> PyResult<Each<'py>> {
        self.rows(sources, out, num_threads, false, cancel)?.each(py)
    }

    /// Runs a source and says what was done: the fields of an `Explanation`.
    fn _explain<'py>(&self, py: Python<'py>, source: &Bound<'py, PyAny>) -> PyResult<Explained<'py>> {
        let visit = Visit::new(py);
        let from = source_of(source, self.engine.core.spec())?;
        let array = output::array::<u8>(py, None, &self.engine.core.output_shape())?;
        let mut borrowed = output::borrow::<u8>(&array)?;
        let row = borrowed.as_slice_mut().expect("new arrays are contiguous");
        let Done { report, pillow } = batch::run_one(&self.engine, &visit, source, from, row)?;
        let (height, width) = self.engine.core.spec().size;
        let (height, width) = (height as isize, width as isize);
        let (left, top) = report.plan.crop;
        let (format, decoder, mut notes) = match (&report.format, pillow) {
            (Some(format), _) => {
                let (decoder, notes) = match report.stand_in {
                    Some((decoder, why)) => (decoder, vec![format!("left to {decoder}: {why}")]),
                    None => (format.decoder(), vec![]),
                };
                (Some(format.name().to_owned()), decoder, notes)
            }
            (None, Some(Pillows { format, why, way })) => {
                let mut notes = vec![format!("left to Pillow: {why}")];
                if way == Fallback::Process {
                    notes.push("Pillow decoded it in a helper process".into());
                }
                (format, "pillow", notes)
            }
            (None, None) => (None, "none", vec![]),
        };
        if report.orientation != Orientation::default() {
            notes.push("turned as its EXIF orientation says; size is that of the turned image".into());
        }
        if report.plan.reduction > 1 {
            notes.push(format!("decoded at 1/{} of its size", report.plan.reduction));
        }
        let order = report.plan.order();
        Ok((
            format,
            report.header.layout.mode(),
            (report.header.width, report.header.height),
            report.plan.resized,
            (left, top, left + width, top + height),
            decoder,
            order,
            PyTuple::new(py, notes)?,
        ))
    }

    /// Height and width of the output in pixels: one number for a square, else (height, width).
    #[getter]
    fn size<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.options().size(py)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, &slf.get().options())
    }

    /// As `__repr__`, but the same text for all options that give the same rows.
    fn _outcome(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, &slf.get().options().outcome())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.options() == other.options()
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.options().hash(py)
    }

    /// The arguments that make an equal instance: the model and the options that are not defaults.
    fn __getnewargs_ex__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<((Bound<'py, PyAny>,), Bound<'py, PyDict>)> {
        let options = self.options();
        Ok(((self.model(py)?,), options.changed(py)?))
    }
}

/// The expression that makes an instance with these options.
fn shown(preprocess: &Bound<'_, Preprocess>, options: &Options) -> PyResult<String> {
    let py = preprocess.py();
    let mut parts = vec![preprocess.get().model(py)?.repr()?.to_string()];
    for (name, value) in options.changed(py)? {
        parts.push(format!("{name}={}", value.repr()?));
    }
    Ok(format!("{}({})", preprocess.get_type().qualname()?, parts.join(", ")))
}

/// Gives the class an attribute for each option.
pub(super) fn add_attributes(py: Python<'_>) -> PyResult<()> {
    let (class, property) = (py.get_type::<Preprocess>(), py.import("builtins")?.getattr("property")?);
    for option in &OPTIONS {
        let get = |arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
            let object = arguments.get_item(0)?.cast_into::<Preprocess>()?;
            option.show(&object.get().options(), arguments.py()).map(Bound::unbind)
        };
        let get = PyCFunction::new_closure(py, None, None, get)?;
        class.setattr(option.name, property.call1((get, py.None(), py.None(), option.doc.trim()))?)?;
    }
    Ok(())
}

impl Preprocess {
    /// The model's name, or the output's size.
    fn model<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.model {
            Some(name) => name.into_bound_py_any(py),
            None => self.options().size(py),
        }
    }

    /// Everything that was asked for.
    pub fn options(&self) -> Options {
        Options { spec: self.engine.core.spec().clone(), dtype: self.dtype, fallback: self.engine.fallback }
    }

    fn rows<'py>(
        &self,
        sources: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        num_threads: Option<&Bound<'_, PyAny>>,
        strict: bool,
        cancel: Option<&Cancel>,
    ) -> PyResult<Rows<'py>> {
        let stop = cancel.map_or_else(Stop::by_signals, Stop::by);
        batch::run(&self.engine, self.dtype, sources, out, num_threads, strict, &stop)
    }
}
