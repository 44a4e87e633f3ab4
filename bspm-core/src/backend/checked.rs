//! A backend with checks of its operands.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ndarray::{Array2, ArrayView2, Axis, aview1};

use super::check::{self, Shape};
use super::{
    Backend, Combination, Direction, HostMatrix, Operand, ScoredItem, Scores, Scoring, Select,
    Shaped, SparseParts, SymmetricEigen, Update,
};
use bspm_data::History;
use bspm_data::{Error, Result};

/// A backend with checks of its operands.
///
/// It has the operations of [`Backend`], and [`for_each_tile`](Self::for_each_tile), which distributes tiles to the
/// workers of the backend. Before it calls the device, it returns
/// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) for operands whose shapes do not match, and
/// [`Error::UnknownItem`](crate::Error::UnknownItem) for an item outside the matrix. Core calls every
/// backend through it.
///
/// # Examples
///
/// ```
/// use bspm_core::backend::{Checked, Operand, Update};
/// # use bspm_core::Backend;
/// # use bspm_cpu::CpuBackend;
///
/// let backend = CpuBackend::new();
/// let checked = Checked::new(&backend);
/// let (left, right) = (checked.zeros(2, 3)?, checked.zeros(4, 5)?);
/// let mut out = checked.zeros(2, 5)?;
/// let right = Operand::Dense(&right);
/// let error = checked.matmul(&left, false, right, Update::REPLACE, &mut out).unwrap_err();
/// assert_eq!(error.to_string(), "matmul: shapes 2x3 and 4x5 do not match");
/// # Ok::<(), bspm_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Checked<'a, B: Backend> {
    backend: &'a B,
}

impl<B: Backend> Clone for Checked<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Backend> Copy for Checked<'_, B> {}

impl<'a, B: Backend> Checked<'a, B> {
    /// Adds checks to a backend.
    pub fn new(backend: &'a B) -> Self {
        Self { backend }
    }

