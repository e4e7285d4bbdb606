//! Many sources: what a batch takes, runs and gives.

use std::mem::take;
use std::num::NonZeroUsize;

use numpy::{PyArray1, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyIterator, PyMemoryView, PyString};

use super::errors::{Fault, batch_error, raised_error, shape as tuple, type_error, value_error};
use super::fork::{self, Visit};
use super::memory::Span;
use super::options::count;
use super::output::{self, Dtype, Number, with_number};
use super::source::{Call, Done, Engine, Item, Source, source};
use super::stop::Stop;
use super::words::{kind, said};
use crate::{Element, batch};

/// The rows of a batch.
pub(super) struct Rows<'py> {
    pub pixels: Bound<'py, PyAny>,
    sources: Vec<Bound<'py, PyAny>>,
    /// Errors by index; those rows are zero.
    faults: Vec<(usize, Fault)>,
    _visit: Visit,
}

impl<'py> Rows<'py> {
    /// Raises `BatchError` if a row failed.
    pub fn all(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let others = self.faults.len().saturating_sub(1);
        match take(&mut self.faults).into_iter().next() {
            None => Ok(self.pixels.clone()),
            Some((index, fault)) => {
                let source = self.sources[index].clone();
                let cause = fault.into_pyerr(&source);
                Err(batch_error(py, "BatchError", index, source, cause, others))
            }
        }
    }

    /// The pixels, which rows are good, and the errors of the others.
    pub fn each(&mut self, py: Python<'py>) -> PyResult<Each<'py>> {
        let mut ok = vec![true; self.sources.len()];
        let errors = PyDict::new(py);
        for (index, fault) in take(&mut self.faults) {
            ok[index] = false;
            errors.set_item(index, fault.into_pyerr(&self.sources[index]))?;
        }
        Ok((self.pixels.clone(), PyArray1::from_vec(py, ok), errors))
    }
}

pub(super) type Each<'py> = (Bound<'py, PyAny>, Bound<'py, PyArray1<bool>>, Bound<'py, PyDict>);

/// Runs one source into `out`.
pub(super) fn run_one<T: Element>(
    engine: &Engine,
    visit: &Visit,
    object: &Bound<'_, PyAny>,
    mut source: Source<'_>,
    out: &mut [T],
) -> PyResult<Done> {
    let py = object.py();
    let stop = Stop::by_signals();
    let call = Call::new(engine, NonZeroUsize::MIN, std::slice::from_ref(&source), Span::of(out))?;
    let done = match source.item() {
        Ok(item) => visit.away(py, || stop.interrupt.during_watched(|| call.run(&item, out))),
        Err(fault) => Err(fault),
    };
    stop.check(py)?;
    done.map_err(|fault| fault.into_pyerr(object))
}

/// Runs `sources` into `out` or a new array. With `strict`, an object that is no source raises `SourceBatchError`
/// before any work.
pub(super) fn run<'py>(
    engine: &Engine,
    dtype: Dtype,
    sources: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    num_threads: Option<&Bound<'_, PyAny>>,
    strict: bool,
    stop: &Stop,
) -> PyResult<Rows<'py>> {
    let py = sources.py();
    let (core, visit) = (&engine.core, Visit::new(py));
    let threads = threads(num_threads)?;
    let sources = list(sources)?;
    let mut held = Vec::with_capacity(sources.len());
    for (index, object) in sources.iter().enumerate() {
        match source(object, core.spec())? {
            Source::Failed(Some(fault)) if strict && fault.is_no_source() => {
                let cause = fault.into_pyerr(object);
                return Err(batch_error(py, "SourceBatchError", index, object.clone(), cause, 0));
            }
            source => held.push(source),
        }
    }
    let [a, b, c] = core.output_shape();
    let shape = [sources.len(), a, b, c];
    // At the end, the pool may not enter Python any more.
    let threads = if fork::is_ending() { NonZeroUsize::MIN } else { threads };
    batch::start(threads, sources.len());
    // One image has the threads that were asked for to itself, as in a single call.
    let for_one = num_threads.filter(|_| sources.len() == 1).map(|_| engine.clone().with_threads(threads));
    let engine = for_one.as_ref().unwrap_or(engine);
    let (pixels, faults) = with_number!(dtype, N => {
        if out.is_none() {
            output::check::<N>(py, &shape, &core.spec().limits)?;
        }
        let array = output::array::<N>(py, out, &shape)?;
        let mut borrowed = output::borrow::<N>(&array)?;
        let rows = N::of(borrowed.as_slice_mut().expect("checked to be contiguous"));
        let call = Call::new(engine, threads, &held, Span::of(rows))?;
        let items = held.iter_mut().map(Source::item).collect();
        let faults = visit.away(py, || run_all(&call, items, rows, threads, stop));
        (out.cloned().unwrap_or(array.into_any()), faults)
    });
    stop.check(py)?;
    Ok(Rows { pixels, sources, faults, _visit: visit })
}

