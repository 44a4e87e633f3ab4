//! The driver: scores and ranks batches of users in tiles.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::ptr;
use std::time::{Duration, Instant};

use ndarray::{Array2, s};

use super::FittedFilter;
use super::evaluate::{EvaluateOptions, Evaluator};
use super::evaluation::{Evaluation, tested_rows};
use super::fallback::Reach;
use super::finite;
use super::item_users::ItemUsers;
use super::rank::{ListRequest, RankOptions};
use super::rerank::{Rerank, Reranker, Selected};
use crate::backend::{Backend, Checked, ScoredItem, Select, check};
use crate::engine::tiles::tile_ranges;
use crate::engine::workspace::{TileHistories, Workspace};
use crate::observe::Observed;
use bspm_data::History;
use bspm_data::Interactions;
use bspm_data::Stage;
use bspm_data::parameter::{check_memory, invalid};
use bspm_data::{Error, Result};

/// The lists of users, and the time to compute them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ranking {
    /// One list per requested user, in the same order, best item first.
    pub lists: Vec<Vec<ScoredItem>>,
    /// Wall time of scoring.
    ///
    /// Tiles are scored and ranked in parallel; the wall time of a batch is divided in proportion to the time
    /// that its tiles spent on each.
    pub score_time: Duration,
    /// Wall time of masking and top-k selection, divided in the same way. It includes the product with the
    /// singular vectors, which selection computes lazily.
    pub rank_time: Duration,
}

impl<B: Backend> FittedFilter<B> {
    /// Ranks the items for each of `users`.
    ///
    /// A list is shorter than `k` if fewer items remain. The result does not depend on the number of threads.
    /// Except for rounding, it does not depend on the batch size and on the other users.
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
    /// A history is the items of one user in any order, or a [`History`] with weights. An item that occurs
    /// more than once counts once, or with the sum of its weights. The scores are exact: they are linear in
    /// the history, so a new user needs no refit (fold-in). The history of one of the model's own users
    /// gives the same list as [`rank`](Self::rank), bit for bit.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownItem`] for an item, in a history or the options, that is not a column of the matrix;
    /// [`Error::InvalidParameter`] if `k` or the batch size is 0, if the minimum score is not a number, or if
    /// weights are so large that scores are not finite; [`Error::Cancelled`]; those of the backend.
    pub fn rank_histories<'h, H>(&self, histories: &[H], options: &RankOptions) -> Result<Ranking>
    where
        H: Copy + Into<History<'h>>,
    {
        self.rank_requests(&ListRequest::of_all(histories), options)
    }

