//! A polynomial of a walk, which several filters are.

use crate::backend::{Backend, Update};
use crate::error::Result;
use crate::filter::{Filter, TileHistories};
use crate::interactions::Interactions;
use crate::normalization::{Normalization, NormalizedGraph};
use crate::process::{Scratch, Tile};

/// `c_1 W + c_2 W^2 + ...` of the histories, for a walk `W`.
pub(super) struct WalkPolynomial<B: Backend> {
    graph: NormalizedGraph<B>,
    /// From `c_1` on; at least one.
    coefficients: Vec<f64>,
}

impl<B: Backend> WalkPolynomial<B> {
    pub(super) fn fit(
        backend: &B,
        interactions: &Interactions,
        normalization: Normalization,
        coefficients: Vec<f64>,
    ) -> Result<Box<dyn Filter<B>>> {
        let graph = NormalizedGraph::with_normalization(backend, interactions, normalization)?;
        Ok(Box::new(Self {
            graph,
            coefficients,
        }))
    }
}

impl<B: Backend> Filter<B> for WalkPolynomial<B> {
    fn scratch(&self) -> Scratch {
        Scratch {
            items: self.graph.items(),
            users: self.graph.users(),
            ..Scratch::default()
        }
    }

    /// Horner's scheme: one product with `W` per coefficient.
    fn score_tile(
        &self,
        backend: &B,
        histories: TileHistories<'_>,
        tile: &mut Tile<B>,
    ) -> Result<()> {
        let histories = histories.upload(backend, self.graph.history_weights())?;
        let (users, scores) = (&mut tile.users, &mut tile.scores);
        let mut coefficients = self.coefficients.iter().rev();
        backend.spmm_histories(self.graph.graph(), &histories, users)?;
        let first = Update {
            product: coefficients.next().copied().unwrap_or(0.0) as f32,
            ..Update::REPLACE
        };
        self.graph.to_items(backend, users, first, scores)?;
        for &coefficient in coefficients {
            if coefficient != 0.0 {
                backend.add_histories(coefficient as f32, &histories, 1.0, scores)?;
            }
            self.graph.to_users(backend, scores, users)?;
            self.graph
                .to_items(backend, users, Update::REPLACE, scores)?;
        }
        Ok(())
    }

    fn item_scale(&self) -> &B::Matrix {
        self.graph.output_scale()
    }
}
