//! A filter of one's own: an item graph that was made elsewhere.

use serde::{Deserialize, Serialize};

use super::contract::Settings;
use super::preset::Preset;
use super::setting::settings;
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::item_graph::ItemGraphPolynomial;
use crate::engine::tensors::Source;
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::invalid;

/// A filter that was made outside this crate, as what each item of a history gives to others:
/// the scores for a history `r` are `r G` for a sparse `G: items x items`.
///
/// [`FittedFilter::from_item_graph`](crate::FittedFilter::from_item_graph) takes the graph. Lists,
/// fold-in, explanations, model files, the tool and every backend then work as for the filters
/// that are here; only a refit needs the program that made the graph. The guide's chapter
/// `extending` has an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemGraph {
    /// What reports and model files call it.
    pub name: String,
}

settings!(ItemGraph {});

impl Settings for ItemGraph {
    const NAME: &'static str = "item-graph";

    fn published(_data: Preset) -> Self {
        Self {
            name: "none".into(),
        }
    }

    fn memory(&self, _interactions: &Interactions) -> usize {
        0
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let items = interactions.items();
        ItemGraphPolynomial::obtain(backend, items, vec![1.0], source, |_| {
            let expected = "a program that makes its graph, for FittedFilter::from_item_graph";
            Err(invalid("filter", expected, &self.name))
        })
    }
}
