//! EASE-R (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019,
//! arXiv 1905.03375).

use serde::{Deserialize, Serialize};

use super::filter_settings::Settings;
use super::preset::Preset;
use super::setting::{F32_MAX, MOST_ITEMS, Search, settings};
use crate::backend::{Backend, Checked};
use crate::engine::autoencoder::{bytes_of_fit, obtain};
use crate::engine::filter::Filter;
use crate::engine::regression::Regression;
use crate::engine::tensors::Source;
use bspm_data::Interactions;
use bspm_data::Result;

/// EASE-R: the linear autoencoder with the smallest reconstruction error of `$A$` in which no item predicts
/// itself.
///
/// ```math
/// y = r B, \qquad B = I - Q \, \mathrm{diag}(Q)^{-1}, \qquad Q = (A^T A + \lambda I)^{-1}
/// ```
///
/// `$y$` has the scores of the history `$r$`, and `$\mathrm{diag}(Q)$` is the diagonal of `$Q$`. With
/// `neighbours` above 0, each item is predicted only from that number of items: those with the largest cosine
/// in the regularised Gram matrix, with one ridge regression per item. `$B$` is then sparse.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - With `neighbours` 0, for catalogues of a few thousand items.
/// - With `neighbours` above 0, for larger catalogues.
/// - Not with `neighbours` 0 for many items: time and memory grow with the cube and the square of their
///   number. On Gowalla (40,981 items), a fit takes 509 s on two cores of an AMD EPYC, and 12.9 GB.
///
/// The values of `$\lambda$` in the paper are for other data. The preset 100 reproduces the published results
/// for Gowalla. 300 reproduces those for Yelp2018 and is used for other data.
///
/// # Settings
///
#[doc = include_str!("settings/ease-r.md")]
///
/// # Cost
///
/// Fit: `items^3` multiplications, and 8 bytes per pair of items at the peak, while the Gram matrix is formed.
/// A backend that inverts with the default of `Backend` needs 28. A fitted filter and its file take 4 bytes per
/// pair. With `neighbours` above 0: the Gram matrix
/// (at most 512 MiB, of the most similar pairs) and `items * neighbours^3 / 3` multiplications. If the peak
/// is above `memory_budget`, fitting returns an error with both numbers.
///
/// # Source
///
/// Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, arXiv 1905.03375. The form with
/// `neighbours` is not part of the paper.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::EaseR;
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = EaseR::for_shape(3, 4).lambda(1.0);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
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
