//! The driver: batches of users, cut into tiles, from histories to scores or rankings.

use std::borrow::Cow;
use std::ops::Range;
use std::time::{Duration, Instant};

use ndarray::{Array2, s};

use super::FittedFilter;
use super::evaluate::{EvaluateOptions, Evaluator};
use super::evaluation::Evaluation;
use super::finite;
use super::rank::{ListRequest, RankOptions};
use crate::backend::{Backend, Checked, ScoredItem, Select, check};
use crate::engine::tiles::tile_ranges;
use crate::engine::workspace::{TileHistories, Workspace};
use crate::observe::Observed;
use bspm_data::History;
use bspm_data::Interactions;
use bspm_data::Stage;
use bspm_data::parameter::invalid;
use bspm_data::{Error, Result};

/// The lists of some users, and what they took.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ranking {
    /// One list per user asked for, in that order, best item first.
    pub lists: Vec<Vec<ScoredItem>>,
    /// Wall time of scoring.
    ///
    /// Tiles are scored and ranked side by side; the wall time of a batch is
    /// divided in the proportion of the time that its tiles spent on each.
    pub score_time: Duration,
    /// Wall time of masking and top-k selection, divided likewise, with the product with the
    /// singular vectors, of which selection makes only what it needs.
    pub rank_time: Duration,
}

impl<B: Backend> FittedFilter<B> {
    /// Ranks the items for each of `users`.
    ///
    /// A list is shorter than `k` where fewer items are left. The result does not
    /// depend on the number of threads, nor, but for rounding, on the batch size
    /// and the other users asked for.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUser`] for the first user that is not a row of the matrix;
    /// those of [`rank_histories`](Self::rank_histories).
    pub fn rank(&self, users: &[u32], options: &RankOptions) -> Result<Ranking> {
        self.rank_histories(&self.histories(users)?, options)
    }

    /// Ranks the items for each history, whether or not it is a row of the matrix.
    ///
    /// A history is the items of one user in any order, or a [`History`] with weights; an item
    /// that occurs more than once counts once, or the sum of its weights. The scores are the exact ones: they are linear in the
    /// history, so an unseen user needs no refit. The history of one of the model's
    /// own users gives the list of [`rank`](Self::rank), bit for bit.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownItem`] for an item, in a history or the options, that is not a
    /// column of the matrix; [`Error::InvalidParameter`] when `k` or the batch size is
    /// 0, the minimum score is not a number, or weights are so large that scores are not finite;
    /// [`Error::Cancelled`]; those of the backend.
    pub fn rank_histories<'h, H>(&self, histories: &[H], options: &RankOptions) -> Result<Ranking>
    where
        H: Copy + Into<History<'h>>,
    {
        self.rank_requests(&ListRequest::of_all(histories), options)
    }

