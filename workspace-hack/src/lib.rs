//! Empty. `Cargo.toml` names the features of dependencies that all builds of the checks have in common.
