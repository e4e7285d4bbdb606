//! The Python binding. It translates and does nothing else: what a source is, what an option says,
//! which exception an error becomes.

mod arrow;
mod asking;
mod batch;
#[allow(clippy::disallowed_methods, reason = "this is where they stand")]
mod errors;
mod exported;
mod fallback;
mod fork;
mod guard;
mod memory;
mod options;
mod output;
mod pillow;
mod preprocess;
mod source;
mod stop;
mod strips;
mod words;

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

use crate::{Level, MEAN, MODELS, STD, decode};

/// clipprep's Rust core.
#[pymodule(gil_used = false)]
mod _core {
    use pyo3::types::{PyDict, PyIterator, PyList, PyString};

    use super::options::OPTIONS;
    use super::*;

    #[pymodule_export]
    use super::exported::{Exported, pixel_bytes};
    #[pymodule_export]
    use super::guard::Guard;
    #[pymodule_export]
    use super::options::{check_limits, describe_limits};
    #[pymodule_export]
    use super::preprocess::Preprocess;
    #[pymodule_export]
    use super::stop::Cancel;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        prepare(py)?;
        preprocess::add_attributes(py)?;
        module.add("MEAN", <(f64, f64, f64)>::from(MEAN))?;
        module.add("STD", <(f64, f64, f64)>::from(STD))?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// The names of OpenAI's models, in the order of their publication.
    #[pyfunction]
    fn available_models() -> Vec<&'static str> {
        MODELS.iter().map(|&(name, _)| name).collect()
    }

    /// The options of `Preprocess`: a row for each, which the command line, the stub and the documentation are
    /// made from.
    #[pyfunction]
    fn describe_options(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
        let rows = OPTIONS.iter().map(|option| option.describe(py)).collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, rows)
    }

    /// What checks files by `limits`, outside of a call.
    #[pyfunction]
    fn guard(limits: &Bound<'_, PyAny>) -> PyResult<Guard> {
        options::read_limits(limits).map(Guard::new)
    }

    /// An iterator of sources; a single source is a mistake.
    #[pyfunction]
    fn iterate<'py>(sources: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
        let _visit = fork::Visit::new(sources.py());
        batch::iterator(sources)
    }

    /// Raises ValueError for a number of threads that is none.
    #[pyfunction]
    fn check_threads(num_threads: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        batch::threads(num_threads).map(|_| ())
    }

    /// A message as it may be raised: one line of printable characters, not too long.
    #[pyfunction]
    fn message(text: &Bound<'_, PyString>) -> String {
        words::message(text.to_string_lossy())
    }

    /// The text of an exception for a message: without addresses, and not too long.
    #[pyfunction]
    fn said(error: &Bound<'_, PyAny>) -> String {
        words::said(error.py(), &PyErr::from_value(error.clone()))
    }

    /// The name of a value's type, as a message may have it.
    #[pyfunction]
    fn kind(value: &Bound<'_, PyAny>) -> String {
        words::kind(value)
    }

    /// A value as Python shows it, as a message may have it: without addresses, and not too long.
    #[pyfunction]
    fn shown(value: &Bound<'_, PyAny>) -> String {
        words::shown(value)
    }

    /// Raises TypeError or ValueError for a size of batches that is none.
    #[pyfunction]
    fn check_batch_size(batch_size: &Bound<'_, PyAny>) -> PyResult<()> {
        options::count("batch_size", "a number from 1", batch_size).map(|_| ())
    }

    /// The formats that are decoded here: Pillow's name of each, and the decoder's.
    #[pyfunction]
    fn native_formats() -> Vec<(&'static str, &'static str)> {
        decode::Format::all().iter().map(|format| (format.name(), format.decoder())).collect()
    }

    /// Versions and abilities of this build, by name.
    #[pyfunction]
    fn build_info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let info = PyDict::new(py);
        info.set_item("version", env!("CARGO_PKG_VERSION"))?;
        info.set_item("target", format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS))?;
        info.set_item("profile", if cfg!(debug_assertions) { "debug" } else { "release" })?;
        info.set_item("simd", Level::active().name())?;
        let supported: Vec<_> = Level::supported().into_iter().map(Level::name).collect();
        info.set_item("simd_supported", supported)?;
        info.set_item("jpeg_simd", decode::jpeg_has_simd())?;
        info.set_item("threads", batch::threads(None)?.get())?;
        Ok(info)
    }
}

/// Runs one-time initialisation now, so that no fork inherits a held lock.
fn prepare(py: Python<'_>) -> PyResult<()> {
    // Where it is missing, this says so; what follows would panic.
    py.import("numpy")?;
    PyArray1::<u8>::zeros(py, 1, false).readwrite();
    pillow::image_class(py)?;
    errors::bomb_classes(py)?;
    output::empty(py)?;
    fork::register(py)
}
