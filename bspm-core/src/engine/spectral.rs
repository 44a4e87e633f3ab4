//! The form that every spectral filter is put into before it is run.
//!
//! The scores for a history `r` are `D_i^output (p(W) z + q(W) V V^T z')`: a polynomial `p` of
//! the walk of `z = D_i^-history r`, and another of what the leading singular vectors `V` see
//! in the history, which may enter and leave with other powers of the degrees.

use super::basis::Basis;
use super::filter::Filter;
use super::polynomial::{Polynomial, Run};
use super::tensors::Tensors;
use super::walk::{Normalization, NormalizedGraph};
use super::workspace::{TileHistories, Workspace};
use crate::backend::{Backend, Checked, Operand, Update};
use crate::data::interactions::Interactions;
use crate::error::Result;

/// A fitted spectral filter.
#[derive(Debug)]
pub(crate) struct Spectral<B: Backend> {
    graph: NormalizedGraph<B>,
    polynomial: Polynomial,
    low_pass: Option<LowPass<B>>,
}

/// The part of a filter that its singular vectors see.
#[derive(Debug)]
pub(crate) struct LowPass<B: Backend> {
    basis: Basis<B>,
    exponents: Option<LowPassExponents<B>>,
    /// What each singular vector is multiplied by, `factors x 1`; 1 where it is none.
    response: Option<B::Matrix>,
}

/// Where this part enters and leaves with other powers of the degrees than the walk.
#[derive(Debug)]
struct LowPassExponents<B: Backend> {
    history_weights: Vec<f32>,
    /// From `V` to walk coordinates, `items x 1`.
    item_scale: B::Matrix,
}

impl<B: Backend> LowPass<B> {
    /// The projection `V V^T` in the coordinates of the walk.
    pub(crate) fn new(basis: Basis<B>) -> Self {
        Self {
            basis,
            exponents: None,
            response: None,
        }
    }

    /// Multiplies what each singular vector sees by a factor (`factors x 1`).
    pub(crate) fn with_response(mut self, response: B::Matrix) -> Self {
        self.response = Some(response);
        self
    }

    /// Lets histories enter with these weights, and scales the rows of what comes out.
    pub(crate) fn weighted(mut self, history_weights: Vec<f32>, item_scale: B::Matrix) -> Self {
        self.exponents = Some(LowPassExponents {
            history_weights,
            item_scale,
        });
        self
    }

    /// `out = update of (this part of the histories)`, which are `uploaded` with the weights
    /// of the walk; exponents take the update to be a replacement.
    fn apply(
        &self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        uploaded: &B::Histories,
        coefficients: &mut B::Matrix,
        update: Update<'_, B::Matrix>,
        out: &mut B::Matrix,
    ) -> Result<()> {
        let vectors = &self.basis.vectors;
        let weighted = match &self.exponents {
            Some(exponents) => Some(histories.upload(backend, &exponents.history_weights)?),
            None => None,
        };
        let histories = Operand::Histories(weighted.as_ref().unwrap_or(uploaded));
        backend.matmul(vectors, true, histories, Update::REPLACE, coefficients)?;
        if let Some(response) = &self.response {
            backend.scale_rows(response, coefficients)?;
        }
        backend.matmul(vectors, false, Operand::Dense(coefficients), update, out)?;
        match &self.exponents {
            Some(exponents) => backend.scale_rows(&exponents.item_scale, out),
            None => Ok(()),
        }
    }
}

impl<B: Backend> Spectral<B> {
    /// A filter on a walk that is there already.
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

    /// A polynomial of a walk alone.
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

    /// The filter with another polynomial of the same walk.
    pub(crate) fn with_polynomial(mut self, polynomial: Polynomial) -> Self {
        self.polynomial = polynomial;
        self
    }

    /// The low-pass part and its factor, where all there is to do is to add it to the scores.
    fn added_low_pass(&self) -> Option<(&LowPass<B>, f32)> {
        let low_pass = self.low_pass.as_ref()?;
        let factor = self.polynomial.low_pass_factor()?;
        low_pass.exponents.is_none().then_some((low_pass, factor))
    }

    /// The low-pass part, where the polynomial must take it in on the way.
    fn joined_low_pass(&self) -> Option<&LowPass<B>> {
        match self.added_low_pass() {
            Some(_) => None,
            None => self.low_pass.as_ref(),
        }
    }
}

impl<B: Backend> Filter<B> for Spectral<B> {
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>> {
        let (users, items) = (self.graph.users(), self.graph.items());
        let rows = |is_needed: bool| if is_needed { items } else { 0 };
        let stage = rows(self.polynomial.needs_stage());
        let joined = rows(self.joined_low_pass().is_some());
        let factors = self.low_pass.as_ref().map_or(0, |it| it.basis.factors());
        Workspace::new(backend, items, &[users, stage, joined, factors], columns)
    }

    fn score_tile(
        &self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &mut Workspace<B>,
    ) -> Result<()> {
        let Workspace {
            scores, scratch, ..
        } = workspace;
        let [half_way, stage, joined, coefficients] = scratch.as_mut_slice() else {
            unreachable!("workspace() makes four scratch matrices")
        };
        let graph = &self.graph;
        let uploaded = histories.upload(backend, graph.history_weights())?;
        let joined_low_pass = self.joined_low_pass();
        if let Some(low_pass) = joined_low_pass {
            let replace = Update::REPLACE;
            low_pass.apply(backend, histories, &uploaded, coefficients, replace, joined)?;
        }
        let run = Run {
            backend,
            graph,
            histories: &uploaded,
            low_pass: joined_low_pass.map(|_| &*joined),
        };
        self.polynomial.evaluate(run, half_way, stage, scores)?;
        if let Some((low_pass, factor)) = self.added_low_pass() {
            let add = Update {
                product: factor,
                keep: 1.0,
                addend: None,
            };
            low_pass.apply(backend, histories, &uploaded, coefficients, add, scores)?;
        }
        Ok(())
    }

    fn item_scale(&self) -> &B::Matrix {
        self.graph.output_scale()
    }

    fn tensors(&self) -> Tensors<'_, B> {
        self.basis().map_or_else(Vec::new, Basis::tensors)
    }

    fn basis(&self) -> Option<&Basis<B>> {
        self.low_pass.as_ref().map(|it| &it.basis)
    }
}
