//! The tests of what the library does, in one program: each of them would else compile its
//! generic code once more.

mod arrow;
mod cold;
mod determinism;
mod doors;
mod extremes;
mod filters;
mod hostile_input;
mod malformed_input;
mod model;
mod option_table;
mod own_filter;
mod properties;
mod random;
mod reference;
mod sweep;
mod tables;
mod tags;
mod third_backend;
mod tune;
mod weights;
