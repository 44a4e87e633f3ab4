//! ChebyCF (Kim et al., "Graph Spectral Filtering with Chebyshev Interpolation for
//! Recommendation", SIGIR 2025, arXiv 2505.00552).

use serde::{Deserialize, Serialize};

use crate::backend::{Backend, Update};
use crate::config::Preset;
use crate::error::Result;
use crate::filter::{
    Filter, SavedTensors, Settings, Tensor, TileHistories, check_positive, check_range,
};
use crate::fit_options::FitOptions;
use crate::interactions::Interactions;
use crate::normalization::{Normalization, NormalizedGraph, powers};
use crate::process::chebyshev::{evaluate_series, interpolate};
use crate::process::ideal_low_pass::Basis;
use crate::process::{Scratch, Tile};
use crate::truncated_svd::SvdReport;

/// `(x h(L) + alpha * x V V^T) D_i^beta` for the normalised history `x = r D_i^-beta`, where
/// `h` is the Chebyshev interpolant of a plateau over the spectrum of `L = I - 2P`.
///
/// Published: order 8 throughout; Gowalla flatness 1.5, 512 factors, `alpha` 0.2, `beta` 0.4;
/// Amazon-book flatness 10, `beta` 0. Settings for Yelp2018 are not published; those of
/// Gowalla stand in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChebyCf {
    /// `K`: the degree of the polynomial; at least 1.
    pub order: usize,
    /// `phi`: how flat the plateau is; above 0.
    pub flatness: f64,
    /// `eta`: how many singular vectors the ideal low-pass part has.
    pub factor_dim: usize,
    /// The weight of the ideal low-pass part; 0 turns it off.
    pub alpha: f64,
    /// The power of the item degrees that a history is divided by.
    pub beta: f64,
}

impl ChebyCf {
    /// The coefficients of `h`.
    ///
    /// As in the authors' code: the plateau is sampled at the extrema of the Chebyshev
    /// polynomials, rounded to three decimals, and these samples are taken for its values
    /// at the nodes.
    fn coefficients(&self) -> Vec<f64> {
        let rounded = |value: f64| (value * 1e3).round() / 1e3;
        let plateau = |place: usize| {
            let x = rounded((place as f64 / self.order as f64 * std::f64::consts::PI).cos());
            let drop = 0.5 * x.abs().powf(self.flatness);
            rounded(if x < 0.0 { 0.5 + drop } else { 0.5 - drop })
        };
        interpolate(&(0..=self.order).map(plateau).collect::<Vec<_>>())
    }

    fn with_basis<B: Backend>(
        &self,
        backend: &B,
        interactions: &Interactions,
        basis: impl FnOnce(&NormalizedGraph<B>) -> Result<Basis<B>>,
    ) -> Result<Box<dyn Filter<B>>> {
        let normalization = Normalization {
            history: self.beta + 0.5,
            output: self.beta + 0.5,
            ..Normalization::SYMMETRIC
        };
        let graph = NormalizedGraph::with_normalization(backend, interactions, normalization)?;
        let basis = match self.alpha > 0.0 {
            true => Some(basis(&graph)?),
            false => None,
        };
        Ok(Box::new(FittedChebyCf {
            basis,
            graph,
            coefficients: self.coefficients(),
            alpha: self.alpha as f32,
            signal_weights: powers(&interactions.item_degrees(), -self.beta),
        }))
    }
}

struct FittedChebyCf<B: Backend> {
    graph: NormalizedGraph<B>,
    basis: Option<Basis<B>>,
    coefficients: Vec<f64>,
    alpha: f32,
    /// `D_i^-beta`: from histories to `x`.
    signal_weights: Vec<f32>,
}

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
        }
    }

    fn check(&self) -> Result<()> {
        check_positive("order", self.order)?;
        check_range("flatness", self.flatness, f64::MIN_POSITIVE..=f64::MAX)?;
        check_range("alpha", self.alpha, 0.0..=f64::from(f32::MAX))?;
        check_range("beta", self.beta, -4.0..=4.0)?;
        if self.alpha > 0.0 {
            check_positive("factor_dim", self.factor_dim)?;
        }
        Ok(())
    }

    fn fit<B: Backend>(
        &self,
        backend: &B,
        interactions: &Interactions,
        options: &FitOptions,
    ) -> Result<Box<dyn Filter<B>>> {
        self.with_basis(backend, interactions, |graph| {
            Basis::fit(backend, graph, self.factor_dim, options)
        })
    }

    fn open<B: Backend>(
        &self,
        backend: &B,
        interactions: &Interactions,
        tensors: &dyn SavedTensors,
        _options: &FitOptions,
    ) -> Result<Box<dyn Filter<B>>> {
        self.with_basis(backend, interactions, |graph| {
            Basis::open(backend, graph.items(), tensors)
        })
    }
}

impl<B: Backend> Filter<B> for FittedChebyCf<B> {
    fn scratch(&self) -> Scratch {
        Scratch {
            items: self.graph.items(),
            users: self.graph.users(),
            stages: 2,
            factors: self.basis.as_ref().map_or(0, Basis::factors),
            mean_of: 0,
        }
    }

    fn score_tile(
        &self,
        backend: &B,
        histories: TileHistories<'_>,
        tile: &mut Tile<B>,
    ) -> Result<()> {
        let weighted = histories.upload(backend, self.graph.history_weights())?;
        evaluate_series(
            backend,
            &self.graph,
            &self.coefficients,
            Some(&weighted),
            tile,
        )?;
        if let Some(basis) = &self.basis {
            let signal = histories.upload(backend, &self.signal_weights)?;
            let (coefficients, stage) = (&mut tile.coefficients, &mut tile.stage);
            backend.project_histories(&basis.vectors, &signal, coefficients)?;
            backend.matmul(&basis.vectors, false, coefficients, Update::REPLACE, stage)?;
            backend.scale_rows(self.graph.inverse_root_degrees(), stage)?;
            backend.add_scaled(self.alpha, stage, 1.0, &mut tile.scores)?;
        }
        Ok(())
    }

    fn item_scale(&self) -> &B::Matrix {
        self.graph.output_scale()
    }

    fn tensors(&self, _backend: &B) -> Result<Vec<(&'static str, Tensor<'_, B>)>> {
        Ok(self.basis.as_ref().map_or_else(Vec::new, Basis::tensors))
    }

    fn singular_values(&self) -> &[f32] {
        self.basis.as_ref().map_or(&[], |it| &it.singular_values)
    }

    fn svd_report(&self) -> Option<&SvdReport> {
        self.basis.as_ref()?.report.as_ref()
    }
}
