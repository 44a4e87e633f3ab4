//! The driver: batches of users, cut into tiles, from histories to scores or rankings.

use std::ops::Range;
use std::time::{Duration, Instant};

use ndarray::{Array2, s};

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::fit::Bspm;
use crate::process::Tile;
use crate::process::merge::score_tile;
use crate::rank::ScoredItem;
use crate::tiles::tile_ranges;

/// How to rank.
///
/// # Examples
///
/// ```
/// let options = bspm_core::RankOptions::top(50).show_seen();
/// assert_eq!(options.batch_size, 2048);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RankOptions {
    /// The length of each list; at least 1.
    pub k: usize,
    /// How many users are scored together; at least 1, 2048 unless told.
    pub batch_size: usize,
    /// Whether the items of a user's own history are left out; they are unless told.
    pub hide_seen: bool,
}

impl RankOptions {
    /// The `k` best items that the user has not interacted with.
    pub fn top(k: usize) -> Self {
        Self {
            k,
            batch_size: 2048,
            hide_seen: true,
        }
    }

    /// Scores `batch_size` users together.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// Ranks the items of the history with the others.
    pub fn show_seen(mut self) -> Self {
        self.hide_seen = false;
        self
    }
}

/// The lists of some users, and what they took.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// One list per user asked for, in that order, best item first.
    pub lists: Vec<Vec<ScoredItem>>,
    /// Wall time of scoring.
    ///
    /// Tiles are scored and ranked side by side; the wall time of a batch is
    /// divided in the proportion of the time that its tiles spent on each.
    pub score_time: Duration,
    /// Wall time of masking and top-k selection, divided likewise.
    pub rank_time: Duration,
}

impl<B: Backend> Bspm<B> {
    /// Ranks the items for each of `users`.
    ///
    /// A list is shorter than `k` where fewer items are left. The result does not
    /// depend on the number of threads, nor, but for rounding, on the batch size
    /// and the other users asked for.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUser`] for the first user that is not a row of the matrix;
    /// [`Error::InvalidParameter`] when `k` or the batch size is 0; those of the
    /// backend.
    pub fn rank(&self, users: &[u32], options: &RankOptions) -> Result<Ranking> {
        for (parameter, value) in [("k", options.k), ("batch_size", options.batch_size)] {
            if value == 0 {
                return Err(Error::InvalidParameter {
                    parameter,
                    expected: "at least 1".into(),
                    found: "0".into(),
                });
            }
        }
        let histories = self.histories(users)?;
        let mut ranking = Ranking {
            lists: Vec::with_capacity(users.len()),
            score_time: Duration::ZERO,
            rank_time: Duration::ZERO,
        };
        for batch in histories.chunks(options.batch_size) {
            let start = Instant::now();
            let tiles = self.for_each_tile(batch, |tile, range, scoring| {
                let start = Instant::now();
                let hidden: Vec<&[u32]> = batch[range]
                    .iter()
                    .map(|&history| if options.hide_seen { history } else { &[] })
                    .collect();
                let root_degrees = self.graph.root_degrees();
                let lists =
                    self.backend
                        .top_k(&mut tile.scores, root_degrees, &hidden, options.k)?;
                Ok((lists, scoring, start.elapsed()))
            })?;
            let wall = start.elapsed().as_secs_f64();
            let scoring: f64 = tiles.iter().map(|tile| tile.1.as_secs_f64()).sum();
            let ranking_share: f64 = tiles.iter().map(|tile| tile.2.as_secs_f64()).sum();
            let score_wall = wall * scoring / (scoring + ranking_share).max(f64::MIN_POSITIVE);
            ranking.score_time += Duration::from_secs_f64(score_wall);
            ranking.rank_time += Duration::from_secs_f64((wall - score_wall).max(0.0));
            ranking
                .lists
                .extend(tiles.into_iter().flat_map(|tile| tile.0));
        }
        Ok(ranking)
    }

    /// The scores of all items for each of `users`, `users x items`.
    ///
    /// Nothing is masked. Memory: one `f32` per user asked for and item.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUser`] for the first user that is not a row of the matrix;
    /// those of the backend.
    pub fn score(&self, users: &[u32]) -> Result<Array2<f32>> {
        let histories = self.histories(users)?;
        let tiles = self.for_each_tile(&histories, |tile, range, _| {
            self.backend
                .scale_rows(self.graph.root_degrees(), &mut tile.scores)?;
            let scores = self.backend.download(&tile.scores)?;
            Ok((scores, range))
        })?;
        let mut result = Array2::zeros((users.len(), self.interactions.items()));
        for (scores, range) in tiles {
            let scores = scores.slice(s![.., ..range.len()]);
            result.slice_mut(s![range, ..]).assign(&scores.t());
        }
        Ok(result)
    }

    fn histories(&self, users: &[u32]) -> Result<Vec<&[u32]>> {
        users
            .iter()
            .map(|&user| self.interactions.history(user))
            .collect()
    }

    /// Scores the histories tile by tile and hands each tile, in walk coordinates,
    /// to `finish`, with its range of histories and the time that scoring took.
    fn for_each_tile<T: Send>(
        &self,
        histories: &[&[u32]],
        finish: impl Fn(&mut Tile<B>, Range<usize>, Duration) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let width = self.graph.tile_columns().min(histories.len());
        let ranges = tile_ranges(histories.len(), width);
        let factors = self
            .ideal_low_pass
            .as_ref()
            .map(|filter| self.backend.shape(&filter.basis).1);
        self.backend.for_each_tile(
            ranges.len(),
            || Tile::new(&self.backend, &self.graph, &self.config, factors, width),
            |tile, index| {
                let range = ranges[index].clone();
                let start = Instant::now();
                let histories = self.backend.upload_histories(
                    &histories[range.clone()],
                    self.graph.history_weights(),
                    width,
                )?;
                score_tile(
                    &self.backend,
                    &self.graph,
                    &self.config,
                    self.ideal_low_pass.as_ref(),
                    &histories,
                    tile,
                )?;
                finish(tile, range, start.elapsed())
            },
        )
    }
}
