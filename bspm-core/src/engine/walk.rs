//! `R = D_u^-a A D_i^-b` and `P = R^T R` on a device, as a random walk.

use crate::backend::{Backend, Checked, Operand, SparseParts, Update};
use crate::data::interactions::Interactions;
use crate::error::Result;

/// The powers of the degrees that a walk is normalised by:
/// `W = (D_i^-items A^T) (D_u^-users A)` on columns `z = D_i^-history r`, whose scores are
/// `D_i^output z`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    /// Of the user degrees.
    pub users: f64,
    /// Of the item degrees.
    pub items: f64,
    /// Of the item degrees, where a history enters the walk.
    pub history: f64,
    /// Of the item degrees, where scores leave it.
    pub output: f64,
}

impl Normalization {
    /// That of `P = R^T R` for `R = D_u^-1/2 A D_i^-1/2` (paper, section 3.1).
    pub const SYMMETRIC: Self = Self {
        users: 1.0,
        items: 1.0,
        history: 0.5,
        output: 0.5,
    };
}

/// The normalised interaction matrix on a device (paper, section 3.1).
///
/// Holds `D_u^-1 A` and `D_i^-1 A^T`, whose product is similar to `P`, and the
/// item degrees' square roots that lead from one to the other; see
/// [`backend`](crate::backend) for these coordinates. Filters with other powers of the
/// degrees give their own [`Normalization`].
///
/// A user or an item without interactions has an empty row, so the walk sends
/// nothing to it, and its degree counts as 1 in the change of coordinates, which
/// then leaves its own entry as it is. No division by zero occurs.
#[derive(Debug)]
pub struct NormalizedGraph<B: Backend> {
    walk: B::Sparse,
    users: usize,
    items: usize,
    tile_columns: usize,
    root_degrees: B::Matrix,
    inverse_root_degrees: B::Matrix,
    output_scale: B::Matrix,
    history_weights: Vec<f32>,
}

impl<B: Backend> NormalizedGraph<B> {
    /// Normalises the matrix and copies it to the device.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn new(backend: &B, interactions: &Interactions) -> Result<Self> {
        Self::with_normalization(backend, interactions, Normalization::SYMMETRIC)
    }

    /// [`new`](Self::new) with other powers of the degrees.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn with_normalization(
        backend: &B,
        interactions: &Interactions,
        normalization: Normalization,
    ) -> Result<Self> {
        let backend = Checked::new(backend);
        let item_degrees = interactions.item_degrees();
        let (users, items) = (interactions.users(), interactions.items());
        let transposed = interactions.transposed_csr();
        let walk = backend.upload_sparse(SparseParts::Walk {
            user_items: interactions.as_csr(),
            item_users: transposed.view(),
            user_scale: &powers(&interactions.user_degrees(), -normalization.users),
            item_scale: &powers(&item_degrees, -normalization.items),
        })?;
        let column = |exponent: f64| backend.upload_column(&powers(&item_degrees, exponent));
        Ok(Self {
            walk,
            users,
            items,
            tile_columns: backend.tile_columns(users, items)?,
            root_degrees: column(0.5)?,
            inverse_root_degrees: column(-0.5)?,
            output_scale: column(normalization.output)?,
            history_weights: powers(&item_degrees, -normalization.history),
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
    pub fn sparse(&self) -> &B::Sparse {
        &self.walk
    }

    /// `D_i^1/2` (`items x 1`): from walk coordinates to scores.
    pub fn root_degrees(&self) -> &B::Matrix {
        &self.root_degrees
    }

    /// `D_i^-1/2` (`items x 1`): from scores to walk coordinates.
    pub fn inverse_root_degrees(&self) -> &B::Matrix {
        &self.inverse_root_degrees
    }

    /// What leads from walk coordinates to scores (`items x 1`): `D_i^1/2` unless the
    /// normalisation says otherwise.
    pub fn output_scale(&self) -> &B::Matrix {
        &self.output_scale
    }

    /// What a history's ones become in walk coordinates (`items` numbers): `D_i^-1/2`
    /// unless the normalisation says otherwise.
    pub fn history_weights(&self) -> &[f32] {
        &self.history_weights
    }

    /// `out = update of W * from`, all `items x columns`, for the whole walk
    /// `W = (D_i^-1 A^T) (D_u^-1 A)`, which is `P` in these coordinates; `from` is `out` where
    /// it is none. `half_way: users x columns` is scratch.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn step(
        &self,
        backend: Checked<'_, B>,
        from: Option<Operand<'_, B>>,
        update: Update<'_, B::Matrix>,
        half_way: &mut B::Matrix,
        out: &mut B::Matrix,
    ) -> Result<()> {
        backend.ode_step(&self.walk, from, update, half_way, out)
    }
}

/// Each degree to a power; one without interactions counts as 1.
///
/// Many have the same degree, and a power takes longer than to look it up.
pub(crate) fn powers(degrees: &[u32], exponent: f64) -> Vec<f32> {
    let most = degrees.iter().copied().max().unwrap_or(0) as usize;
    let mut known = vec![None; most + 1];
    degrees
        .iter()
        .map(|&degree| {
            *known[degree as usize]
                .get_or_insert_with(|| f64::from(degree.max(1)).powf(exponent) as f32)
        })
        .collect()
}
