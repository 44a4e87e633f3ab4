//! Item-based nearest neighbours (Deshpande and Karypis, "Item-based top-N recommendation
//! algorithms", TOIS 2004).

use serde::{Deserialize, Serialize};

use super::filter_settings::{Settings, Unused};
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

/// Item-based nearest neighbours: each item of the history adds its similarity to the scores of its
/// `neighbours` most similar items.
///
/// ```math
/// y_j = \sum_{i : \, j \in N_k(i)} r_i \, w_{ij}
/// ```
///
/// `$y$` has the scores of the history `$r$`, and `$N_k(i)$` has the `$k$` items with the largest similarity
/// `$w_{ij}$` to the item `$i$`. Of equally similar items, the lower one ranks first. Let `$c_{ij}$` be the
/// sum of the weights of the users that two items share. The similarity is the cosine or Tversky's index:
///
/// ```math
/// w_{ij} = \frac{c_{ij}}{\sqrt{c_{ii} c_{jj}} + h}, \qquad
/// w_{ij} = \frac{c_{ij}}{c_{ij} + \alpha (c_{ii} - c_{ij}) + \beta (c_{jj} - c_{ij}) + h}
/// ```
///
/// Tversky's index is Jaccard's index for `alpha` and `beta` 1, and Dice's index for 0.5. The weight of a
/// user is 1, or the weight of a term in documents: the square of `ln(items / n)` (`tf-idf`), or of BM25's
/// `ln(1 + (items - n + 0.5) / (n + 0.5))`, whose other factors are the same for all users of an item and do not
/// change its cosines; `n` is the number of items of the user.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - As a baseline, and for lists in 0.02 ms (Gowalla).
/// - Not for the most accurate lists on the published splits: [`Rp3Beta`](super::Rp3Beta) has the same cost
///   and is more accurate there.
///
/// No settings are published for these data sets; the preset is 100 neighbours by cosine.
///
/// # Settings
///
#[doc = include_str!("settings/item-knn.md")]
///
/// # Cost
///
/// Fit: twice the sum over the users of the square of their degree. A history: the neighbours of its items.
/// Memory: 8 bytes per entry of the table, of which there are at most `neighbours` per item.
///
/// # Source
///
/// Deshpande and Karypis, "Item-based top-N recommendation algorithms", TOIS 2004.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::ItemKnn;
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = ItemKnn::for_shape(3, 4).neighbours(10);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ItemKnn {
    /// The number of neighbours per item; at least 1.
    pub neighbours: usize,
    /// The shrinkage, which reduces the similarity of rare items; not negative.
    pub shrinkage: f64,
    /// The similarity of two items.
    #[serde(default)]
    pub similarity: Similarity,
    /// The weight in Tversky's index of the users who have only the item of the history.
    #[serde(default = "one")]
    pub alpha: f64,
    /// The weight in Tversky's index of the users who have only the other item.
    #[serde(default = "one")]
    pub beta: f64,
    /// The weighting of the users.
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
    /// The similarity of two items.
    Similarity("similarity") {
        /// The cosine of the columns of the items.
        Cosine = "cosine",
        /// Tversky's index of the users of the items.
        Tversky = "tversky",
    }
}

words! {
    /// The weight of a user that two items share.
    UserWeighting("weighting") {
        /// All users have weight 1.
        None = "none",
        /// The TF-IDF weight of a term in documents.
        TfIdf = "tf-idf",
        /// The BM25 weight of a term in documents.
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
        // Users with weight 0 are ignored.
        match whole + self.shrinkage {
            0.0 => 0.0,
            whole => common / whole,
        }
    }
}

settings!(ItemKnn {
    neighbours: usize ("k"): Count (1.0, MOST_ITEMS), Search::Log(10.0, 800.0), "Number of neighbours per item";
    shrinkage: f64 ("h"): Number (0.0, F64_MAX), Search::Log(0.1, 200.0), "Shrinkage: how strongly the similarity of rare items is reduced";
    similarity: Similarity ("similarity"): Word ANY, Search::Words(Similarity::NAMES), "Similarity of two items: cosine or tversky";
    alpha: f64 ("alpha"): Number (0.0, F32_MAX), Search::Log(0.05, 2.0), "Weight in Tversky's index of the users who have only the item of the history";
    beta: f64 ("beta"): Number (0.0, F32_MAX), Search::Log(0.05, 2.0), "Weight in Tversky's index of the users who have only the other item";
    weighting: UserWeighting ("weighting"): Word ANY, Search::Words(UserWeighting::NAMES), "Weighting of the users: none, tf-idf or bm25";
});

impl Settings for ItemKnn {
    const NAME: &'static str = "item-knn";

    fn published(_data: Preset) -> Self {
        Self::default()
    }

    fn unused(&self) -> Vec<Unused> {
        match self.similarity {
            Similarity::Cosine => vec![Unused {
                names: &["alpha", "beta"],
                needs: "similarity = tversky",
            }],
            Similarity::Tversky => Vec::new(),
        }
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
