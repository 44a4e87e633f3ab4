//! EASE-R (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019,
//! arXiv 1905.03375).

use ndarray::{Axis, aview1};
use serde::{Deserialize, Serialize};

use super::item_graph::{Limits, of_common_users, to_dense};
use crate::backend::Backend;
use crate::config::Preset;
use crate::error::{Error, Result};
use crate::filter::{Filter, SavedTensors, Settings, Tensor, TileHistories, check_range};
use crate::fit_options::FitOptions;
use crate::interactions::Interactions;
use crate::process::{Scratch, Tile};

/// The linear autoencoder `r B` that reproduces `A` best without using an item for itself:
/// `B = I - Q diag(Q)^-1` for `Q = (A^T A + lambda I)^-1`.
///
/// `Q` is dense: fitting takes 8 bytes per pair of items at its peak, while the matrix is
/// moved to the device, and `items^3` multiplications; a fitted filter and its file take 4
/// bytes. It is refused with both numbers where the peak is above `memory_budget`. The
/// `lambda` of the paper are for other data: 100 gives what is published for Gowalla, 300 what
/// is for Yelp2018, and stands in elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EaseR {
    /// `lambda`: the L2 regularisation; above 0.
    pub lambda: f64,
    /// The most bytes that fitting may take.
    pub memory_budget: usize,
}

/// Bytes per pair of items while the matrix is moved to the device.
const PEAK: usize = 8;

const INVERSE: &str = "ease_r.inverse";
const DIAGONAL: &str = "ease_r.diagonal";

struct FittedEaseR<B: Backend> {
    /// `Q: items x items`.
    inverse: B::Matrix,
    diagonal: Vec<f32>,
    ones: Vec<f32>,
    /// `1 / diagonal`, `items x 1`.
    item_scale: B::Matrix,
}

impl<B: Backend> FittedEaseR<B> {
    fn of_inverse(
        backend: &B,
        inverse: B::Matrix,
        diagonal: Vec<f32>,
    ) -> Result<Box<dyn Filter<B>>> {
        let scale: Vec<f32> = diagonal.iter().map(|entry| entry.recip()).collect();
        Ok(Box::new(Self {
            inverse,
            item_scale: backend.upload(aview1(&scale).insert_axis(Axis(1)))?,
            ones: vec![1.0; diagonal.len()],
            diagonal,
        }))
    }
}

impl Settings for EaseR {
    const NAME: &'static str = "ease-r";

    fn published(data: Preset) -> Self {
        Self {
            lambda: if data == Preset::Gowalla {
                100.0
            } else {
                300.0
            },
            memory_budget: 16 << 30,
        }
    }

    fn check(&self) -> Result<()> {
        check_range("lambda", self.lambda, 1e-6..=f64::from(f32::MAX))
    }

    fn fit<B: Backend>(
        &self,
        backend: &B,
        interactions: &Interactions,
        options: &FitOptions,
    ) -> Result<Box<dyn Filter<B>>> {
        let items = interactions.items();
        let needed = items.saturating_mul(items).saturating_mul(PEAK);
        if needed > self.memory_budget {
            return Err(Error::MemoryBudget {
                what: format!("the inverse of a matrix of {items} x {items} items"),
                needed,
                available: self.memory_budget,
            });
        }
        let limits = Limits {
            budget: self.memory_budget,
            row: None,
        };
        let weights = vec![1.0; interactions.users()];
        let common = of_common_users(backend, interactions, &weights, limits, options, |_, _| {})?;
        let mut gram = to_dense(&common);
        drop(common);
        gram.diag_mut()
            .mapv_inplace(|count| (f64::from(count) + self.lambda) as f32);
        let matrix = backend.upload(gram.view())?;
        drop(gram);
        let inverse = backend.invert_positive_definite(matrix)?;
        let diagonal = diagonal(backend, &inverse)?;
        FittedEaseR::of_inverse(backend, inverse, diagonal)
    }

    fn open<B: Backend>(
        &self,
        backend: &B,
        interactions: &Interactions,
        tensors: &dyn SavedTensors,
        _options: &FitOptions,
    ) -> Result<Box<dyn Filter<B>>> {
        let items = interactions.items();
        let (inverse, diagonal) = (tensors.matrix(INVERSE)?, tensors.floats(DIAGONAL)?);
        if inverse.shape() != (items, items) || diagonal.len() != items {
            let expected = format!("{INVERSE}: shape {:?}", (items, items));
            return Err(tensors.invalid(&expected, format!("{:?}", inverse.shape())));
        }
        if diagonal
            .iter()
            .any(|&entry| !(entry.is_finite() && entry > 0.0))
        {
            let expected = format!("{DIAGONAL}: positive numbers");
            return Err(tensors.invalid(&expected, "others".into()));
        }
        FittedEaseR::of_inverse(backend, backend.upload_shared(inverse)?, diagonal)
    }
}

/// Block by block, so that no second copy of the matrix is made.
fn diagonal<B: Backend>(backend: &B, matrix: &B::Matrix) -> Result<Vec<f32>> {
    const BLOCK: usize = 256;
    let size = backend.shape(matrix).0;
    let mut diagonal = Vec::with_capacity(size);
    for start in (0..size).step_by(BLOCK) {
        let end = (start + BLOCK).min(size);
        let columns = backend.download(&backend.columns(matrix, start..end)?)?;
        diagonal.extend((start..end).map(|place| columns[[place, place - start]]));
    }
    Ok(diagonal)
}

impl<B: Backend> Filter<B> for FittedEaseR<B> {
    fn scratch(&self) -> Scratch {
        Scratch {
            items: self.diagonal.len(),
            ..Scratch::default()
        }
    }

    /// `diag(Q) r - Q r`, which the item scale divides by `diag(Q)`.
    fn score_tile(
        &self,
        backend: &B,
        histories: TileHistories<'_>,
        tile: &mut Tile<B>,
    ) -> Result<()> {
        let ones = histories.upload(backend, &self.ones)?;
        backend.project_histories(&self.inverse, &ones, &mut tile.scores)?;
        let own = histories.upload(backend, &self.diagonal)?;
        backend.add_histories(1.0, &own, -1.0, &mut tile.scores)
    }

    fn item_scale(&self) -> &B::Matrix {
        &self.item_scale
    }

    fn tensors(&self, _backend: &B) -> Result<Vec<(&'static str, Tensor<'_, B>)>> {
        Ok(vec![
            (INVERSE, Tensor::Matrix(&self.inverse)),
            (DIAGONAL, Tensor::Floats(self.diagonal.as_slice().into())),
        ])
    }
}
