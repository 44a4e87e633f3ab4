//! The neighbour table of a filter. It contains a filter, so it is in a module below their list.

use serde::{Deserialize, Serialize};

use super::FilterConfig;
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::neighbour_table::NeighbourTable;
use crate::engine::tensors::Source;
use crate::filters::bspm::config::BspmConfig;
use crate::filters::filter_settings::Settings;
use crate::filters::preset::Preset;
use crate::filters::setting::{MOST_ITEMS, Search, check_all, settings};
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::invalid;

/// The neighbour table of another filter: a sparse approximation with `keep` entries per item, plus a
/// rank-one baseline.
///
/// ```math
/// y = r T + (r a) \, p
/// ```
///
/// The scores `$y$` are linear in the history `$r$`, so a filter is a matrix with one row of scores per item.
/// Row `$j$` is approximated by `$a_j p$`, where `$p$` is the mean of all rows and `$a_j$` the best factor,
/// plus `$k$` entries of the remainder in the sparse matrix `$T$`: those with the largest product with the
/// root of `$p$`, because items with a large `$p$` are the candidates for lists.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - For lists in 0.03 to 0.04 ms (Gowalla). Scores are sums over the history, and any engine with a join and
///   a group-by can compute them.
/// - Not for exact lists of the filter: the lists are nearly those of the filter. The chapter `serving` of
///   the guide has the loss.
///
/// A fitted model is turned into one by [`Model::neighbours`](crate::Model::neighbours). The preset is the
/// table of the published settings of BSPM with 500 entries per item. No settings are published for neighbour
/// tables.
///
/// # Settings
///
#[doc = include_str!("../settings/neighbours.md")]
///
/// The configuration also has the settings of the filter.
///
/// # Cost
///
/// Fit: that of the filter, plus scoring one user per item. A history: the entries of its items. Memory and
/// file: 8 bytes per entry.
///
/// # Source
///
/// Not published.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::{GfCf, Neighbours};
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = Neighbours::new(GfCf::for_shape(3, 4), 4);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Neighbours {
    /// The number of entries to keep per item; at least 1.
    pub keep: usize,
    /// The filter. It cannot be a neighbour table, or a filter that scores an empty history.
    pub filter: Box<FilterConfig>,
}

impl Neighbours {
    /// Creates the neighbour table of this filter, with `keep` entries per item.
    pub fn new(filter: impl Into<FilterConfig>, keep: usize) -> Self {
        Self {
            keep,
            filter: Box::new(filter.into()),
        }
    }
}

settings!(Neighbours {
    keep: usize ("k"): Count (1.0, MOST_ITEMS), Search::Fixed, "Number of entries to keep per item";
});

impl Settings for Neighbours {
    const NAME: &'static str = "neighbours";

    /// The table of BSPM's published settings with 500 entries per item. No settings are published for
    /// neighbour tables.
    fn published(data: Preset) -> Self {
        Self::new(BspmConfig::published(data), 500)
    }

    fn check(&self) -> Result<()> {
        check_all(Self::SETTINGS, self)?;
        let is_constant = |filter: &FilterConfig| matches!(filter, FilterConfig::Popularity(_));
        let is_fit = match &*self.filter {
            FilterConfig::Neighbours(_) => false,
            FilterConfig::Mix(mix) => !mix.parts.iter().any(|part| is_constant(&part.filter)),
            filter => !is_constant(filter),
        };
        if !is_fit {
            let expected = "a filter other than neighbours, popularity and mixes with popularity";
            return Err(invalid("filter", expected, self.filter.name()));
        }
        self.filter.check()
    }

    fn memory(&self, interactions: &Interactions) -> usize {
        // The engine checks the budget for the table when it knows the number of entries.
        self.filter.memory(interactions)
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        Ok(Box::new(match source {
            Source::Saved(tensors) => NeighbourTable::open(backend, interactions, tensors)?,
            Source::Fit(options, _) => {
                let filter = self.filter.fit(backend, interactions, source)?;
                NeighbourTable::of(backend, interactions, &*filter, self.keep, options)?
            }
        }))
    }
}