    /// Ranks the items for each history, with what each list may hold.
    ///
    /// # Errors
    ///
    /// As [`rank_histories`](Self::rank_histories).
    pub fn rank_requests(
        &self,
        requests: &[ListRequest<'_>],
        options: &RankOptions,
    ) -> Result<Ranking> {
        let mut lists = Vec::with_capacity(requests.len());
        let (score_time, rank_time) = self.rank_batches(requests, options, |_, batch| {
            lists.extend(batch);
        })?;
        Ok(Ranking {
            lists,
            score_time,
            rank_time,
        })
    }

    /// Ranks batch by batch and hands the lists of each, with the place of its first
    /// history, to `take`; the times are those of [`Ranking`].
    pub(crate) fn rank_batches(
        &self,
        requests: &[ListRequest<'_>],
        options: &RankOptions,
        mut take: impl FnMut(usize, Vec<Vec<ScoredItem>>),
    ) -> Result<(Duration, Duration)> {
        let items = self.interactions.items();
        let mask = options.checked_mask(items)?;
        requests.iter().try_for_each(|it| it.check(items))?;
        let distinct = distinct(requests.iter().map(|it| it.history))?;
        let histories: Vec<History<'_>> = distinct.iter().map(Distinct::as_history).collect();
        let _span = tracing::info_span!("rank", users = histories.len(), k = options.k).entered();
        let observed = Observed::new(&options.observer, Stage::Rank, histories.len());
        let mut score_time = Duration::ZERO;
        let mut rank_time = Duration::ZERO;
        for (index, batch) in histories.chunks(options.batch_size).enumerate() {
            let start = Instant::now();
            let first = index * options.batch_size;
            let width = match options.batch_invariant {
                true => self.tile_columns,
                false => self.width_for(batch.len()),
            };
            let tiles = self.for_each_tile(batch, width, |tile, range, histories| {
                let start = Instant::now();
                let scores = self.filter.score(self.checked(), histories, tile)?;
                let scoring = start.elapsed();
                let start = Instant::now();
                let users = range.clone();
                let hidden: Vec<Cow<'_, [u32]>> = range
                    .map(|place| mask.hidden_from(&requests[first + place], batch[place].items()))
                    .collect();
                let hidden: Vec<&[u32]> = hidden.iter().map(AsRef::as_ref).collect();
                let (item_scale, best) = (self.filter.item_scale(), Select::Best(options.k));
                let mut lists = self.checked().select(scores, item_scale, &hidden, best)?;
                lists.iter().try_for_each(|list| check_finite(list))?;
                for (place, (list, hidden)) in lists.iter_mut().zip(hidden).enumerate() {
                    if let Some(least) = options.minimum_score {
                        list.truncate(list.partition_point(|entry| entry.score >= least));
                    }
                    let history = batch[users.start + place].items();
                    self.reach.complete(list, history, hidden, options);
                }
                observed.advance(users.len())?;
                Ok((lists, scoring, start.elapsed()))
            })?;
            let wall = start.elapsed().as_secs_f64();
            let scoring: f64 = tiles.iter().map(|tile| tile.1.as_secs_f64()).sum();
            let ranking_share: f64 = tiles.iter().map(|tile| tile.2.as_secs_f64()).sum();
            let score_wall = wall * scoring / (scoring + ranking_share).max(f64::MIN_POSITIVE);
            score_time += Duration::from_secs_f64(score_wall);
            rank_time += Duration::from_secs_f64((wall - score_wall).max(0.0));
            let lists = tiles.into_iter().flat_map(|tile| tile.0).collect();
            take(first, lists);
        }
        Ok((score_time, rank_time))
    }

    /// The metrics over the users that have interactions in `test`, which has the shape of
    /// the matrix that was fitted: their lists, without what they have seen, against those.
    ///
    /// Memory: the lists of a batch of users at a time.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`] for another shape; [`Error::NothingToEvaluate`] if no user has an
    /// interaction in `test`; [`Error::InvalidParameter`] for an impossible cut-off;
    /// [`Error::Cancelled`]; those of the backend.
    pub fn evaluate(
        &self,
        test: &Interactions,
        options: impl Into<EvaluateOptions>,
    ) -> Result<Evaluator> {
        check::same("evaluate", self.shape_of_users(), test.shape())?;
        let users = tested_users(test)?;
        let histories = self.histories(&users)?;
        let relevant = |place: usize| Cow::Borrowed(test.items_of(users[place]));
        self.evaluate_histories(&histories, relevant, &options.into())
    }

    /// [`evaluate`](Self::evaluate), user by user: for confidence intervals, comparisons of two
    /// filters, and what the lists are beyond accurate.
    ///
    /// Memory: the lists and the metrics of all users.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate).
    pub fn evaluate_users(
        &self,
        test: &Interactions,
        options: impl Into<EvaluateOptions>,
    ) -> Result<Evaluation> {
        check::same("evaluate", self.shape_of_users(), test.shape())?;
        let users = tested_users(test)?;
        let histories = self.histories(&users)?;
        let relevant = |place: usize| Cow::Borrowed(test.items_of(users[place]));
        self.evaluate_histories_by_user(&histories, &users, relevant, &options.into())
    }

    /// [`evaluate_histories`](Self::evaluate_histories), user by user; `users` are their rows.
    pub(crate) fn evaluate_histories_by_user<'t>(
        &self,
        histories: &[History<'_>],
        users: &[u32],
        relevant: impl Fn(usize) -> Cow<'t, [u32]>,
        options: &EvaluateOptions,
    ) -> Result<Evaluation> {
        let evaluator = Evaluator::new(&options.cutoffs)?;
        let rank_options = RankOptions::top(evaluator.largest_cutoff())
            .batch_size(options.batch_size)
            .observer(options.observer.clone());
        let mut lists: Vec<Vec<u32>> = Vec::with_capacity(users.len());
        self.rank_batches(
            &ListRequest::of_all(histories),
            &rank_options,
            |_, batch| {
                let items = |list: Vec<ScoredItem>| list.iter().map(|entry| entry.item).collect();
                lists.extend(batch.into_iter().map(items));
            },
        )?;
        let users = users.to_vec();
        Ok(Evaluation::new(
            &evaluator,
            &self.interactions.of_users(),
            users,
            &lists,
            relevant,
        ))
    }

    /// The metrics of the lists for these histories, against the items, ascending, that are
    /// relevant at each place.
    pub(crate) fn evaluate_histories<'t>(
        &self,
        histories: &[History<'_>],
        relevant: impl Fn(usize) -> Cow<'t, [u32]>,
        options: &EvaluateOptions,
    ) -> Result<Evaluator> {
        let mut evaluator = Evaluator::new(&options.cutoffs)?;
        let rank_options = RankOptions::top(evaluator.largest_cutoff())
            .batch_size(options.batch_size)
            .observer(options.observer.clone());
        self.rank_batches(
            &ListRequest::of_all(histories),
            &rank_options,
            |start, lists| {
                for (place, list) in (start..).zip(lists) {
                    let items = list.iter().map(|entry| entry.item);
                    evaluator.add(items, &relevant(place));
                }
            },
        )?;
        Ok(evaluator)
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
        self.score_histories(&self.histories(users)?)
    }

    /// The scores of all items for each history, `histories x items`, as
    /// [`score`](Self::score) and [`rank_histories`](Self::rank_histories).
    ///
    /// # Errors
    ///
    /// [`Error::UnknownItem`]; [`Error::InvalidParameter`] for weights that are not finite, or so
    /// large that scores are not; those of the backend.
    pub fn score_histories<'h>(
        &self,
        histories: &[impl Copy + Into<History<'h>>],
    ) -> Result<Array2<f32>> {
        let distinct = distinct(histories.iter().map(|&it| it.into()))?;
        let histories: Vec<History<'_>> = distinct.iter().map(Distinct::as_history).collect();
        let tiles = self.for_each_tile(
            &histories,
            self.width_for(histories.len()),
            |tile, range, histories| {
                let backend = self.checked();
                let scores = backend.form(self.filter.score(backend, histories, tile)?)?;
                backend.scale_rows(self.filter.item_scale(), scores)?;
                let scores = backend.download(scores)?;
                Ok((scores, range))
            },
        )?;
        let mut result = Array2::zeros((histories.len(), self.interactions.items()));
        for (scores, range) in tiles {
            let scores = scores.slice(s![.., ..range.len()]);
            result.slice_mut(s![range, ..]).assign(&scores.t());
        }
        if let Some(&score) = result.iter().find(|it| !it.is_finite()) {
            return Err(not_finite(score));
        }
        Ok(result)
    }

    /// What each item of `history`, with its weight, contributes to the score of `item`, in that order, and
    /// the score for an empty history.
    ///
    /// Scores are affine in the history, so a contribution is the weight of an item times what
    /// a weight of 1 adds to the score. The score for an empty
    /// history and the contributions add up to the score of `item` for `history`, but for
    /// rounding. Only [`Popularity`](crate::filters::Popularity) scores an empty history above 0.
    ///
    /// Cost: one product with the transposed operator, about that of scoring one user, however
    /// long the history.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownItem`]; [`Error::InvalidParameter`] for weights that are not finite, or so
    /// large that scores are not; those of the backend.
    pub fn contributions<'h>(
        &self,
        history: impl Into<History<'h>>,
        item: u32,
    ) -> Result<(Vec<f32>, f32)> {
        let history = history.into();
        let items = self.interactions.items();
        let mut named = history.items().iter().chain([&item]);
        if let Some(&item) = named.find(|&&item| item as usize >= items) {
            return Err(Error::UnknownItem { item, items });
        }
        check_weights(history)?;
        let base = self.filter.base(self.checked(), item)?;
        let column = self.filter.column(self.checked(), item)?;
        let parts = history
            .entries()
            .map(|(item, weight)| weight * column[item as usize]);
        let parts: Vec<f32> = parts.collect();
        if let Some(&score) = parts.iter().chain([&base]).find(|it| !it.is_finite()) {
            return Err(not_finite(score));
        }
        Ok((parts, base))
    }

    /// Users, without tags, and items.
    fn shape_of_users(&self) -> (usize, usize) {
        let (rows, items) = self.interactions.shape();
        (rows - self.interactions.tag_rows(), items)
    }

    /// The columns of a tile where so many histories are scored.
    fn width_for(&self, histories: usize) -> usize {
        self.tile_columns.min(histories)
    }

    fn checked(&self) -> Checked<'_, B> {
        Checked::new(&self.backend)
    }

