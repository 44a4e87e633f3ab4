//! `R = D_u^-a A D_i^-b` and `P = R^T R` on a device, as a random walk.

use std::collections::HashMap;

use crate::backend::{Backend, Checked, Operand, Scoring, SparseParts, Update};
use bspm_data::Interactions;
use bspm_data::Result;

/// The exponents of the degrees that a walk is normalised by:
/// `W = (D_i^-items A^T) (D_u^-users A)` on columns `z = D_i^-history r`, whose scores are
/// `D_i^output z`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    /// The exponent of the user degrees.
    pub users: f64,
    /// The exponent of the item degrees.
    pub items: f64,
    /// The exponent of the item degrees that histories are divided by.
    pub history: f64,
    /// The exponent of the item degrees that scores are multiplied by.
    pub output: f64,
    /// The offset that is added to all degrees.
    pub offset: f64,
    /// The factor of the walk.
    pub scale: f64,
}

impl Normalization {
    /// The normalisation of `P = R^T R` for `R = D_u^-1/2 A D_i^-1/2` (paper, section 3.1).
    pub const SYMMETRIC: Self = Self {
        users: 1.0,
        items: 1.0,
        history: 0.5,
        output: 0.5,
        offset: 0.0,
        scale: 1.0,
    };

    /// Returns the normalisation with an offset of all degrees, and `P` scaled to a largest eigenvalue of 1.
    pub(crate) fn with_offset(self, offset: f64, interactions: &Interactions) -> Self {
        Self { offset, ..self }.scaled(interactions)
    }

    /// Returns the normalisation with `P` scaled to a largest eigenvalue of 1; that of the paper is not
    /// changed.
    pub(crate) fn scaled(self, interactions: &Interactions) -> Self {
        let plain = Self { scale: 1.0, ..self };
        let scale = match (self.users, self.items, self.offset) {
            (1.0, 1.0, 0.0) => 1.0,
            _ => largest_eigenvalue(interactions, plain).recip(),
        };
        Self { scale, ..plain }
    }

    /// Returns the part of the normalisation that `P` and its singular vectors depend on.
    pub(crate) fn of_the_walk(self) -> Self {
        Self {
            history: 0.0,
            output: 0.0,
            ..self
        }
    }
}

/// The normalised interaction matrix on a device (paper, section 3.1).
///
/// It contains `D_u^-1 A` and `D_i^-1 A^T`, whose product is similar to `P`, and the square roots of the
/// item degrees, which convert between the two; see [`backend`](crate::backend) for these coordinates.
/// Filters with other exponents of the degrees have their own [`Normalization`].
///
/// A user or an item without interactions has an empty row, so its value after a step is 0, and its degree
/// counts as 1 in the change of coordinates, which does not change its entry. No division by zero occurs.
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
    normalization: Normalization,
}

