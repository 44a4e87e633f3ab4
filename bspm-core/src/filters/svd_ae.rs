//! SVD-AE (Hong et al., "SVD-AE: Simple Autoencoders for Collaborative Filtering", IJCAI 2024,
//! arXiv 2405.04746).

use serde::{Deserialize, Serialize};

use super::filter_settings::Settings;
use super::preset::Preset;
use super::setting::{MOST_FACTORS, Search, settings};
use crate::backend::{Backend, Checked, Operand, Scores, Shaped, Update};
use crate::engine::basis::Basis;
use crate::engine::filter::Filter;
use crate::engine::tensors::{SavedTensors, Source, Tensor, Tensors};
use crate::engine::tiles::{map_tiles, tile_ranges};
use crate::engine::walk::{Normalization, NormalizedGraph};
use crate::engine::workspace::{TileHistories, Workspace, unit};
use bspm_data::Interactions;
use bspm_data::Result;

/// SVD-AE: the linear autoencoder of low rank that reconstructs `$A$` from `$R$` with the smallest error.
///
/// ```math
/// y = r D_i^{-1/2} V S^{-2} V^T R^T A
/// ```
///
/// `$y$` has the scores of the history `$r$`, `$R = D_u^{-1/2} A D_i^{-1/2}$`, and `$V$` and `$S$` have its
/// `$K$` leading right singular vectors and singular values. This is the paper's `$R (V S^{-1} U^T A)$`
/// without the factor `$d_u^{-1/2}$` of the user's row of `$R$`, which does not change the list. Singular
/// values below a thousandth of the largest one are omitted, because their inverses are dominated by rounding
/// errors.
///
/// The other symbols are in the documentation of [`filters`](crate::filters).
///
/// # When to use it
///
/// - For an autoencoder of a catalogue that is too large for a dense `ease-r`.
/// - Not if memory or latency matters: the published numbers of vectors are more than twice those of the
///   other filters.
///
/// The published numbers are 4% of the users of the paper's own splits.
///
/// # Settings
///
#[doc = include_str!("settings/svd-ae.md")]
///
/// # Cost
///
/// Fit: the truncated SVD of `$K$` vectors, and a product with the matrix for each of them. A history: one
/// product with `$V$` and one with a matrix of the same size. Memory: 8 bytes per interaction (16 with
/// weights), and 8 bytes per item and singular vector.
///
/// # Source
///
/// Hong et al., "SVD-AE: Simple Autoencoders for Collaborative Filtering", IJCAI 2024, arXiv 2405.04746.
///
/// # Examples
///
/// ```
/// use bspm_core::filters::SvdAe;
/// use bspm_core::{Dataset, Model};
/// use bspm_cpu::CpuBackend;
///
/// let visits: Dataset<&str, &str> = Dataset::from_pairs([
///     ("ann", "tea"), ("ann", "milk"), ("bob", "milk"),
///     ("bob", "rice"), ("cid", "rice"), ("cid", "jam"),
/// ])?;
/// let filter = SvdAe::for_shape(3, 4);
/// let model = Model::fit(CpuBackend::new(), visits, filter)?;
/// assert_eq!(model.recommend("ann", 1)?[0].item, "rice");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SvdAe {
    /// The number of singular vectors; at least 1.
    pub factor_dim: usize,
}

settings!(SvdAe {
    factor_dim: usize ("K"): Count (1.0, MOST_FACTORS), Search::Factors, "Number of singular vectors";
});

const DECODER: &str = "svd_ae.decoder";

/// The smallest singular value that is inverted, relative to the largest one.
const LEAST: f32 = 1e-3;

#[derive(Debug)]
struct FittedSvdAe<B: Backend> {
    basis: Basis<B>,
    history_weights: Vec<f32>,
    /// `S^-2`, `factors x 1`.
    response: B::Matrix,
    /// `A^T R V: items x factors`.
    decoder: B::Matrix,
    /// Ones, `items x 1`.
    item_scale: B::Matrix,
}

impl Settings for SvdAe {
    const NAME: &'static str = "svd-ae";

