//! The trait that the settings of a filter implement.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::preset::Preset;
use super::setting::{Search, Table, check_all};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::tensors::Source;
use crate::engine::walk::bytes_of_walk;
use bspm_data::Interactions;
use bspm_data::Result;

/// Settings without effect beside the other settings.
pub(crate) struct Unused {
    /// The names of the settings.
    pub(crate) names: &'static [&'static str],
    /// What the other settings would have to be.
    pub(crate) needs: &'static str,
}

/// The settings of a filter, and how to fit it.
pub(crate) trait Settings: Clone + Serialize + DeserializeOwned + Table {
    /// The name of the filter in configurations and command lines.
    const NAME: &'static str;

    /// The published settings for a data set.
    fn published(data: Preset) -> Self;

    /// Settings for a matrix of this shape. Default: those published for Gowalla, with at most a
    /// twenty-fourth of the smaller side as the number of singular vectors, but at least 2.
    fn for_shape(users: usize, items: usize) -> Self {
        let mut settings = Self::published(Preset::Gowalla);
        let most = (users.min(items) / 24).max(2);
        for setting in Self::table() {
            let factors = setting
                .get(&settings)
                .and_then(|it| it.parse::<usize>().ok());
            if matches!(setting.search, Search::Factors) && factors.is_some_and(|it| it > most) {
                (setting.set)(&mut settings, &most.to_string()).expect("a whole number is a count");
            }
        }
        settings
    }

    /// Checks the settings. Returns [`Error::InvalidParameter`](crate::Error::InvalidParameter) for the
    /// first setting outside its range; a filter adds checks of combinations of settings.
    fn check(&self) -> Result<()> {
        check_all(Self::table(), self)
    }

    /// Returns the settings without effect beside the other settings. Default: none.
    fn unused(&self) -> Vec<Unused> {
        Vec::new()
    }

    /// Returns a lower bound of the memory of fitting in bytes, from the matrix and the settings.
    ///
    /// It is checked against the budget of the backend before memory is allocated. The engine checks
    /// again when more is known, such as the number of entries of an item graph. Default: the memory of
    /// the walk.
    fn memory(&self, interactions: &Interactions) -> usize {
        bytes_of_walk(interactions)
    }

    /// Fits the filter with valid settings. Expensive parts come from the source.
    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>>;
}
