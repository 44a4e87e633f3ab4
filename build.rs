//! Lets this package's examples, tests and benches find libtorch where bspm-torch is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Some(directory) = std::env::var_os("DEP_BSPM_TORCH_LIBTORCH_LIB") {
        let directory = std::path::PathBuf::from(directory);
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", directory.display());
    }
}
