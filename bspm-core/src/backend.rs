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

pub mod check;
mod combination;
mod shared_matrix;

use std::ops::Range;

use ndarray::{Array2, ArrayView2};
use sprs::{CsMatI, CsMatViewI};

use crate::error::Result;
use crate::rank::ScoredItem;
pub use combination::{Combination, check_terms, combined_top_k};
pub use shared_matrix::SharedMatrix;

/// The two halves of the random walk that [`Backend::spmm`] multiplies by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `user_scale * A`: from `items x columns` to `users x columns`.
    ToUsers,
    /// `item_scale * A^T`: from `users x columns` to `items x columns`.
    ToItems,
}

/// The user-item graph as a backend takes it: both patterns, and a scale per row.
#[derive(Clone, Copy, Debug)]
pub struct GraphParts<'a> {
    /// `A: users x items`, compressed sparse rows.
    pub user_items: CsMatViewI<'a, (), u32>,
    /// `A^T: items x users`, compressed sparse rows.
    pub item_users: CsMatViewI<'a, (), u32>,
    /// One factor for each row of `A`.
    pub user_scale: &'a [f32],
    /// One factor for each row of `A^T`.
    pub item_scale: &'a [f32],
}

/// How a product joins the matrix it is written to:
/// `out = product * (the product) + keep * out + addend.0 * addend.1`.
///
/// With `keep` zero the previous content of `out` is ignored, whatever it is.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a, M: ?Sized> {
    /// Factor of the product.
    pub product: f32,
    /// Factor of the previous content.
    pub keep: f32,
    /// Another matrix of the shape of `out`, with its factor.
    pub addend: Option<(f32, &'a M)>,
}

impl<M> Update<'_, M> {
    /// `out = product`.
    pub const REPLACE: Self = Self {
        product: 1.0,
        keep: 0.0,
        addend: None,
    };
}

/// Eigenvalues, ascending, and eigenvectors, one per column in the same order.
#[derive(Clone, Debug)]
pub struct SymmetricEigen {
    /// Ascending.
    pub values: Vec<f64>,
    /// Orthonormal columns.
    pub vectors: Array2<f64>,
}

