//! The best approximations of eigenpairs of `P` in the span of a block of vectors.

use bspm_linalg::{inverse_cholesky_factor, product};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

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
/// The basis is orthonormalised with its Gram matrix, again if it is ill-conditioned. The last time is combined
/// with the rotation to the eigenvectors of the projection.
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
    let projected = product(
        orthonormalizer.t(),
        product(walk.view(), orthonormalizer.view()).view(),
    );
    let eigen = backend.symmetric_eigen(projected.view())?;
    let mut values = eigen.values;
    let mut eigenvectors = eigen.vectors;
    values.reverse();
    eigenvectors.invert_axis(Axis(1));
    let transform = product(orthonormalizer.view(), eigenvectors.view());
    Ok(RitzPairs {
        values,
        vectors: rotate(backend, vectors, transform.view())?,
        is_orthonormal,
    })
}

/// The maximum width of a tile for residuals. The lengths of the columns are the diagonal of a dense product,
/// whose cost grows with the square of the width.
const RESIDUAL_COLUMNS: usize = 64;

/// `||P v - lambda v||` for the first columns of `vectors: items x columns`.
pub(super) fn residuals<B: Backend>(
    backend: Checked<'_, B>,
    graph: &NormalizedGraph<B>,
    vectors: &B::Matrix,
    values: &[f64],
) -> Result<Vec<f64>> {
    let width = graph.tile_columns().min(RESIDUAL_COLUMNS);
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
    /// The smallest eigenvalue of the Gram matrix of the unit columns, or an estimate that is slightly larger; 1 if
    /// the columns are already orthonormal.
    smallest: f64,
}

/// Computes the transform from the Gram matrix, after scaling to unit columns: with a Cholesky decomposition
/// (Cholesky QR, Yamamoto et al. 2015), or if the block is too ill-conditioned for it, with an eigendecomposition,
/// which takes much longer.
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
    let unit = gram * &rows * inverse_lengths.view().insert_axis(Axis(0));
    let of_unit = match by_cholesky(&unit) {
        Some(orthonormalizer) => orthonormalizer,
        None => by_eigen(backend, &unit)?,
    };
    Ok(Orthonormalizer {
        transform: of_unit.transform * rows,
        ..of_unit
    })
}

/// The smallest eigenvalue of a Gram matrix of unit columns for which a Cholesky decomposition is used: well
/// above [`GRAM_NOISE`] for blocks of a few thousand columns.
const CHOLESKY_LIMIT: f64 = 0.01;

/// Returns `L^-T` for the Gram matrix `L L^T` of unit columns; `None` if the matrix is too ill-conditioned.
fn by_cholesky(gram: &Array2<f64>) -> Option<Orthonormalizer> {
    let inverse = inverse_cholesky_factor(gram.view())?;
    let smallest = smallest_eigenvalue(&inverse);
    (smallest >= CHOLESKY_LIMIT).then(|| Orthonormalizer {
        transform: inverse.reversed_axes(),
        smallest,
    })
}

/// Estimates the smallest eigenvalue of `L L^T` from `inverse = L^-1` by power iteration on `L^-T L^-1`. The
/// estimate is an upper bound, and close to the eigenvalue if it is much smaller than the others.
fn smallest_eigenvalue(inverse: &Array2<f64>) -> f64 {
    const ITERATIONS: usize = 12;
    let square = |row: &ArrayView1<'_, f64>| row.dot(row);
    let longest = inverse
        .rows()
        .into_iter()
        .max_by(|left, right| square(left).total_cmp(&square(right)));
    let Some(longest) = longest else {
        return 1.0;
    };
    let mut vector = longest.to_owned();
    let mut largest = 0.0;
    for _ in 0..ITERATIONS {
        vector /= vector.dot(&vector).sqrt();
        let halfway = inverse.dot(&vector);
        vector.fill(0.0);
        for (row, &factor) in inverse.rows().into_iter().zip(&halfway) {
            vector.scaled_add(factor, &row);
        }
        largest = vector.dot(&vector).sqrt();
    }
    1.0 / largest
}

/// Computes the transform from the eigendecomposition of the Gram matrix of unit columns (SVQB, Stathopoulos and
/// Wu 2002).
fn by_eigen<B: Backend>(backend: Checked<'_, B>, gram: &Array2<f64>) -> Result<Orthonormalizer> {
    let eigen = backend.symmetric_eigen(gram.view())?;
    let largest = eigen.values.last().copied().unwrap_or(0.0);
    let smallest = eigen.values.first().copied().unwrap_or(0.0);
    let floor = (GRAM_NOISE * largest).max(f64::MIN_POSITIVE);
    let inverse_roots: Array1<f64> = eigen
        .values
        .iter()
        .map(|value| 1.0 / value.max(floor).sqrt())
        .collect();
    Ok(Orthonormalizer {
        transform: eigen.vectors * inverse_roots.insert_axis(Axis(0)),
        smallest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Gram matrix of pairs of unit vectors with these cosines; its smallest eigenvalue is 1 minus the
    /// largest cosine.
    fn pairs(cosines: &[f64]) -> Array2<f64> {
        let mut gram = Array2::eye(2 * cosines.len());
        for (pair, &cosine) in cosines.iter().enumerate() {
            gram[[2 * pair, 2 * pair + 1]] = cosine;
            gram[[2 * pair + 1, 2 * pair]] = cosine;
        }
        gram
    }

    #[test]
    fn cholesky_qr_makes_columns_orthonormal_and_estimates_the_condition() {
        for largest in [0.0, 0.5, 0.9, 0.98] {
            let gram = pairs(&[0.3, largest, 0.1, 0.2]);
            let found = by_cholesky(&gram).unwrap();
            let product = found.transform.t().dot(&gram).dot(&found.transform);
            let error = (product - Array2::<f64>::eye(8)).mapv(f64::abs);
            assert!(error.iter().all(|&it| it < 1e-12), "{error}");
            let smallest = 1.0 - f64::max(0.3, largest);
            assert!((0.999..1.1).contains(&(found.smallest / smallest)));
        }
    }

    #[test]
    fn an_ill_conditioned_block_is_left_to_the_eigendecomposition() {
        for cosine in [0.995, 1.0, f64::NAN] {
            assert!(by_cholesky(&pairs(&[0.3, cosine])).is_none());
        }
    }
}