    /// Ranks the items for each request.
    ///
    /// # Errors
    ///
    /// As [`rank_histories`](Self::rank_histories), also for the options of a request;
    /// [`Error::InvalidParameter`] and [`Error::ShapeMismatch`] for a [`Rerank`] that is out of
    /// range or for other items.
    pub fn rank_requests(
        &self,
        requests: &[ListRequest<'_>],
        options: &RankOptions,
    ) -> Result<Ranking> {
        let mut lists = Vec::with_capacity(requests.len());
        let (score_time, rank_time) = self.rank_batches(requests, options, &mut |_, batch| {
            lists.extend(batch);
        })?;
        Ok(Ranking {
            lists,
            score_time,
            rank_time,
        })
    }

    /// Ranks in batches, and calls `take` with the index of the first history and the lists of each batch.
    /// Returns the times of [`Ranking`].
    pub(crate) fn rank_batches(
        &self,
        requests: &[ListRequest<'_>],
        options: &RankOptions,
        take: &mut dyn FnMut(usize, Vec<Vec<ScoredItem>>),
    ) -> Result<(Duration, Duration)> {
        let items = self.interactions.items();
        let mask = options.checked_mask(items)?;
        let reranker = self.reranker(&options.rerank)?;
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
                let requests = &requests[first..][users.clone()];
                let lengths = requests.iter().map(|request| {
                    let rerank = request.own_rerank().unwrap_or(&options.rerank);
                    rerank.length(request.length(options), items)
                });
                let lengths: Vec<usize> = lengths.collect();
                let (item_scale, best) = (self.filter.item_scale(), Select::Best(&lengths));
                let mut lists = self.checked().select(scores, item_scale, &hidden, best)?;
                let mut own_rerankers: Vec<(&Rerank, Option<Reranker<'_>>)> = Vec::new();
                for rerank in requests.iter().filter_map(ListRequest::own_rerank) {
                    if own_rerankers.iter().all(|known| !ptr::eq(known.0, rerank)) {
                        own_rerankers.push((rerank, self.reranker(rerank)?));
                    }
                }
                for (place, (list, hidden)) in lists.iter_mut().zip(hidden).enumerate() {
                    let own = requests[place]
                        .own_rerank()
                        .and_then(|own| own_rerankers.iter().find(|known| ptr::eq(known.0, own)));
                    let selection = ListSelection {
                        request: &requests[place],
                        options,
                        history: batch[users.start + place].items(),
                        hidden,
                        reranker: own.map_or(&reranker, |own| &own.1).as_ref(),
                    };
                    *list = selection.of(std::mem::take(list), &self.reach)?;
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

    /// Evaluates the lists of the users that have interactions in `test`, which must have the shape of the
    /// fitted matrix. Lists exclude seen items.
    ///
    /// Memory: the lists of a batch of users.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`] if the shapes differ; [`Error::NothingToEvaluate`] if no user has an
    /// interaction in `test`; [`Error::InvalidParameter`] for an invalid cut-off; [`Error::Cancelled`];
    /// those of the backend.
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

    /// Like [`evaluate`](Self::evaluate), with metrics per user: for confidence intervals, comparisons of two
    /// filters, and catalogue metrics.
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
        let tested = tested_rows(test, &users);
        self.evaluate_histories_by_user(&histories, &users, tested, relevant, &options.into())
    }

    /// Like [`evaluate_histories`](Self::evaluate_histories), with metrics per user; `users` are the rows, and
    /// `tested` are those of [`Evaluation::new`].
    pub(crate) fn evaluate_histories_by_user<'t>(
        &self,
        histories: &[History<'_>],
        users: &[u32],
        tested: Vec<u64>,
        relevant: impl Fn(usize) -> Cow<'t, [u32]>,
        options: &EvaluateOptions,
    ) -> Result<Evaluation> {
        let evaluator = Evaluator::new(&options.cutoffs)?;
        let rank_options = options.rank_options(evaluator.largest_cutoff());
        let mut lists: Vec<Vec<u32>> = Vec::with_capacity(users.len());
        self.rank_batches(
            &ListRequest::of_all(histories),
            &rank_options,
            &mut |_, batch| {
                let items = |list: Vec<ScoredItem>| list.iter().map(|entry| entry.item).collect();
                lists.extend(batch.into_iter().map(items));
            },
        )?;
        let users = users.to_vec();
        Ok(Evaluation::new(
            &evaluator,
            &self.interactions.of_users(),
            users,
            tested,
            &lists,
            relevant,
        ))
    }

    /// Evaluates the lists for these histories against the relevant items of each, in ascending order.
    pub(crate) fn evaluate_histories<'t>(
        &self,
        histories: &[History<'_>],
        relevant: impl Fn(usize) -> Cow<'t, [u32]>,
        options: &EvaluateOptions,
    ) -> Result<Evaluator> {
        let mut evaluator = Evaluator::new(&options.cutoffs)?;
        let rank_options = options.rank_options(evaluator.largest_cutoff());
        self.rank_batches(
            &ListRequest::of_all(histories),
            &rank_options,
            &mut |start, lists| {
                for (place, list) in (start..).zip(lists) {
                    let items = list.iter().map(|entry| entry.item);
                    evaluator.add(items, &relevant(place));
                }
            },
        )?;
        Ok(evaluator)
    }

    /// Returns the scores of all items for each of `users`, `users x items`.
    ///
    /// Seen items are included. Memory: one `f32` per user and item.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUser`] for the first user that is not a row of the matrix;
    /// those of the backend.
    pub fn score(&self, users: &[u32]) -> Result<Array2<f32>> {
        self.score_histories(&self.histories(users)?)
    }

    /// Returns the scores of all items for each history, `histories x items`; see [`score`](Self::score) and
    /// [`rank_histories`](Self::rank_histories).
    ///
    /// # Errors
    ///
    /// [`Error::UnknownItem`]; [`Error::InvalidParameter`] for weights that are not finite, or so
    /// large that scores are not; [`Error::MemoryBudget`]; those of the backend.
    pub fn score_histories<'h>(
        &self,
        histories: &[impl Copy + Into<History<'h>>],
    ) -> Result<Array2<f32>> {
        let (count, items) = (histories.len(), self.interactions.items());
        if let Some(budget) = self.backend.memory_budget() {
            // The tiles and the result.
            let needed = (2 * size_of::<f32>())
                .saturating_mul(count)
                .saturating_mul(items);
            check_memory(
                || format!("scores of {count} histories and {items} items"),
                needed,
                budget,
            )?;
        }
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
        let mut result = Array2::zeros((count, items));
        for (scores, range) in tiles {
            let scores = scores.slice(s![.., ..range.len()]);
            result.slice_mut(s![range, ..]).assign(&scores.t());
        }
        if let Some(&score) = result.iter().find(|it| !it.is_finite()) {
            return Err(not_finite(score));
        }
        Ok(result)
    }

    /// Returns the contribution of each item of `history` to the score of `item`, in the same order, and the
    /// score for an empty history.
    ///
    /// Scores are affine in the history, so the contribution of an item is proportional to its weight. The
    /// score for an empty history and the contributions sum to the score of `item` for `history`, except for
    /// rounding. A repeated item of a history without weights counts once, and its further places have the
    /// contribution 0. Only [`Popularity`](crate::filters::Popularity) has scores above 0 for an empty history.
    ///
    /// Cost: one product with the transposed operator, about the cost of scoring one user, independent of
    /// the length of the history.
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
        let mut seen = HashSet::new();
        let mut counts = |item: u32| history.weights().is_some() || seen.insert(item);
        let part = |(item, weight): (u32, f32)| match counts(item) {
            true => weight * column[item as usize],
            false => 0.0,
        };
        let parts: Vec<f32> = history.entries().map(part).collect();
        if let Some(&score) = parts.iter().chain([&base]).find(|it| !it.is_finite()) {
            return Err(not_finite(score));
        }
        Ok((parts, base))
    }

    /// Returns the checked options for re-ranking, if lists are re-ranked.
    fn reranker<'a>(&'a self, rerank: &'a Rerank) -> Result<Option<Reranker<'a>>> {
        if rerank.is_identity() {
            return Ok(None);
        }
        let item_users = || ItemUsers::new(&self.interactions);
        let item_users = rerank
            .needs_users()
            .then(|| self.item_users.get_or_init(item_users));
        let items = self.interactions.items();
        rerank.prepare(items, item_users).map(Some)
    }

    /// Users, without tags, and items.
    fn shape_of_users(&self) -> (usize, usize) {
        (self.interactions.user_rows(), self.interactions.items())
    }

    /// Returns the number of columns of a tile for this number of histories.
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

    /// Divides the histories into tiles, and calls `work` for each with a workspace and its range of
    /// histories.
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

/// How a list is selected from the best items of a history.
struct ListSelection<'a> {
    request: &'a ListRequest<'a>,
    options: &'a RankOptions,
    history: &'a [u32],
    hidden: &'a [u32],
    reranker: Option<&'a Reranker<'a>>,
}

impl ListSelection<'_> {
    /// Applies the minimum score, the re-ranking and the fallback.
    fn of(self, mut list: Vec<ScoredItem>, reach: &Reach) -> Result<Vec<ScoredItem>> {
        check_finite(&list)?;
        let k = self.request.length(self.options);
        let minimum = self.request.minimum(self.options);
        let fallback = self.options.fallback;
        if let Some(least) = minimum {
            list.truncate(list.partition_point(|entry| entry.score >= least));
        }
        reach.keep_scored(&mut list, self.history, fallback);
        let mut selected = match self.reranker {
            Some(reranker) => reranker.apply(list, k),
            None => Selected::new(list, k),
        };
        if !selected.is_full() {
            selected.fill(reach.fillers(&selected.list, self.hidden, fallback, minimum));
        }
        Ok(selected.list)
    }
}

/// Returns [`Error::InvalidParameter`] if the scores of a list are not finite. Such scores rank first.
fn check_finite(list: &[ScoredItem]) -> Result<()> {
    match list.first().filter(|best| !best.score.is_finite()) {
        Some(best) => Err(not_finite(best.score)),
        None => Ok(()),
    }
}

pub(super) fn not_finite(score: f32) -> Error {
    let range = finite::SENSIBLE_WEIGHTS;
    let (low, high) = (range.start(), range.end());
    let expected = format!("weights of a history from {low:e} to {high:e}, or smaller weights");
    invalid("weight", expected, format!("a score of {score}"))
}

pub(super) fn check_weights(history: History<'_>) -> Result<()> {
    let mut weights = history.weights().unwrap_or_default().iter();
    match weights.find(|it| !it.is_finite()) {
        Some(weight) => Err(invalid("weight", "a finite number", weight)),
        None => Ok(()),
    }
}

/// Returns the histories with items in ascending order; weights must be finite.
fn distinct<'h>(histories: impl Iterator<Item = History<'h>>) -> Result<Vec<Distinct<'h>>> {
    let distinct = histories.map(|history| {
        let distinct = Distinct::new(history);
        // Check the sums, because finite weights of an item may have an infinite sum.
        check_weights(distinct.as_history())?;
        Ok(distinct)
    });
    distinct.collect()
}

/// A history with distinct items in ascending order.
pub(crate) enum Distinct<'a> {
    Already(History<'a>),
    Made(Vec<u32>, Option<Vec<f32>>),
}

impl<'a> Distinct<'a> {
    /// Sorts the items and removes duplicates, with the sum of their weights if there are weights.
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
/// Returns the users with interactions in `test`.
fn tested_users(test: &Interactions) -> Result<Vec<u32>> {
    let users = test.users_with_items();
    match users.is_empty() {
        true => Err(Error::NothingToEvaluate {
            reason: "no user has an interaction in the test set".into(),
        }),
        false => Ok(users),
    }
}
