//! Runs the examples.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The command of an example that Cargo built with this test.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).unwrap();
    let path: PathBuf = target
        .join("examples")
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    let mut command = Command::new(&path);
    for variable in ["BSPM_DATA", "BSPM_CACHE", "BSPM_MIRROR"] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn run(
    command: &mut Command,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Output {
    command.args(arguments).output().expect("the example runs")
}

pub(crate) fn error_text(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}
