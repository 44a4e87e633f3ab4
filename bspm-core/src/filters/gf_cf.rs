//! GF-CF (Shen et al., "How Powerful is Graph Convolution for Recommendation?", CIKM 2021,
//! arXiv 2108.07567), as the authors of BSPM compare with it.

use serde::{Deserialize, Serialize};

use super::bspm::config::BspmConfig;
use super::contract::Settings;
use super::preset::Preset;
use super::setting::{F32_MAX, MOST_FACTORS, MOST_OFFSET, Search, check_all, settings};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::tensors::Source;
use crate::engine::walk::bytes_of_walk;
use bspm_data::Interactions;
use bspm_data::Result;

/// `r P + alpha * r D_i^-1/2 V V^T D_i^1/2`: blur, and an ideal low-pass filter.
///
/// This is BSPM without sharpening, with `beta = alpha`. Published: 256 factors and `alpha` 0.3; on
/// Amazon-book `alpha` 0, for which no singular vectors are computed.
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

    fn check(&self) -> Result<()> {
        check_all(Self::SETTINGS, self)?;
        self.as_bspm().map(drop)
    }

    fn memory(&self, interactions: &Interactions) -> usize {
        bytes_of_walk(interactions)
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
