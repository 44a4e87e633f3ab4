//! Item-based nearest neighbours (Deshpande and Karypis, "Item-based top-N recommendation
//! algorithms", TOIS 2004).

use serde::{Deserialize, Serialize};

use super::contract::Settings;
use super::preset::Preset;
use crate::backend::{Backend, Checked};
use crate::data::interactions::Interactions;
use crate::engine::filter::Filter;
use crate::engine::item_graph::{ItemGraphPolynomial, Limits, of_common_users};
use crate::engine::tensors::Source;
use crate::error::Result;
use crate::parameter::{check_positive, check_range};

/// Each item of the history gives its cosine to the `neighbours` items most similar to it.
///
/// `cos(i, j) = common users / (sqrt(d_i d_j) + shrinkage)`; equal ones rank the lower item
/// first. No settings are published for these data sets; 100 neighbours without shrinkage
/// stand in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemKnn {
    /// How many neighbours an item has; at least 1.
    pub neighbours: usize,
    /// How much the cosine of rare items is damped; not negative.
    pub shrinkage: f64,
}

impl Settings for ItemKnn {
    const NAME: &'static str = "item-knn";

    fn published(_data: Preset) -> Self {
        Self {
            neighbours: 100,
            shrinkage: 0.0,
        }
    }

    fn check(&self) -> Result<()> {
        check_positive("neighbours", self.neighbours)?;
        check_range("shrinkage", self.shrinkage, 0.0..=f64::MAX)
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let roots: Vec<f64> = interactions
            .item_degrees()
            .iter()
            .map(|&degree| f64::from(degree).sqrt())
            .collect();
        let items = interactions.items();
        ItemGraphPolynomial::obtain(backend, items, vec![1.0], source, |options| {
            let limits = Limits {
                budget: usize::MAX,
                row: Some(self.neighbours),
            };
            of_common_users(
                backend,
                interactions,
                &vec![1.0; interactions.users()],
                limits,
                options,
                |item, row| {
                    row.retain(|entry| entry.0 as usize != item);
                    for (other, value) in &mut *row {
                        let root = roots[item] * roots[*other as usize];
                        *value = (f64::from(*value) / (root + self.shrinkage)) as f32;
                    }
                    if row.len() > self.neighbours {
                        row.sort_by(|left, right| right.1.total_cmp(&left.1));
                        row.truncate(self.neighbours);
                        row.sort_unstable_by_key(|entry| entry.0);
                    }
                },
            )
        })
    }
}