/// Runs every item and returns what failed, by index; those rows are zero.
fn run_all<T: Element>(
    call: &Call<'_>,
    items: Vec<Result<Item<'_>, Fault>>,
    out: &mut [T],
    threads: NonZeroUsize,
    stop: &Stop,
) -> Vec<(usize, Fault)> {
    let cost = |item: &Result<Item<'_>, Fault>| item.as_ref().map_or(0, Item::cost);
    let work = |item: Result<Item<'_>, Fault>, row: &mut [T]| match item.and_then(|item| call.run(&item, row))
    {
        Err(Fault::Stop(error)) => {
            stop.because(error);
            Ok(())
        }
        done => done.map(drop),
    };
    batch::try_each(items, out, call.engine.core.output_len(), threads, &stop.interrupt, cost, work)
}

/// The sources of a batch; a single source is a mistake.
pub(super) fn list<'py>(sources: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    iterator(sources)?.collect()
}

/// An iterator of sources; a single source is a mistake.
pub(super) fn iterator<'py>(sources: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
    let py = sources.py();
    if sources.is_instance_of::<PyMemoryView>() && sources.getattr("ndim")?.gt(1)? {
        let array = py.import("numpy")?.call_method1("asarray", (sources,)).map_err(|error| {
            let found = format!("a buffer that NumPy does not read: {}", said(py, &error));
            type_error("an iterable of sources", found)
        })?;
        return iterator(&array);
    }
    // Whatever has pixels has an axis for the images of a batch.
    if let Some(shape) = shape_of(sources)? {
        return if shape.len() == 4 {
            sources.try_iter()
        } else {
            Err(value_error("a batch of shape (N, H, W, 1 to 4)", format_args!("shape {}", tuple(&shape))))
        };
    }
    let single = sources.is_instance_of::<PyString>()
        || sources.is_instance_of::<PyBytes>()
        || sources.is_instance_of::<PyByteArray>()
        || sources.is_instance_of::<PyMemoryView>()
        || sources.is_instance_of::<PyDict>()
        || has(sources, "__fspath__")?
        || has(sources, "read")?;
    // Tables, and columns of pyarrow and pandas.
    if !single && (has(sources, "columns")? || has(sources, "type")? || has(sources, "dtype")?) {
        return py.import("clipprep._columns")?.call_method1("column", (sources,))?.try_iter();
    }
    let iterator = if single { None } else { sources.try_iter().ok() };
    match iterator {
        Some(iterator) => Ok(iterator),
        None => {
            let found = format!("{}: call the instance itself for one source", kind(sources));
            Err(type_error("an iterable of sources", found))
        }
    }
}

/// Whether an object has an attribute; what its own code raises instead of an answer counts as no.
fn has(object: &Bound<'_, PyAny>, name: &str) -> PyResult<bool> {
    match object.hasattr(name) {
        Err(error) if error.is_instance_of::<PyException>(object.py()) => Ok(false),
        found => found,
    }
}

/// The shape of an array of pixels, whatever library's it is; `None` for anything else, such as an array of paths.
fn shape_of(sources: &Bound<'_, PyAny>) -> PyResult<Option<Vec<usize>>> {
    if let Ok(array) = sources.cast::<PyUntypedArray>() {
        // Objects, bytes and text.
        let names = array.ndim() == 1 && matches!(array.dtype().kind(), b'O' | b'S' | b'U' | b'T');
        return Ok((!names).then(|| array.shape().to_vec()));
    }
    let lends = has(sources, "__dlpack__")? || has(sources, "__array_interface__")?;
    if !lends || !has(sources, "ndim")? {
        return Ok(None);
    }
    let shape =
        sources.getattr("shape").and_then(|shape| shape.try_iter()?.map(|side| side?.extract()).collect());
    shape.map(Some).map_err(|error| raised_error(sources.py(), "an array with a shape", kind(sources), error))
}

/// The number of threads that a call asks for. There is none that is too large.
pub(super) fn threads(num_threads: Option<&Bound<'_, PyAny>>) -> PyResult<NonZeroUsize> {
    let Some(given) = num_threads else {
        return batch::default_threads().map_err(|found| {
            let variable = batch::THREADS_VARIABLE;
            value_error(
                format_args!("the environment's {variable}= a number from 1"),
                format_args!("{found:?}"),
            )
        });
    };
    count("num_threads", "a number from 1, or None", given)
}
