//! The backend: device matrices, and the operations on them that the processes, the truncated SVD and
//! the driver use.
//!
//! # Layout
//!
//! The scores of a set of users are stored item-major, `items x users`: one column per
//! user. The driver divides the users into *tiles* of
//! [`tile_columns`](Backend::tile_columns) columns, so that a tile fits into the fast
//! memory of the device, and runs each tile from histories to ranking.
//!
//! # Coordinates
//!
//! With `D_u` and `D_i` the degrees, `P = R^T R` for
//! `R = D_u^-1/2 A D_i^-1/2` is similar to the two-step random walk from items to
//! users and back: for a column `z = D_i^-1/2 r`,
//! `D_i^-1/2 (P r) = (D_i^-1 A^T)(D_u^-1 A) z`.
//! Both factors only average rows of `z`, so a sparse product (spmm) needs the pattern
//! and one scale per row, but no array of values; and the ideal low-pass filter
//! becomes the projection `V V^T z`. Core therefore keeps scores divided by
//! the square root of the item degree, and multiplies by it once at the end.

pub(crate) mod check;
mod checked;
mod combination;
mod decompositions;
mod largest;
mod select;
mod shared_matrix;
mod symmetric_product;
mod top_k;

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use sprs::{CsMatI, CsMatViewI};

use bspm_data::History;
use bspm_data::Result;
pub use bspm_linalg::SymmetricEigen;
pub use checked::Checked;
pub use combination::{Combination, ranks_of_sums};
pub use largest::largest;
pub use select::{Scores, Select, select};
pub use shared_matrix::{HostMatrix, SharedMatrix};
pub use top_k::{ScoredItem, TopK};

/// The direction of a product with a sparse matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The matrix itself. For the walk: `user_scale * A`, from items to users.
    Forward,
    /// The transposed direction. For the walk: `item_scale * A^T`, from users to items.
    Transposed,
}

/// A sparse matrix for a backend, in both directions.
#[derive(Clone, Debug)]
pub enum SparseParts<'a> {
    /// The two halves of the walk: a pattern, binary or weighted, and a scale for each row of the
    /// pattern and of its transpose. The two directions have different scales, so one is not the
    /// transpose of the other.
    Walk {
        /// `A: users x items`, compressed sparse rows.
        user_items: CsMatViewI<'a, (), u32>,
        /// `A^T: items x users`, compressed sparse rows.
        item_users: CsMatViewI<'a, (), u32>,
        /// One factor for each row of `A`.
        user_scale: &'a [f32],
        /// One factor for each row of `A^T`.
        item_scale: &'a [f32],
        /// The weights of the entries of `A` and of `A^T`, in the same order; `None` if all are 1.
        weights: Option<(&'a [f32], &'a [f32])>,
    },
    /// A weighted item graph, `items x items`: row `j` has the contributions of item `j` of a history
    /// to the scores of the other items, so scores are the transposed product. Compressed sparse rows;
    /// a backend on the host may keep the shared matrix without a copy.
    ItemGraph(Arc<CsMatI<f32, u32>>),
}

impl SparseParts<'_> {
    /// The numbers of rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Self::Walk { user_items, .. } => user_items.shape(),
            Self::ItemGraph(weights) => weights.shape(),
        }
    }
}

/// The right operand of a product: a dense matrix, or the histories of a tile, which a backend can keep
/// sparse.
#[derive(Debug)]
pub enum Operand<'a, B: Backend> {
    /// `rows x columns`.
    Dense(&'a B::Matrix),
    /// `items x columns`.
    Histories(&'a B::Histories),
}

impl<B: Backend> Clone for Operand<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Backend> Copy for Operand<'_, B> {}

impl<B: Backend> Operand<'_, B> {
    /// The numbers of rows and columns.
    pub fn shape(self) -> (usize, usize) {
        match self {
            Self::Dense(matrix) => matrix.shape(),
            Self::Histories(histories) => histories.shape(),
        }
    }
}

/// How a product is combined with the output matrix:
/// `out = product * (the product) + keep * out + addend.0 * addend.1`.
///
/// If `keep` is zero, the previous contents of `out` are ignored, even if they are not finite.
#[derive(Debug)]
pub struct Update<'a, M: ?Sized> {
    /// The factor of the product.
    pub product: f32,
    /// The factor of the previous contents of `out`.
    pub keep: f32,
    /// Another matrix with the shape of `out`, and its factor.
    pub addend: Option<(f32, &'a M)>,
}

impl<M: ?Sized> Clone for Update<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: ?Sized> Copy for Update<'_, M> {}

impl<M> Update<'_, M> {
    /// `out = product`.
    pub const REPLACE: Self = Self::times(1.0);

    /// `out += factor * product`.
    pub const fn added(factor: f32) -> Self {
        Self {
            keep: 1.0,
            ..Self::times(factor)
        }
    }

    /// `out = factor * product`.
    pub const fn times(factor: f32) -> Self {
        Self {
            product: factor,
            keep: 0.0,
            addend: None,
        }
    }
}

