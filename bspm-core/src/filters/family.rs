//! The spectral family: a general form that contains GF-CF, the exponents of ChebyCF, LinkProp and
//! SGFCF (Peng et al., "How Powerful is Graph Filtering for Recommendation", KDD 2024,
//! arXiv 2406.08827).

use serde::{Deserialize, Serialize};

use super::filter_settings::{Settings, Unused};
use super::preset::Preset;
use super::setting::{ANY, MOST_FACTORS, MOST_OFFSET, Search, check_all, settings, words};
use crate::backend::{Backend, Checked, Scores};
use crate::engine::basis::Basis;
use crate::engine::filter::Filter;
use crate::engine::low_pass::LowPass;
use crate::engine::mean_norm::{Length, mean_norm};
use crate::engine::polynomial::Polynomial;
use crate::engine::spectral::Spectral;
use crate::engine::tensors::{Source, Tensor, Tensors};
use crate::engine::walk::{Normalization, NormalizedGraph, offset_powers};
use crate::engine::workspace::{TileHistories, Workspace};
use bspm_data::Interactions;
use bspm_data::Result;
use bspm_data::parameter::check_positive;

/// The spectral family: a general form that contains GF-CF, the exponents of ChebyCF, LinkProp and SGFCF.
///
/// ```math
/// y = (1 - w) \, r D_i^{-a} h(P) D_i^{b} + w \, r D_i^{-c} V g(S) V^T D_i^{d}
/// ```
///
/// ```math
/// P = R^T R, \qquad R = (D_u + \mu I)^{-\epsilon_u} A (D_i + \mu I)^{-\epsilon_i}, \qquad
/// h(p) = p \, (1 + \kappa (1 - p))
/// ```
///
/// `$y$` has the scores of the history `$r$`, and `$V$` and `$S$` have the `$K$` leading right singular
/// vectors and singular values of `$R$`. `$w$` is `share`, `$a$` is `history`, `$b$` is `output`, `$c$` is
/// `low_pass_history`, `$d$` is `low_pass_output`, `$\kappa$` is `curvature`, and `$g$` is a
/// [`FrequencyResponse`]. The offset `$\mu$` is added to all degrees. `$P$` is scaled to a largest eigenvalue
/// of 1, and both parts to a mean row norm of 1, so that `share` has the same meaning on all data.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - For a search of settings on new data: `bspm fit` without flags starts from settings of this filter among
///   others.
/// - For accurate lists with a low latency: 0.8 ms per user on Gowalla.
/// - Not to reproduce a published result: the general form is not published, only its members.
///
/// The preset is the ideal low-pass filter of BSPM with a blur with the exponents 0.3, as a start for a
/// search.
///
/// # Settings
///
#[doc = include_str!("settings/family.md")]
///
/// # Cost
///
/// Fit: the truncated SVD of `$K$` vectors, and the scores of 256 users for each part. A history: one product
/// with `$P$`, two with a `curvature` other than 0, and one with `$V$`. Memory: 8 bytes per interaction (16
/// with weights), and 8 bytes per item and singular vector.
///
/// # Source
///
/// Not published in this form. `offset`, the exponents and the `power` response come from SGFCF (Peng et al.,
/// KDD 2024, arXiv 2406.08827), without its individual filters and its sigmoid, and with one scale for all
/// users instead of row sums. The exponents of histories and scores come from ChebyCF (arXiv 2505.00552) and
/// LinkProp (arXiv 2203.15789).
///
/// # Examples
///
/// ```
/// use bspm_core::filters::Family;
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = Family::for_shape(3, 4);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Family {
    /// The exponent of the user degrees in `R`.
    pub users: f64,
    /// The exponent of the item degrees in `R`.
    pub items: f64,
    /// `mu`: the offset that is added to all degrees; not negative.
    pub offset: f64,
    /// The exponent of the item degrees that a history is divided by, in the polynomial part.
    pub history: f64,
    /// The exponent of the item degrees that scores are multiplied by, in the polynomial part.
    pub output: f64,
    /// The factor of `P - P^2`, which is added to `P`.
    pub curvature: f64,
    /// The number of singular vectors; at least 1 unless `share` is 0.
    pub factor_dim: usize,
    /// The share of the low-pass part in the score, from 0 to 1.
    pub share: f64,
    /// The exponent of the item degrees that a history is divided by, before `V`.
    pub low_pass_history: f64,
    /// The exponent of the item degrees that scores are multiplied by, after `V`.
    pub low_pass_output: f64,
    /// `g`: the frequency response of the singular vectors.
    pub response: FrequencyResponse,
    /// The exponent of `power` and `plateau`; above 0.
    pub power: f64,
}

