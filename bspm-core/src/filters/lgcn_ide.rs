//! LGCN-IDE (Shen et al., CIKM 2021, arXiv 2108.07567, section 4.1): LightGCN without
//! training, with infinitely many dimensions; as the authors of BSPM compare with it.

use serde::{Deserialize, Serialize};

use super::filter_settings::Settings;
use super::preset::Preset;
use super::setting::{MOST_OFFSET, MOST_STEPS, Search, settings};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::polynomial::Polynomial;
use crate::engine::spectral::Spectral;
use crate::engine::tensors::Source;
use crate::engine::walk::Normalization;
use bspm_data::Interactions;
use bspm_data::Result;

/// LGCN-IDE: the normalised history, propagated over the item graph. It is LightGCN without training, with
/// infinitely many dimensions.
///
/// ```math
/// y = r D_i^{-1/2} P^K
/// ```
///
/// `$y$` has the scores of the history `$r$`, and `$P = R^T R$` is the normalised item graph of
/// `$R = D_u^{-1/2} A D_i^{-1/2}$`. The setting `offset` adds `$\mu$` to all degrees. `$P$` is then scaled to
/// a largest eigenvalue of 1.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - If memory or the time of the fit is limited: there are no singular vectors and no item graph in memory.
/// - As a baseline for graph filters.
/// - Not for the most accurate lists: `gf-cf` and `bspm` are more accurate on the published splits.
///
/// # Settings
///
#[doc = include_str!("settings/lgcn-ide.md")]
///
/// # Cost
///
/// Fit: one pass over the interactions. A history: `$K$` products with `$P$`. Memory: 8 bytes per interaction
/// (16 with weights).
///
/// # Source
///
/// Shen et al., "How Powerful is Graph Convolution for Recommendation?", CIKM 2021, arXiv 2108.07567, section
/// 4.1, as the authors of BSPM compare with it.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::LgcnIde;
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = LgcnIde::for_shape(3, 4).layers(1);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LgcnIde {
    /// The number of layers, which is how often `P` is applied; at least 1.
    pub layers: usize,
    /// The offset that is added to all degrees; not negative.
    #[serde(default)]
    pub offset: f64,
}

settings!(LgcnIde {
    layers: usize ("K"): Count (1.0, MOST_STEPS), Search::Words(&["1", "2", "3"]), "Number of layers: how often P is applied";
    offset: f64 ("mu"): Number (0.0, MOST_OFFSET), Search::Log(0.5, 50.0), "Offset that is added to all degrees";
});

impl Settings for LgcnIde {
    const NAME: &'static str = "lgcn-ide";

    fn published(data: Preset) -> Self {
        Self {
            layers: if data == Preset::Gowalla { 2 } else { 1 },
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
            history: 1.0,
            ..Normalization::SYMMETRIC.with_offset(self.offset, interactions)
        };
        let mut powers = vec![0.0; self.layers + 1];
        powers[self.layers] = 1.0;
        let polynomial = Polynomial::of_powers(powers);
        Spectral::of_walk(backend, interactions, normalization, polynomial)
    }
}