    fn histories(&self, users: &[u32]) -> Result<Vec<History<'_>>> {
        users
            .iter()
            .map(|&user| self.interactions.history(user))
            .collect()
    }

    /// Cuts the histories into tiles and hands each, with a workspace and its range of
    /// histories, to `work`.
    fn for_each_tile<T: Send>(
        &self,
        histories: &[History<'_>],
        width: usize,
        work: impl Fn(&mut Workspace<B>, Range<usize>, TileHistories<'_>) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let ranges = tile_ranges(histories.len(), width);
        let backend = self.checked();
        backend.for_each_tile(
            ranges.len(),
            || self.filter.workspace(backend, width),
            |tile, index| {
                let range = ranges[index].clone();
                let histories = TileHistories::new(&histories[range.clone()], width);
                work(tile, range, histories)
            },
        )
    }
}

/// [`Error::InvalidParameter`] for scores that are not finite: the first ones, in a list.
fn check_finite(list: &[ScoredItem]) -> Result<()> {
    match list.first().filter(|best| !best.score.is_finite()) {
        Some(best) => Err(not_finite(best.score)),
        None => Ok(()),
    }
}

fn not_finite(score: f32) -> Error {
    let range = finite::SENSIBLE_WEIGHTS;
    let (low, high) = (range.start(), range.end());
    let expected = format!("weights of a history from {low:e} to {high:e}, or smaller ones");
    invalid("weight", expected, format!("a score of {score}"))
}

fn check_weights(history: History<'_>) -> Result<()> {
    let mut weights = history.weights().unwrap_or_default().iter();
    match weights.find(|it| !it.is_finite()) {
        Some(weight) => Err(invalid("weight", "a finite number", weight)),
        None => Ok(()),
    }
}

/// The histories with ascending items; weights must be finite.
fn distinct<'h>(histories: impl Iterator<Item = History<'h>>) -> Result<Vec<Distinct<'h>>> {
    let distinct = histories.map(|history| {
        let distinct = Distinct::new(history);
        // After they are added up: finite weights of one item may have an infinite sum.
        check_weights(distinct.as_history())?;
        Ok(distinct)
    });
    distinct.collect()
}

