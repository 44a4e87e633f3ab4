//! `R = D_u^-1/2 A D_i^-1/2` and `P = R^T R` on a device, as a random walk.

use ndarray::{Axis, aview1};

use crate::backend::{Backend, Direction, GraphParts, Update};
use crate::error::Result;
use crate::interactions::Interactions;

/// The normalised interaction matrix on a device (paper, section 3.1).
///
/// Holds `D_u^-1 A` and `D_i^-1 A^T`, whose product is similar to `P`, and the
/// item degrees' square roots that lead from one to the other; see
/// [`backend`](crate::backend) for these coordinates.
///
/// A user or an item without interactions has an empty row, so the walk sends
/// nothing to it, and its degree counts as 1 in the change of coordinates, which
/// then leaves its own entry as it is. No division by zero occurs.
pub struct NormalizedGraph<B: Backend> {
    graph: B::Graph,
    users: usize,
    items: usize,
    tile_columns: usize,
    root_degrees: B::Matrix,
    inverse_root_degrees: B::Matrix,
    history_weights: Vec<f32>,
}

impl<B: Backend> NormalizedGraph<B> {
    /// Normalises the matrix and copies it to the device.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn new(backend: &B, interactions: &Interactions) -> Result<Self> {
        let item_degrees = interactions.item_degrees();
        let (users, items) = (interactions.users(), interactions.items());
        let transposed = interactions.transposed_csr();
        let inverse = |degrees: &[u32]| -> Vec<f32> {
            degrees
                .iter()
                .map(|&degree| 1.0 / degree.max(1) as f32)
                .collect()
        };
        let graph = backend.upload_graph(GraphParts {
            user_items: interactions.as_csr(),
            item_users: transposed.view(),
            user_scale: &inverse(&interactions.user_degrees()),
            item_scale: &inverse(&item_degrees),
        })?;

        let roots: Vec<f64> = item_degrees
            .iter()
            .map(|&degree| f64::from(degree.max(1)).sqrt())
            .collect();
        let root_degrees: Vec<f32> = roots.iter().map(|&root| root as f32).collect();
        let history_weights: Vec<f32> = roots.iter().map(|&root| (1.0 / root) as f32).collect();
        let column = |values: &[f32]| backend.upload(aview1(values).insert_axis(Axis(1)));
        let tile_columns = backend.tile_columns(&graph)?;
        Ok(Self {
            graph,
            users,
            items,
            tile_columns,
            root_degrees: column(&root_degrees)?,
            inverse_root_degrees: column(&history_weights)?,
            history_weights,
        })
    }

    /// The number of users (rows of `R`).
    pub fn users(&self) -> usize {
        self.users
    }

    /// The number of items (columns of `R`).
    pub fn items(&self) -> usize {
        self.items
    }

    /// How many columns a tile has.
    pub fn tile_columns(&self) -> usize {
        self.tile_columns
    }

    /// The two halves of the walk.
    pub fn graph(&self) -> &B::Graph {
        &self.graph
    }

    /// `D_i^1/2` (`items x 1`): from walk coordinates to scores.
    pub fn root_degrees(&self) -> &B::Matrix {
        &self.root_degrees
    }

    /// `D_i^-1/2` (`items x 1`): from scores to walk coordinates.
    pub fn inverse_root_degrees(&self) -> &B::Matrix {
        &self.inverse_root_degrees
    }

    /// `D_i^-1/2` (`items` numbers): what a history's ones become in walk coordinates.
    pub fn history_weights(&self) -> &[f32] {
        &self.history_weights
    }

    /// `out = D_u^-1 A * dense`, from `items x columns` to `users x columns`.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn to_users(&self, backend: &B, dense: &B::Matrix, out: &mut B::Matrix) -> Result<()> {
        backend.spmm(&self.graph, Direction::ToUsers, dense, Update::REPLACE, out)
    }

    /// `out = update of D_i^-1 A^T * dense`, from `users x columns` to `items x columns`.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn to_items(
        &self,
        backend: &B,
        dense: &B::Matrix,
        update: Update<'_, B::Matrix>,
        out: &mut B::Matrix,
    ) -> Result<()> {
        backend.spmm(&self.graph, Direction::ToItems, dense, update, out)
    }
}
