//! Tags of items, as rows over the columns of the interactions.

use std::hash::Hash;

use bspm::Dataset;
use pyo3::prelude::*;

use crate::arrays::Csr;
use crate::error::to_python;

/// Tags of items: `tags x items`, and their names.
#[derive(Debug, FromPyObject)]
pub(crate) struct TagRows<'py> {
    #[pyo3(item)]
    csr: Csr<'py>,
    #[pyo3(item)]
    names: Vec<String>,
    /// None if it is to be chosen.
    #[pyo3(item)]
    weight: Option<f64>,
}

impl TagRows<'_> {
    /// Whether the weight is to be chosen.
    pub(crate) fn has_no_weight(&self) -> bool {
        self.weight.is_none()
    }
}

/// Returns the dataset with the tags, if there are any.
pub(crate) fn tagged<U, I>(
    dataset: Dataset<U, I>,
    tags: Option<&TagRows<'_>>,
) -> PyResult<Dataset<U, I>>
where
    U: Eq + Hash + Clone,
    I: Eq + Hash + Clone,
{
    let Some(tags) = tags else {
        return Ok(dataset);
    };
    let rows = tags.csr.rows()?.interactions()?;
    let names = tags.names.iter().cloned().collect();
    let tagged = dataset.with_fitted_tags(names, rows, tags.weight.unwrap_or(1.0));
    tagged.map_err(to_python)
}
