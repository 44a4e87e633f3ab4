//! Options of recommendations.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use super::Model;
use crate::backend::Backend;
use crate::fitted::Rerank;
use crate::fitted::rank::{Fallback, RankOptions};
use crate::fitted::rerank::of_other_table;
use crate::observe::Observer;
use bspm_data::UnknownIds;
use bspm_data::{Error, ItemSet, Result};

/// Options of recommendations: the number of items and filters of items. By default, seen items are
/// excluded and unknown ids are errors. A number converts to options with that number of items. A reference
/// converts to a copy.
///
/// # Examples
///
/// ```
/// use bspm_core::{RecommendOptions, UnknownIds};
///
/// let options = RecommendOptions::<String>::top(20)
///     .deny(["sold out"])
///     .minimum_score(0.01)
///     .unknown_ids(UnknownIds::Skip);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RecommendOptions<I = String> {
    k: usize,
    keep_seen: bool,
    deny: Vec<I>,
    allow: Option<Vec<I>>,
    allow_set: Option<Arc<ItemSet>>,
    minimum_score: Option<f32>,
    pub(crate) fallback: Fallback,
    #[doc(hidden)]
    pub unknown_ids: UnknownIds,
    rerank: Rerank,
    observer: Observer,
}

impl<I> RecommendOptions<I> {
    /// Returns the default options for the top `k` items that are not in the history.
    pub fn top(k: usize) -> Self {
        Self {
            k,
            keep_seen: false,
            deny: Vec::new(),
            allow: None,
            allow_set: None,
            minimum_score: None,
            fallback: Fallback::None,
            unknown_ids: UnknownIds::Error,
            rerank: Rerank::new(),
            observer: Observer::default(),
        }
    }

    /// Also recommends items of the history.
    pub fn keep_seen(mut self) -> Self {
        self.keep_seen = true;
        self
    }

    /// Never recommends these items, instead of those of an earlier call.
    pub fn deny(mut self, items: impl IntoIterator<Item = impl Into<I>>) -> Self {
        self.deny = items.into_iter().map(Into::into).collect();
        self
    }

    /// Recommends only these items; denied and seen ones among them are still excluded.
    pub fn allow(mut self, items: impl IntoIterator<Item = impl Into<I>>) -> Self {
        self.allow = Some(items.into_iter().map(Into::into).collect());
        self
    }

    /// Recommends only items of this set, such as those that satisfy a condition of the crate
    /// `bspm-rules`; denied and seen ones among them are still excluded.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::data::ItemSet;
    /// use bspm_core::{BspmConfig, Dataset, Model, RecommendOptions};
    /// # use bspm_cpu::CpuBackend;
    /// # let dataset: Dataset<&str, &str> =
    /// #     Dataset::from_pairs([("ann", "tea"), ("ann", "mug"), ("bob", "mug"), ("bob", "jam")])?;
    /// let model = Model::fit(CpuBackend::new(), dataset, BspmConfig::builder().build()?)?;
    ///
    /// let is_in_stock = model.dataset().items().iter().map(|item| *item != "tea");
    /// let in_stock = ItemSet::new(is_in_stock.collect());
    /// let options = RecommendOptions::top(5).allow_set(in_stock);
    /// let list = model.recommend_for_items(["mug"], options)?;
    /// assert_eq!((list.len(), list[0].item), (1, "jam"));
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn allow_set(mut self, items: impl Into<Arc<ItemSet>>) -> Self {
        self.allow_set = Some(items.into());
        self
    }

    /// Recommends only items with a score of at least this value.
    pub fn minimum_score(mut self, score: f32) -> Self {
        self.minimum_score = Some(score);
        self
    }

    /// Sets how to fill a list if too few items have a score. Default: [`Fallback::None`].
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    /// Sets how to handle unknown users and items, including those of the deny and allow lists. Default:
    /// [`UnknownIds::Error`].
    pub fn unknown_ids(mut self, unknown_ids: UnknownIds) -> Self {
        self.unknown_ids = unknown_ids;
        self
    }

