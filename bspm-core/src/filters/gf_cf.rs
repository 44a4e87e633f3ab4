//! GF-CF (Shen et al., "How Powerful is Graph Convolution for Recommendation?", CIKM 2021,
//! arXiv 2108.07567), as the authors of BSPM compare with it.

use serde::{Deserialize, Serialize};

use super::bspm::config::BspmConfig;
use super::filter_settings::{Settings, Unused};
use super::preset::Preset;
use super::setting::{F32_MAX, MOST_FACTORS, MOST_OFFSET, Search, check_all, settings};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::tensors::Source;
use bspm_data::Interactions;
use bspm_data::Result;

/// GF-CF: blur and an ideal low-pass filter. This is BSPM without sharpening.
///
/// ```math
/// y = r P + \alpha \, r D_i^{-1/2} V V^T D_i^{1/2}
/// ```
///
/// `$y$` has the scores of the history `$r$`, `$P = R^T R$` is the normalised item graph of
/// `$R = D_u^{-1/2} A D_i^{-1/2}$`, and `$V$` has the `$K$` leading right singular vectors of `$R$`. The
/// setting `offset` adds `$\mu$` to all degrees. `$P$` is then scaled to a largest eigenvalue of 1.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - For accurate lists with a low latency: 0.6 ms per user on Gowalla, where a fit takes half the time of
///   [`BspmConfig`](crate::BspmConfig).
/// - Not if every second of the fit matters: `turbo-cf` and `rp3beta` need no singular vectors.
/// - Not for the best NDCG on the published splits: that of `bspm` is higher.
///
/// If `alpha` is 0, no singular vectors are computed. Amazon-book has this setting in the comparison of the
/// authors of BSPM.
///
/// # Settings
///
#[doc = include_str!("settings/gf-cf.md")]
///
/// # Cost
///
/// Fit: the truncated SVD of `$K$` vectors. A history: one product with `$P$` and one with `$V$`. Memory: 8
/// bytes per interaction (16 with weights), and 4 bytes per item and singular vector.
///
/// # Source
///
/// Shen et al., "How Powerful is Graph Convolution for Recommendation?", CIKM 2021, arXiv 2108.07567, as the
/// authors of BSPM compare with it.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::GfCf;
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = GfCf::for_shape(3, 4);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GfCf {
    /// The number of singular vectors; at least 1 unless `alpha` is 0.
    pub factor_dim: usize,
    /// The weight of the ideal low-pass filter; finite and not negative.
    pub alpha: f32,
    /// The offset that is added to all degrees; not negative.
    #[serde(default)]
    pub offset: f64,
}

impl GfCf {
    fn as_bspm(&self) -> Result<BspmConfig> {
        let builder = BspmConfig::builder().offset(self.offset);
        if self.alpha == 0.0 {
            return builder.build();
        }
        builder.ideal_low_pass(self.factor_dim, self.alpha).build()
    }
}

settings!(GfCf {
    factor_dim: usize ("K"): Count (0.0, MOST_FACTORS), Search::Factors, "Number of singular vectors of the ideal low-pass filter";
    alpha: f32 ("alpha"): Number (0.0, F32_MAX), Search::Log(0.03, 1.0), "Weight of the ideal low-pass filter; 0 disables it";
    offset: f64 ("mu"): Number (0.0, MOST_OFFSET), Search::Log(0.5, 50.0), "Offset that is added to all degrees";
});

impl Settings for GfCf {
    const NAME: &'static str = "gf-cf";

    fn published(data: Preset) -> Self {
        Self {
            factor_dim: 256,
            alpha: if data == Preset::AmazonBook { 0.0 } else { 0.3 },
            offset: 0.0,
        }
    }

    fn unused(&self) -> Vec<Unused> {
        match self.alpha == 0.0 {
            true => vec![Unused {
                names: &["factor_dim"],
                needs: "alpha above 0",
            }],
            false => Vec::new(),
        }
    }

    fn check(&self) -> Result<()> {
        check_all(Self::SETTINGS, self)?;
        self.as_bspm().map(drop)
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        self.as_bspm()?.fit(backend, interactions, source)
    }
}
