//! Sets the run path of the examples of this package to libtorch if bspm-torch is linked.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Some(directory) = env::var_os("DEP_BSPM_TORCH_LIBTORCH_LIB") {
        let directory = PathBuf::from(directory);
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", directory.display());
    }
}
