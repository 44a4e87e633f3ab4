//! What a backend provides: device matrices and the few operations on them that
//! the processes, the truncated SVD and the driver are written in.
//!
//! # Layout
//!
//! Scores of a set of users are held item-major, `items x users`: one column per
//! user. The driver cuts the users into *tiles* of
//! [`tile_columns`](Backend::tile_columns) columns, so that a tile fits whatever
//! is fast on the device, and runs each tile from histories to ranking.
//!
//! # Coordinates
//!
//! With `D_u` and `D_i` the degrees, `P = R^T R` for
//! `R = D_u^-1/2 A D_i^-1/2` is similar to the two-step random walk from items to
//! users and back: for a column `z = D_i^-1/2 r`,
//! `D_i^-1/2 (P r) = (D_i^-1 A^T)(D_u^-1 A) z`.
//! Both factors only average rows of `z`, so a sparse product needs the pattern
//! and one scale per row, never an array of values; and the ideal low-pass filter
//! becomes the plain projection `V V^T z`. Core therefore keeps scores divided by
//! the square root of the item degree and multiplies it back once, at the end.

pub(crate) mod check;
mod checked;
mod combination;
mod eigen;
mod inverse;
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
pub use checked::Checked;
pub use combination::{Combination, ranks_of_sums};
pub use eigen::SymmetricEigen;
pub use largest::largest;
pub use select::{Scores, Select, select};
pub use shared_matrix::{HostMatrix, SharedMatrix};
pub use top_k::{ScoredItem, TopK};

/// Which way a sparse matrix is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The matrix itself; of the walk, `user_scale * A`, from items to users.
    Forward,
    /// Its other way; of the walk, `item_scale * A^T`, from users to items.
    Transposed,
}

/// A sparse matrix as a backend takes it, both ways.
#[derive(Clone, Debug)]
pub enum SparseParts<'a> {
    /// The two halves of the walk: a pattern, 0/1 or weighted, and a scale for each row of it
    /// and of its transpose. So the way back is not the transpose, but for the pattern.
    Walk {
        /// `A: users x items`, compressed sparse rows.
        user_items: CsMatViewI<'a, (), u32>,
        /// `A^T: items x users`, compressed sparse rows.
        item_users: CsMatViewI<'a, (), u32>,
        /// One factor for each row of `A`.
        user_scale: &'a [f32],
        /// One factor for each row of `A^T`.
        item_scale: &'a [f32],
        /// The weights of the entries of `A` and of `A^T`, in their order; none where all are 1.
        weights: Option<(&'a [f32], &'a [f32])>,
    },
    /// A weighted item graph, `items x items`: row `j` has what item `j` of a history gives to
    /// the other items, so that scores are the transposed product. Compressed sparse rows;
    /// a backend on the host may keep the shared matrix as it is.
    ItemGraph(Arc<CsMatI<f32, u32>>),
}

impl SparseParts<'_> {
    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Self::Walk { user_items, .. } => user_items.shape(),
            Self::ItemGraph(weights) => weights.shape(),
        }
    }
}

/// What a product is taken of: a dense matrix, or the histories of a tile, which a backend
/// need not make dense.
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
    /// Rows and columns.
    pub fn shape(self) -> (usize, usize) {
        match self {
            Self::Dense(matrix) => matrix.shape(),
            Self::Histories(histories) => histories.shape(),
        }
    }
}

/// How a product joins the matrix it is written to:
/// `out = product * (the product) + keep * out + addend.0 * addend.1`.
///
/// With `keep` zero the previous content of `out` is ignored, whatever it is.
#[derive(Debug)]
pub struct Update<'a, M: ?Sized> {
    /// Factor of the product.
    pub product: f32,
    /// Factor of the previous content.
    pub keep: f32,
    /// Another matrix of the shape of `out`, with its factor.
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

/// Something on a device that has rows and columns.
pub trait Shaped: Debug + Send + Sync {
    /// Rows and columns.
    fn shape(&self) -> (usize, usize);
}

impl Shaped for Array2<f32> {
    fn shape(&self) -> (usize, usize) {
        self.dim()
    }
}

/// How a filter computes the scores of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scoring {
    /// By products with dense matrices of the tile's width.
    Dense,
    /// As sums of sparse rows, one for each item of a history.
    SparseRows,
}

