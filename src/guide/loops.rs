//! A minimal backend: fifteen short functions.

use std::ops::Range;

use bspm::backend::{
    Direction, HostMatrix, Operand, ScoredItem, Scoring, Shaped, SparseParts, TopK, Update,
};
use bspm::data::History;
use bspm::{Backend, Result};
use ndarray::{Array2, Axis, concatenate, s};

#[derive(Clone, Debug)]
pub(crate) struct Loops;

/// A sparse matrix in both directions, stored as dense matrices.
#[derive(Debug)]
pub(crate) struct BothWays(Array2<f32>, Array2<f32>);

impl Shaped for BothWays {
    fn shape(&self) -> (usize, usize) {
        self.0.dim()
    }
}

/// `out = update of product`.
fn finish(product: Array2<f32>, update: Update<'_, Array2<f32>>, out: &mut Array2<f32>) {
    let mut sum = product * update.product;
    if update.keep != 0.0 {
        sum.scaled_add(update.keep, out);
    }
    if let Some((factor, addend)) = update.addend {
        sum.scaled_add(factor, addend);
    }
    *out = sum;
}

fn matrix<'a>(operand: Operand<'a, Loops>) -> &'a Array2<f32> {
    match operand {
        Operand::Dense(matrix) | Operand::Histories(matrix) => matrix,
    }
}

impl Backend for Loops {
    type Matrix = Array2<f32>;
    type Sparse = BothWays;
    type Histories = Array2<f32>;

    fn name(&self) -> &'static str {
        "loops"
    }

    fn tile_columns(&self, _shape: (usize, usize), _scoring: Scoring) -> Result<usize> {
        Ok(16)
    }

    fn run_workers(&self, _most: usize, worker: &(dyn Fn() + Sync)) -> Result<()> {
        worker();
        Ok(())
    }

    fn zeros(&self, rows: usize, columns: usize) -> Result<Array2<f32>> {
        Ok(Array2::zeros((rows, columns)))
    }

    fn upload<'a>(&self, values: impl Into<HostMatrix<'a>>) -> Result<Array2<f32>> {
        Ok(values.into().view().to_owned())
    }

    fn download(&self, matrix: &Array2<f32>) -> Result<Array2<f32>> {
        Ok(matrix.clone())
    }

    fn upload_sparse(&self, parts: SparseParts<'_>) -> Result<BothWays> {
        let (rows, columns) = parts.shape();
        let mut forward = Array2::zeros((rows, columns));
        let mut transposed = Array2::zeros((columns, rows));
        let mut set = |row: usize, column: u32, there: f32, back: f32| {
            forward[[row, column as usize]] = there;
            transposed[[column as usize, row]] = back;
        };
        match parts {
            SparseParts::Walk {
                user_items,
                user_scale,
                item_scale,
                weights,
                ..
            } => {
                for (place, (_, (user, item))) in user_items.iter().enumerate() {
                    let weight = weights.map_or(1.0, |(there, _)| there[place]);
                    let (there, back) = (user_scale[user as usize], item_scale[item as usize]);
                    set(user as usize, item, there * weight, back * weight);
                }
            }
            SparseParts::ItemGraph(weights) => {
                for (&weight, (row, column)) in weights.iter() {
                    set(row as usize, column, weight, weight);
                }
            }
        }
        Ok(BothWays(forward, transposed))
    }

    fn upload_histories(
        &self,
        histories: &[History<'_>],
        weights: &[f32],
        columns: usize,
    ) -> Result<Array2<f32>> {
        let mut dense = Array2::zeros((weights.len(), columns));
        for (column, history) in histories.iter().enumerate() {
            for (item, count) in history.entries() {
                dense[[item as usize, column]] = count * weights[item as usize];
            }
        }
        Ok(dense)
    }

    fn spmm(
        &self,
        sparse: &BothWays,
        direction: Direction,
        right: Operand<'_, Self>,
        update: Update<'_, Array2<f32>>,
        out: &mut Array2<f32>,
    ) -> Result<()> {
        let product = match direction {
            Direction::Forward => sparse.0.dot(matrix(right)),
            Direction::Transposed => sparse.1.dot(matrix(right)),
        };
        finish(product, update, out);
        Ok(())
    }

    fn matmul(
        &self,
        left: &Array2<f32>,
        transpose_left: bool,
        right: Operand<'_, Self>,
        update: Update<'_, Array2<f32>>,
        out: &mut Array2<f32>,
    ) -> Result<()> {
        let product = match transpose_left {
            true => left.t().dot(matrix(right)),
            false => left.dot(matrix(right)),
        };
        finish(product, update, out);
        Ok(())
    }

    fn add_scaled(
        &self,
        scale: f32,
        addend: Operand<'_, Self>,
        keep: f32,
        out: &mut Array2<f32>,
    ) -> Result<()> {
        let update = Update {
            keep,
            ..Update::times(scale)
        };
        finish(matrix(addend).clone(), update, out);
        Ok(())
    }

    fn scale_rows(&self, scale: &Array2<f32>, out: &mut Array2<f32>) -> Result<()> {
        *out *= scale;
        Ok(())
    }

    fn columns(&self, matrix: &Array2<f32>, columns: Range<usize>) -> Result<Array2<f32>> {
        Ok(matrix.slice(s![.., columns]).to_owned())
    }

    fn concatenate_columns(&self, parts: &[Array2<f32>]) -> Result<Array2<f32>> {
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        Ok(concatenate(Axis(1), &views).unwrap_or_default())
    }

    fn top_k(
        &self,
        scores: &mut Array2<f32>,
        item_scale: &Array2<f32>,
        hidden: &[&[u32]],
        lengths: &[usize],
    ) -> Result<Vec<Vec<ScoredItem>>> {
        let best = |(column, hidden): (usize, &&[u32])| {
            let mut best = TopK::new(lengths[column]);
            for (item, score) in (0..).zip(scores.column(column)) {
                if !hidden.contains(&item) {
                    best.offer(item, score * item_scale[[item as usize, 0]]);
                }
            }
            best.into_sorted()
        };
        Ok(hidden.iter().enumerate().map(best).collect())
    }
}
