//! One call: what its sources share, and how an item of it is run.

use std::sync::{Mutex, PoisonError};

use numpy::PyArray1;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use super::held::{Item, Source};
use crate::python::errors::Fault;
use crate::python::fallback::Fallback;
use crate::python::fork::attached;
use crate::python::memory::{self, Span};
use crate::python::pillow::Pixels;
use crate::{Element, Error, Preprocess, Report};

/// What every image goes through: our decoders and steps, and Pillow where these leave a file to it.
pub(in crate::python) struct Engine {
    pub core: Preprocess,
    pub fallback: Fallback,
}

/// State that the sources of one call share.
pub(in crate::python) struct Call<'a> {
    pub engine: &'a Engine,
    /// The memory that the call writes to.
    out: Span,
    /// Held while Pillow loads an image: two of them may share a file, or be the same object.
    loading: Mutex<()>,
}

/// The report of an item, and the decoder's name.
pub(in crate::python) struct Done {
    pub report: Report,
    /// Pillow's name of the format, and why the native decoder did not take it.
    pub pillow: Option<(Option<String>, String)>,
}

impl From<Report> for Done {
    fn from(report: Report) -> Self {
        Self { report, pillow: None }
    }
}

impl<'a> Call<'a> {
    /// A call that reads `sources` and writes to `out`; raises `ValueError` where the two overlap.
    pub fn new(engine: &'a Engine, sources: &[Source<'_>], out: Span) -> PyResult<Self> {
        match sources.iter().filter_map(Source::span).any(|span| span.overlaps(&out)) {
            true => Err(memory::overlap()),
            false => Ok(Self { engine, out, loading: Mutex::new(()) }),
        }
    }

    /// Runs an item; Python is attached to only for what Pillow must decode.
    pub fn run<T: Element>(&self, item: &Item<'_>, out: &mut [T]) -> Result<Done, Fault> {
        let Engine { core, fallback } = self.engine;
        match item {
            Item::Image(pixels) => Ok(pixels.run(core, out)?.into()),
            Item::Unloaded(image) => {
                fallback.admit_unloaded()?;
                let turn = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
                let load = |py: Python<'_>| {
                    let pixels = Pixels::of(image.bind(py), core.spec(), true)?;
                    if pixels.span().is_some_and(|span| span.overlaps(&self.out)) {
                        Err(Fault::Stop(memory::overlap()))
                    } else {
                        Ok(pixels)
                    }
                };
                let pixels = attached(load);
                drop(turn);
                Ok(run_and_drop(core, pixels?, out)?.into())
            }
            _ => {
                let source = item.core().expect("the others are the core's");
                let done = core.process_or(&source, out, |refused, out| {
                    let error = fallback.admit(refused.error)?;
                    let why = error.to_string();
                    let (pixels, format) = attached(|py| {
                        let bytes = match (item, refused.bytes) {
                            (Item::Encoded(bytes), _) => bytes.into_bound_py_any(py).map_err(Fault::Stop)?,
                            (_, bytes) => PyArray1::from_vec(py, bytes.into_owned()).into_any(),
                        };
                        Pixels::decode(&bytes, error, core.spec())
                    })?;
                    let report = run_and_drop(core, pixels, out)?;
                    Ok(Done { report, pillow: Some((format, why)) })
                });
                done.map_err(|fault| match (item, fault) {
                    (Item::Path(path), Fault::Core(Error::Io(error))) => {
                        Fault::File(path.to_path_buf(), error)
                    }
                    (_, fault) => fault,
                })
            }
        }
    }
}

/// Python's objects are let go of with Python attached: elsewhere a lock is taken for it.
fn run_and_drop<T: Element>(core: &Preprocess, pixels: Pixels, out: &mut [T]) -> Result<Report, Fault> {
    let report = pixels.run(core, out);
    attached(|_| {
        drop(pixels);
        Ok(())
    })?;
    report
}
