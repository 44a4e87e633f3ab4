//! ChebyCF (Kim et al., "Graph Spectral Filtering with Chebyshev Interpolation for
//! Recommendation", SIGIR 2025, arXiv 2505.00552).

use serde::{Deserialize, Serialize};

use super::filter_settings::{Settings, Unused};
use super::preset::Preset;
use super::setting::{F32_MAX, MOST_FACTORS, MOST_OFFSET, MOST_STEPS, Search, check_all, settings};
use crate::backend::{Backend, Checked};
use crate::engine::basis::Basis;
use crate::engine::chebyshev::interpolate;
use crate::engine::filter::Filter;
use crate::engine::low_pass::LowPass;
use crate::engine::polynomial::Polynomial;
use crate::engine::spectral::Spectral;
use crate::engine::tensors::Source;
use crate::engine::walk::{Normalization, NormalizedGraph, offset_powers};
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::check_positive;

/// ChebyCF: Chebyshev interpolation of a plateau over the spectrum of the item graph, and an ideal low-pass
/// filter.
///
/// ```math
/// y = \left( x \, h(L) + \alpha \, x V V^T \right) D_i^{\beta}, \qquad x = r D_i^{-\beta}, \qquad L = I - 2P
/// ```
///
/// `$y$` has the scores of the history `$r$`, `$P = R^T R$` is the normalised item graph of
/// `$R = D_u^{-1/2} A D_i^{-1/2}$`, and `$V$` has the `$\eta$` leading right singular vectors of `$R$`. `$h$`
/// is the polynomial of degree `$K$` whose values at the roots `$\cos(\pi (k + 1/2) / (K + 1))$` of the Chebyshev
/// polynomial of degree `$K + 1$` are those of the plateau `$1/2 - \operatorname{sgn}(x) |x|^\phi / 2$` of flatness
/// `$\phi$` at the extrema `$x = \cos(\pi k / K)$`, for `$k = 0, \ldots, K$`. The setting `offset` adds `$\mu$` to
/// all degrees. `$P$` is then scaled to a largest eigenvalue of 1.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - For the most accurate lists, computed in batches: it has the highest NDCG of the single filters on
///   Gowalla. On Yelp2018, that of `bspm` is higher.
/// - Not for requests that need a list in less than a few milliseconds: each history takes `$K$` products
///   with the graph. A neighbour table ([`Neighbours`](super::Neighbours)) or `gf-cf` is faster.
///
/// No settings are published for Yelp2018; the preset uses those of Gowalla.
///
/// # Settings
///
#[doc = include_str!("settings/cheby-cf.md")]
///
/// # Cost
///
/// Fit: the truncated SVD of `$\eta$` vectors. A history: `$K$` products with `$P$` and one with `$V$`.
/// Memory: 8 bytes per interaction (16 with weights), and 8 bytes per item and singular vector.
///
/// # Source
///
/// Kim et al., "Graph Spectral Filtering with Chebyshev Interpolation for Recommendation", SIGIR 2025, arXiv
/// 2505.00552. As in the authors' code, the plateau is evaluated at the extrema instead of the roots, and both the
/// extrema and the values are rounded to three decimals.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::ChebyCf;
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = ChebyCf::for_shape(3, 4);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ChebyCf {
    /// `K`: the degree of the polynomial; at least 1.
    pub order: usize,
    /// `phi`: the flatness of the plateau; above 0.
    pub flatness: f64,
    /// `eta`: the number of singular vectors of the ideal low-pass filter.
    pub factor_dim: usize,
    /// The weight of the ideal low-pass filter; 0 disables it.
    pub alpha: f64,
    /// The exponent of the item degrees that a history is divided by.
    pub beta: f64,
    /// The offset that is added to all degrees; not negative.
    #[serde(default)]
    pub offset: f64,
}

impl ChebyCf {
    /// Returns the coefficients of `h`.
    ///
    /// As in the authors' code, the plateau is sampled at the extrema of the Chebyshev polynomials and
    /// rounded to three decimals, and these samples are used as its values at the nodes.
    fn coefficients(&self) -> Vec<f64> {
        let rounded = |value: f64| (value * 1e3).round() / 1e3;
        let plateau = |place: usize| {
            let x = rounded((place as f64 / self.order as f64 * std::f64::consts::PI).cos());
            let drop = 0.5 * x.abs().powf(self.flatness);
            rounded(if x < 0.0 { 0.5 + drop } else { 0.5 - drop })
        };
        interpolate(&(0..=self.order).map(plateau).collect::<Vec<_>>())
    }
}

settings!(ChebyCf {
    order: usize ("K"): Count (1.0, MOST_STEPS), Search::Fixed, "Degree of the polynomial";
    flatness: f64 ("phi"): Number (f64::MIN_POSITIVE, f64::MAX), Search::Log(0.5, 12.0), "Flatness of the plateau";
    factor_dim: usize ("eta"): Count (0.0, MOST_FACTORS), Search::Factors, "Number of singular vectors of the ideal low-pass filter";
    alpha: f64 ("alpha"): Number (0.0, F32_MAX), Search::Log(0.03, 1.0), "Weight of the ideal low-pass filter; 0 disables it";
    beta: f64 ("beta"): Number (-4.0, 4.0), Search::Linear(0.0, 0.5), "Exponent of the item degrees that a history is divided by";
    offset: f64 ("mu"): Number (0.0, MOST_OFFSET), Search::Log(0.5, 50.0), "Offset that is added to all degrees";
});

impl Settings for ChebyCf {
    const NAME: &'static str = "cheby-cf";

    fn published(data: Preset) -> Self {
        let (flatness, beta) = match data {
            Preset::AmazonBook => (10.0, 0.0),
            _ => (1.5, 0.4),
        };
        Self {
            order: 8,
            flatness,
            factor_dim: 512,
            alpha: 0.2,
            beta,
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
        if self.alpha > 0.0 {
            check_positive("factor_dim", self.factor_dim)?;
        }
        Ok(())
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let normalization = Normalization {
            history: self.beta + 0.5,
            output: self.beta + 0.5,
            ..Normalization::SYMMETRIC.with_offset(self.offset, interactions)
        };
        let graph = {
            let backend = backend.unchecked();
            NormalizedGraph::with_normalization(backend, interactions, normalization)?
        };
        let low_pass = if self.alpha > 0.0 {
            let basis = Basis::obtain(backend, &graph, self.factor_dim, source)?;
            // `x`, and from `x V V^T` to the coordinates of the walk.
            let degrees = interactions.item_sums();
            let power = |power| offset_powers(&degrees, power, self.offset);
            let (enter, leave) = (power(-self.beta), power(-0.5));
            let low_pass = LowPass::new(basis).times(self.alpha);
            Some(low_pass.weighted(backend, enter, &backend.upload_column(&leave)?)?)
        } else {
            None
        };
        let polynomial = Polynomial::of_series(self.coefficients());
        Ok(Box::new(Spectral::new(graph, polynomial, low_pass)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_plateaus_need_one_matrix() {
        for data in Preset::ALL {
            let polynomial = Polynomial::of_series(ChebyCf::published(data).coefficients());
            assert!(!polynomial.needs_stage(), "{data}");
        }
    }
}
