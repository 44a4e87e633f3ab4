//! The checks that every backend must pass.
