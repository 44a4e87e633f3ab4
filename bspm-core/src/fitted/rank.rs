//! Options of ranking.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::rerank::Rerank;
use crate::backend::ScoredItem;
use crate::observe::Observer;
use bspm_data::History;
use bspm_data::parameter::{check_positive, invalid};
use bspm_data::{Error, Result};

/// How to fill a list if too few items have a score.
///
/// An item has no score if there is no path from the history to it in the graph of users and items; its
/// score is then 0. This applies to all items for an empty history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Fallback {
    /// Do not fill the list; it is shorter.
    #[default]
    None,
    /// Fill with the most popular allowed items, with a score of 0, after all other items.
    Popularity,
    /// Fill with items of score 0, which are ranked like other items, in the order of their columns.
    Unscored,
}

impl Fallback {
    /// Whether this entry has no score and only fills the list.
    pub fn has_filled(self, entry: &ScoredItem) -> bool {
        self == Self::Popularity && entry.score == 0.0
    }
}

bspm_data::names! {
    Fallback("fallback"):
    None = "none",
    Popularity = "popularity",
    Unscored = "unscored",
}

/// Options of ranking.
///
/// # Examples
///
/// ```
/// let options = bspm_core::fitted::RankOptions::top(50).keep_seen().deny(vec![3, 4]);
/// assert_eq!(options.batch_size, 2048);
/// ```
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct RankOptions {
    /// The length of each list; at least 1.
    pub k: usize,
    /// The number of users that are scored together; at least 1. Default: 2048.
    pub batch_size: usize,
    /// Whether lists may contain items of the history. Default: `false`.
    pub keep_seen: bool,
    /// Items that are excluded from all lists. Default: none.
    pub deny: Vec<u32>,
    /// The only items that lists may contain. Default: all items.
    pub allow: Option<Vec<u32>>,
    /// The minimum score of the items of a list. Default: no minimum.
    pub minimum_score: Option<f32>,
    /// How to fill a list if too few items have a score. Default: [`Fallback::None`].
    pub fallback: Fallback,
    /// Whether a list is bitwise identical, independent of the other lists that are ranked with it.
    /// Default: `false`.
    pub batch_invariant: bool,
    /// How the lists are re-ranked. Default: not at all.
    pub rerank: Rerank,
    /// The observer of the number of ranked users, which can cancel the operation.
    pub observer: Observer,
}

impl RankOptions {
    /// Returns the default options for the top `k` items that the user has not interacted with.
    pub fn top(k: usize) -> Self {
        Self {
            k,
            batch_size: 2048,
            keep_seen: false,
            deny: Vec::new(),
            allow: None,
            minimum_score: None,
            fallback: Fallback::None,
            batch_invariant: false,
            rerank: Rerank::new(),
            observer: Observer::default(),
        }
    }

    /// Sets the number of users that are scored together.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// Allows items of the history in the lists.
    pub fn keep_seen(mut self) -> Self {
        self.keep_seen = true;
        self
    }

    /// Excludes these items from all lists, instead of those of an earlier call.
    pub fn deny(mut self, items: Vec<u32>) -> Self {
        self.deny = items;
        self
    }

    /// Ranks only these items; denied and seen ones among them are still excluded.
    pub fn allow(mut self, items: Vec<u32>) -> Self {
        self.allow = Some(items);
        self
    }

    /// Excludes items with a lower score.
    pub fn minimum_score(mut self, score: f32) -> Self {
        self.minimum_score = Some(score);
        self
    }

    /// Sets how to fill lists that are too short.
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    /// Makes every list bitwise identical, independent of the other lists that are ranked with it.
    ///
    /// Cost: a batch with fewer histories than the columns of a tile takes the time of a complete tile.
    pub fn batch_invariant(mut self) -> Self {
        self.batch_invariant = true;
        self
    }

    /// Sets how the lists are re-ranked.
    pub fn rerank(mut self, rerank: Rerank) -> Self {
        self.rerank = rerank;
        self
    }

    /// Sets the observer of the number of ranked users.
    pub fn observer(mut self, observer: Observer) -> Self {
        self.observer = observer;
        self
    }

    /// Returns the items that are excluded from all lists, of `items` items.
    pub(crate) fn checked_mask(&self, items: usize) -> Result<Mask> {
        check_positive("k", self.k)?;
        check_positive("batch_size", self.batch_size)?;
        check_minimum(self.minimum_score)?;
        check_items(&self.deny, items)?;
        let mut hidden = self.deny.clone();
        if let Some(allowed) = &self.allow {
            check_items(allowed, items)?;
            hidden.extend(all_but(allowed, items));
        }
        Ok(Mask {
            keep_seen: self.keep_seen,
            hidden,
            items,
        })
    }
}

