//! The best approximations of eigenpairs of `P` in the span of a block of vectors.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::backend::{Backend, Checked, Operand, Shaped, Update};
use crate::engine::tiles::{Scratch, tile_ranges};
use crate::engine::walk::NormalizedGraph;
use bspm_data::Result;

/// Ritz values in descending order, and orthonormal vectors in the same order.
pub(super) struct RitzPairs<M> {
    pub(super) values: Vec<f64>,
    /// `items x values`.
    pub(super) vectors: M,
    /// Whether the vectors are orthonormal to a few millionths.
    pub(super) is_orthonormal: bool,
}

/// If the relative rounding errors of the entries of a Gram matrix are near `f32::EPSILON`, eigenvalues below
/// this share of the largest one are noise.
const GRAM_NOISE: f64 = 2e-6;

/// The error of one orthonormalisation is near `4 * f32::EPSILON`, divided by the smallest eigenvalue of the
/// Gram matrix of the unit columns. With this eigenvalue, it is a few millionths.
const WELL_CONDITIONED: f64 = 0.1;

const MAX_ORTHONORMALIZATIONS: usize = 8;

/// Projects `P` on the span of `vectors: items x block` (Rayleigh-Ritz).
///
/// The basis is orthonormalised with the eigendecomposition of its Gram matrix (SVQB, Stathopoulos and Wu
/// 2002), again if it is ill-conditioned. The last time is combined with the rotation to the eigenvectors of
/// the projection.
pub(super) fn rayleigh_ritz<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    mut vectors: B::Matrix,
) -> Result<RitzPairs<B::Matrix>> {
    let mut pass = 1;
    let (orthonormalizer, is_orthonormal) = loop {
        let gram = backend.symmetric_product(&vectors, std::slice::from_ref(&vectors))?;
        let orthonormalizer = orthonormalizer(backend, &gram)?;
        let is_orthonormal = orthonormalizer.smallest >= WELL_CONDITIONED;
        if is_orthonormal || pass == MAX_ORTHONORMALIZATIONS {
            break (orthonormalizer.transform, is_orthonormal);
        }
        vectors = rotate(backend, vectors, orthonormalizer.transform.view())?;
        pass += 1;
    };
    let walk = backend.symmetric_product(&vectors, &walked(backend, graph, &vectors)?)?;
    let projected = orthonormalizer.t().dot(&walk).dot(&orthonormalizer);
    let eigen = backend.symmetric_eigen(projected.view())?;
    let mut values = eigen.values;
    let mut eigenvectors = eigen.vectors;
    values.reverse();
    eigenvectors.invert_axis(Axis(1));
    let transform = orthonormalizer.dot(&eigenvectors);
    Ok(RitzPairs {
        values,
        vectors: rotate(backend, vectors, transform.view())?,
        is_orthonormal,
    })
}

/// `||P v - lambda v||` for the first columns of `vectors: items x columns`.
pub(super) fn residuals<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    vectors: &B::Matrix,
    values: &[f64],
) -> Result<Vec<f64>> {
    let width = graph.tile_columns();
    let ranges = tile_ranges(values.len(), width);
    let tiles = backend.for_each_tile(
        ranges.len(),
        || Ok(Scratch::default()),
        |scratch, tile| {
            let range = ranges[tile].clone();
            let tile = backend.columns(vectors, range.clone())?;
            let mut difference = apply_to_tile(backend, graph, scratch, tile)?;
            let vectors = backend.columns(vectors, range.clone())?;
            let values = Array1::from_iter(values[range].iter().map(|&value| value as f32));
            let subtract = Update::added(-1.0);
            let values = backend.upload(Array2::from_diag(&values).view())?;
            backend.matmul(
                &vectors,
                false,
                Operand::Dense(&values),
                subtract,
                &mut difference,
            )?;
            let squares = transposed_product(backend, &difference, &difference)?;
            let squares = backend.download(&squares)?;
            Ok(squares
                .diag()
                .mapv(|square| f64::from(square).sqrt())
                .to_vec())
        },
    )?;
    Ok(tiles.concat())
}

/// `P X` for plain (not walk) coordinates, tile by tile.
fn walked<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    vectors: &B::Matrix,
) -> Result<Vec<B::Matrix>> {
    let ranges = tile_ranges(vectors.shape().1, graph.tile_columns());
    backend.for_each_tile(
        ranges.len(),
        || Ok(Scratch::default()),
        |scratch, tile| {
            let tile = backend.columns(vectors, ranges[tile].clone())?;
            apply_to_tile(backend, graph, scratch, tile)
        },
    )
}

/// `P X` for one tile of plain coordinates.
fn apply_to_tile<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    scratch: &mut Scratch<B::Matrix>,
    mut tile: B::Matrix,
) -> Result<B::Matrix> {
    backend.scale_rows(graph.inverse_root_degrees(), &mut tile)?;
    let users = scratch.of_shape(backend, graph.users(), tile.shape().1)?;
    graph.step(backend, None, Update::REPLACE, users, &mut tile)?;
    backend.scale_rows(graph.root_degrees(), &mut tile)?;
    Ok(tile)
}

/// `left^T * right`.
fn transposed_product<B: Backend>(
    backend: Checked<'_, B>,
    left: &B::Matrix,
    right: &B::Matrix,
) -> Result<B::Matrix> {
    let mut product = backend.zeros(left.shape().1, right.shape().1)?;
    backend.matmul(
        left,
        true,
        Operand::Dense(right),
        Update::REPLACE,
        &mut product,
    )?;
    Ok(product)
}

/// `vectors * transform`.
pub(super) fn rotate<B: Backend>(
    backend: Checked<'_, B>,
    vectors: B::Matrix,
    transform: ArrayView2<'_, f64>,
) -> Result<B::Matrix> {
    let transform = backend.upload(transform.mapv(|entry| entry as f32).view())?;
    let mut rotated = backend.zeros(vectors.shape().0, transform.shape().1)?;
    let right = Operand::Dense(&transform);
    backend.matmul(&vectors, false, right, Update::REPLACE, &mut rotated)?;
    Ok(rotated)
}

struct Orthonormalizer {
    /// `block x block`: makes the columns of the block orthonormal if it is multiplied from the right.
    transform: Array2<f64>,
    /// The smallest eigenvalue of the Gram matrix of the unit columns; 1 if they are already orthonormal.
    smallest: f64,
}

/// Computes the transform from the Gram matrix, after scaling to unit columns.
fn orthonormalizer<B: Backend>(
    backend: Checked<'_, B>,
    gram: &Array2<f64>,
) -> Result<Orthonormalizer> {
    let inverse_lengths = gram.diag().mapv(|square| {
        if square > 0.0 {
            1.0 / square.sqrt()
        } else {
            0.0
        }
    });
    let rows = inverse_lengths.view().insert_axis(Axis(1));
    let scaled = gram * &rows * inverse_lengths.view().insert_axis(Axis(0));
    let eigen = backend.symmetric_eigen(scaled.view())?;
    let largest = eigen.values.last().copied().unwrap_or(0.0);
    let smallest = eigen.values.first().copied().unwrap_or(0.0);
    let floor = (GRAM_NOISE * largest).max(f64::MIN_POSITIVE);
    let inverse_roots: Array1<f64> = eigen
        .values
        .iter()
        .map(|value| 1.0 / value.max(floor).sqrt())
        .collect();
    Ok(Orthonormalizer {
        transform: eigen.vectors * rows * inverse_roots.insert_axis(Axis(0)),
        smallest,
    })
}
