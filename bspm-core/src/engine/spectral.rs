//! The common form of all spectral filters.
//!
//! The scores for a history `r` are `D_i^output (p(W) z + q(W) V V^T z')`: a polynomial `p` of the walk of
//! `z = D_i^-history r`, and another polynomial `q` of the projection of the history on the leading singular
//! vectors `V`, which can have other exponents of the degrees. `q(W) V` does not depend on the history, so
//! it is computed once.

use super::basis::Basis;
use super::filter::{Filter, IdealLowPass};
use super::low_pass::LowPass;
use super::polynomial::{Polynomial, Run};
use super::tensors::Tensors;
use super::walk::{Normalization, NormalizedGraph};
use super::workspace::{TileHistories, Workspace, unit};
use crate::backend::{Backend, Checked, Operand, Scores};
use bspm_data::Interactions;
use bspm_data::Result;

/// A fitted spectral filter.
#[derive(Debug)]
pub(crate) struct Spectral<B: Backend> {
    graph: NormalizedGraph<B>,
    polynomial: Polynomial,
    low_pass: Option<LowPass<B>>,
}

impl<B: Backend> Spectral<B> {
    /// Creates a filter on an existing walk.
    pub(crate) fn new(
        graph: NormalizedGraph<B>,
        polynomial: Polynomial,
        low_pass: Option<LowPass<B>>,
    ) -> Self {
        Self {
            graph,
            polynomial,
            low_pass,
        }
    }

    /// Creates a filter that is only a polynomial of a walk.
    pub(crate) fn of_walk(
        backend: Checked<'_, B>,
        interactions: &Interactions,
        normalization: Normalization,
        polynomial: Polynomial,
    ) -> Result<Box<dyn Filter<B>>> {
        let backend = backend.unchecked();
        let graph = NormalizedGraph::with_normalization(backend, interactions, normalization)?;
        Ok(Box::new(Self::new(graph, polynomial, None)))
    }

    /// Returns the filter with another polynomial of the same walk, and another factor of the low-pass part.
    pub(crate) fn with_parts(mut self, polynomial: Polynomial, low_pass_factor: f64) -> Self {
        self.polynomial = polynomial;
        self.low_pass = self.low_pass.map(|it| it.times(low_pass_factor));
        self
    }

    /// Applies the polynomial of the walk to the histories, into `workspace.scores`.
    fn walk(
        &self,
        backend: Checked<'_, B>,
        histories: &B::Histories,
        workspace: &mut Workspace<B>,
    ) -> Result<()> {
        let [half_way, stage] = workspace.scratch.as_mut_slice() else {
            unreachable!("workspace() makes two scratch matrices")
        };
        let run = Run {
            backend,
            graph: &self.graph,
            from: Operand::Histories(histories),
        };
        self.polynomial
            .evaluate(run, half_way, stage, &mut workspace.scores)
    }
}

impl<B: Backend> Filter<B> for Spectral<B> {
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>> {
        let (users, items) = (self.graph.users(), self.graph.items());
        let stage = match self.polynomial.needs_stage() {
            true => items,
            false => 0,
        };
        let factors = self.low_pass.as_ref().map_or(0, LowPass::factors);
        Workspace::new(backend, items, &[users, stage], columns)?
            .with_coefficients(backend, factors, columns)
    }

    fn score<'s>(
        &'s self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &'s mut Workspace<B>,
    ) -> Result<Scores<'s, B>> {
        let uploaded = histories.upload(backend, self.graph.history_weights())?;
        self.walk(backend, &uploaded, workspace)?;
        let Workspace {
            scores,
            coefficients,
            ..
        } = workspace;
        let product = match &self.low_pass {
            Some(low_pass) => {
                low_pass.encode(backend, histories, &uploaded, coefficients)?;
                Some((low_pass.decoder(), &*coefficients))
            }
            None => None,
        };
        Ok(Scores {
            dense: scores,
            product,
        })
    }

    /// Uses that the walk is similar to its transpose, `W^T = S^-1 W S` for its item scale `S`, so a
    /// polynomial of the transpose can be computed with the walk itself.
    fn column(&self, backend: Checked<'_, B>, item: u32) -> Result<Vec<f32>> {
        let graph = &self.graph;
        let mut workspace = self.workspace(backend, 1)?;
        let unit = unit(backend, graph.items(), item)?;
        self.walk(backend, &unit, &mut workspace)?;
        let walked = backend.download(&workspace.scores)?;
        let roots = backend.download(graph.inverse_root_degrees())?;
        let scale = |item: usize| f64::from(roots[[item, 0]]).powi(2);
        let own = scale(item as usize);
        let weights = graph.history_weights();
        let mut column: Vec<f64> = (0..graph.items())
            .map(|row| f64::from(weights[row]) * f64::from(walked[[row, 0]]) * own / scale(row))
            .collect();
        if let Some(low_pass) = &self.low_pass {
            low_pass.add_column(backend, &unit, weights, &mut workspace, &mut column)?;
        }
        let output = backend.download(graph.output_scale())?;
        let output = f64::from(output[[item as usize, 0]]);
        Ok(column.into_iter().map(|it| (it * output) as f32).collect())
    }

    fn item_scale(&self) -> &B::Matrix {
        self.graph.output_scale()
    }

    fn tensors(&self) -> Tensors<'_, B> {
        self.low_pass
            .as_ref()
            .map_or_else(Vec::new, LowPass::tensors)
    }

    fn ideal_low_pass(&self) -> Option<IdealLowPass<'_, B>> {
        let low_pass = self.low_pass.as_ref()?;
        let of_walk = self.graph.history_weights();
        Some(IdealLowPass {
            history_weights: low_pass.history_weights().unwrap_or(of_walk),
            vectors: &low_pass.basis().vectors,
            decoder: low_pass.unfiltered_decoder(),
        })
    }

    fn bases(&self) -> Vec<&Basis<B>> {
        self.low_pass.iter().map(LowPass::basis).collect()
    }
}