    /// The backend without checks.
    pub fn unchecked(self) -> &'a B {
        self.backend
    }

    /// See [`Backend::name`].
    pub fn name(self) -> &'static str {
        self.backend.name()
    }

    /// See [`Backend::tile_columns`].
    ///
    /// # Errors
    ///
    /// [`Error::MemoryBudget`](crate::Error::MemoryBudget).
    pub fn tile_columns(self, shape: (usize, usize), scoring: Scoring) -> Result<usize> {
        self.backend.tile_columns(shape, scoring)
    }

    /// See [`Backend::memory_budget`].
    pub fn memory_budget(self) -> Option<usize> {
        self.backend.memory_budget()
    }

    /// Runs `work` for every tile `0..tiles` on the workers of the backend, and returns the results in that
    /// order.
    ///
    /// `workspace` creates the scratch state that a worker reuses for all its tiles. After the first
    /// error, no new tile is started.
    ///
    /// # Errors
    ///
    /// Those of [`Backend::run_workers`]; otherwise the error of the first tile, in order, that failed.
    ///
    /// # Panics
    ///
    /// If `workspace` or `work` panics.
    pub fn for_each_tile<W, T: Send>(
        self,
        tiles: usize,
        workspace: impl Fn() -> Result<W> + Sync,
        work: impl Fn(&mut W, usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let next = AtomicUsize::new(0);
        let has_failed = AtomicBool::new(false);
        let results = Mutex::new(Vec::from_iter((0..tiles).map(|_| None)));
        let worker = || {
            let mut scratch = None;
            while !has_failed.load(Ordering::Relaxed) {
                let tile = next.fetch_add(1, Ordering::Relaxed);
                if tile >= tiles {
                    break;
                }
                let result = match &mut scratch {
                    Some(scratch) => work(scratch, tile),
                    None => workspace().and_then(|made| work(scratch.insert(made), tile)),
                };
                has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
                results.lock().unwrap_or_else(PoisonError::into_inner)[tile] = Some(result);
            }
        };
        if tiles > 0 {
            self.backend.run_workers(tiles, &worker)?;
        }
        let missing = || Error::Backend {
            backend: self.name(),
            operation: "run_workers",
            source: "it returned before all tiles were processed".into(),
        };
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        let results = results.into_iter();
        results.map(|it| it.ok_or_else(missing)?).collect()
    }

    /// See [`Backend::zeros`].
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn zeros(self, rows: usize, columns: usize) -> Result<B::Matrix> {
        self.backend.zeros(rows, columns)
    }

    /// See [`Backend::upload`].
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn upload<'v>(self, values: impl Into<HostMatrix<'v>>) -> Result<B::Matrix> {
        self.backend.upload(values)
    }

    /// Copies values to the device as a matrix of one column.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn upload_column(self, values: &[f32]) -> Result<B::Matrix> {
        self.backend.upload(aview1(values).insert_axis(Axis(1)))
    }

    /// See [`Backend::download`].
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn download(self, matrix: &B::Matrix) -> Result<Array2<f32>> {
        self.backend.download(matrix)
    }

    /// See [`Backend::upload_sparse`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) if the shapes of the two halves of a walk
    /// or of their scales do not match; those of the backend.
    pub fn upload_sparse(self, parts: SparseParts<'_>) -> Result<B::Sparse> {
        const NAME: &str = "upload_sparse";
        if let SparseParts::Walk {
            user_items,
            item_users,
            user_scale,
            item_scale,
            weights,
        } = &parts
        {
            let (users, items) = user_items.shape();
            check::same(NAME, item_users.shape(), (items, users))?;
            check::row_scale(NAME, (user_scale.len(), 1), (users, items))?;
            check::row_scale(NAME, (item_scale.len(), 1), (items, users))?;
            if let Some((there, back)) = weights {
                check::same(
                    NAME,
                    (there.len(), back.len()),
                    (user_items.nnz(), item_users.nnz()),
                )?;
            }
        }
        self.backend.upload_sparse(parts)
    }

    /// See [`Backend::upload_histories`].
    ///
    /// # Errors
    ///
    /// [`Error::UnknownItem`](crate::Error::UnknownItem);
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) for more histories than columns;
    /// those of the backend.
    pub fn upload_histories(
        self,
        histories: &[History<'_>],
        weights: &[f32],
        columns: usize,
    ) -> Result<B::Histories> {
        let items = histories.iter().map(|history| history.items());
        check::histories("upload_histories", items, weights.len(), columns)?;
        self.backend.upload_histories(histories, weights, columns)
    }

    /// See [`Backend::spmm`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch); those of the backend.
    pub fn spmm(
        self,
        sparse: &B::Sparse,
        direction: Direction,
        right: Operand<'_, B>,
        update: Update<'_, B::Matrix>,
        out: &mut B::Matrix,
    ) -> Result<()> {
        let left = facing(sparse.shape(), direction == Direction::Transposed);
        check::product("spmm", left, right.shape(), update, out.shape())?;
        self.backend.spmm(sparse, direction, right, update, out)
    }

    /// See [`Backend::ode_step`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch); those of the backend.
    pub fn ode_step(
        self,
        walk: &B::Sparse,
        from: Option<Operand<'_, B>>,
        update: Update<'_, B::Matrix>,
        half_way: &mut B::Matrix,
        out: &mut B::Matrix,
    ) -> Result<()> {
        const NAME: &str = "ode_step";
        let (users, items) = walk.shape();
        let start = from.map_or_else(|| out.shape(), Operand::shape);
        check::product(
            NAME,
            (users, items),
            start,
            Update::<B::Matrix>::REPLACE,
            half_way.shape(),
        )?;
        check::product(NAME, (items, users), half_way.shape(), update, out.shape())?;
        self.backend.ode_step(walk, from, update, half_way, out)
    }

    /// See [`Backend::matmul`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch); those of the backend.
    pub fn matmul(
        self,
        left: &B::Matrix,
        transpose_left: bool,
        right: Operand<'_, B>,
        update: Update<'_, B::Matrix>,
        out: &mut B::Matrix,
    ) -> Result<()> {
        let shape = facing(left.shape(), transpose_left);
        check::product("matmul", shape, right.shape(), update, out.shape())?;
        self.backend
            .matmul(left, transpose_left, right, update, out)
    }

    /// See [`Backend::add_scaled`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch); those of the backend.
    pub fn add_scaled(
        self,
        scale: f32,
        addend: Operand<'_, B>,
        keep: f32,
        out: &mut B::Matrix,
    ) -> Result<()> {
        check::same("add_scaled", addend.shape(), out.shape())?;
        self.backend.add_scaled(scale, addend, keep, out)
    }

    /// See [`Backend::scale_rows`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch); those of the backend.
    pub fn scale_rows(self, scale: &B::Matrix, out: &mut B::Matrix) -> Result<()> {
        check::row_scale("scale_rows", scale.shape(), out.shape())?;
        self.backend.scale_rows(scale, out)
    }

    /// See [`Backend::columns`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch); those of the backend.
    pub fn columns(self, matrix: &B::Matrix, columns: Range<usize>) -> Result<B::Matrix> {
        let shape = matrix.shape();
        let fits = columns.start <= columns.end && columns.end <= shape.1;
        check::fits("columns", shape, (columns.start, columns.end), fits)?;
        self.backend.columns(matrix, columns)
    }

    /// See [`Backend::concatenate_columns`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch); those of the backend.
    pub fn concatenate_columns(self, parts: &[B::Matrix]) -> Result<B::Matrix> {
        let first = parts.first().map_or((0, 0), B::Matrix::shape);
        for part in parts {
            let shape = part.shape();
            check::fits("concatenate_columns", first, shape, first.0 == shape.0)?;
        }
        self.backend.concatenate_columns(parts)
    }

    /// See [`Backend::symmetric_product`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch); those of the backend.
    pub fn symmetric_product(self, left: &B::Matrix, right: &[B::Matrix]) -> Result<Array2<f64>> {
        let (rows, size) = left.shape();
        let columns = right.iter().map(|it| it.shape().1).sum();
        for part in right {
            let shape = part.shape();
            check::fits("symmetric_product", (rows, size), shape, shape.0 == rows)?;
        }
        let joined = (rows, columns);
        check::fits("symmetric_product", (rows, size), joined, columns == size)?;
        self.backend.symmetric_product(left, right)
    }

    /// See [`Backend::symmetric_eigen`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) unless it is square;
    /// [`Error::Backend`](crate::Error::Backend) if an eigenvalue is not finite; those of the backend.
    pub fn symmetric_eigen(self, matrix: ArrayView2<'_, f64>) -> Result<SymmetricEigen> {
        square("symmetric_eigen", matrix.dim())?;
        let eigen = self.backend.symmetric_eigen(matrix)?;
        if let Some(value) = eigen.values.iter().find(|value| !value.is_finite()) {
            return Err(Error::Backend {
                backend: self.backend.name(),
                operation: "symmetric_eigen",
                source: format!("an eigenvalue is {value}").into(),
            });
        }
        Ok(eigen)
    }

    /// See [`Backend::invert_positive_definite`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) unless it is square;
    /// [`Error::Backend`](crate::Error::Backend) unless it is positive definite.
    pub fn invert_positive_definite(self, matrix: B::Matrix) -> Result<B::Matrix> {
        square("invert_positive_definite", matrix.shape())?;
        self.backend.invert_positive_definite(matrix)
    }

    /// See [`Backend::top_k`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch);
    /// [`Error::UnknownItem`](crate::Error::UnknownItem) for a hidden item; those of the
    /// backend.
    pub fn top_k(
        self,
        scores: &mut B::Matrix,
        item_scale: &B::Matrix,
        hidden: &[&[u32]],
        lengths: &[usize],
    ) -> Result<Vec<Vec<ScoredItem>>> {
        ranked("top_k", scores.shape(), item_scale.shape(), hidden)?;
        each_has_a_length("top_k", hidden, lengths)?;
        self.backend.top_k(scores, item_scale, hidden, lengths)
    }

    /// See [`Backend::select`].
    ///
    /// # Errors
    ///
    /// As [`top_k`](Self::top_k), and
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) if the shapes of the product do not match.
    pub fn select(
        self,
        scores: Scores<'_, B>,
        item_scale: &B::Matrix,
        hidden: &[&[u32]],
        what: Select<'_>,
    ) -> Result<Vec<Vec<ScoredItem>>> {
        check_product("select", &scores)?;
        ranked("select", scores.dense.shape(), item_scale.shape(), hidden)?;
        if let Select::Best(lengths) = what {
            each_has_a_length("select", hidden, lengths)?;
        }
        self.backend.select(scores, item_scale, hidden, what)
    }

    /// See [`Scores::form`].
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) if the shapes of the product do not match;
    /// those of the backend.
    pub fn form<'s>(self, scores: Scores<'s, B>) -> Result<&'s mut B::Matrix> {
        check_product("form", &scores)?;
        scores.form(self.backend)
    }

    /// See [`Backend::ranks_of_sums`].
    ///
    /// # Errors
    ///
    /// As [`top_k`](Self::top_k), also for `items`, and
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) if a term refers to a matrix that does not
    /// exist, or if `items` and `hidden` have different lengths.
    pub fn ranks_of_sums(
        self,
        basis: &[B::Matrix],
        combinations: &[Combination],
        item_scale: &B::Matrix,
        hidden: &[&[u32]],
        items: &[&[u32]],
        within: usize,
    ) -> Result<Vec<Vec<Vec<u32>>>> {
        const NAME: &str = "ranks_of_sums";
        let shape = basis.first().map_or((0, 0), B::Matrix::shape);
        for matrix in basis {
            check::same(NAME, matrix.shape(), shape)?;
        }
        ranked(NAME, shape, item_scale.shape(), hidden)?;
        ranked(NAME, shape, item_scale.shape(), items)?;
        let columns = (hidden.len(), items.len());
        check::fits(
            NAME,
            (shape.0, columns.1),
            (shape.0, columns.0),
            columns.0 == columns.1,
        )?;
        let terms = combinations
            .iter()
            .flat_map(|it| it.plain.iter().chain(&it.scaled));
        for &(place, _) in terms {
            check::fits(NAME, (place, 1), (basis.len(), 1), place < basis.len())?;
        }
        self.backend
            .ranks_of_sums(basis, combinations, item_scale, hidden, items, within)
    }
}

fn check_product<B: Backend>(operation: &'static str, scores: &Scores<'_, B>) -> Result<()> {
    let Some((left, right)) = scores.product else {
        return Ok(());
    };
    let update = Update::<B::Matrix>::REPLACE;
    check::product(
        operation,
        left.shape(),
        right.shape(),
        update,
        scores.dense.shape(),
    )
}

/// Returns the shape of a factor, transposed if requested.
fn facing(shape: Shape, is_transposed: bool) -> Shape {
    match is_transposed {
        true => (shape.1, shape.0),
        false => shape,
    }
}

fn square(operation: &'static str, shape: Shape) -> Result<()> {
    check::fits(operation, shape, shape, shape.0 == shape.1)
}

fn each_has_a_length(operation: &'static str, hidden: &[&[u32]], lengths: &[usize]) -> Result<()> {
    check::same(operation, (hidden.len(), 1), (lengths.len(), 1))
}

fn ranked(operation: &'static str, scores: Shape, scale: Shape, hidden: &[&[u32]]) -> Result<()> {
    check::row_scale(operation, scale, scores)?;
    check::histories(operation, hidden.iter().copied(), scores.0, scores.1)
}
