//! The best eigenpairs of `P` that a block of vectors holds.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::backend::{Backend, Checked, Operand, Shaped, Update};
use crate::engine::tiles::{map_tiles, tile_ranges};
use crate::engine::walk::NormalizedGraph;
use crate::error::Result;

/// Eigenvalues, descending, and orthonormal vectors in the same order.
pub(super) struct RitzPairs<M> {
    pub(super) values: Vec<f64>,
    /// `items x values`.
    pub(super) vectors: M,
    /// Whether the vectors are orthonormal to a few millionths.
    pub(super) is_orthonormal: bool,
}

/// Gram matrices with entries of relative rounding error near `f32::EPSILON` say
/// nothing about directions whose eigenvalue is smaller than this share of the
/// largest one.
const GRAM_NOISE: f64 = 2e-6;

/// What one orthonormalisation leaves is an error near `4 * f32::EPSILON`, divided
/// by the smallest eigenvalue of the Gram matrix of the unit columns. This one
/// leaves a few millionths.
const WELL_CONDITIONED: f64 = 0.1;

const MAX_ORTHONORMALIZATIONS: usize = 8;

/// Projects `P` on the span of `vectors: items x block` (Rayleigh-Ritz).
///
/// The basis is orthonormalised through the eigen-decomposition of its Gram matrix
/// (SVQB, Stathopoulos and Wu 2002), again where it was badly conditioned, and the
/// last time in one rotation with the projection's eigenvectors.
pub(super) fn rayleigh_ritz<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    mut vectors: B::Matrix,
) -> Result<RitzPairs<B::Matrix>> {
    let width = graph.tile_columns();
    let mut pass = 1;
    let (orthonormalizer, is_orthonormal) = loop {
        let gram = project(backend, width, &vectors, Ok)?;
        let orthonormalizer = orthonormalizer(backend, &gram)?;
        let is_orthonormal = orthonormalizer.smallest >= WELL_CONDITIONED;
        if is_orthonormal || pass == MAX_ORTHONORMALIZATIONS {
            break (orthonormalizer.transform, is_orthonormal);
        }
        vectors = rotate(backend, width, vectors, orthonormalizer.transform.view())?;
        pass += 1;
    };
    let walk = project(backend, width, &vectors, |tile| {
        apply_to_tile(backend, graph, &tile)
    })?;
    let projected = orthonormalizer.t().dot(&walk).dot(&orthonormalizer);
    let eigen = backend.symmetric_eigen(projected.view())?;
    let mut values = eigen.values;
    let mut eigenvectors = eigen.vectors;
    values.reverse();
    eigenvectors.invert_axis(Axis(1));
    let transform = orthonormalizer.dot(&eigenvectors);
    Ok(RitzPairs {
        values,
        vectors: rotate(backend, width, vectors, transform.view())?,
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
        || Ok(()),
        |(), tile| {
            let range = ranges[tile].clone();
            let vectors = backend.columns(vectors, range.clone())?;
            let mut difference = apply_to_tile(backend, graph, &vectors)?;
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

/// `X^T f(X)` for a symmetric `f`, which is given `X` tile by tile.
fn project<B: Backend>(
    backend: Checked<'_, B>,
    width: usize,
    vectors: &B::Matrix,
    map: impl Fn(B::Matrix) -> Result<B::Matrix> + Sync,
) -> Result<Array2<f64>> {
    let (_, columns) = vectors.shape();
    let ranges = tile_ranges(columns, width);
    let tiles = backend.for_each_tile(
        ranges.len(),
        || Ok(()),
        |(), index| {
            let tile = backend.columns(vectors, ranges[index].clone())?;
            let product = transposed_product(backend, vectors, &map(tile)?)?;
            backend.download(&product)
        },
    )?;
    let mut projection = Array2::zeros((columns, columns));
    for (range, tile) in ranges.into_iter().zip(tiles) {
        projection
            .slice_mut(ndarray::s![.., range])
            .assign(&tile.mapv(f64::from));
    }
    Ok((&projection + &projection.t()) * 0.5)
}

/// `P X` for one tile of plain (not walk) coordinates.
fn apply_to_tile<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    tile: &B::Matrix,
) -> Result<B::Matrix> {
    let (_, columns) = tile.shape();
    let mut walked = backend.columns(tile, 0..columns)?;
    backend.scale_rows(graph.inverse_root_degrees(), &mut walked)?;
    let mut users = backend.zeros(graph.users(), columns)?;
    graph.step(backend, None, Update::REPLACE, &mut users, &mut walked)?;
    backend.scale_rows(graph.root_degrees(), &mut walked)?;
    Ok(walked)
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

/// `vectors * transform`, in tiles of `width` columns.
pub(super) fn rotate<B: Backend>(
    backend: Checked<'_, B>,
    width: usize,
    vectors: B::Matrix,
    transform: ArrayView2<'_, f64>,
) -> Result<B::Matrix> {
    let (rows, _) = vectors.shape();
    let transform = backend.upload(transform.mapv(|entry| entry as f32).view())?;
    let (_, columns) = transform.shape();
    map_tiles(
        backend,
        vectors,
        &tile_ranges(columns, width),
        |vectors, range| {
            let mut tile = backend.zeros(rows, range.len())?;
            let transform = backend.columns(&transform, range)?;
            let transform = Operand::Dense(&transform);
            backend.matmul(vectors, false, transform, Update::REPLACE, &mut tile)?;
            Ok(tile)
        },
    )
}

struct Orthonormalizer {
    /// `block x block`: makes the block's columns orthonormal when multiplied from the right.
    transform: Array2<f64>,
    /// Smallest eigenvalue of the Gram matrix of the unit columns; 1 when they are
    /// orthonormal already.
    smallest: f64,
}

/// From the Gram matrix, with its columns brought to unit length first.
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
