//! The native module of the Python package `bspm`: models of rows and columns, and their ids.
//!
//! The public interface is in `python/bspm`. This module takes NumPy arrays, releases the
//! interpreter while it works, and converts errors to exceptions.

mod arrays;
mod arrow;
mod columns;
mod datasets;
mod error;
mod evaluation;
mod files;
mod id_columns;
mod ids;
mod import;
mod items;
mod lists;
mod model;
mod options;
mod rules;
mod search;
mod sparse_rows;
mod tags;
mod work;

use pyo3::prelude::*;

/// The extension module `bspm._bspm`.
#[pymodule]
fn _bspm(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<model::Core>()?;
    module.add_class::<arrow::Batches>()?;
    module.add_function(wrap_pyfunction!(arrow::read_arrow, module)?)?;
    module.add_function(wrap_pyfunction!(arrow::read_lists, module)?)?;
    module.add_function(wrap_pyfunction!(files::read_files, module)?)?;
    module.add_function(wrap_pyfunction!(files::likely_misread, module)?)?;
    module.add_function(wrap_pyfunction!(files::parquet_files, module)?)?;
    module.add_function(wrap_pyfunction!(id_columns::number_objects, module)?)?;
    module.add_function(wrap_pyfunction!(columns::default_column, module)?)?;
    module.add_function(wrap_pyfunction!(columns::read_columns, module)?)?;
    module.add_function(wrap_pyfunction!(columns::read_entries, module)?)?;
    module.add_class::<items::Items>()?;
    module.add_function(wrap_pyfunction!(items::read_items_file, module)?)?;
    module.add_function(wrap_pyfunction!(items::read_items_arrow, module)?)?;
    module.add_function(wrap_pyfunction!(items::read_items_columns, module)?)?;
    module.add_function(wrap_pyfunction!(evaluation::split, module)?)?;
    module.add_function(wrap_pyfunction!(evaluation::evaluate_lists, module)?)?;
    module.add_function(wrap_pyfunction!(evaluation::parse_time, module)?)?;
    module.add_function(wrap_pyfunction!(search::choose, module)?)?;
    module.add_function(wrap_pyfunction!(search::choose_weighting, module)?)?;
    module.add_function(wrap_pyfunction!(search::unused_settings, module)?)?;
    module.add_function(wrap_pyfunction!(search::reweighted, module)?)?;
    module.add_class::<search::Search>()?;
    module.add_function(wrap_pyfunction!(search::configuration, module)?)?;
    module.add_function(wrap_pyfunction!(search::filters, module)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
