//! A served model, which is reloaded when its file is replaced.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bspm::fitted::RankOptions;
use bspm::saved::file_hash;
use bspm::{CpuBackend, CpuModel};
use serde::Serialize;

use tokio::sync::Notify;

use super::live::Live;
use super::metrics::Metric;

/// A served model whose file may be replaced.
#[derive(Debug)]
pub(super) struct CurrentModel {
    /// The name of the model in responses.
    pub(super) name: Arc<str>,
    path: PathBuf,
    /// Whether the file is read into memory instead of mapped.
    copy: bool,
    /// The interactions since the fit.
    live: Option<Arc<Live>>,
    served: RwLock<Served>,
    /// The number of responses, without lists of a shadow model.
    pub(super) responses: Arc<AtomicU64>,
    reloads: AtomicU64,
    failed_reloads: AtomicU64,
    /// Requests to reload the file.
    reload: Notify,
}

#[derive(Debug)]
struct Served {
    /// The model of the file.
    fitted: Arc<CpuModel>,
    /// The model of the file, or the same with the new items of the event log.
    model: Arc<CpuModel>,
    /// The version of the file, taken before it was opened.
    version: Option<Version>,
    hash: String,
    loaded: SystemTime,
    /// Whether the current file could not be loaded.
    is_stale: bool,
}

/// The state of the served model, for monitoring.
#[derive(Serialize)]
pub(super) struct State {
    /// The name of the model.
    name: String,
    /// The hash of the model file.
    hash: String,
    /// The time at which the model was loaded, in seconds since 1970.
    loaded: u64,
    /// Whether the current model file could not be loaded.
    is_stale: bool,
    reloads: u64,
    failed_reloads: u64,
}

/// The version of a file: identity, length and modification time.
type Version = (u64, u64, Option<SystemTime>);

/// The interval at which the file is checked.
const POLL: Duration = Duration::from_secs(1);

impl CurrentModel {
    /// Opens the model in this file.
    ///
    /// # Errors
    ///
    /// Those of [`Model::open`](bspm::Model::open).
    pub(super) fn open(
        name: &str,
        path: &Path,
        copy: bool,
        live: Option<Arc<Live>>,
    ) -> bspm::Result<Self> {
        let served = RwLock::new(open(path, copy, live.as_deref())?);
        Ok(Self {
            name: name.into(),
            path: path.into(),
            copy,
            live,
            served,
            responses: Arc::default(),
            reloads: AtomicU64::new(0),
            failed_reloads: AtomicU64::new(0),
            reload: Notify::new(),
        })
    }

    fn served(&self) -> RwLockReadGuard<'_, Served> {
        self.served.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current model. It stays valid while the result is held, even after a reload.
    pub(super) fn get(&self) -> Arc<CpuModel> {
        self.served().model.clone()
    }

    pub(super) fn state(&self) -> State {
        let served = self.served();
        State {
            name: self.name.to_string(),
            hash: served.hash.clone(),
            loaded: seconds(served.loaded),
            is_stale: served.is_stale,
            reloads: self.reloads.load(Ordering::Relaxed),
            failed_reloads: self.failed_reloads.load(Ordering::Relaxed),
        }
    }

    /// Returns the values for monitoring.
    pub(super) fn metrics(&self) -> [Metric; 5] {
        let state = self.state();
        let failed = "Replaced model files that could not be loaded.";
        [
            Metric::counter(
                "bspm_model_responses_total",
                "Responses of the model.",
                self.responses.load(Ordering::Relaxed),
            ),
            Metric::counter(
                "bspm_reloads_total",
                "Model files that were loaded after the first one.",
                state.reloads,
            ),
            Metric::counter("bspm_failed_reloads_total", failed, state.failed_reloads),
            Metric::gauge(
                "bspm_model_stale",
                "Whether the current model file could not be loaded.",
                f64::from(u8::from(state.is_stale)),
            ),
            Metric::gauge(
                "bspm_model_loaded_seconds",
                "When the model was loaded.",
                state.loaded as f64,
            ),
        ]
        .map(|metric| metric.label("model", &self.name))
    }

    /// Requests a reload of the file.
    pub(super) fn request_reload(&self) {
        self.reload.notify_one();
    }