/// Returns the memory of a [`NormalizedGraph`] in bytes: the matrix by rows and by columns, and their scales.
pub(crate) fn bytes_of_walk(interactions: &Interactions) -> usize {
    let numbers = interactions.len()
        * if interactions.weights().is_some() {
            4
        } else {
            2
        };
    let (users, items) = (interactions.users(), interactions.items());
    size_of::<f32>() * (numbers + 2 * (users + items) + 4 * items)
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

    /// Like [`new`](Self::new), with other exponents of the degrees.
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
        let item_degrees = interactions.item_sums();
        let power = |exponent| offset_powers(&item_degrees, exponent, normalization.offset);
        let mut user_scale = offset_powers(
            &interactions.user_sums(),
            -normalization.users,
            normalization.offset,
        );
        if normalization.scale != 1.0 {
            let scale = normalization.scale as f32;
            user_scale.iter_mut().for_each(|it| *it *= scale);
        }
        let (users, items) = interactions.shape();
        let walk = upload_walk(
            backend,
            interactions,
            &user_scale,
            &power(-normalization.items),
        )?;
        let column = |exponent: f64| backend.upload_column(&power(exponent));
        Ok(Self {
            walk,
            users,
            items,
            tile_columns: backend.tile_columns((users, items), Scoring::Dense)?,
            root_degrees: column(normalization.items / 2.0)?,
            inverse_root_degrees: column(-normalization.items / 2.0)?,
            output_scale: column(normalization.output)?,
            history_weights: power(-normalization.history),
            normalization,
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

    /// The normalisation.
    pub fn normalization(&self) -> Normalization {
        self.normalization
    }

    /// The number of columns of a tile.
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

    /// The factors from walk coordinates to scores (`items x 1`). Default normalisation: `D_i^1/2`.
    pub fn output_scale(&self) -> &B::Matrix {
        &self.output_scale
    }

    /// The factors from histories to walk coordinates (`items` numbers). Default normalisation:
    /// `D_i^-1/2`.
    pub fn history_weights(&self) -> &[f32] {
        &self.history_weights
    }

    /// `out = update of W * from`, all `items x columns`, for the complete walk
    /// `W = (D_i^-1 A^T) (D_u^-1 A)`, which is `P` in these coordinates. If `from` is `None`, it is `out`.
    /// `half_way: users x columns` is scratch.
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

/// Copies `diag(user_scale) A` and `diag(item_scale) A^T` to the device.
pub(crate) fn upload_walk<B: Backend>(
    backend: Checked<'_, B>,
    interactions: &Interactions,
    user_scale: &[f32],
    item_scale: &[f32],
) -> Result<B::Sparse> {
    let transposed = interactions.transposed_csr();
    let transposed_weights = interactions.transposed_weights();
    backend.upload_sparse(SparseParts::Walk {
        user_items: interactions.as_csr(),
        item_users: transposed.view(),
        user_scale,
        item_scale,
        weights: interactions.weights().zip(transposed_weights.as_deref()),
    })
}

/// Returns the largest eigenvalue of `P = R^T R` for `R = D_u^-users/2 A D_i^-items/2`, or a slightly larger
/// bound; at least 1e-30.
///
/// `max_i (W x)_i / x_i` is an upper bound for the walk `W` and a positive `x` (Collatz), which converges to
/// the eigenvalue for `x = W^n 1`.
pub(crate) fn largest_eigenvalue(interactions: &Interactions, normalization: Normalization) -> f64 {
    const ROUNDS: usize = 100;
    const ENOUGH: f64 = 1e-7;
    let scale = |degrees: &[f64], power: f64| {
        let scale = offset_powers(degrees, -power, normalization.offset);
        scale.into_iter().map(f64::from).collect::<Vec<f64>>()
    };
    let user_scale = scale(&interactions.user_sums(), normalization.users);
    let item_scale = scale(&interactions.item_sums(), normalization.items);
    let mut point = vec![1.0; interactions.items()];
    let mut bound = f64::INFINITY;
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; point.len()];
        for (user, scale) in user_scale.iter().enumerate() {
            let history = interactions.history_of(user as u32);
            let weighted = |(item, weight): (u32, f32)| f64::from(weight) * point[item as usize];
            let sum: f64 = history.entries().map(weighted).sum();
            for (item, weight) in history.entries() {
                next[item as usize] += scale * sum * f64::from(weight);
            }
        }
        next.iter_mut()
            .zip(&item_scale)
            .for_each(|(it, scale)| *it *= scale);
        let ratios = next.iter().zip(&point).filter(|(_, before)| **before > 0.0);
        let largest = ratios
            .map(|(after, before)| after / before)
            .fold(1e-30, f64::max);
        let has_ended = largest > bound * (1.0 - ENOUGH);
        bound = bound.min(largest);
        if has_ended {
            break;
        }
        point = next.into_iter().map(|it| it / largest).collect();
    }
    bound
}

/// Raises each degree to a power; a degree of 0 counts as 1.
///
/// Many degrees are equal, and a look-up is faster than a power.
pub(crate) fn powers(degrees: &[f64], exponent: f64) -> Vec<f32> {
    offset_powers(degrees, exponent, 0.0)
}

/// Raises each degree plus the offset to a power; a degree of 0 counts as 1.
pub(crate) fn offset_powers(degrees: &[f64], exponent: f64, offset: f64) -> Vec<f32> {
    let mut known: HashMap<u64, f32> = HashMap::new();
    degrees
        .iter()
        .map(|&degree| {
            let counted = if degree > 0.0 { degree } else { 1.0 };
            *known
                .entry(counted.to_bits())
                .or_insert_with(|| (counted + offset).powf(exponent) as f32)
        })
        .collect()
}
