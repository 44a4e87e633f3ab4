//! The tests of the library, in one program: separate programs would each compile its generic code again.

mod arrow;
mod bits;
mod cold;
mod determinism;
mod extremes;
mod filters;
mod formats;
mod hostile_input;
mod malformed_input;
mod model;
mod option_table;
mod own_filter;
mod properties;
mod random;
mod reference;
mod requests;
mod sparse_vectors;
mod sweep;
mod tables;
mod tags;
mod third_backend;
mod tune;
mod weights;
