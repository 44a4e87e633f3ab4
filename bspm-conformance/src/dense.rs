//! Dense operations.

use ndarray::{Array2, s};

use super::{ODD_SHAPES, assert_close, random_matrix, random_source, to_f64};
use bspm_core::backend::{Backend, Checked, Operand, Shaped, Update};

/// An uploaded matrix is the same after a download.
pub fn uploads_come_back<B: Backend>(backend: &B) {
    for (rows, columns) in ODD_SHAPES {
        let values = random_matrix(rows, columns, &mut random_source(1));
        let matrix = backend.upload(values.view()).unwrap();
        assert_eq!(matrix.shape(), (rows, columns));
        assert_eq!(backend.download(&matrix).unwrap(), values);
        let transposed = backend.upload(values.t()).unwrap();
        assert_eq!(backend.download(&transposed).unwrap(), values.t());
    }
}

/// A new matrix is zero.
pub fn zeros_are_zero<B: Backend>(backend: &B) {
    for (rows, columns) in ODD_SHAPES {
        let zeros = backend.zeros(rows, columns).unwrap();
        assert_close(backend, &zeros, &Array2::zeros((rows, columns)), 0.0);
    }
}

/// Products, with and without a transposed operand, with every kind of update.
pub fn matmul_matches_f64<B: Backend>(backend: &B) {
    let sizes = [0, 1, 3, 17, 32, 50];
    let shapes = sizes
        .iter()
        .flat_map(|&rows| sizes.map(|inner| (rows, inner)));
    let mut random = random_source(2);
    for (rows, inner) in shapes.chain([(2100, 40)]) {
        for columns in [0, 1, 8, 32, 37] {
            let left = random_matrix(rows, inner, &mut random);
            let right = random_matrix(inner, columns, &mut random);
            let before = random_matrix(rows, columns, &mut random);
            let product = to_f64(left.view()).dot(&to_f64(right.view()));
            let right = backend.upload(right.view()).unwrap();
            for transpose in [false, true] {
                let left = if transpose { left.t() } else { left.view() };
                let left = backend.upload(left).unwrap();
                for (factor, keep, added) in
                    [(1.0, 0.0, None), (-2.0, 1.0, None), (0.5, 0.25, Some(3.0))]
                {
                    let addend = backend.upload(before.view()).unwrap();
                    let update = Update {
                        product: factor,
                        keep,
                        addend: added.map(|added| (added, &addend)),
                    };
                    let mut out = backend.upload(before.view()).unwrap();
                    let right = Operand::Dense(&right);
                    backend
                        .matmul(&left, transpose, right, update, &mut out)
                        .unwrap();
                    let kept = f64::from(keep + added.unwrap_or(0.0));
                    let expected = &product * f64::from(factor) + to_f64(before.view()) * kept;
                    assert_close(backend, &out, &expected, 2e-6);
                }
            }
        }
    }
}

/// `left^T * right` where `right = M * left` for a symmetric `M`, in one piece and in several.
pub fn symmetric_products_match_f64<B: Backend>(backend: &B) {
    let mut random = random_source(6);
    for (rows, columns) in ODD_SHAPES.into_iter().chain([(2100, 40)]) {
        let left = random_matrix(rows, columns, &mut random);
        let weights = random_matrix(rows, 1, &mut random);
        let right = &left * &weights;
        let expected = to_f64(left.t()).dot(&to_f64(right.view()));
        let left = backend.upload(left.view()).unwrap();
        for width in [1, 16, 32, 100] {
            let parts: Vec<B::Matrix> = (0..columns)
                .step_by(width)
                .map(|start| {
                    let part = right.slice(s![.., start..columns.min(start + width)]);
                    backend.upload(part).unwrap()
                })
                .collect();
            let product = backend.symmetric_product(&left, &parts).unwrap();
            assert_eq!(product.dim(), (columns, columns));
            assert_eq!(product, product.t());
            let size = expected
                .iter()
                .fold(1.0, |size: f64, it| size.max(it.abs()));
            let error = (product - &expected).mapv(|it| it.abs() / size);
            let largest = error.iter().fold(0.0, |most: f64, &it| most.max(it));
            assert!(largest < 2e-6, "{rows} x {columns}: error {largest:e}");
        }
    }
}

