//! The model that is served now, and its successors.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use bspm::{CpuBackend, CpuModel};

/// A model in a file that may be replaced.
#[derive(Debug)]
pub struct CurrentModel {
    path: PathBuf,
    /// Whether it is read into memory, and not mapped.
    copy: bool,
    served: RwLock<Served>,
}

#[derive(Debug)]
struct Served {
    model: Arc<CpuModel>,
    /// Of the file, before it was opened.
    version: Option<Version>,
}

/// What tells a file from its successor: identity, length, and when it was written.
type Version = (u64, u64, Option<SystemTime>);

/// How often the file is looked at.
const POLL: Duration = Duration::from_secs(1);

impl CurrentModel {
    /// Opens the model in this file.
    ///
    /// # Errors
    ///
    /// Those of [`Model::open`](bspm::Model::open).
    pub fn open(path: PathBuf, copy: bool) -> bspm::Result<Self> {
        let served = RwLock::new(open(&path, copy)?);
        Ok(Self { path, copy, served })
    }

    /// The model; it stays whole for whoever holds it.
    pub fn get(&self) -> Arc<CpuModel> {
        let served = self.served.read().unwrap_or_else(PoisonError::into_inner);
        served.model.clone()
    }

    /// Opens the file anew. The old model is served until the new one is whole, and kept where
    /// that cannot be opened.
    ///
    /// # Errors
    ///
    /// Those of [`Model::open`](bspm::Model::open).
    pub fn reload(&self) -> bspm::Result<()> {
        let next = open(&self.path, self.copy)?;
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Reloads whenever the file is replaced, and on SIGHUP.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut known = {
            let served = self.served.read();
            served.unwrap_or_else(PoisonError::into_inner).version
        };
        #[cfg(unix)]
        let mut hangups = {
            use tokio::signal::unix::{SignalKind, signal};
            signal(SignalKind::hangup()).ok()
        };
        loop {
            #[cfg(unix)]
            let is_asked = tokio::select! {
                () = tokio::time::sleep(POLL) => false,
                () = async {
                    match &mut hangups {
                        Some(hangups) => { hangups.recv().await; }
                        None => std::future::pending().await,
                    }
                } => true,
            };
            #[cfg(not(unix))]
            let is_asked = {
                tokio::time::sleep(POLL).await;
                false
            };
            let now = version(&self.path);
            if !is_asked && (now.is_none() || now == known) {
                continue;
            }
            known = now;
            let this = self.clone();
            match tokio::task::spawn_blocking(move || this.reload()).await {
                Ok(Ok(())) => tracing::info!(path = %self.path.display(), "the model was replaced"),
                Ok(Err(error)) => tracing::warn!(%error, "the old model stays"),
                Err(error) => tracing::warn!(%error, "the old model stays"),
            }
        }
    }
}

fn open(path: &Path, copy: bool) -> bspm::Result<Served> {
    let version = version(path);
    let model = if copy {
        let bytes = fs::read(path).map_err(|source| bspm::Error::Read {
            path: path.into(),
            source,
        })?;
        CpuModel::from_bytes(CpuBackend::new(), bytes)?
    } else {
        CpuModel::open(CpuBackend::new(), path)?
    };
    Ok(Served {
        model: Arc::new(model),
        version,
    })
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