words! {
    /// The factor of each singular vector, for its singular value `s` relative to the largest one.
    FrequencyResponse("response") {
        /// 1.
        Ideal = "ideal",
        /// `s^power`.
        Power = "power",
        /// `1 - (1 - s)^power`.
        Plateau = "plateau",
    }
}

/// Singular values below this share of the largest one are not inverted, because they are dominated by
/// rounding errors.
const LEAST_INVERTED: f64 = 1e-3;

impl FrequencyResponse {
    pub(crate) fn at(self, share: f64, power: f64) -> f64 {
        match self {
            Self::Ideal => 1.0,
            Self::Power if power < 0.0 && share < LEAST_INVERTED => 0.0,
            Self::Power => share.powf(power),
            Self::Plateau => 1.0 - (1.0 - share).max(0.0).powf(power),
        }
    }
}

settings!(Family {
    users: f64 ("epsilon_u"): Number (-2.0, 2.0), Search::Fixed, "Exponent of the user degrees in R";
    items: f64 ("epsilon_i"): Number (-2.0, 2.0), Search::Fixed, "Exponent of the item degrees in R";
    offset: f64 ("mu"): Number (0.0, MOST_OFFSET), Search::Fixed, "Offset that is added to all degrees";
    history: f64 ("history"): Number (-4.0, 4.0), Search::Linear(0.0, 0.5), "Exponent of the item degrees that a history is divided by";
    output: f64 ("output"): Number (-4.0, 4.0), Search::Linear(0.0, 0.5), "Exponent of the item degrees that scores are multiplied by";
    curvature: f64 ("curvature"): Number (-4.0, 4.0), Search::Linear(-0.5, 1.0), "Factor of P - P^2, which is added to P";
    factor_dim: usize ("K"): Count (0.0, MOST_FACTORS), Search::Factors, "Number of singular vectors";
    share: f64 ("share"): Number (0.0, 1.0), Search::Linear(0.05, 0.8), "Share of the low-pass part in the score, from 0 to 1";
    low_pass_history: f64 ("low-pass history"): Number (-4.0, 4.0), Search::Linear(0.1, 0.6), "Exponent of the item degrees that a history is divided by, before the singular vectors";
    low_pass_output: f64 ("low-pass output"): Number (-4.0, 4.0), Search::Linear(0.1, 0.6), "Exponent of the item degrees that scores are multiplied by, after the singular vectors";
    response: FrequencyResponse ("g"): Word ANY, Search::Words(FrequencyResponse::NAMES), "Frequency response of the singular vectors: ideal, power or plateau";
    power: f64 ("beta"): Number (1e-3, 64.0), Search::Log(0.25, 4.0), "Exponent of the response";
});

const NORMS: &str = "family.norms";

#[derive(Debug)]
struct FittedFamily<B: Backend> {
    spectral: Spectral<B>,
    /// The norms of the polynomial part and of the low-pass part.
    norms: Vec<f32>,
}

/// How the two parts are added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub(super) walk_share: f64,
    pub(super) low_pass_share: f64,
    /// The length of the rows of scores that is scaled to a mean of 1.
    pub(super) length: Length,
}

impl Family {
    fn normalization(&self, interactions: &Interactions) -> Normalization {
        Normalization {
            users: 2.0 * self.users,
            items: 2.0 * self.items,
            history: self.items + self.history,
            output: self.items + self.output,
            offset: self.offset,
            scale: 1.0,
        }
        .scaled(interactions)
    }

    /// The polynomial of `P`, times a factor.
    fn polynomial(&self, factor: f64) -> Vec<f64> {
        let square = -self.curvature * factor;
        let mut powers = vec![0.0, factor - square, square];
        if square == 0.0 {
            powers.pop();
        }
        powers
    }

