//! EASE-R (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019,
//! arXiv 1905.03375).

use serde::{Deserialize, Serialize};

use super::contract::Settings;
use super::preset::Preset;
use super::setting::{F32_MAX, Search, settings};
use crate::backend::{Backend, Checked, Operand, Shaped, Update};
use crate::data::interactions::Interactions;
use crate::engine::filter::Filter;
use crate::engine::fit_options::FitOptions;
use crate::engine::item_graph::{Limits, of_common_users, to_dense};
use crate::engine::tensors::{SavedTensors, Source, Tensor, Tensors};
use crate::engine::workspace::{TileHistories, Workspace};
use crate::error::Result;
use crate::parameter::check_memory;

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

#[derive(Debug)]
struct FittedEaseR<B: Backend> {
    /// `Q: items x items`.
    inverse: B::Matrix,
    diagonal: Vec<f32>,
    ones: Vec<f32>,
    /// `1 / diagonal`, `items x 1`.
    item_scale: B::Matrix,
}

settings!(EaseR {
    lambda ("lambda"): Number (1e-6, F32_MAX), Search::Log(1.0, 3000.0), "L2 regularisation";
    memory_budget ("memory"): Count (0.0, f64::MAX), Search::Fixed, "The most bytes that fitting may take";
});

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

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let (inverse, diagonal) = match source {
            Source::Fit(options, _) => self.invert(backend, interactions, options)?,
            Source::Saved(tensors) => saved(backend, interactions.items(), tensors)?,
        };
        let scale: Vec<f32> = diagonal.iter().map(|entry| entry.recip()).collect();
        Ok(Box::new(FittedEaseR::<B> {
            inverse,
            item_scale: backend.upload_column(&scale)?,
            ones: vec![1.0; diagonal.len()],
            diagonal,
        }))
    }
}

impl EaseR {
    /// `Q` and its diagonal.
    fn invert<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        options: &FitOptions,
    ) -> Result<(B::Matrix, Vec<f32>)> {
        let items = interactions.items();
        let needed = items.saturating_mul(items).saturating_mul(PEAK);
        let what = || format!("the inverse of a matrix of {items} x {items} items");
        check_memory(what, needed, self.memory_budget)?;
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
        Ok((inverse, diagonal))
    }
}

fn saved<B: Backend>(
    backend: Checked<'_, B>,
    items: usize,
    tensors: &dyn SavedTensors,
) -> Result<(B::Matrix, Vec<f32>)> {
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
    Ok((backend.upload_shared(inverse)?, diagonal))
}

/// Block by block, so that no second copy of the matrix is made.
fn diagonal<B: Backend>(backend: Checked<'_, B>, matrix: &B::Matrix) -> Result<Vec<f32>> {
    const BLOCK: usize = 256;
    let size = matrix.shape().0;
    let mut diagonal = Vec::with_capacity(size);
    for start in (0..size).step_by(BLOCK) {
        let end = (start + BLOCK).min(size);
        let columns = backend.download(&backend.columns(matrix, start..end)?)?;
        diagonal.extend((start..end).map(|place| columns[[place, place - start]]));
    }
    Ok(diagonal)
}

impl<B: Backend> Filter<B> for FittedEaseR<B> {
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>> {
        Workspace::new(backend, self.diagonal.len(), &[], columns)
    }

    /// `diag(Q) r - Q r`, which the item scale divides by `diag(Q)`.
    fn score_tile(
        &self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &mut Workspace<B>,
    ) -> Result<()> {
        let scores = &mut workspace.scores;
        let ones = histories.upload(backend, &self.ones)?;
        let ones = Operand::Histories(&ones);
        backend.matmul(&self.inverse, true, ones, Update::REPLACE, scores)?;
        let own = histories.upload(backend, &self.diagonal)?;
        backend.add_scaled(1.0, Operand::Histories(&own), -1.0, scores)
    }

    fn item_scale(&self) -> &B::Matrix {
        &self.item_scale
    }

    fn tensors(&self) -> Tensors<'_, B> {
        vec![
            (INVERSE.into(), Tensor::Matrix(&self.inverse)),
            (DIAGONAL.into(), Tensor::Floats(&self.diagonal)),
        ]
    }
}
