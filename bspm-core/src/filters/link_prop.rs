//! LinkProp (Fu et al., "Revisiting Neighborhood-based Link Prediction for Collaborative
//! Filtering", WWW 2022, arXiv 2203.15789), without the iterated degrees of LinkProp-Multi.

use serde::{Deserialize, Serialize};

use super::filter_settings::Settings;
use super::preset::Preset;
use super::setting::{MOST_OFFSET, Search, settings};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::polynomial::Polynomial;
use crate::engine::spectral::Spectral;
use crate::engine::tensors::Source;
use crate::engine::walk::Normalization;
use bspm_data::Interactions;
use bspm_data::Result;

/// LinkProp: the number of paths from the user to an item via an item of the history and another user, with
/// each path divided by powers of the degrees of its nodes (the linkage score).
///
/// ```math
/// y = r D_i^{-\beta} A^T D_u^{-\gamma} A D_i^{-\delta}
/// ```
///
/// `$y$` has the scores of the history `$r$`. The setting `offset` adds `$\mu$` to all degrees. The exponent
/// `$\alpha$` of the user's own degree in the paper is a constant factor that does not change the list, so it
/// is not a setting. The iterated degrees of LinkProp-Multi are not implemented.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - If memory or the time of the fit is limited: there are no singular vectors and no item graph in memory.
/// - If the exponents are searched for the data: the paper searches them on validation data. The default is
///   linear link prediction with all exponents 0.5.
/// - Not with default settings for the most accurate lists.
///
/// # Settings
///
#[doc = include_str!("settings/link-prop.md")]
///
/// # Cost
///
/// Fit: one pass over the interactions. A history: one product with `$A^T$` and one with `$A$`. Memory: 8
/// bytes per interaction (16 with weights).
///
/// # Source
///
/// Fu et al., "Revisiting Neighborhood-based Link Prediction for Collaborative Filtering", WWW 2022, arXiv
/// 2203.15789.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::LinkProp;
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = LinkProp::for_shape(3, 4).delta(0.4);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LinkProp {
    /// The exponent of the degree of the item in the history.
    pub beta: f64,
    /// The exponent of the degree of the intermediate user.
    pub gamma: f64,
    /// The exponent of the degree of the scored item.
    pub delta: f64,
    /// The offset that is added to all degrees; not negative.
    #[serde(default)]
    pub offset: f64,
}

settings!(LinkProp {
    beta: f64 ("beta"): Number (-4.0, 4.0), Search::Linear(0.0, 1.0), "Exponent of the degree of the item in the history";
    gamma: f64 ("gamma"): Number (-4.0, 4.0), Search::Linear(0.2, 1.2), "Exponent of the degree of the intermediate user";
    delta: f64 ("delta"): Number (-4.0, 4.0), Search::Linear(0.0, 1.0), "Exponent of the degree of the scored item";
    offset: f64 ("mu"): Number (0.0, MOST_OFFSET), Search::Log(0.5, 50.0), "Offset that is added to all degrees";
});

impl Settings for LinkProp {
    const NAME: &'static str = "link-prop";

    fn published(_data: Preset) -> Self {
        Self {
            beta: 0.5,
            gamma: 0.5,
            delta: 0.5,
            offset: 0.0,
        }
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        _source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let normalization = Normalization {
            users: self.gamma,
            items: self.delta,
            history: self.beta,
            output: 0.0,
            offset: self.offset,
            ..Normalization::SYMMETRIC
        };
        let walk = Polynomial::of_powers(vec![0.0, 1.0]);
        Spectral::of_walk(backend, interactions, normalization, walk)
    }
}
