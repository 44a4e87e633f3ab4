//! What the settings of a filter are.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::preset::Preset;
use super::setting::{Table, check_all};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::tensors::Source;
use bspm_data::Interactions;
use bspm_data::Result;

/// What fitting a filter needs to know.
pub(crate) trait Settings: Clone + Serialize + DeserializeOwned + Table {
    /// The name that configurations and command lines call it.
    const NAME: &'static str;

    /// The published settings for a data set.
    fn published(data: Preset) -> Self;

    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for the first setting
    /// outside its range; a filter adds what its settings demand of each other.
    fn check(&self) -> Result<()> {
        check_all(Self::table(), self)
    }

    /// Bytes that fitting takes at the least, as far as the matrix and the settings tell.
    ///
    /// The budget of the backend is checked for them before anything is taken. For what is known
    /// only later, such as the entries of an item graph, the engine checks it again.
    fn memory(&self, interactions: &Interactions) -> usize;

    /// Fits the filter to checked settings; what is long to compute comes from the source.
    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>>;
}
