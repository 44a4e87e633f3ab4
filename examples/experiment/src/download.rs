//! Downloads the public LightGCN copy of a data set to the cache.

use std::env;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;

use bspm::data::{SyntheticShape, TrainTest};

const PUBLIC_COPY: &str =
    "https://raw.githubusercontent.com/gusye1234/LightGCN-PyTorch/master/data";

/// The maximum size of a file, far above that of the real files, so that a wrong response cannot fill the
/// disk.
const LARGEST_FILE: &str = "1073741824";

/// An error of a download.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DownloadError {
    #[error("{url} could not be fetched ({reason})")]
    Fetch { url: String, reason: String },
    #[error("{path} could not be written", path = path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the files from {url} are not the {name} split: {reason}")]
    NotTheSplit {
        url: String,
        name: String,
        reason: String,
    },
}

/// `$BSPM_CACHE`, or `bspm` in the user's cache folder.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    env::var_os("BSPM_CACHE")
        .map(PathBuf::from)
        .or_else(|| Some(system_cache()?.join("bspm")))
}

/// The cache folder of the user, as defined by the operating system.
fn system_cache() -> Option<PathBuf> {
    let folder = |variable| env::var_os(variable).map(PathBuf::from);
    if cfg!(windows) {
        return folder("LOCALAPPDATA");
    }
    if cfg!(target_os = "macos") {
        return Some(env::home_dir()?.join("Library/Caches"));
    }
    let named = folder("XDG_CACHE_HOME").filter(|it| it.is_absolute());
    named.or_else(|| Some(env::home_dir()?.join(".cache")))
}

/// The URL of the folder of the data set; `$BSPM_MIRROR` replaces the public copy.
pub(crate) fn source(name: &str) -> String {
    let base = env::var("BSPM_MIRROR").unwrap_or_else(|_| PUBLIC_COPY.into());
    format!("{}/{name}", base.trim_end_matches('/'))
}

/// Downloads `train.txt` and `test.txt` to `directory`.
///
/// The files are written to a temporary folder in the same place, compared with the counts of the split,
/// and then the folder is renamed. So `directory` is either complete or absent.
pub(crate) fn download(
    name: &str,
    shape: SyntheticShape,
    directory: &Path,
) -> Result<(), DownloadError> {
    let url = source(name);
    let write_error = |path: &Path| {
        let path = path.to_path_buf();
        move |source| DownloadError::Write { path, source }
    };
    let parent = directory.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(write_error(parent))?;
    let partial = tempfile::Builder::new()
        .prefix(&format!("{name}.partial-"))
        .tempdir_in(parent)
        .map_err(write_error(parent))?;
    for file in ["train.txt", "test.txt"] {
        fetch(&format!("{url}/{file}"), &partial.path().join(file))?;
    }
    check(name, &url, shape, partial.path())?;
    match fs::rename(partial.path(), directory) {
        // Another process was faster; it also checked its files.
        Err(_) if directory.join("test.txt").is_file() => Ok(()),
        Err(source) => Err(write_error(directory)(source)),
        Ok(()) => {
            let _moved = partial.keep();
            Ok(())
        }
    }
}

fn check(
    name: &str,
    url: &str,
    shape: SyntheticShape,
    directory: &Path,
) -> Result<(), DownloadError> {
    let wrong = |reason: String| DownloadError::NotTheSplit {
        url: url.into(),
        name: name.into(),
        reason,
    };
    let split = TrainTest::from_lightgcn_directory(directory)
        .map_err(|error| wrong(bspm::with_sources(&error)))?;
    let found = [
        split.train.users(),
        split.train.items(),
        split.train.len(),
        split.test.len(),
    ];
    let expected = [shape.users, shape.items, shape.train, shape.test];
    if found != expected {
        return Err(wrong(format!(
            "expected {expected:?} users, items, training and test interactions, found {found:?}"
        )));
    }
    Ok(())
}

/// Downloads a file with the program `curl`, which Linux, macOS and Windows have. A Rust HTTPS client would
/// be a tenth of the code that this example compiles.
fn fetch(url: &str, path: &Path) -> Result<(), DownloadError> {
    let fetch_error = |reason: String| DownloadError::Fetch {
        url: url.into(),
        reason,
    };
    eprintln!("Downloading {url}");
    let progress = match std::io::stderr().is_terminal() {
        true => "--progress-bar",
        false => "--silent",
    };
    let status = Command::new("curl")
        .args(["--fail", "--location", "--show-error", progress])
        .args(["--connect-timeout", "10", "--max-time", "600"])
        .args(["--max-filesize", LARGEST_FILE, "--output"])
        .arg(path)
        .arg(url)
        .status()
        .map_err(|error| fetch_error(format!("the program curl cannot be started: {error}")))?;
    match status.success() {
        true => Ok(()),
        false => Err(fetch_error(format!("curl: {status}"))),
    }
}