/// A device that can hold matrices and combine them.
///
/// Every operation works on whole matrices. Operations inside
/// [`for_each_tile`](Self::for_each_tile) may run on several threads at once, each
/// on its own matrices. Results must not depend on how many threads there are.
///
/// All operations return [`Error::ShapeMismatch`](crate::Error::ShapeMismatch)
/// for operands that do not fit, and
/// [`Error::Backend`](crate::Error::Backend) when the device fails.
pub trait Backend: Send + Sync + 'static {
    /// A dense `f32` matrix on the device.
    type Matrix: Send + Sync;
    /// The user-item graph on the device.
    type Graph: Send + Sync;
    /// A weighted item graph on the device, `items x items`.
    type ItemGraph: Send + Sync;
    /// The histories of one tile of users on the device: sparse columns.
    type Histories: Send + Sync;

    /// A short name, for reports and errors.
    fn name(&self) -> &'static str;

    /// How many columns a tile should have for matrices of this many users and items; at
    /// least 1.
    ///
    /// # Errors
    ///
    /// [`Error::MemoryBudget`](crate::Error::MemoryBudget) when not even a small tile
    /// fits the device.
    fn tile_columns(&self, users: usize, items: usize) -> Result<usize>;

    /// The most bytes that matrices on it may take together, where there is a limit that
    /// core is to check before it asks for more.
    fn memory_budget(&self) -> Option<usize> {
        None
    }

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
    fn upload(&self, values: ArrayView2<'_, f32>) -> Result<Self::Matrix>;

    /// Takes a host matrix that shares its memory, such as a part of a mapped file.
    ///
    /// Copies it, unless a backend can use that memory as it is.
    fn upload_shared(&self, values: SharedMatrix) -> Result<Self::Matrix> {
        self.upload(values.view())
    }

    /// Copies a device matrix to the host.
    fn download(&self, matrix: &Self::Matrix) -> Result<Array2<f32>>;

    /// Rows and columns of a matrix.
    fn shape(&self, matrix: &Self::Matrix) -> (usize, usize);

    /// Copies the graph to the device.
    fn upload_graph(&self, parts: GraphParts<'_>) -> Result<Self::Graph>;

    /// Moves an item graph to the device: row `j` has what item `j` of a history gives to
    /// the other items. Compressed sparse rows.
    fn upload_item_graph(&self, weights: CsMatI<f32, u32>) -> Result<Self::ItemGraph>;

    /// Copies an item graph to the host.
    fn download_item_graph(&self, graph: &Self::ItemGraph) -> Result<CsMatI<f32, u32>>;

    /// `out = factor * weights^T * histories`, `items x columns`.
    fn follow_histories(
        &self,
        graph: &Self::ItemGraph,
        factor: f32,
        histories: &Self::Histories,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// `out = weights^T * dense`, both `items x columns`.
    fn follow(
        &self,
        graph: &Self::ItemGraph,
        dense: &Self::Matrix,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// The inverse of a symmetric positive definite matrix, in its place.
    ///
    /// Memory: a small part of the matrix besides it.
    fn invert_positive_definite(&self, matrix: Self::Matrix) -> Result<Self::Matrix>;

    /// Copies one history per column to the device: column `c` of the sparse
    /// matrix `items x columns` has `weights[item]` for every item of
    /// `histories[c]`, and nothing for columns beyond `histories`.
    ///
    /// `weights` has one entry per item. The items of a history are distinct.
    fn upload_histories(
        &self,
        histories: &[&[u32]],
        weights: &[f32],
        columns: usize,
    ) -> Result<Self::Histories>;

    /// `out = update of (one half of the walk) * dense`.
    fn spmm(
        &self,
        graph: &Self::Graph,
        direction: Direction,
        dense: &Self::Matrix,
        update: Update<'_, Self::Matrix>,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// `out = user_scale * A * histories`, `users x columns`: the first product of
    /// the blurring process, which a backend may do without making the histories
    /// dense.
    fn spmm_histories(
        &self,
        graph: &Self::Graph,
        histories: &Self::Histories,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// `out = basis^T * histories` for `basis: items x factors`, `out: factors x columns`.
    fn project_histories(
        &self,
        basis: &Self::Matrix,
        histories: &Self::Histories,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// `out = scale * histories + keep * out`, `items x columns`.
    fn add_histories(
        &self,
        scale: f32,
        histories: &Self::Histories,
        keep: f32,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// `out = update of left * right`, or of `left^T * right`.
    fn matmul(
        &self,
        left: &Self::Matrix,
        transpose_left: bool,
        right: &Self::Matrix,
        update: Update<'_, Self::Matrix>,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// `out = scale * addend + keep * out`.
    fn add_scaled(
        &self,
        scale: f32,
        addend: &Self::Matrix,
        keep: f32,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// Multiplies row `r` of `out` by `scale[r]`, for `scale: rows x 1`.
    fn scale_rows(&self, scale: &Self::Matrix, out: &mut Self::Matrix) -> Result<()>;

    /// A copy of some columns.
    fn columns(&self, matrix: &Self::Matrix, columns: Range<usize>) -> Result<Self::Matrix>;

    /// Matrices of equal height side by side.
    fn concatenate_columns(&self, parts: &[Self::Matrix]) -> Result<Self::Matrix>;

    /// The eigen-decomposition of a small symmetric host matrix, in `f64`.
    ///
    /// Only the lower triangle is read.
    fn symmetric_eigen(&self, matrix: ArrayView2<'_, f64>) -> Result<SymmetricEigen>;

    /// The `k` best items of each of the first `hidden.len()` columns of
    /// `scores: items x columns`, best first.
    ///
    /// The score of an item is its entry times `item_scale` (`items x 1`), which is
    /// positive. Items in
    /// `hidden[c]` are left out of column `c`'s list, so a list is shorter than `k`
    /// when fewer remain. Equal scores rank the lower item id first. `scores` is
    /// scratch afterwards.
    fn top_k(
        &self,
        scores: &mut Self::Matrix,
        item_scale: &Self::Matrix,
        hidden: &[&[u32]],
        k: usize,
    ) -> Result<Vec<Vec<ScoredItem>>>;

    /// [`top_k`](Self::top_k) of each matrix of the combinations, one after the other.
    ///
    /// All of `basis` have the same shape.
    fn combined_top_k(
        &self,
        basis: &[Self::Matrix],
        combinations: &[Combination],
        item_scale: &Self::Matrix,
        hidden: &[&[u32]],
        k: usize,
    ) -> Result<Vec<Vec<Vec<ScoredItem>>>>
    where
        Self: Sized,
    {
        combined_top_k(self, basis, combinations, item_scale, hidden, k)
    }
}