/// A request for one list: a history, and options of this list.
///
/// [`deny`](Self::deny) and [`allow`](Self::allow) restrict the list in addition to the [`RankOptions`];
/// [`keep_seen`](Self::keep_seen) allows the items of its history;
/// [`k`](Self::k), [`minimum_score`](Self::minimum_score) and [`rerank`](Self::rerank) replace theirs.
/// Requests with different options are scored together. If the re-ranking of one of them needs all items, the
/// scores of its tile are computed for all items.
///
/// # Examples
///
/// ```
/// use bspm_core::fitted::ListRequest;
///
/// let request = ListRequest::new(&[0, 2]).deny(&[5]).allow(&[3, 4, 5]).k(2);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ListRequest<'a> {
    pub(crate) history: History<'a>,
    deny: &'a [u32],
    allow: Option<&'a [u32]>,
    keep_seen: bool,
    k: Option<usize>,
    minimum_score: Option<f32>,
    rerank: Option<&'a Rerank>,
}

impl<'a> ListRequest<'a> {
    /// Requests the list of a history.
    pub fn new(history: impl Into<History<'a>>) -> Self {
        Self {
            history: history.into(),
            deny: &[],
            allow: None,
            keep_seen: false,
            k: None,
            minimum_score: None,
            rerank: None,
        }
    }

    /// Excludes these items from the list, instead of those of an earlier call.
    pub fn deny(mut self, items: &'a [u32]) -> Self {
        self.deny = items;
        self
    }

    /// Ranks only these items; denied and seen ones among them are still excluded.
    pub fn allow(mut self, items: &'a [u32]) -> Self {
        self.allow = Some(items);
        self
    }

    /// Allows items of the history in the list.
    pub fn keep_seen(mut self) -> Self {
        self.keep_seen = true;
        self
    }

    /// Sets the length of the list; at least 1. Default: that of the [`RankOptions`].
    pub fn k(mut self, k: usize) -> Self {
        self.k = Some(k);
        self
    }

    /// Excludes items with a lower score. Default: the minimum of the [`RankOptions`].
    pub fn minimum_score(mut self, score: f32) -> Self {
        self.minimum_score = Some(score);
        self
    }

    /// Sets how the list is re-ranked. Default: as the [`RankOptions`] say.
    pub fn rerank(mut self, rerank: &'a Rerank) -> Self {
        self.rerank = Some(rerank);
        self
    }

    /// Returns a request for each history, without further options.
    pub(crate) fn of_all(histories: &[impl Copy + Into<History<'a>>]) -> Vec<Self> {
        histories
            .iter()
            .map(|&history| Self::new(history))
            .collect()
    }

    pub(crate) fn check(&self, items: usize) -> Result<()> {
        check_items(self.deny, items)?;
        check_items(self.allow.unwrap_or_default(), items)?;
        check_positive("k", self.k.unwrap_or(1))?;
        check_minimum(self.minimum_score)?;
        self.rerank.map_or(Ok(()), Rerank::check)
    }

    /// The length of the list.
    pub(super) fn length(&self, options: &RankOptions) -> usize {
        self.k.unwrap_or(options.k)
    }

    /// The minimum score of its items.
    pub(super) fn minimum(&self, options: &RankOptions) -> Option<f32> {
        self.minimum_score.or(options.minimum_score)
    }

    /// The re-ranking of this list, if it has its own.
    pub(super) fn own_rerank(&self) -> Option<&'a Rerank> {
        self.rerank
    }
}

fn check_minimum(score: Option<f32>) -> Result<()> {
    match score.is_some_and(f32::is_nan) {
        true => Err(invalid("minimum_score", "a number", f32::NAN)),
        false => Ok(()),
    }
}

fn check_items(named: &[u32], items: usize) -> Result<()> {
    match named.iter().find(|&&item| item as usize >= items) {
        Some(&item) => Err(Error::UnknownItem { item, items }),
        None => Ok(()),
    }
}

/// Returns the items below `items` that are not allowed.
fn all_but(allowed: &[u32], items: usize) -> impl Iterator<Item = u32> {
    let mut is_allowed = vec![false; items];
    for &item in allowed {
        is_allowed[item as usize] = true;
    }
    (0..items as u32).filter(move |&item| !is_allowed[item as usize])
}

/// The items that are excluded from the lists.
pub(crate) struct Mask {
    keep_seen: bool,
    hidden: Vec<u32>,
    items: usize,
}

impl Mask {
    /// Returns the items that are excluded from the list of `request`, whose history has these items.
    pub(crate) fn hidden_from<'a>(
        &'a self,
        request: &ListRequest<'a>,
        history: &'a [u32],
    ) -> Cow<'a, [u32]> {
        let seen = match self.keep_seen || request.keep_seen {
            true => &[],
            false => history,
        };
        let parts = [seen, &self.hidden, request.deny];
        if let Some(allowed) = request.allow {
            let mut hidden = parts.concat();
            hidden.extend(all_but(allowed, self.items));
            return hidden.into();
        }
        let mut filled = parts.into_iter().filter(|part| !part.is_empty());
        match (filled.next(), filled.next()) {
            (Some(only), None) => only.into(),
            (None, _) => Cow::default(),
            _ => parts.concat().into(),
        }
    }
}
