//! Asks Pillow for pixels, in this process or in a helper. Either way it is one call of Python's, which gives an
//! answer, or a job to be polled for it.
//!
//! A job is polled in slices of time, and Python is left between them: so neither a fork, nor the interpreter's end,
//! nor Ctrl-C waits for a helper.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::errors::Fault;
use super::fork::attached;
use super::guard::Guard;
use super::pillow::{Found, Pixels};
use crate::interrupt;
use crate::{Error, Spec, Truncated};

/// Seconds that a job is polled for at a time.
const SLICE: f64 = 0.02;

/// Pixels and Pillow's name of the format; or the kind of a refusal, our words and its cause.
type Answer<'py> = (Option<Found<'py>>, Option<String>, (String, String, Option<Bound<'py, PyAny>>));

/// The limits of a call, and how it wants pixels.
struct Question<'a, 'py> {
    spec: &'a Spec,
    guard: Bound<'py, Guard>,
}

impl<'a, 'py> Question<'a, 'py> {
    fn new(py: Python<'py>, spec: &'a Spec) -> Result<Self, Fault> {
        let guard = Bound::new(py, Guard::new(spec.limits)).map_err(Fault::Stop)?;
        Ok(Self { spec, guard })
    }

    /// What `pixels` of `clipprep._pillow` takes besides an image.
    fn options(&self) -> (bool, &'static str, bool, &Bound<'py, Guard>) {
        (self.spec.truncated == Truncated::Pad, self.spec.rgb(), self.spec.exif, &self.guard)
    }
}

/// The result of a call or a poll.
enum Step {
    Done(Result<(Pixels, Option<String>), Fault>),
    /// The job, and the guard that it was given.
    Waiting(Py<PyAny>, Py<Guard>),
}

impl Step {
    /// Sorts what Python gave; `ours` is the core's error, where there was one.
    fn of(
        found: PyResult<Bound<'_, PyAny>>,
        guard: &Bound<'_, Guard>,
        ours: &mut Option<Error>,
    ) -> Result<Self, Fault> {
        let py = guard.py();
        if let Some(error) = guard.get().take() {
            return Err(error.into());
        }
        let found = found.map_err(|error| Fault::raised_by_pillow(py, error))?;
        if !found.is_instance_of::<PyTuple>() {
            return Ok(Self::Waiting(found.unbind(), guard.clone().unbind()));
        }
        let answer = found.extract::<Answer<'_>>().map_err(|error| Fault::raised_by_pillow(py, error))?;
        Ok(Self::Done(match answer {
            (Some(found), format, _) => Pixels::of_found(py, found).map(|pixels| (pixels, format)),
            (None, _, (kind, said, cause)) => {
                let cause = cause.map(PyErr::from_value);
                Err(match ours.take() {
                    Some(ours) => Fault::refused_by_pillow(ours, &kind, said, cause),
                    None => Fault::refused_image(&kind, said, cause),
                })
            }
        }))
    }
}

/// Has Pillow decode the file that `bytes` gives, which the core refused with `ours`, by `module`; also gives
/// Pillow's name of the format.
pub(super) fn decode(
    module: &str,
    bytes: impl for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>>,
    ours: Error,
    spec: &Spec,
    threads: usize,
) -> Result<(Pixels, Option<String>), Fault> {
    let mut ours = Some(ours);
    let first = attached(|py| {
        let question = Question::new(py, spec)?;
        let bytes = bytes(py).map_err(Fault::Stop)?;
        let (pad, rgb, exif, guard) = question.options();
        let found = py.import(module).and_then(|module| {
            module.getattr("decode")?.call1((bytes, &spec.formats, pad, rgb, exif, guard, threads))
        });
        Step::of(found, guard, &mut ours)
    })?;
    let (pixels, format) = finish(first, &mut ours)?;
    // An image inside a file may be larger than the header says.
    let (width, height) = pixels.size();
    spec.limits.check_pixels(width, height)?;
    Ok((pixels, format))
}

/// Has Pillow decode an image of the caller's that was opened lazily, by `module`. `once` is held while its
/// file is read.
pub(super) fn load<T>(
    module: &str,
    image: &Py<PyAny>,
    spec: &Spec,
    threads: usize,
    once: impl FnOnce() -> T,
) -> Result<Pixels, Fault> {
    let turn = once();
    let first = attached(|py| {
        let question = Question::new(py, spec)?;
        let (pad, rgb, exif, guard) = question.options();
        let found = py.import(module).and_then(|module| {
            module.getattr("load")?.call1((image.bind(py), pad, rgb, exif, guard, threads))
        });
        Step::of(found, guard, &mut None)
    });
    drop(turn);
    finish(first?, &mut None).map(|(pixels, _)| pixels)
}

/// Polls until there is an answer, or the call is to stop.
fn finish(first: Step, ours: &mut Option<Error>) -> Result<(Pixels, Option<String>), Fault> {
    let mut step = first;
    loop {
        let (job, guard) = match step {
            Step::Done(done) => return done,
            Step::Waiting(job, guard) => (job, guard),
        };
        let (stopped, ours) = (interrupt::check(), &mut *ours);
        step = attached(move |py| {
            let job = job.into_bound(py);
            if let Err(error) = stopped {
                job.call_method0("cancel").map_err(Fault::Stop)?;
                return Err(error.into());
            }
            let guard = guard.into_bound(py);
            match job.call_method1("poll", (SLICE,)) {
                Ok(answer) if answer.is_none() => Ok(Step::Waiting(job.unbind(), guard.unbind())),
                answer => Step::of(answer, &guard, ours),
            }
        })?;
    }
}
