//! The neighbour table of a filter: a filter of a filter, which is why it stands below their
//! list.

use serde::{Deserialize, Serialize};

use super::FilterConfig;
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::neighbour_table::NeighbourTable;
use crate::engine::tensors::Source;
use crate::filters::bspm::config::BspmConfig;
use crate::filters::contract::Settings;
use crate::filters::preset::Preset;
use crate::filters::setting::{MOST_ITEMS, Search, check_all, settings};
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::invalid;

/// The neighbour table of another filter: what each item of a history gives to `keep` others,
/// and the rest as a share of what all items give alike.
///
/// Scores are linear in the history, so a filter is one row of scores for each item, `K`. A row
/// is split into `a_j p` and what is left, for `p` the mean of all rows and `a_j` the best factor of
/// it; of what is left `keep` entries are kept, those that are largest times the root of `p`, since what all
/// give to are the candidates for lists. Scores are then sums over the history, in
/// tens of microseconds, and any engine with a join and a group-by can make them. Lists are nearly those
/// of the filter: the guide's chapter `serving` has the loss. Cost of fitting: that of the filter, and of scoring a
/// user for each item; memory and file: 8 bytes for each entry kept.
///
/// A fitted model is turned into one by [`Model::neighbours`](crate::Model::neighbours).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Neighbours {
    /// How many entries of a row are kept; at least 1.
    pub keep: usize,
    /// The filter; no neighbour table itself, nor one that scores an empty history.
    pub filter: Box<FilterConfig>,
}

impl Neighbours {
    /// The table of this filter, with `keep` entries in a row.
    pub fn new(filter: impl Into<FilterConfig>, keep: usize) -> Self {
        Self {
            keep,
            filter: Box::new(filter.into()),
        }
    }
}

settings!(Neighbours {
    keep: usize ("k"): Count (1.0, MOST_ITEMS), Search::Fixed, "How many entries of a row are kept";
});

impl Settings for Neighbours {
    const NAME: &'static str = "neighbours";

    /// The table of BSPM's published settings, of 500 entries a row; nothing is published for it.
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
            let expected = "a filter that scores an empty history 0, and is no neighbour table";
            return Err(invalid("filter", expected, self.filter.name()));
        }
        self.filter.check()
    }

    fn memory(&self, interactions: &Interactions) -> usize {
        // The engine checks the budget for the table, of which it knows the entries.
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
