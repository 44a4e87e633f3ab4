//! Functions to run the tool in tests, and the data of a shop.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use bspm::{CpuBackend, Model};

pub(crate) const RATINGS: &str = "\
user,item,rating,at
ann,espresso,5,1
ann,milk,4,2
ann,biscuits,4,3
bob,espresso,5,1
bob,milk,5,2
bob,grinder,4,3
cid,tea,5,1
cid,honey,5,2
dora,tea,5,1
dora,honey,4,2
dora,biscuits,2,3
";

pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bspm"));
    command.current_dir(folder).args(arguments);
    command
}

pub(crate) fn bspm(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The messages of a command that succeeds.
pub(crate) fn told(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn error(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder with `ratings.csv` and the model of it, `shop.bspm`.
pub(crate) fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ratings.csv"), RATINGS).unwrap();
    let fit = ["fit", "ratings.csv", "-o", "shop.bspm", "--factor-dim", "2"];
    stdout(&bspm(folder.path(), &fit));
    folder
}

pub(crate) fn open(folder: &Path) -> Model<CpuBackend> {
    Model::open(CpuBackend::new(), folder.join("shop.bspm")).unwrap()
}

pub(crate) fn json_lines(text: &str) -> Vec<serde_json::Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