/// A matrix on a device with a shape.
pub trait Shaped: Debug + Send + Sync {
    /// The numbers of rows and columns.
    fn shape(&self) -> (usize, usize);
}

impl Shaped for Array2<f32> {
    fn shape(&self) -> (usize, usize) {
        self.dim()
    }
}

/// The largest number of rows of a matrix that [`Backend::invert_positive_definite`] must invert in `f64`. Larger
/// matrices may be inverted in `f32`, which takes half the time and a third of the memory.
pub const MOST_ROWS_IN_F64: usize = 4096;

/// How a filter computes the scores of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scoring {
    /// By products with dense matrices of the width of the tile.
    Dense,
    /// As sums of sparse rows, one for each item of a history.
    SparseRows,
}

/// A compute device with matrices and operations on them.
///
/// An implementation must provide fifteen operations on three types. The other operations have default
/// implementations, which use the required ones or run on the host, and which a device can override with
/// faster ones. Every operation works on whole matrices. Operations inside
/// [`run_workers`](Self::run_workers) may run on several threads at the same time, each on its own
/// matrices. Except for rounding, results must not depend on the number of threads.
///
/// Core calls all operations through [`Checked`], which checks shapes and indices, so an implementation
/// can rely on valid operands. All operations return [`Error::Backend`](crate::Error::Backend) if the
/// device fails.
pub trait Backend: Clone + Debug + Send + Sync + 'static {
    /// A dense `f32` matrix on the device.
    type Matrix: Shaped;
    /// A sparse matrix on the device, for products in both directions.
    type Sparse: Shaped;
    /// The histories of one tile of users on the device: sparse columns, `items x columns`.
    type Histories: Shaped;

    /// A short name for reports and errors.
    fn name(&self) -> &'static str;

    /// Returns the number of columns of a tile for these numbers of users and items; at least 1.
    ///
    /// # Errors
    ///
    /// [`Error::MemoryBudget`](crate::Error::MemoryBudget) if even a small tile does not fit into the
    /// memory of the device.
    fn tile_columns(&self, shape: (usize, usize), scoring: Scoring) -> Result<usize>;

    /// Calls `worker` at least once and at most `most` times, possibly on several threads at the same time, and
    /// returns after all calls have returned. `most` is at least 1.
    ///
    /// [`Checked::for_each_tile`] passes a worker that processes tiles until none are left, so one call on the
    /// calling thread is a valid implementation.
    ///
    /// # Errors
    ///
    /// [`Error::Backend`](crate::Error::Backend) if the device cannot start its threads. `worker` itself reports
    /// no errors.
    ///
    /// # Panics
    ///
    /// If `worker` panics.
    fn run_workers(&self, most: usize, worker: &(dyn Fn() + Sync)) -> Result<()>;

    /// Creates a matrix of zeros.
    fn zeros(&self, rows: usize, columns: usize) -> Result<Self::Matrix>;

    /// Copies a host matrix to the device.
    fn upload<'a>(&self, values: impl Into<HostMatrix<'a>>) -> Result<Self::Matrix>;

    /// Copies a device matrix to the host.
    fn download(&self, matrix: &Self::Matrix) -> Result<Array2<f32>>;

    /// Copies a sparse matrix to the device.
    fn upload_sparse(&self, parts: SparseParts<'_>) -> Result<Self::Sparse>;

    /// Copies one history per column to the device: column `c` of the sparse
    /// matrix `items x columns` has `weights[item]`, times the weight of the item in the
    /// history, for every item of `histories[c]`. Columns beyond `histories` are empty.
    ///
    /// `weights` has one entry per item. The items of a history are distinct.
    fn upload_histories(
        &self,
        histories: &[History<'_>],
        weights: &[f32],
        columns: usize,
    ) -> Result<Self::Histories>;

    /// Sparse-dense product (spmm): `out = update of (the sparse matrix, in a direction) * right`.
    fn spmm(
        &self,
        sparse: &Self::Sparse,
        direction: Direction,
        right: Operand<'_, Self>,
        update: Update<'_, Self::Matrix>,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// Dense product: `out = update of left * right`, or of `left^T * right`.
    fn matmul(
        &self,
        left: &Self::Matrix,
        transpose_left: bool,
        right: Operand<'_, Self>,
        update: Update<'_, Self::Matrix>,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// `out = scale * addend + keep * out`. If `keep` is zero, the previous contents of `out` are
    /// ignored.
    fn add_scaled(
        &self,
        scale: f32,
        addend: Operand<'_, Self>,
        keep: f32,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// Multiplies row `r` of `out` by `scale[r]`, for `scale: rows x 1`.
    fn scale_rows(&self, scale: &Self::Matrix, out: &mut Self::Matrix) -> Result<()>;

    /// Returns a copy of some columns.
    fn columns(&self, matrix: &Self::Matrix, columns: Range<usize>) -> Result<Self::Matrix>;

    /// Concatenates matrices of equal height by columns; `0 x 0` if there are none.
    fn concatenate_columns(&self, parts: &[Self::Matrix]) -> Result<Self::Matrix>;

    /// Returns the top items of each of the first `hidden.len()` columns of `scores: items x columns`,
    /// best first: `lengths[c]` items of column `c`.
    ///
    /// The score of an item is its entry times `item_scale` (`items x 1`), which is positive. The list of
    /// column `c` excludes the items in `hidden[c]`, so it is shorter if fewer items remain.
    /// Items with equal scores are sorted by id, and the two zeros are equal, as in [`TopK`]. The
    /// contents of `scores` are undefined afterwards.
    fn top_k(
        &self,
        scores: &mut Self::Matrix,
        item_scale: &Self::Matrix,
        hidden: &[&[u32]],
        lengths: &[usize],
    ) -> Result<Vec<Vec<ScoredItem>>>;

    /// Returns the memory limit of all matrices in bytes, if core should check a limit before it
    /// allocates.
    fn memory_budget(&self) -> Option<usize> {
        None
    }

    /// One step of a process, a product with the complete walk:
    /// `out = update of (item_scale * A^T) (user_scale * A) * from`.
    ///
    /// If `from` is `None`, it is `out` itself. `half_way: users x columns` is scratch. The default runs
    /// two [`spmm`](Self::spmm); a device can fuse them.
    fn ode_step(
        &self,
        walk: &Self::Sparse,
        from: Option<Operand<'_, Self>>,
        update: Update<'_, Self::Matrix>,
        half_way: &mut Self::Matrix,
        out: &mut Self::Matrix,
    ) -> Result<()> {
        let start = from.unwrap_or(Operand::Dense(out));
        self.spmm(walk, Direction::Forward, start, Update::REPLACE, half_way)?;
        let half_way = Operand::Dense(half_way);
        self.spmm(walk, Direction::Transposed, half_way, update, out)
    }

    /// Returns `left^T * right` on the host, with the matrices of `right` concatenated by columns. The
    /// product must be symmetric except for rounding errors, so a device may compute only the lower
    /// triangle.
    fn symmetric_product(
        &self,
        left: &Self::Matrix,
        right: &[Self::Matrix],
    ) -> Result<Array2<f64>> {
        symmetric_product::symmetric_product(self, left, right)
    }

    /// Computes the eigendecomposition of a small symmetric host matrix in `f64`. The default runs on
    /// the host.
    ///
    /// Only the lower triangle is read. If an entry is not finite, the result is an error, or has an eigenvalue
    /// that is not finite.
    fn symmetric_eigen(&self, matrix: ArrayView2<'_, f64>) -> Result<SymmetricEigen> {
        decompositions::symmetric_eigen(self.name(), matrix)
    }

    /// Inverts a symmetric positive definite matrix in place. Matrices of up to [`MOST_ROWS_IN_F64`] rows are
    /// inverted in `f64`, and larger ones may be inverted in `f32`. The default runs on the host in `f64` and takes
    /// six more times the memory of the matrix.
    fn invert_positive_definite(&self, matrix: Self::Matrix) -> Result<Self::Matrix> {
        let values = self.download(&matrix)?;
        drop(matrix);
        self.upload(decompositions::invert_positive_definite(self.name(), values)?.view())
    }

    /// Returns the entries of each of the first `hidden.len()` columns of `scores`, times the item scale,
    /// that `what` selects; column `c` excludes the items in `hidden[c]`.
    ///
    /// The default forms the sums and ranks them with [`top_k`](Self::top_k). A device can skip the sums
    /// that are not selected. The contents of the dense part of `scores` are undefined afterwards.
    fn select(
        &self,
        scores: Scores<'_, Self>,
        item_scale: &Self::Matrix,
        hidden: &[&[u32]],
        what: Select<'_>,
    ) -> Result<Vec<Vec<ScoredItem>>> {
        select::select(self, scores, item_scale, hidden, what)
    }

    /// Returns the ranks of `items[c]` (in ascending order) in column `c` of each sum of the combinations,
    /// for metrics. Ranks start at 0, are in ascending order, and only those below `within` are returned.
    ///
    /// Items with equal scores are sorted by id. An item has no rank if it is in `hidden[c]`, if its score
    /// is 0, or if an item with score 0 ranks above it. All matrices of `basis` have the same shape, and
    /// `items` has the same length as `hidden`. Returns one vector per sum, with one vector per column.
    ///
    /// The default forms each sum and takes its [`top_k`](Self::top_k).
    fn ranks_of_sums(
        &self,
        basis: &[Self::Matrix],
        combinations: &[Combination],
        item_scale: &Self::Matrix,
        hidden: &[&[u32]],
        items: &[&[u32]],
        within: usize,
    ) -> Result<Vec<Vec<Vec<u32>>>> {
        combination::ranks_of_sums(self, basis, combinations, item_scale, hidden, items, within)
    }
}
