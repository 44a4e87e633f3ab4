//! RP3beta (Paudel, Christoffel, Newell and Bernstein, "Updatable, Accurate, Diverse, and
//! Scalable Recommendations for Interactive Applications", TiiS 2017).

use serde::{Deserialize, Serialize};

use super::filter_settings::Settings;
use super::preset::Preset;
use super::setting::{MOST_ITEMS, Search, settings};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::item_graph::{ItemGraphPolynomial, bytes_before_entries, of_neighbours};
use crate::engine::tensors::Source;
use crate::engine::walk::powers;
use bspm_data::Interactions;
use bspm_data::Result;

/// RP3beta: random walks of three steps, from the user via an item of the history and another user to the
/// scored item, with a penalty for popular items.
///
/// ```math
/// y_j = \sum_{i : \, j \in N_k(i)} r_i \, w_{ij}, \qquad
/// w_{ij} = d_j^{-\beta} \sum_{u} A_{ui} A_{uj} \, (d_i d_u)^{-\alpha}
/// ```
///
/// `$y$` has the scores of the history `$r$`, and `$N_k(i)$` has the `$k$` items with the largest weight
/// `$w_{ij}$`. The degrees `$d$` are sums of weights. Without weights, each transition probability
/// `$A_{ui} / d_u$` is raised to `$\alpha$`; with weights, only its denominator is. The result is divided by
/// the popularity of `$j$` to the power of `$\beta$`.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - For a fit in about a second and lists in 0.03 ms (Gowalla).
/// - If `alpha` and `beta` are searched for the data: the settings 0.7, 0.5 and 500 neighbours gave an
///   NDCG@20 of 0.1264 on Gowalla, and those of a search 0.1482.
/// - Not for the most accurate lists of the published splits.
///
/// No settings are published for these data sets. The presets are the result of searches with 80 and 60
/// trials on held-out interactions of the training sets of Gowalla and Yelp2018. Other data sets use 0.7, 0.5
/// and 500 neighbours.
///
/// # Settings
///
#[doc = include_str!("settings/rp3beta.md")]
///
/// # Cost
///
/// Fit: twice the sum over the users of the square of their degree. A history: the neighbours of its items.
/// Memory: 8 bytes per entry of the table, of which there are at most `neighbours` per item.
///
/// # Source
///
/// Paudel, Christoffel, Newell and Bernstein, "Updatable, Accurate, Diverse, and Scalable Recommendations for
/// Interactive Applications", TiiS 2017.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::Rp3Beta;
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = Rp3Beta::for_shape(3, 4).neighbours(10);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rp3Beta {
    /// The exponent of each transition.
    pub alpha: f64,
    /// The exponent of the popularity of the scored item.
    pub beta: f64,
    /// The number of neighbours per item; at least 1.
    pub neighbours: usize,
}

settings!(Rp3Beta {
    alpha: f64 ("alpha"): Number (-4.0, 4.0), Search::Linear(0.3, 1.3), "Exponent of each transition";
    beta: f64 ("beta"): Number (-4.0, 4.0), Search::Linear(0.0, 1.0), "Exponent of the popularity of the scored item";
    neighbours: usize ("k"): Count (1.0, MOST_ITEMS), Search::Log(20.0, 1000.0), "Number of neighbours per item";
});

impl Settings for Rp3Beta {
    const NAME: &'static str = "rp3beta";

    fn published(data: Preset) -> Self {
        let (alpha, beta, neighbours) = match data {
            Preset::Gowalla => (0.615, 0.258, 108),
            Preset::Yelp2018 => (0.652, 0.44, 962),
            Preset::AmazonBook => (0.7, 0.5, 500),
        };
        Self {
            alpha,
            beta,
            neighbours,
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
            let degrees = interactions.item_sums();
            let (from, to) = (powers(&degrees, -self.alpha), powers(&degrees, -self.beta));
            let users = powers(&interactions.user_sums(), -self.alpha);
            let weight = |item: usize, other: usize, common: f32| common * (from[item] * to[other]);
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
