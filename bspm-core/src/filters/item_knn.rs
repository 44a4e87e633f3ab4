//! Item-based nearest neighbours (Deshpande and Karypis, "Item-based top-N recommendation
//! algorithms", TOIS 2004).

use serde::{Deserialize, Serialize};

use super::contract::Settings;
use super::preset::Preset;
use super::setting::{ANY, F32_MAX, F64_MAX, MOST_ITEMS, Search, settings, words};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::item_graph::{
    ItemGraphPolynomial, bytes_before_entries, of_neighbours, sums_of_squares,
};
use crate::engine::tensors::Source;
use bspm_data::Interactions;
use bspm_data::Result;

/// Each item of the history gives its similarity to the `neighbours` items most similar to it.
///
/// With `c_ij` the weights of the users that two items share: cosine is
/// `c_ij / (sqrt(c_ii c_jj) + shrinkage)`, and Tversky's index
/// `c_ij / (c_ij + alpha (c_ii - c_ij) + beta (c_jj - c_ij) + shrinkage)`, of which `alpha` and
/// `beta` 1 are Jaccard's index and 0.5 Dice's. A user weighs `1`, or as terms do in documents:
/// the square of `ln(items / degree)` (`tf-idf`), or of BM25's
/// `ln(1 + (items - degree + 0.5) / (degree + 0.5))`, whose other factors are the same for all
/// users of an item and leave its cosines as they are. Equal ones rank the lower item first. No settings are published for these data sets; 100
/// neighbours by cosine stand in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ItemKnn {
    /// How many neighbours an item has; at least 1.
    pub neighbours: usize,
    /// How much the similarity of rare items is damped; not negative.
    pub shrinkage: f64,
    /// How similar two items are.
    #[serde(default)]
    pub similarity: Similarity,
    /// Tversky's weight of the users that only the item of the history has.
    #[serde(default = "one")]
    pub alpha: f64,
    /// Tversky's weight of the users that only the other item has.
    #[serde(default = "one")]
    pub beta: f64,
    /// What a user weighs.
    #[serde(default)]
    pub weighting: UserWeighting,
}

fn one() -> f64 {
    1.0
}

impl Default for ItemKnn {
    fn default() -> Self {
        Self {
            neighbours: 100,
            shrinkage: 0.0,
            similarity: Similarity::Cosine,
            alpha: 1.0,
            beta: 1.0,
            weighting: UserWeighting::None,
        }
    }
}

words! {
    /// How similar two items are.
    Similarity("similarity") {
        /// The cosine of their columns.
        Cosine = "cosine",
        /// Tversky's index of their users.
        Tversky = "tversky",
    }
}

words! {
    /// What a user weighs among those that two items share.
    UserWeighting("weighting") {
        /// 1.
        None = "none",
        /// As a term in documents does.
        TfIdf = "tf-idf",
        /// As a term does in BM25.
        Bm25 = "bm25",
    }
}

impl UserWeighting {
    fn of_degree(self, degree: u32, items: usize) -> f32 {
        let (degree, items) = (f64::from(degree.max(1)), items as f64);
        let weight = match self {
            Self::None => return 1.0,
            Self::TfIdf => (items / degree).ln(),
            Self::Bm25 => (1.0 + (items - degree + 0.5) / (degree + 0.5)).ln(),
        };
        weight.powi(2) as f32
    }
}

impl ItemKnn {
    fn between(&self, common: f64, own: f64, other: f64) -> f64 {
        let whole = match self.similarity {
            Similarity::Cosine => (own * other).sqrt(),
            Similarity::Tversky => {
                common + self.alpha * (own - common) + self.beta * (other - common)
            }
        };
        // Users that weigh nothing say nothing of their items.
        match whole + self.shrinkage {
            0.0 => 0.0,
            whole => common / whole,
        }
    }
}

settings!(ItemKnn {
    neighbours: usize ("k"): Count (1.0, MOST_ITEMS), Search::Log(10.0, 800.0), "How many neighbours an item has";
    shrinkage: f64 ("h"): Number (0.0, F64_MAX), Search::Log(0.1, 200.0), "How much the similarity of rare items is damped";
    similarity: Similarity ("similarity"): Word ANY, Search::Words(&["cosine", "tversky"]), "How similar two items are: cosine or tversky";
    alpha: f64 ("alpha"): Number (0.0, F32_MAX), Search::Log(0.05, 2.0), "Tversky's weight of the users that only the item of the history has";
    beta: f64 ("beta"): Number (0.0, F32_MAX), Search::Log(0.05, 2.0), "Tversky's weight of the users that only the other item has";
    weighting: UserWeighting ("weighting"): Word ANY, Search::Words(&["none", "tf-idf", "bm25"]), "What a user weighs: none, tf-idf or bm25";
});

impl Settings for ItemKnn {
    const NAME: &'static str = "item-knn";

    fn published(_data: Preset) -> Self {
        Self::default()
    }

    fn memory(&self, interactions: &Interactions) -> usize {
        bytes_before_entries(interactions)
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let items = interactions.items();
        ItemGraphPolynomial::obtain(backend, items, vec![1.0], source, |options| {
            let degrees = interactions.user_degrees().into_iter();
            let users: Vec<f32> = degrees
                .map(|degree| self.weighting.of_degree(degree, items))
                .collect();
            let own = sums_of_squares(interactions, &users);
            let weight = |item: usize, other: usize, common: f32| {
                self.between(f64::from(common), own[item], own[other]) as f32
            };
            of_neighbours(
                backend,
                interactions,
                &users,
                self.neighbours,
                options,
                weight,
            )
        })
    }
}