/// A history whose items ascend and are distinct.
pub(crate) enum Distinct<'a> {
    Already(History<'a>),
    Made(Vec<u32>, Option<Vec<f32>>),
}

impl<'a> Distinct<'a> {
    /// The items in ascending order, each once, with the sum of its weights where there are
    /// some.
    pub(crate) fn new(history: History<'a>) -> Self {
        let items = history.items();
        if items.windows(2).all(|pair| pair[0] < pair[1]) {
            return Self::Already(history);
        }
        if history.weights().is_none() {
            let mut items = items.to_vec();
            items.sort_unstable();
            items.dedup();
            return Self::Made(items, None);
        }
        let mut entries: Vec<(u32, f32)> = history.entries().collect();
        entries.sort_by_key(|entry| entry.0);
        entries.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
        let (items, weights) = entries.into_iter().unzip();
        Self::Made(items, Some(weights))
    }

    pub(crate) fn as_history(&self) -> History<'_> {
        match self {
            Self::Already(history) => *history,
            Self::Made(items, weights) => History::new(items, weights.as_deref()),
        }
    }
}
/// The users that have interactions in `test`.
fn tested_users(test: &Interactions) -> Result<Vec<u32>> {
    let users = test.users_with_items();
    match users.is_empty() {
        true => Err(Error::NothingToEvaluate {
            reason: "no user has an interaction in the test set".into(),
        }),
        false => Ok(users),
    }
}