    /// Folds in the items of the event log that the model does not have. Returns whether there were any.
    ///
    /// # Errors
    ///
    /// Those of [`Model::with_dataset`](bspm::Model::with_dataset).
    pub(super) fn fold_in(&self) -> bspm::Result<bool> {
        let Some(live) = &self.live else {
            return Ok(false);
        };
        let (fitted, model) = {
            let served = self.served();
            (served.fitted.clone(), served.model.clone())
        };
        if !live.has_new_items(&model) {
            return Ok(false);
        }
        let extended = extended(&fitted, live)?;
        let mut served = self.served.write().unwrap_or_else(PoisonError::into_inner);
        // The file may have been reloaded in between.
        if Arc::ptr_eq(&served.fitted, &fitted) {
            served.model = Arc::new(extended);
        }
        Ok(true)
    }

    /// Reloads the file. The old model is served until the new one is loaded, and is kept if the new one
    /// cannot be opened.
    ///
    /// # Errors
    ///
    /// Those of [`Model::open`](bspm::Model::open).
    fn reload(&self) -> bspm::Result<()> {
        let next = open(&self.path, self.copy, self.live.as_deref());
        let mut served = self.served.write().unwrap_or_else(PoisonError::into_inner);
        match next {
            Ok(next) => {
                *served = next;
                self.reloads.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => {
                served.is_stale = true;
                self.failed_reloads.fetch_add(1, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    /// Reloads the model when the file is replaced, and on request. Retries a file that temporarily
    /// cannot be read.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut known = self.served().version;
        let mut reported = None;
        loop {
            let is_asked = tokio::select! {
                () = tokio::time::sleep(POLL) => false,
                () = self.reload.notified() => true,
            };
            let now = version(&self.path);
            if !is_asked && (now.is_none() || now == known) {
                continue;
            }
            let this = self.clone();
            let reloaded = tokio::task::spawn_blocking(move || this.reload()).await;
            let refused = match reloaded {
                Ok(Ok(())) => {
                    known = now;
                    tracing::info!(path = %self.path.display(), "the model was replaced");
                    continue;
                }
                Ok(Err(error)) => {
                    let may_pass = matches!(&error, bspm::Error::Read { source, .. }
                        if source.kind() != io::ErrorKind::InvalidInput);
                    // A file that could not be read is read again, also if it is the one that is served.
                    known = now.filter(|_| !may_pass);
                    bspm::with_sources(&error)
                }
                Err(error) => error.to_string(),
            };
            if is_asked || reported != now {
                tracing::warn!(
                    "the model was not replaced, and the previous one is still served: {refused}"
                );
            }
            reported = now;
        }
    }
}

fn open(path: &Path, copy: bool, live: Option<&Live>) -> bspm::Result<Served> {
    let version = version(path);
    let hash = file_hash(path)?;
    let model = if copy {
        let bytes = fs::read(path).map_err(|source| bspm::Error::Read {
            path: path.into(),
            source,
        })?;
        CpuModel::from_bytes(CpuBackend::new(), bytes)?
    } else {
        CpuModel::open(CpuBackend::new(), path)?
    };
    prepare(&model)?;
    let fitted = Arc::new(model);
    let model = match live {
        Some(live) if live.has_new_items(&fitted) => match extended(&fitted, live) {
            Ok(model) => Arc::new(model),
            // Events never prevent a start or a reload.
            Err(error) => {
                let error = bspm::with_sources(&error);
                tracing::warn!("new items were not folded in: {error}");
                fitted.clone()
            }
        },
        _ => fitted.clone(),
    };
    Ok(Served {
        fitted,
        model,
        version,
        hash,
        loaded: SystemTime::now(),
        is_stale: false,
    })
}

/// Returns the model with the interactions since the fit.
fn extended(fitted: &CpuModel, live: &Live) -> bspm::Result<CpuModel> {
    // The weights of events have the scale of the model.
    let scale = fitted.dataset().weight_scale();
    let extended = fitted.with_dataset(&live.dataset()?.with_weight_scale(scale))?;
    prepare(&extended)?;
    Ok(extended)
}

/// Computes a list, so that the first request does not have to wait for lazy initialization.
fn prepare(model: &CpuModel) -> bspm::Result<()> {
    let interactions = model.filter().interactions();
    let mut users = 0..interactions.users() as u32;
    let Some(user) = users.find(|&user| !interactions.items_of(user).is_empty()) else {
        return Ok(());
    };
    let options = RankOptions::top(1);
    model.filter().rank(&[user], &options)?;
    Ok(())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

fn version(path: &Path) -> Option<Version> {
    let metadata = fs::metadata(path).ok()?;
    let written = metadata.modified().ok();
    Some((identity(&metadata), metadata.len(), written))
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> u64 {
    0
}
