//! RP3beta (Paudel, Christoffel, Newell and Bernstein, "Updatable, Accurate, Diverse, and
//! Scalable Recommendations for Interactive Applications", TiiS 2017).

use serde::{Deserialize, Serialize};

use super::contract::Settings;
use super::preset::Preset;
use super::setting::{MOST_ITEMS, Search, settings};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::item_graph::{ItemGraphPolynomial, bytes_before_entries, of_neighbours};
use crate::engine::tensors::Source;
use crate::engine::walk::powers;
use bspm_data::Interactions;
use bspm_data::Result;

/// Random walks of three steps, from the user via an item of the history and another user to the scored
/// item `j`. Each transition probability is raised to `alpha`, and the result is divided by the
/// popularity of `j` to the power of `beta`: an item `i` of the history adds
/// `sum over common users of (1 / (d_i d_u))^alpha / d_j^beta` to the scores of the `neighbours` items
/// for which this is largest.
///
/// `alpha` and `beta` should be searched for each data set. No settings are published for these data
/// sets: the presets are the result of searches with 80 and 60 trials on held-out interactions of the
/// training sets of Gowalla and Yelp2018; other data sets use 0.7, 0.5 and 500 neighbours. Cost: the sum
/// over the users of the square of their degree.
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