/// A device that can hold matrices and combine them.
///
/// Fifteen operations are required, on three types; the others have a form made of them, or
/// on the host, that a device may better. Every operation works on whole matrices.
/// Operations inside [`for_each_tile`](Self::for_each_tile) may run on several threads at
/// once, each on its own matrices. Results must not depend on how many threads there are.
///
/// Core calls all of it through [`Checked`], which has looked at shapes and indices before:
/// an implementation may rely on operands that fit. All operations return
/// [`Error::Backend`](crate::Error::Backend) when the device fails.
pub trait Backend: Clone + Debug + Send + Sync + 'static {
    /// A dense `f32` matrix on the device.
    type Matrix: Shaped;
    /// A sparse matrix on the device, which can be multiplied by both ways.
    type Sparse: Shaped;
    /// The histories of one tile of users on the device: sparse columns, `items x columns`.
    type Histories: Shaped;

    /// A short name, for reports and errors.
    fn name(&self) -> &'static str;

    /// How many columns a tile should have for this many users and items; at least 1.
    ///
    /// # Errors
    ///
    /// [`Error::MemoryBudget`](crate::Error::MemoryBudget) when not even a small tile
    /// fits the device.
    fn tile_columns(&self, shape: (usize, usize), scoring: Scoring) -> Result<usize>;

    /// Runs `work` for every tile `0..tiles` and returns the results in that order.
    ///
    /// `workspace` makes the scratch state that one worker reuses from tile to
    /// tile. After the first error no new tile is started.
    ///
    /// # Errors
    ///
    /// The error of the first tile, in order, that failed.
    fn for_each_tile<W, T: Send>(
        &self,
        tiles: usize,
        workspace: impl Fn() -> Result<W> + Sync,
        work: impl Fn(&mut W, usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>>;

    /// A matrix of zeros.
    fn zeros(&self, rows: usize, columns: usize) -> Result<Self::Matrix>;

    /// Copies a host matrix to the device.
    fn upload<'a>(&self, values: impl Into<HostMatrix<'a>>) -> Result<Self::Matrix>;

    /// Copies a device matrix to the host.
    fn download(&self, matrix: &Self::Matrix) -> Result<Array2<f32>>;

    /// Copies a sparse matrix to the device.
    fn upload_sparse(&self, parts: SparseParts<'_>) -> Result<Self::Sparse>;

    /// Copies one history per column to the device: column `c` of the sparse
    /// matrix `items x columns` has `weights[item]`, times what the item counts in the
    /// history, for every item of `histories[c]`, and nothing for columns beyond `histories`.
    ///
    /// `weights` has one entry per item. The items of a history are distinct.
    fn upload_histories(
        &self,
        histories: &[History<'_>],
        weights: &[f32],
        columns: usize,
    ) -> Result<Self::Histories>;

    /// `out = update of (the sparse matrix, one way) * right`.
    fn spmm(
        &self,
        sparse: &Self::Sparse,
        direction: Direction,
        right: Operand<'_, Self>,
        update: Update<'_, Self::Matrix>,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// `out = update of left * right`, or of `left^T * right`.
    fn matmul(
        &self,
        left: &Self::Matrix,
        transpose_left: bool,
        right: Operand<'_, Self>,
        update: Update<'_, Self::Matrix>,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// `out = scale * addend + keep * out`; with `keep` zero the previous content of `out` is
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

    /// A copy of some columns.
    fn columns(&self, matrix: &Self::Matrix, columns: Range<usize>) -> Result<Self::Matrix>;

    /// Matrices of equal height side by side; `0 x 0` for none.
    fn concatenate_columns(&self, parts: &[Self::Matrix]) -> Result<Self::Matrix>;

    /// The `k` best items of each of the first `hidden.len()` columns of
    /// `scores: items x columns`, best first.
    ///
    /// The score of an item is its entry times `item_scale` (`items x 1`), which is
    /// positive. Items in `hidden[c]` are left out of column `c`'s list, so a list is shorter
    /// than `k` when fewer remain. Equal scores rank the lower item id first, and the two
    /// zeros are equal, as [`TopK`] has it. `scores` is scratch afterwards.
    fn top_k(
        &self,
        scores: &mut Self::Matrix,
        item_scale: &Self::Matrix,
        hidden: &[&[u32]],
        k: usize,
    ) -> Result<Vec<Vec<ScoredItem>>>;

    /// The most bytes that matrices on it may take together, where there is a limit that
    /// core is to check before it asks for more.
    fn memory_budget(&self) -> Option<usize> {
        None
    }

    /// One step of a process: a whole product with the walk, joined to its operands,
    /// `out = update of (item_scale * A^T) (user_scale * A) * from`.
    ///
    /// `from` is `out` itself where it is none. `half_way: users x columns` is scratch. Two
    /// [`spmm`](Self::spmm) unless a device can do it in one.
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

    /// `left^T * right` on the host, with the matrices of `right` side by side, where that is
    /// known to be symmetric but for rounding: a device may take the lower triangle for both.
    fn symmetric_product(
        &self,
        left: &Self::Matrix,
        right: &[Self::Matrix],
    ) -> Result<Array2<f64>> {
        symmetric_product::symmetric_product(self, left, right)
    }

    /// The eigen-decomposition of a small symmetric host matrix, in `f64`; on the host.
    ///
    /// Only the lower triangle is read.
    fn symmetric_eigen(&self, matrix: ArrayView2<'_, f64>) -> Result<SymmetricEigen> {
        eigen::symmetric_eigen(self.name(), matrix)
    }

    /// The inverse of a symmetric positive definite matrix, in its place; on the host, where
    /// it takes the matrix three more times in memory.
    fn invert_positive_definite(&self, matrix: Self::Matrix) -> Result<Self::Matrix> {
        let values = self.download(&matrix)?;
        drop(matrix);
        self.upload(inverse::invert_positive_definite(self.name(), values)?.view())
    }

    /// The entries of each of the first `hidden.len()` columns of `scores`, times the item scale, that
    /// `what` names; items in `hidden[c]` are left out of column `c`.
    ///
    /// Default: the sums are formed, and [`top_k`](Self::top_k) ranks them. A device may leave out
    /// the sums that are not selected. The dense part of `scores` is scratch afterwards.
    fn select(
        &self,
        scores: Scores<'_, Self>,
        item_scale: &Self::Matrix,
        hidden: &[&[u32]],
        what: Select,
    ) -> Result<Vec<Vec<ScoredItem>>> {
        select::select(self, scores, item_scale, hidden, what)
    }

    /// The ranks, from 0, of `items[c]` (ascending) in column `c` of each sum of the combinations,
    /// ascending, of those below `within`: the number of items above, for metrics.
    ///
    /// Equal scores rank the lower item id first. An item has no rank if it is in `hidden[c]`, if
    /// its score is 0, or if an item whose score is 0 is above it. All of `basis` have the same
    /// shape; `items` is as long as `hidden`. Returns one vector per sum, with one per column.
    ///
    /// Default: each sum is formed and its [`top_k`](Self::top_k) taken.
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
