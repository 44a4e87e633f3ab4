//! Fetches the public LightGCN copy of a data set into the cache.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bspm::data::{SyntheticShape, TrainTest};
use indicatif::{ProgressBar, ProgressStyle};

const PUBLIC_COPY: &str =
    "https://raw.githubusercontent.com/gusye1234/LightGCN-PyTorch/master/data";

/// Far above any of the files, so that a wrong answer cannot fill the disk.
const LARGEST_FILE: u64 = 1 << 30;

/// Why there is no download.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DownloadError {
    #[error("{url} could not be fetched ({reason})")]
    Fetch { url: String, reason: String },
    #[error("{url} ended after {received} of {expected} bytes")]
    Truncated {
        url: String,
        received: u64,
        expected: u64,
    },
    #[error("{path} could not be written ({source})", path = path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the files from {url} are not the {name} split: {reason}")]
    NotTheSplit {
        url: String,
        name: String,
        reason: String,
    },
}

/// `$BSPM_CACHE`, else `bspm` in the user's cache folder.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    env::var_os("BSPM_CACHE")
        .map(PathBuf::from)
        .or_else(|| Some(dirs::cache_dir()?.join("bspm")))
}

/// The address of the data set's folder; `$BSPM_MIRROR` replaces the public copy.
pub(crate) fn source(name: &str) -> String {
    let base = env::var("BSPM_MIRROR").unwrap_or_else(|_| PUBLIC_COPY.into());
    format!("{}/{name}", base.trim_end_matches('/'))
}

/// Downloads `train.txt` and `test.txt` to `directory`.
///
/// They are written to a temporary folder beside it, checked against the counts
/// that the split has, and only then renamed: `directory` is whole or absent.
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
        // Another process was faster; what it left was checked too.
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
    let split =
        TrainTest::from_lightgcn_directory(directory).map_err(|error| wrong(error.to_string()))?;
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

fn fetch(url: &str, path: &Path) -> Result<(), DownloadError> {
    let fetch_error = |reason: String| DownloadError::Fetch {
        url: url.into(),
        reason,
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_recv_body(Some(Duration::from_secs(600)))
        .build()
        .into();
    let mut response = agent
        .get(url)
        .call()
        .map_err(|error| fetch_error(error.to_string()))?;
    let expected = response.body().content_length();
    let bar = progress_bar(url, expected);
    let body = response.body_mut().as_reader().take(LARGEST_FILE);

    let write_error = |source| DownloadError::Write {
        path: path.into(),
        source,
    };
    let mut file = File::create(path).map_err(write_error)?;
    let mut reader = bar.wrap_read(body);
    let mut buffer = vec![0; 1 << 16];
    let mut received = 0;
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(fetch_error(error.to_string())),
        };
        file.write_all(&buffer[..length]).map_err(write_error)?;
        received += length as u64;
    }
    file.sync_all().map_err(write_error)?;
    bar.finish_and_clear();
    match expected {
        Some(expected) if expected != received => Err(DownloadError::Truncated {
            url: url.into(),
            received,
            expected,
        }),
        _ => Ok(()),
    }
}

fn progress_bar(url: &str, length: Option<u64>) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let name = url.rsplit('/').next().unwrap_or(url).to_owned();
    match length {
        Some(length) => ProgressBar::new(length).with_style(style),
        None => ProgressBar::new_spinner(),
    }
    .with_message(name)
}
