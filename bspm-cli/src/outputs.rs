//! The files that a command reads and those that it writes: no output replaces an input.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use bspm::data::expand_paths;
use bspm::saved::check_replaceable;

/// The files of a command, which are checked before any of them is read.
#[derive(Default)]
#[must_use]
pub(crate) struct Files<'a> {
    inputs: Vec<PathBuf>,
    outputs: Vec<Output<'a>>,
}

struct Output<'a> {
    flag: &'static str,
    path: &'a Path,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// A file that is replaced as a whole.
    File,
    /// Likewise; a device or a pipe is written to.
    Stream,
    /// A folder that gets files of some names.
    Folder(fn(&str) -> bool),
}

impl<'a> Files<'a> {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A file that is read.
    pub(crate) fn reads(mut self, path: impl Into<Option<&'a PathBuf>>) -> Self {
        self.inputs.extend(path.into().map(|path| input(path)));
        self
    }

    /// Interactions that are read: files, folders and patterns.
    pub(crate) fn reads_data(mut self, paths: &[PathBuf]) -> Self {
        for path in paths {
            self.inputs.push(input(path));
            // What is wrong with a path is reported by the reading that follows.
            let files = expand_paths([path]).unwrap_or_default();
            self.inputs.extend(files);
        }
        self
    }

    /// A file that is replaced.
    pub(crate) fn writes(self, flag: &'static str, path: impl Into<Option<&'a PathBuf>>) -> Self {
        self.output(flag, path, Kind::File)
    }

    /// A file that is replaced, or a device or a pipe that is written to.
    pub(crate) fn writes_stream(
        self,
        flag: &'static str,
        path: impl Into<Option<&'a PathBuf>>,
    ) -> Self {
        self.output(flag, path, Kind::Stream)
    }

    /// A folder that gets files of these names.
    pub(crate) fn writes_folder(
        self,
        flag: &'static str,
        path: &'a PathBuf,
        is_name: fn(&str) -> bool,
    ) -> Self {
        self.output(flag, path, Kind::Folder(is_name))
    }

    fn output(
        mut self,
        flag: &'static str,
        path: impl Into<Option<&'a PathBuf>>,
        kind: Kind,
    ) -> Self {
        let path = path.into();
        self.outputs.extend(path.map(|path| Output {
            flag,
            path: path.as_path(),
            kind,
        }));
        self
    }

    /// Refuses an output that is an input, lies in an input folder, is another output, or cannot be
    /// replaced.
    pub(crate) fn check(self) -> Result<(), Box<dyn Error>> {
        for (place, output) in self.outputs.iter().enumerate() {
            let Output { flag, path, kind } = output;
            let named = || format!("{flag} {}", path.display());
            let is_stream = fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir());
            if is_stream && matches!(kind, Kind::Stream) {
                continue;
            }
            for input in &self.inputs {
                if is_same(path, input) {
                    return Err(format!(
                        "{}: it is the input {}, which the output would replace; name another file",
                        named(),
                        input.display()
                    )
                    .into());
                }
                match kind {
                    Kind::Folder(is_name) => {
                        let name = input.file_name().and_then(|it| it.to_str());
                        if name.is_some_and(is_name) && is_same(path, folder(input)) {
                            return Err(format!(
                                "{}: the folder holds the input {}, which an output may replace; \
                                 name another folder",
                                named(),
                                input.display()
                            )
                            .into());
                        }
                    }
                    _ if lies_in(path, input) => {
                        return Err(format!(
                            "{}: it lies in the input folder {}, whose files are read as \
                             interactions; name a file outside of the folder",
                            named(),
                            input.display()
                        )
                        .into());
                    }
                    _ => {}
                }
            }
            for other in &self.outputs[..place] {
                if is_same(path, other.path) {
                    return Err(format!(
                        "{}: it is the same file as {} {}; name another file",
                        named(),
                        other.flag,
                        other.path.display()
                    )
                    .into());
                }
            }
            if !matches!(kind, Kind::Folder(_)) {
                check_replaceable(path)?;
            }
        }
        Ok(())
    }
}

/// An input; `-` is standard input, which may be a file.
fn input(path: &Path) -> PathBuf {
    match path.as_os_str() == "-" {
        true => "/dev/stdin".into(),
        false => path.into(),
    }
}

/// Whether two paths lead to one file or folder, which need not exist.
fn is_same(left: &Path, right: &Path) -> bool {
    match (fs::metadata(left), fs::metadata(right)) {
        (Ok(left_data), Ok(right_data)) => {
            is_same_node(&left_data, &right_data) || is_same_path(left, right)
        }
        (Err(_), Err(_)) => is_same_path(left, right),
        _ => false,
    }
}

/// Whether a hard link leads to the same file.
#[cfg(unix)]
fn is_same_node(left: &fs::Metadata, right: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (left.dev(), left.ino()) == (right.dev(), right.ino())
}

#[cfg(not(unix))]
fn is_same_node(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    false
}

fn is_same_path(left: &Path, right: &Path) -> bool {
    match (canonical(left), canonical(right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

/// The path without links; of a file that does not exist yet, that of its folder and its name.
fn canonical(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().or_else(|| {
        let folder = fs::canonicalize(folder(path)).ok()?;
        Some(folder.join(path.file_name()?))
    })
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Whether a path lies in a folder that is read.
fn lies_in(path: &Path, input: &Path) -> bool {
    input.is_dir()
        && match (canonical(path), fs::canonicalize(input)) {
            (Some(path), Ok(input)) => path.starts_with(input),
            _ => false,
        }
}
