//! Reads the path of libtorch that torch-sys found, links `libtorch_cuda` if the feature `cuda` is enabled,
//! and passes the path to the build scripts of dependent crates as `DEP_BSPM_TORCH_LIBTORCH_LIB`.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(bspm_torch_cuda_linked)");
    let Some(directory) = env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else {
        return;
    };
    println!("cargo:libtorch_lib={}", directory.display());
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", directory.display());
    let has_cuda = directory.join("libtorch_cuda.so").is_file();
    if env::var_os("CARGO_FEATURE_CUDA").is_some() && has_cuda {
        println!("cargo:rustc-cfg=bspm_torch_cuda_linked");
        println!("cargo:rustc-link-search=native={}", directory.display());
        println!("cargo:rustc-link-lib=dylib=torch_cuda");
    }
}
