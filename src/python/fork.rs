//! Forks. CPython and PyO3 hold locks for moments without the GIL when a thread that is not Python's own
//! attaches, and modules are locked while they are imported. A fork that falls into such a moment leaves the
//! lock locked in the child, for good. So forks wait until the threads here have left Python.

use std::cell::{Cell, RefCell};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

use super::{errors, output, source};

static GATE: RwLock<()> = RwLock::new(());

thread_local! {
    /// Whether this thread is in Python by way of the gate; it may fork there itself.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Held from before a fork until after it, in the parent and in the child.
    static CLOSED: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// Runs `work` with Python, in a thread that is not attached to it; `None` where Python is about to end.
pub(super) fn attach<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            INSIDE.set(false);
        }
    }
    let _gate = GATE.read().unwrap_or_else(PoisonError::into_inner);
    INSIDE.set(true);
    let _leave = Leave;
    Python::try_attach(work)
}

#[pyfunction]
fn before_fork(py: Python<'_>) {
    if !INSIDE.get() {
        py.detach(|| CLOSED.set(Some(GATE.write().unwrap_or_else(PoisonError::into_inner))));
    }
}

#[pyfunction]
fn after_fork() {
    CLOSED.take();
}

/// Makes forks safe from now on.
pub(super) fn prepare(py: Python<'_>) -> PyResult<()> {
    // What is set up once is set up now, while no other thread can be at it when this one forks.
    PyArray1::<u8>::zeros(py, 1, false).readwrite();
    source::image_class(py)?;
    errors::bomb_class(py)?;
    output::empty(py)?;
    let os = py.import("os")?;
    if os.hasattr("register_at_fork")? {
        let hooks = pyo3::types::PyDict::new(py);
        let after = wrap_pyfunction!(after_fork, py)?;
        hooks.set_item("before", wrap_pyfunction!(before_fork, py)?)?;
        hooks.set_item("after_in_parent", &after)?;
        hooks.set_item("after_in_child", after)?;
        os.call_method("register_at_fork", (), Some(&hooks))?;
    }
    Ok(())
}
