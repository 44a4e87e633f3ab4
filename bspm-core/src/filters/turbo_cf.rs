//! Turbo-CF (Park, Shin and Shin, "Turbo-CF: Matrix Decomposition-Free Graph Filtering for
//! Fast Recommendation", SIGIR 2024, arXiv 2404.14243).

use serde::{Deserialize, Serialize};

use super::filter_settings::Settings;
use super::preset::Preset;
use super::setting::{ANY, Search, settings, words};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::item_graph::{
    ItemGraphPolynomial, Limits, bytes_before_entries, of_common_users,
};
use crate::engine::polynomial::Polynomial;
use crate::engine::spectral::Spectral;
use crate::engine::tensors::Source;
use crate::engine::walk::{Normalization, bytes_of_walk, powers};
use bspm_data::Interactions;
use bspm_data::Result;

/// Turbo-CF: a polynomial of the item graph, each entry of which is raised to a power.
///
/// ```math
/// y = r \, h(\bar S), \qquad \bar S_{ij} = \left( (R^T R)_{ij} \right)^s, \qquad
/// R = D_u^{-\alpha} A D_i^{\alpha - 1}
/// ```
///
/// `$y$` has the scores of the history `$r$`, and `$h$` is one of the polynomials of [`TurboFilter`]. With a
/// `power` of 1, `$\bar S$` is a walk and is never formed. Otherwise it is formed in blocks of rows.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - For a fit in one or two seconds and, with the linear polynomial, lists in less than 0.1 ms (Gowalla).
/// - Not if users have very long histories and `power` is not 1: the graph has an entry for each pair of
///   items with a common user.
///
/// # Settings
///
#[doc = include_str!("settings/turbo-cf.md")]
///
/// # Cost
///
/// Fit: twice the sum over the users of the square of their degree; with a `power` of 1, one pass over the
/// interactions. A history: the rows of the graph for its items (linear), or one product with the graph for
/// each degree. If the memory of the graph is above `memory_budget`, fitting returns an error with both
/// numbers before it allocates.
///
/// # Source
///
/// Park, Shin and Shin, "Turbo-CF: Matrix Decomposition-Free Graph Filtering for Fast Recommendation", SIGIR
/// 2024, arXiv 2404.14243. The polynomials are in section 3.3.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::{TurboCf, TurboFilter};
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = TurboCf::for_shape(3, 4).filter(TurboFilter::SecondOrder);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TurboCf {
    /// The exponent of the user degrees; that of the item degrees is `1 - alpha`.
    pub alpha: f64,
    /// `s`: the exponent of each entry of the item graph; above 0.
    pub power: f64,
    /// The polynomial of the item graph.
    pub filter: TurboFilter,
    /// The memory limit of the item graph in bytes.
    pub memory_budget: usize,
}

words! {
    /// The polynomials of the paper (section 3.3).
    TurboFilter("filter") {
        /// `S`.
        Linear = "linear",
        /// `2 S - S^2`.
        SecondOrder = "second-order",
        /// `S + 0.01 (-S^3 + 10 S^2 - 29 S)`: close to an ideal low-pass filter.
        ThirdOrder = "third-order",
    }
}

impl TurboFilter {
    /// The coefficients of `S`, `S^2`, and so on.
    fn coefficients(self) -> Vec<f64> {
        match self {
            Self::Linear => vec![1.0],
            Self::SecondOrder => vec![2.0, -1.0],
            Self::ThirdOrder => vec![0.71, 0.1, -0.01],
        }
    }
}

impl TurboCf {
    fn is_walk(&self) -> bool {
        self.power == 1.0
    }
}

settings!(TurboCf {
    alpha: f64 ("alpha"): Number (-4.0, 4.0), Search::Linear(0.3, 0.8), "Exponent of the user degrees; the item degrees get 1 - alpha";
    power: f64 ("s"): Number (1e-3, 16.0), Search::Linear(0.5, 1.5), "Exponent of each entry of the item graph";
    filter: TurboFilter ("filter"): Word ANY, Search::Words(TurboFilter::NAMES), "Polynomial of the item graph: linear, second-order or third-order";
    memory_budget: usize ("memory"): Count (0.0, f64::MAX), Search::Fixed, "Memory limit of the item graph in bytes";
});

impl Settings for TurboCf {
    const NAME: &'static str = "turbo-cf";

    fn published(data: Preset) -> Self {
        let (alpha, power, filter) = match data {
            Preset::Gowalla => (0.6, 0.7, TurboFilter::Linear),
            Preset::Yelp2018 => (0.6, 1.0, TurboFilter::SecondOrder),
            Preset::AmazonBook => (0.5, 1.4, TurboFilter::Linear),
        };
        Self {
            alpha,
            power,
            filter,
            memory_budget: 8 << 30,
        }
    }

    fn memory(&self, interactions: &Interactions) -> usize {
        match self.is_walk() {
            true => bytes_of_walk(interactions),
            false => bytes_before_entries(interactions),
        }
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let coefficients = self.filter.coefficients();
        let item_power = 1.0 - self.alpha;
        if self.is_walk() {
            let normalization = Normalization {
                users: 2.0 * self.alpha,
                items: 2.0 * item_power,
                history: item_power,
                output: item_power,
                ..Normalization::SYMMETRIC
            };
            let polynomial = Polynomial::of_powers([vec![0.0], coefficients].concat());
            return Spectral::of_walk(backend, interactions, normalization, polynomial);
        }
        let items = interactions.items();
        ItemGraphPolynomial::obtain(backend, items, coefficients, source, |options| {
            let item_weights = powers(&interactions.item_sums(), -item_power);
            let limits = Limits {
                budget: self.memory_budget,
                row: None,
            };
            of_common_users(
                backend,
                interactions,
                &powers(&interactions.user_sums(), -2.0 * self.alpha),
                limits,
                options,
                &|item, row| {
                    for (other, value) in row {
                        let product = *value * item_weights[item] * item_weights[*other as usize];
                        *value = f64::from(product).powf(self.power) as f32;
                    }
                },
            )
        })
    }
}