/// Scaled sums and row scales.
pub fn elementwise_operations_match_f64<B: Backend>(backend: &B) {
    let mut random = random_source(3);
    for (rows, columns) in ODD_SHAPES {
        let addend = random_matrix(rows, columns, &mut random);
        let before = random_matrix(rows, columns, &mut random);
        let device_addend = backend.upload(addend.view()).unwrap();
        for (scale, keep) in [(1.0, 0.0), (0.5, 1.0), (-2.0, 0.75)] {
            let mut out = backend.upload(before.view()).unwrap();
            backend
                .add_scaled(scale, Operand::Dense(&device_addend), keep, &mut out)
                .unwrap();
            let expected =
                to_f64(addend.view()) * f64::from(scale) + to_f64(before.view()) * f64::from(keep);
            assert_close(backend, &out, &expected, 1e-6);
        }
        let scale = random_matrix(rows, 1, &mut random);
        let mut out = backend.upload(before.view()).unwrap();
        let device_scale = backend.upload(scale.view()).unwrap();
        backend.scale_rows(&device_scale, &mut out).unwrap();
        let expected = to_f64(before.view()) * to_f64(scale.view());
        assert_close(backend, &out, &expected, 1e-6);
    }
}

/// Slices of columns, and the concatenation of matrices.
pub fn columns_are_cut_and_joined<B: Backend>(backend: &B) {
    for (rows, columns) in ODD_SHAPES {
        let values = random_matrix(rows, columns, &mut random_source(4));
        let matrix = backend.upload(values.view()).unwrap();
        let cut = columns / 3;
        let left = backend.columns(&matrix, 0..cut).unwrap();
        let right = backend.columns(&matrix, cut..columns).unwrap();
        assert_eq!(
            backend.download(&right).unwrap(),
            values.slice(s![.., cut..])
        );
        let joined = backend.concatenate_columns(&[left, right]).unwrap();
        assert_eq!(backend.download(&joined).unwrap(), values);
    }
}

/// `M = V diag(values) V^T` with orthonormal `V` and ascending values.
pub fn eigenvectors_diagonalise<B: Backend>(backend: &B) {
    for size in [0, 1, 2, 7, 40] {
        let half = to_f64(random_matrix(size, size, &mut random_source(5)).view());
        let matrix = half.dot(&half.t());
        let mut lower = matrix.clone();
        for ((row, column), entry) in lower.indexed_iter_mut() {
            if column > row {
                *entry = f64::NAN;
            }
        }
        let eigen = backend.symmetric_eigen(lower.view()).unwrap();
        assert!(eigen.values.is_sorted());
        let values = Array2::from_diag(&ndarray::aview1(&eigen.values));
        let rebuilt = eigen.vectors.dot(&values).dot(&eigen.vectors.t());
        let gram = eigen.vectors.t().dot(&eigen.vectors);
        for (found, expected) in [(rebuilt, matrix), (gram, Array2::eye(size))] {
            let error = (found - expected)
                .mapv(f64::abs)
                .fold(0.0, |a: f64, &b| a.max(b));
            assert!(error <= 1e-11 * size as f64, "size {size}: error {error:e}");
        }
    }
}

/// A matrix that has no eigenvalues is an error.
pub fn a_matrix_with_nan_has_no_eigenvectors<B: Backend>(backend: &B) {
    for size in [1, 3, 40] {
        let mut matrix = Array2::eye(size);
        matrix[[size - 1, 0]] = f64::NAN;
        assert!(
            Checked::new(backend)
                .symmetric_eigen(matrix.view())
                .is_err()
        );
    }
}
