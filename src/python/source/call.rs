//! One call: what its sources share, and how an item of it is run.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use numpy::PyArray1;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use super::held::{Item, Source};
use crate::python::asking;
use crate::python::errors::Fault;
use crate::python::fallback::Fallback;
use crate::python::fork::attached;
use crate::python::memory::{self, Span};
use crate::python::pillow::Pixels;
use crate::{Element, Error, Preprocess, Report};

/// What every image goes through: our decoders and steps, and Pillow where these leave a file to it.
#[derive(Clone)]
pub(in crate::python) struct Engine {
    pub core: Preprocess,
    pub fallback: Fallback,
}

impl Engine {
    /// The same with up to `threads` threads for one large image.
    pub fn with_threads(self, threads: NonZeroUsize) -> Self {
        Self { core: self.core.with_threads(threads), ..self }
    }
}

/// State that the sources of one call share.
pub(in crate::python) struct Call<'a> {
    pub engine: &'a Engine,
    /// How many threads it has, at most.
    threads: usize,
    /// The memory that the call writes to.
    out: Span,
    /// Held while Pillow loads an image: two of them may share a file, or be the same object.
    loading: Mutex<()>,
}

/// The report of an item, and the decoder's name.
pub(in crate::python) struct Done {
    pub report: Report,
    pub pillow: Option<Pillows>,
}

/// What Pillow did.
pub(in crate::python) struct Pillows {
    /// Its name of the format.
    pub format: Option<String>,
    /// Why the native decoder did not take the file.
    pub why: String,
    pub way: Fallback,
}

impl From<Report> for Done {
    fn from(report: Report) -> Self {
        Self { report, pillow: None }
    }
}

impl<'a> Call<'a> {
    /// A call that reads `sources` and writes to `out`; raises `ValueError` where the two overlap.
    pub fn new(
        engine: &'a Engine,
        threads: NonZeroUsize,
        sources: &[Source<'_>],
        out: Span,
    ) -> PyResult<Self> {
        match sources.iter().filter_map(Source::span).any(|span| span.overlaps(&out)) {
            true => Err(memory::overlap()),
            false => Ok(Self { engine, threads: threads.get(), out, loading: Mutex::new(()) }),
        }
    }

    /// Runs an item; Python is attached to only for what Pillow must decode.
    pub fn run<T: Element>(&self, item: &Item<'_>, out: &mut [T]) -> Result<Done, Fault> {
        let Engine { core, fallback } = self.engine;
        match item {
            Item::Image(pixels) => Ok(pixels.run(core, out)?.into()),
            Item::Unloaded(image) => {
                let module = fallback.module_for_images()?;
                let turn = || self.loading.lock().unwrap_or_else(PoisonError::into_inner);
                let load = || asking::load(module, image, core.spec(), self.threads, turn);
                let pixels = fallback.run(load)?;
                if pixels.span().is_some_and(|span| span.overlaps(&self.out)) {
                    return attached(|_| {
                        drop(pixels);
                        Err(Fault::Stop(memory::overlap()))
                    });
                }
                Ok(run_and_drop(core, pixels, out)?.into())
            }
            _ => {
                let source = item.core().expect("the others are the core's");
                let done = core.process_or(&source, out, |refused, out| {
                    let error = refused.error;
                    let why = error.to_string();
                    let module = fallback.module(&error)?;
                    let bytes = refused.bytes;
                    let decode = || {
                        asking::decode(
                            module,
                            |py| match item {
                                Item::Encoded(bytes) => bytes.into_bound_py_any(py),
                                _ => Ok(PyArray1::from_vec(py, bytes.into_owned()).into_any()),
                            },
                            error,
                            core.spec(),
                            self.threads,
                        )
                    };
                    let (pixels, format) = fallback.run(decode)?;
                    let report = run_and_drop(core, pixels, out)?;
                    Ok(Done { report, pillow: Some(Pillows { format, why, way: *fallback }) })
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
