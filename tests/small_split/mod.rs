//! A small split for fast tests.

use std::fs;

/// A folder with the `train.txt` and `test.txt` of the split.
pub(crate) fn small_split() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("train.txt"),
        "0 0 1\n1 1 2\n2 2 3\n3 0 3 4\n",
    )
    .unwrap();
    fs::write(directory.path().join("test.txt"), "0 2\n1 0\n2 1 4\n").unwrap();
    directory
}
