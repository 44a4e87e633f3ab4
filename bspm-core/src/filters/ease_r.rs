//! EASE-R (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019,
//! arXiv 1905.03375).

use serde::{Deserialize, Serialize};

use super::contract::Settings;
use super::preset::Preset;
use super::setting::{F32_MAX, MOST_ITEMS, Search, settings};
use crate::backend::{Backend, Checked};
use crate::engine::autoencoder::{bytes_of_fit, obtain};
use crate::engine::filter::Filter;
use crate::engine::regression::Regression;
use crate::engine::tensors::Source;
use bspm_data::Interactions;
use bspm_data::Result;

/// The linear autoencoder `r B` with the smallest reconstruction error of `A` in which no item predicts
/// itself: `B = I - Q diag(Q)^-1` for `Q = (A^T A + lambda I)^-1`.
///
/// `Q` is dense. Fitting takes `items^3` multiplications, and 8 bytes per pair of items at its peak,
/// while the matrix is copied to the device; a fitted filter and its file take 4 bytes per pair. If the
/// peak is above `memory_budget`, fitting returns an error with both numbers. The values of `lambda` in
/// the paper are for other data. The presets are 100, which reproduces the published results for
/// Gowalla, and 300, which reproduces those for Yelp2018 and is used for other data.
///
/// With `neighbours` above 0, each item is predicted only from that number of items: those with the
/// largest cosine in the regularised Gram matrix, with one ridge regression per item. `B` is then sparse,
/// and fitting takes the Gram matrix (at most 512 MiB, of the most similar pairs) and
/// `items * neighbours^3 / 3` multiplications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EaseR {
    /// `lambda`: the L2 regularisation; above 0.
    pub lambda: f64,
    /// The number of most similar items that each item is predicted from; 0 for all items.
    #[serde(default)]
    pub neighbours: usize,
    /// The memory limit of fitting in bytes.
    pub memory_budget: usize,
}

settings!(EaseR {
    lambda: f64 ("lambda"): Number (1e-6, F32_MAX), Search::Log(1.0, 3000.0), "L2 regularisation";
    neighbours: usize ("k"): Count (0.0, MOST_ITEMS), Search::Fixed, "Number of most similar items that each item is predicted from; 0 for all items";
    memory_budget: usize ("memory"): Count (0.0, f64::MAX), Search::Fixed, "Memory limit of fitting in bytes";
});

impl Settings for EaseR {
    const NAME: &'static str = "ease-r";

    fn published(data: Preset) -> Self {
        Self {
            lambda: if data == Preset::Gowalla {
                100.0
            } else {
                300.0
            },
            neighbours: 0,
            memory_budget: 16 << 30,
        }
    }

    fn memory(&self, interactions: &Interactions) -> usize {
        bytes_of_fit(interactions, self.neighbours)
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let regression = Regression {
            user_weights: vec![1.0; interactions.users()],
            ridge: vec![self.lambda; interactions.items()],
            item_power: 0.0,
            offset: 0.0,
            memory_budget: self.memory_budget,
        };
        obtain(backend, interactions, &regression, self.neighbours, source)
    }
}