    /// Sets how lists are re-ranked: boosts, limits for groups of items, diversity. Default: not at
    /// all.
    ///
    /// # Examples
    ///
    /// ```
    /// use bspm_core::data::{ItemColumn, ItemTable};
    /// use bspm_core::fitted::Rerank;
    /// use bspm_core::{BspmConfig, Dataset, Model, RecommendOptions};
    /// # use bspm_cpu::CpuBackend;
    /// # let dataset: Dataset<&str, &str> = Dataset::from_pairs(
    /// #     [("ann", "tea"), ("ann", "mug"), ("bob", "tea"), ("bob", "jam"), ("bob", "cake")])?;
    /// let columns = vec![
    ///     ItemColumn::texts("title", ["Tea", "Jam", "Cake"]),
    ///     ItemColumn::texts("aisle", ["drinks", "food", "food"]),
    /// ];
    /// let table = ItemTable::new(["tea", "jam", "cake"].into_iter().collect(), "title", columns)?;
    /// let dataset = dataset.with_items(table)?;
    /// let model = Model::fit(CpuBackend::new(), dataset, BspmConfig::builder().build()?)?;
    ///
    /// let aisles = model.dataset().item_table().unwrap().groups("aisle")?;
    /// let options = RecommendOptions::top(5).rerank(Rerank::new().at_most(1, aisles));
    /// assert_eq!(model.recommend("ann", options)?.len(), 1);
    /// # Ok::<(), bspm_core::Error>(())
    /// ```
    pub fn rerank(mut self, rerank: Rerank) -> Self {
        self.rerank = rerank;
        self
    }

    /// Sets the observer of the number of ranked users.
    pub fn observer(mut self, observer: Observer) -> Self {
        self.observer = observer;
        self
    }
}

impl<I> From<usize> for RecommendOptions<I> {
    fn from(k: usize) -> Self {
        Self::top(k)
    }
}

/// A copy, so that options can be used for several lists.
impl<I: Clone> From<&Self> for RecommendOptions<I> {
    fn from(options: &Self) -> Self {
        options.clone()
    }
}

impl<B: Backend, U: Eq + Hash + Clone, I: Eq + Hash + Clone> Model<B, U, I> {
    /// Converts the options to rows and columns. Cost: one hash per denied or allowed item, and a pass over
    /// the items if there is a set.
    #[doc(hidden)]
    pub fn rank_options(&self, options: &RecommendOptions<I>) -> Result<RankOptions>
    where
        I: Debug,
    {
        let columns = |items: &[I]| self.known_items(items, options.unknown_ids);
        let mut denied = columns(&options.deny)?;
        let table = self.dataset.item_table().map(Arc::as_ref);
        options.rerank.check_table(table)?;
        if let Some(set) = &options.allow_set {
            if !set.is_of(table) {
                return Err(of_other_table("allow_set"));
            }
            let items = self.dataset.items().len();
            if set.of_rows() < items {
                return Err(Error::ShapeMismatch {
                    operation: "items of a set",
                    left: (set.of_rows(), 1),
                    right: (items, 1),
                });
            }
            denied.extend((0..items as u32).filter(|&item| !set.contains(item)));
        }
        let mut rank_options = RankOptions::top(options.k)
            .deny(denied)
            .observer(options.observer.clone());
        rank_options.keep_seen = options.keep_seen;
        rank_options.minimum_score = options.minimum_score;
        rank_options.rerank = options.rerank.clone();
        rank_options.fallback = options.fallback;
        rank_options.allow = options.allow.as_deref().map(columns).transpose()?;
        Ok(rank_options)
    }

    /// Returns the columns of the items; unknown items are ignored, or are an error.
    pub(super) fn known_items<'q, Q>(
        &self,
        items: impl IntoIterator<Item = &'q Q>,
        unknown_ids: UnknownIds,
    ) -> Result<Vec<u32>>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + Debug + ?Sized + 'q,
    {
        let ids = self.dataset.items();
        items
            .into_iter()
            .filter_map(|item| match unknown_ids {
                UnknownIds::Error => Some(ids.known_index("item", item)),
                UnknownIds::Skip => ids.index(item).map(Ok),
            })
            .collect()
    }
}
