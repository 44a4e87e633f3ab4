//! How to rank: what a list may hold.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::observe::Observer;
use crate::parameter::{check_positive, invalid};

/// How to rank.
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
    /// How many users are scored together; at least 1, 2048 unless told.
    pub batch_size: usize,
    /// Whether the items of a user's own history may enter the list; not unless told.
    pub keep_seen: bool,
    /// Items that are left out of every list.
    pub deny: Vec<u32>,
    /// The only items that may enter a list; all may unless told.
    pub allow: Option<Vec<u32>>,
    /// The score that an item must reach; none unless told.
    pub minimum_score: Option<f32>,
    /// Who is told of the users ranked, and may end it.
    pub observer: Observer,
}

impl RankOptions {
    /// The `k` best items that the user has not interacted with.
    pub fn top(k: usize) -> Self {
        Self {
            k,
            batch_size: 2048,
            keep_seen: false,
            deny: Vec::new(),
            allow: None,
            minimum_score: None,
            observer: Observer::default(),
        }
    }

    /// Scores `batch_size` users together.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// Ranks the items of the history with the others.
    pub fn keep_seen(mut self) -> Self {
        self.keep_seen = true;
        self
    }

    /// Leaves these items out of every list.
    pub fn deny(mut self, items: Vec<u32>) -> Self {
        self.deny = items;
        self
    }

    /// Ranks only these items; denied and seen ones among them stay out.
    pub fn allow(mut self, items: Vec<u32>) -> Self {
        self.allow = Some(items);
        self
    }

    /// Ends every list before the first item that scores less.
    pub fn minimum_score(mut self, score: f32) -> Self {
        self.minimum_score = Some(score);
        self
    }

    /// Tells this observer.
    pub fn observer(mut self, observer: Observer) -> Self {
        self.observer = observer;
        self
    }

    /// What stays out of the lists over `items` items.
    pub(crate) fn checked_mask(&self, items: usize) -> Result<Mask> {
        check_positive("k", self.k)?;
        check_positive("batch_size", self.batch_size)?;
        if self.minimum_score.is_some_and(f32::is_nan) {
            return Err(invalid("minimum_score", "a number", f32::NAN));
        }
        let named = self.deny.iter().chain(self.allow.iter().flatten());
        if let Some(&item) = named.into_iter().find(|&&item| item as usize >= items) {
            return Err(Error::UnknownItem { item, items });
        }
        let mut hidden = self.deny.clone();
        if let Some(allowed) = &self.allow {
            let mut is_allowed = vec![false; items];
            allowed
                .iter()
                .for_each(|&item| is_allowed[item as usize] = true);
            hidden.extend((0..items as u32).filter(|&item| !is_allowed[item as usize]));
        }
        Ok(Mask {
            keep_seen: self.keep_seen,
            hidden,
        })
    }
}

/// The items that stay out of the lists.
pub(crate) struct Mask {
    keep_seen: bool,
    hidden: Vec<u32>,
}

impl Mask {
    /// The items that stay out of the list of a user with this history.
    pub(crate) fn hidden_from<'a>(&'a self, history: &'a [u32]) -> Cow<'a, [u32]> {
        match (self.keep_seen, self.hidden.is_empty()) {
            (false, true) => Cow::Borrowed(history),
            (false, false) => Cow::Owned([history, &self.hidden].concat()),
            (true, _) => Cow::Borrowed(&self.hidden),
        }
    }
}
