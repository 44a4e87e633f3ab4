//! Checks the input and output files of a command: no output may replace an input.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use bspm::data::expand_paths;
use bspm::saved::check_replaceable;

/// The files of a command, which are checked before any file is read.
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
    /// A file that is replaced atomically.
    File,
    /// Like `File`, but devices and pipes are allowed and written directly.
    Stream,
    /// A folder in which files with certain names are written.
    Folder(fn(&str) -> bool),
}

impl<'a> Files<'a> {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds an input file.
    pub(crate) fn reads(mut self, path: impl Into<Option<&'a PathBuf>>) -> Self {
        self.inputs.extend(path.into().map(|path| input(path)));
        self
    }

    /// Adds inputs: files, folders and glob patterns.
    pub(crate) fn reads_data(mut self, paths: &[PathBuf]) -> Self {
        for path in paths {
            self.inputs.push(input(path));
            // Errors of a path are reported later, when it is read.
            let files = expand_paths([path]).unwrap_or_default();
            self.inputs.extend(files);
        }
        self
    }

    /// Adds an output file.
    pub(crate) fn writes(self, flag: &'static str, path: impl Into<Option<&'a PathBuf>>) -> Self {
        self.output(flag, path, Kind::File)
    }

    /// Adds an output file, which may be a device or a pipe.
    pub(crate) fn writes_stream(
        self,
        flag: &'static str,
        path: impl Into<Option<&'a PathBuf>>,
    ) -> Self {
        self.output(flag, path, Kind::Stream)
    }

    /// Adds an output folder; `is_name` returns whether a file name is one that is written there.
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

    /// Returns an error for an output that is an input, is inside an input folder, is another output,
    /// or cannot be replaced.
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
                        "{}: the output would replace the input {}; hint: use another file",
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
                                "{}: the folder contains the input {}, which an output could replace; \
                                 hint: use another folder",
                                named(),
                                input.display()
                            )
                            .into());
                        }
                    }
                    _ if lies_in(path, input) => {
                        return Err(format!(
                            "{}: the output is inside the input folder {}, whose files are all read as \
                             input; hint: use a file outside of the folder",
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
                        "{}: the output is the same file as {} {}; hint: use another file",
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

/// Returns the path of an input; `-` is standard input, which may be a file.
fn input(path: &Path) -> PathBuf {
    match path.as_os_str() == "-" {
        true => "/dev/stdin".into(),
        false => path.into(),
    }
}

/// Returns whether two paths are the same file or folder, which need not exist.
fn is_same(left: &Path, right: &Path) -> bool {
    match (fs::metadata(left), fs::metadata(right)) {
        (Ok(left_data), Ok(right_data)) => {
            is_same_node(&left_data, &right_data) || is_same_path(left, right)
        }
        (Err(_), Err(_)) => is_same_path(left, right),
        _ => false,
    }
}

/// Returns whether two paths are hard links to the same file.
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

/// Returns the path without links. For a file that does not exist yet, the links of its folder are
/// resolved.
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

/// Returns whether a path is inside an input folder.
fn lies_in(path: &Path, input: &Path) -> bool {
    input.is_dir()
        && match (canonical(path), fs::canonicalize(input)) {
            (Some(path), Ok(input)) => path.starts_with(input),
            _ => false,
        }
}
