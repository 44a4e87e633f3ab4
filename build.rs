//! Lets this package's examples, tests and benches find libtorch where bspm-torch is linked, and
//! puts the guide's picture into text, since documentation takes no other files along.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use base64::prelude::{BASE64_STANDARD, Engine};

const PICTURE: &str = "src/guide/pictures/page.png";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={PICTURE}");
    if let Some(directory) = env::var_os("DEP_BSPM_TORCH_LIBTORCH_LIB") {
        let directory = PathBuf::from(directory);
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", directory.display());
    }
    let picture = BASE64_STANDARD.encode(fs::read(PICTURE)?);
    let text = format!("![The page of bspm serve](data:image/png;base64,{picture})\n");
    let folder = env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&folder).join("page.md"), text)
}
