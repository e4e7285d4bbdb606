//! Forks. CPython and PyO3 hold locks for moments without the GIL when a thread that is not Python's own
//! attaches, and modules are locked while they are imported. A fork that falls into such a moment leaves the
//! lock locked in the child, for good. So forks wait until the threads here have left Python.
//!
//! And the interpreter's end: before 3.14, CPython ends a thread that is in Python then by unwinding its
//! stack, which Rust's frames do not survive. So the end waits in the same way, and nobody enters after it.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::errors::Fault;
use crate::Error;

/// How long the interpreter's end waits for those in Python, on a machine that may be busy: a caller's objects may
/// take their time.
const PATIENCE: Duration = Duration::from_secs(5);

static GATE: RwLock<()> = RwLock::new(());
/// Whether the interpreter is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);
/// Threads of Python's own that are in Python by way of this package.
static VISITORS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread is in Python by way of the gate; it may fork there itself.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Whether this is the thread that ends the interpreter. It may still work, alone.
    static LAST: Cell<bool> = const { Cell::new(false) };
    /// Held from before a fork until after it, in the parent and in the child.
    static CLOSED: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// Runs `work` with Python, in a thread that is not attached to it, unless Python is about to end.
pub(super) fn attached<T>(work: impl FnOnce(Python<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            INSIDE.set(false);
        }
    }
    let _gate = GATE.read().unwrap_or_else(PoisonError::into_inner);
    if is_ending() && !LAST.get() {
        return Err(Error::Interrupted.into());
    }
    INSIDE.set(true);
    let _leave = Leave;
    Python::try_attach(work).unwrap_or_else(|| Err(Error::Interrupted.into()))
}

/// Whether the interpreter is about to end, so that the pool does not enter Python any more.
pub(super) fn is_ending() -> bool {
    ENDING.load(Ordering::SeqCst)
}

/// Lasts while a thread that is attached runs code of ours that calls Python's. A thread that comes, or comes back,
/// when the interpreter is about to end does not return, as threads in Python do not then.
pub(super) struct Visit;

impl Visit {
    pub fn new(py: Python<'_>) -> Self {
        VISITORS.fetch_add(1, Ordering::SeqCst);
        let visit = Self;
        visit.stay(py);
        visit
    }

    /// Runs `work` detached, for which the interpreter's end does not wait.
    pub fn away<T: Send>(&self, py: Python<'_>, work: impl Send + FnOnce() -> T) -> T {
        struct Back;
        impl Drop for Back {
            fn drop(&mut self) {
                VISITORS.fetch_add(1, Ordering::SeqCst);
            }
        }
        let back = Back;
        VISITORS.fetch_sub(1, Ordering::SeqCst);
        let done = py.detach(work);
        drop(back);
        self.stay(py);
        done
    }

    fn stay(&self, py: Python<'_>) {
        if is_ending() && !LAST.get() {
            VISITORS.fetch_sub(1, Ordering::SeqCst);
            py.detach(|| {
                loop {
                    std::thread::park();
                }
            });
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        VISITORS.fetch_sub(1, Ordering::SeqCst);
    }
}

#[pyfunction]
fn before_exit(py: Python<'_>) {
    LAST.set(true);
    ENDING.store(true, Ordering::SeqCst);
    py.detach(|| {
        drop(GATE.write().unwrap_or_else(PoisonError::into_inner));
        let start = Instant::now();
        while VISITORS.load(Ordering::SeqCst) > 0 && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
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

/// Registers the hooks of forks and of the interpreter's end.
pub(super) fn register(py: Python<'_>) -> PyResult<()> {
    py.import("atexit")?.call_method1("register", (wrap_pyfunction!(before_exit, py)?,))?;
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
