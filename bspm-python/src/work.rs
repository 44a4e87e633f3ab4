//! Long work without the interpreter's lock, with progress and Ctrl-C.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bspm::{Error, Observer, Progress};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::error::to_python;

/// The interval between checks of signals and progress.
const TICK: Duration = Duration::from_millis(50);

/// Runs short work without the interpreter's lock.
pub(crate) fn short<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> bspm::Result<T> + Send,
) -> PyResult<T> {
    py.detach(work).map_err(to_python)
}

/// Runs long work on a separate thread, because Python handles signals only on its main thread.
/// Calls `progress` with the stage, the completed amount and the total.
pub(crate) fn long<T: Send>(
    py: Python<'_>,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce(Observer) -> bspm::Result<T> + Send,
) -> PyResult<T> {
    let watch = Watch::default();
    let observer = watch.observer();
    watch.run(py, progress, || work(observer))
}

/// The progress of long work, and whether it is cancelled.
#[derive(Default)]
pub(crate) struct Watch {
    is_cancelled: Arc<AtomicBool>,
    latest: Arc<Mutex<Option<Progress>>>,
}

impl Watch {
    /// Returns the observer of the work.
    pub(crate) fn observer(&self) -> Observer {
        let (is_cancelled, latest) = (self.is_cancelled.clone(), self.latest.clone());
        Observer::new(move |progress| {
            *latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
            match is_cancelled.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
    }

    /// Runs work that reports to the observer, as [`long`].
    pub(crate) fn run<T: Send>(
        &self,
        py: Python<'_>,
        progress: Option<&Py<PyAny>>,
        work: impl FnOnce() -> bspm::Result<T> + Send,
    ) -> PyResult<T> {
        self.is_cancelled.store(false, Ordering::Relaxed);
        let (is_cancelled, latest) = (&self.is_cancelled, &self.latest);
        let look = || {
            let told = latest.lock().unwrap_or_else(PoisonError::into_inner).take();
            Python::attach(|py| {
                py.check_signals()?;
                if let (Some(callback), Some(told)) = (progress, told) {
                    callback.call1(py, (told.stage.to_string(), told.done, told.total))?;
                }
                Ok(())
            })
        };
        py.detach(|| {
            let (sender, receiver) = channel();
            std::thread::scope(|scope| {
                let worker = scope.spawn(move || {
                    let result = work();
                    // The receiver waits for it, or for the end of this thread.
                    let _ = sender.send(result);
                });
                let mut raised: Option<PyErr> = None;
                let result = loop {
                    match receiver.recv_timeout(TICK) {
                        Ok(result) => break Some(result),
                        Err(RecvTimeoutError::Disconnected) => break None,
                        Err(RecvTimeoutError::Timeout) => {
                            if raised.is_none()
                                && let Err(error) = look()
                            {
                                is_cancelled.store(true, Ordering::Relaxed);
                                raised = Some(error);
                            }
                        }
                    }
                };
                if worker.join().is_err() {
                    return Err(PyRuntimeError::new_err("the work ended in a panic"));
                }
                match (raised, result) {
                    (Some(error), _) => Err(error),
                    (None, Some(Err(Error::Cancelled { .. })) | None) => {
                        Err(PyRuntimeError::new_err("the work was cancelled"))
                    }
                    (None, Some(result)) => {
                        look()?;
                        result.map_err(to_python)
                    }
                }
            })
        })
    }
}
