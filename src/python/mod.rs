//! The Python binding. It translates and does nothing else: what a source is, what an option says,
//! which exception an error becomes.

mod arrow;
mod batch;
mod errors;
mod fork;
mod options;
mod output;
mod pillow;
mod preprocess;
mod source;
mod stop;

use pyo3::prelude::*;

use crate::{Level, MEAN, MODELS, STD, decode};

/// clipprep's Rust core.
#[pymodule(gil_used = false)]
mod _core {
    use pyo3::types::PyDict;

    use super::*;

    #[pymodule_export]
    use super::options::Limits;
    #[pymodule_export]
    use super::preprocess::Preprocess;
    #[pymodule_export]
    use super::stop::Cancel;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        fork::prepare(module.py())?;
        module.add("MEAN", <(f64, f64, f64)>::from(MEAN))?;
        module.add("STD", <(f64, f64, f64)>::from(STD))?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// The names of OpenAI's models, in the order of their publication.
    #[pyfunction]
    fn available_models() -> Vec<&'static str> {
        MODELS.iter().map(|&(name, _)| name).collect()
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
