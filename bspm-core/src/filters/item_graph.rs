//! A custom filter: an item graph that is made outside this crate.

use serde::{Deserialize, Serialize};

use super::filter_settings::Settings;
use super::preset::Preset;
use super::setting::{Setting, Table};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::item_graph::ItemGraphPolynomial;
use crate::engine::tensors::Source;
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::invalid;

/// A custom filter, defined by an item graph: the scores for a history `r` are `r G` for a sparse
/// `G: items x items`.
///
/// [`FittedFilter::from_item_graph`](crate::FittedFilter::from_item_graph) takes the graph. Lists,
/// fold-in, explanations, model files, the tool and all backends then work as for the other filters. Only
/// a refit needs the program that made the graph. The guide's chapter `extending` has an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemGraph {
    /// The name of the filter in reports and model files.
    pub name: String,
}

impl Table for ItemGraph {
    fn table() -> &'static [Setting<Self>] {
        &[]
    }
}

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
            let expected =
                "a filter that bspm can fit (a custom filter needs FittedFilter::from_item_graph)";
            Err(invalid("filter", expected, &self.name))
        })
    }
}