    fn published(data: Preset) -> Self {
        Self {
            factor_dim: match data {
                Preset::Gowalla => 1194,
                _ => 1267,
            },
        }
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let graph = NormalizedGraph::new(backend.unchecked(), interactions)?;
        let basis = Basis::obtain(backend, &graph, self.factor_dim, source)?;
        let decoder = match source {
            Source::Fit(..) => decoder(backend, interactions, &graph, &basis)?,
            Source::Saved(tensors) => saved(backend, basis.vectors.shape(), tensors)?,
        };
        let values = &basis.singular_values;
        let least = LEAST * values.first().copied().unwrap_or(1.0);
        let response = values.iter().map(|&value| match value > least {
            true => value.powi(-2),
            false => 0.0,
        });
        let response: Vec<f32> = response.collect();
        Ok(Box::new(FittedSvdAe {
            response: backend.upload_column(&response)?,
            item_scale: backend.upload_column(&vec![1.0; interactions.items()])?,
            history_weights: graph.history_weights().to_vec(),
            decoder,
            basis,
        }))
    }
}

/// `A^T R V = (A^T D_u^-1/2 A) (D_i^-1/2 V)`, a tile of the factors at a time.
fn decoder<B: Backend>(
    backend: Checked<'_, B>,
    interactions: &Interactions,
    graph: &NormalizedGraph<B>,
    basis: &Basis<B>,
) -> Result<B::Matrix> {
    let common_users = Normalization {
        users: 0.5,
        items: 0.0,
        history: 0.0,
        output: 0.0,
        ..Normalization::SYMMETRIC
    };
    let device = backend.unchecked();
    let common_users = NormalizedGraph::with_normalization(device, interactions, common_users)?;
    if basis.factors() == 0 {
        return backend.zeros(interactions.items(), 0);
    }
    let tiles = tile_ranges(basis.factors(), graph.tile_columns());
    map_tiles(backend, &basis.vectors, &tiles, |scratch, vectors, tile| {
        let half_way = scratch.of_shape(backend, interactions.users(), tile.len())?;
        let mut part = backend.columns(vectors, tile)?;
        backend.scale_rows(graph.inverse_root_degrees(), &mut part)?;
        common_users.step(backend, None, Update::REPLACE, half_way, &mut part)?;
        Ok(part)
    })
}

fn saved<B: Backend>(
    backend: Checked<'_, B>,
    shape: (usize, usize),
    tensors: &dyn SavedTensors,
) -> Result<B::Matrix> {
    if shape.1 == 0 {
        return backend.zeros(shape.0, 0);
    }
    backend.upload(tensors.matrix_of(DECODER, shape)?)
}

impl<B: Backend> Filter<B> for FittedSvdAe<B> {
    fn workspace(&self, backend: Checked<'_, B>, columns: usize) -> Result<Workspace<B>> {
        let items = self.history_weights.len();
        Workspace::new(backend, items, &[], columns)?.with_coefficients(
            backend,
            self.basis.factors(),
            columns,
        )
    }

    fn score<'s>(
        &'s self,
        backend: Checked<'_, B>,
        histories: TileHistories<'_>,
        workspace: &'s mut Workspace<B>,
    ) -> Result<Scores<'s, B>> {
        let Workspace {
            scores,
            coefficients,
            ..
        } = workspace;
        let histories = histories.upload(backend, &self.history_weights)?;
        let (vectors, histories) = (&self.basis.vectors, Operand::Histories(&histories));
        backend.matmul(vectors, true, histories, Update::REPLACE, coefficients)?;
        backend.scale_rows(&self.response, coefficients)?;
        backend.add_scaled(0.0, histories, 0.0, scores)?;
        Ok(Scores {
            dense: scores,
            product: Some((&self.decoder, coefficients)),
        })
    }

    fn column(&self, backend: Checked<'_, B>, item: u32) -> Result<Vec<f32>> {
        let mut workspace = self.workspace(backend, 1)?;
        let (seen, scores) = (&mut workspace.coefficients, &mut workspace.scores);
        let unit = unit(backend, self.history_weights.len(), item)?;
        let unit = Operand::Histories(&unit);
        backend.matmul(&self.decoder, true, unit, Update::REPLACE, seen)?;
        backend.scale_rows(&self.response, seen)?;
        let (seen, vectors) = (Operand::Dense(&*seen), &self.basis.vectors);
        backend.matmul(vectors, false, seen, Update::REPLACE, scores)?;
        let scores = backend.download(scores)?;
        let rows = scores.iter().zip(&self.history_weights);
        Ok(rows.map(|(score, weight)| score * weight).collect())
    }

    fn item_scale(&self) -> &B::Matrix {
        &self.item_scale
    }

    fn tensors(&self) -> Tensors<'_, B> {
        let mut tensors = self.basis.tensors();
        tensors.push((DECODER.into(), Tensor::Matrix(&self.decoder)));
        tensors
    }

    fn bases(&self) -> Vec<&Basis<B>> {
        vec![&self.basis]
    }
}