    fn low_pass<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        graph: &NormalizedGraph<B>,
        source: Source<'_>,
    ) -> Result<LowPass<B>> {
        let basis = Basis::obtain(backend, graph, self.factor_dim, source)?;
        let degrees = interactions.item_sums();
        let enter = offset_powers(&degrees, -self.low_pass_history, self.offset);
        let leave = self.low_pass_output - self.items - self.output;
        let leave = offset_powers(&degrees, leave, self.offset);
        let largest = basis.singular_values.first().copied().unwrap_or(1.0);
        let response: Vec<f32> = basis
            .singular_values
            .iter()
            .map(|value| self.response.at(f64::from(value / largest), self.power) as f32)
            .collect();
        LowPass::new(basis)
            .with_response(backend.upload_column(&response)?)
            .weighted(backend, enter, &backend.upload_column(&leave)?)
    }

    /// Fits the form with these shares of its parts.
    pub(super) fn fit_parts<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        parts: Parts,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let Parts {
            walk_share,
            low_pass_share,
            length,
        } = parts;
        let normalization = self.normalization(interactions);
        let device = backend.unchecked();
        let graph = NormalizedGraph::with_normalization(device, interactions, normalization)?;
        let low_pass = if low_pass_share > 0.0 {
            Some(self.low_pass(backend, interactions, &graph, source)?)
        } else {
            None
        };
        let of_walk = |factor: f64| Polynomial::of_powers(self.polynomial(factor));
        let without_low_pass = low_pass.map(|it| it.times(0.0));
        let mut spectral = Spectral::new(graph, of_walk(1.0), without_low_pass);
        let norms = match source {
            Source::Saved(tensors) => tensors.positive_floats(NORMS, 2)?,
            Source::Fit(..) => {
                let mut norms = vec![mean_norm(backend, interactions, &spectral, length)? as f32];
                spectral = spectral.with_parts(of_walk(0.0), 1.0);
                norms.push(mean_norm(backend, interactions, &spectral, length)? as f32);
                norms
            }
        };
        let shares = [walk_share, low_pass_share];
        let [walk, low_pass] = [0, 1].map(|part| shares[part] / f64::from(norms[part]));
        Ok(Box::new(FittedFamily {
            spectral: spectral.with_parts(of_walk(walk), low_pass),
            norms,
        }))
    }
}

impl Settings for Family {
    const NAME: &'static str = "family";

    /// No settings are published for this form. The preset is the ideal low-pass filter of BSPM with a
    /// blur with the exponents 0.3, as a start for a search.
    fn published(_data: Preset) -> Self {
        Self {
            users: 0.5,
            items: 0.5,
            offset: 0.0,
            history: 0.3,
            output: 0.3,
            curvature: 0.0,
            factor_dim: 448,
            share: 0.25,
            low_pass_history: 0.5,
            low_pass_output: 0.5,
            response: FrequencyResponse::Ideal,
            power: 1.0,
        }
    }

    fn unused(&self) -> Vec<Unused> {
        let mut unused = Vec::new();
        if self.share == 0.0 {
            unused.push(Unused {
                names: &[
                    "factor_dim",
                    "low_pass_history",
                    "low_pass_output",
                    "response",
                    "power",
                ],
                needs: "share above 0",
            });
        }
        if self.share == 1.0 {
            unused.push(Unused {
                names: &["history", "output", "curvature"],
                needs: "share below 1",
            });
        }
        if self.response == FrequencyResponse::Ideal {
            unused.push(Unused {
                names: &["power"],
                needs: "response = power or plateau",
            });
        }
        unused
    }

    fn check(&self) -> Result<()> {
        check_all(Self::SETTINGS, self)?;
        if self.share > 0.0 {
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
        let parts = Parts {
            walk_share: 1.0 - self.share,
            low_pass_share: self.share,
            length: Length::Norm,
        };
        self.fit_parts(backend, interactions, parts, source)
    }
}

impl<B: Backend> Filter<B> for FittedFamily<B> {
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>> {
        self.spectral.workspace(backend, columns)
    }

    fn score<'s>(
        &'s self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &'s mut Workspace<B>,
    ) -> Result<Scores<'s, B>> {
        self.spectral.score(backend, histories, workspace)
    }

    fn column(&self, backend: Checked<'_, B>, item: u32) -> Result<Vec<f32>> {
        self.spectral.column(backend, item)
    }

    fn item_scale(&self) -> &B::Matrix {
        self.spectral.item_scale()
    }

    fn tensors(&self) -> Tensors<'_, B> {
        let mut tensors = self.spectral.tensors();
        tensors.push((NORMS.into(), Tensor::Floats(&self.norms)));
        tensors
    }

    fn bases(&self) -> Vec<&Basis<B>> {
        self.spectral.bases()
    }
}
