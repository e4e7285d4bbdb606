//! Stops a call before it is done: at a signal such as Ctrl-C, or by another thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use super::fork::Visit;
use crate::interrupt::Interrupt;

/// Stops the calls that it is given to, from any thread; they raise `CancelledError`.
#[pyclass(frozen, name = "_Cancel", module = "clipprep._core")]
#[derive(Default)]
pub(super) struct Cancel(pub Arc<Interrupt>);

#[pymethods]
impl Cancel {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn cancel(&self) {
        self.0.raise();
    }
}

/// A call's token, and what raised it.
#[derive(Default)]
pub(super) struct Stop {
    pub interrupt: Arc<Interrupt>,
    cause: Arc<Mutex<Option<PyErr>>>,
}

impl Stop {
    /// Stops when the handler of a signal raises, as that of Ctrl-C does.
    pub fn by_signals() -> Self {
        let cause = Arc::<Mutex<Option<PyErr>>>::default();
        let (slot, deaf) = (Arc::clone(&cause), AtomicBool::new(false));
        let watch = move || {
            // Attaching may wait for others; only the main thread handles signals.
            if deaf.load(Ordering::Relaxed) {
                return false;
            }
            let asked = Python::try_attach(|py| {
                let _visit = Visit::new(py);
                match py.check_signals() {
                    Ok(()) => {
                        deaf.store(!is_main_thread(py).unwrap_or(true), Ordering::Relaxed);
                        false
                    }
                    Err(error) => {
                        slot.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                        true
                    }
                }
            });
            asked.unwrap_or(false)
        };
        Self { interrupt: Arc::new(Interrupt::watching(watch)), cause }
    }

    /// Stops when `cancel` says so.
    pub fn by(cancel: &Cancel) -> Self {
        Self { interrupt: cancel.0.clone(), ..Self::default() }
    }

    /// Stops because Python code raised what is about no source, such as `KeyboardInterrupt`.
    pub fn because(&self, error: PyErr) {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.interrupt.raise();
    }

    /// Raises what stopped the call, if something did.
    pub fn check(&self, py: Python<'_>) -> PyResult<()> {
        if !self.interrupt.is_raised() {
            return Ok(());
        }
        if let Some(error) = self.cause.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error);
        }
        let cancelled = py.import("concurrent.futures")?.getattr("CancelledError")?;
        Err(PyErr::from_value(cancelled.call0()?))
    }
}

fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import("threading")?;
    let main = threading.getattr("main_thread")?.call0()?.getattr("ident")?;
    threading.getattr("get_ident")?.call0()?.eq(main)
}
