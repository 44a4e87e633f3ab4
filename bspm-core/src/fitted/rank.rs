//! How to rank: what a list may hold.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::backend::ScoredItem;
use crate::observe::Observer;
use bspm_data::History;
use bspm_data::parameter::{check_positive, invalid};
use bspm_data::{Error, Result};

/// What fills a list where fewer items than it has places have a score.
///
/// An item has none where nothing leads from the history to it: its score is 0. So it is with
/// all items for an empty history, and with those that share no chain of users with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Fallback {
    /// Nothing: the list is shorter.
    #[default]
    None,
    /// The items of most users that may enter the list, with a score of 0, after all others.
    Popularity,
    /// Items of score 0, which rank like any others, in the order of their columns.
    Unscored,
}

impl Fallback {
    /// The names that [`FromStr`](std::str::FromStr) reads.
    pub const NAMES: &[&str] = &["none", "popularity", "unscored"];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Popularity => "popularity",
            Self::Unscored => "unscored",
        }
    }

    /// Whether this entry of a list has no score and only fills it.
    pub fn has_filled(self, entry: &ScoredItem) -> bool {
        self == Self::Popularity && entry.score == 0.0
    }
}

impl std::str::FromStr for Fallback {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let all = [Self::None, Self::Popularity, Self::Unscored];
        let found = all.into_iter().find(|it| it.name() == text);
        found.ok_or_else(|| invalid("fallback", Self::NAMES.join(", "), format!("{text:?}")))
    }
}

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
    /// What fills a list where too few items have a score.
    pub fallback: Fallback,
    /// Whether a list is the same to the last bit whatever else is ranked with it; not unless
    /// told.
    pub batch_invariant: bool,
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
            fallback: Fallback::None,
            batch_invariant: false,
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

    /// Fills lists that would be too short.
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    /// Makes every list the same to the last bit, however many others are ranked with it.
    ///
    /// Cost: fewer histories than a tile has columns take the time of a whole tile.
    pub fn batch_invariant(mut self) -> Self {
        self.batch_invariant = true;
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

/// One list among those asked for: a history, and what this list may hold beside what the
/// [`RankOptions`] say.
///
/// # Examples
///
/// ```
/// use bspm_core::fitted::ListRequest;
///
/// let request = ListRequest::new(&[0, 2]).deny(&[5]).allow(&[3, 4, 5]);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ListRequest<'a> {
    pub(crate) history: History<'a>,
    deny: &'a [u32],
    allow: Option<&'a [u32]>,
}

impl<'a> ListRequest<'a> {
    /// The list of a history.
    pub fn new(history: impl Into<History<'a>>) -> Self {
        Self {
            history: history.into(),
            deny: &[],
            allow: None,
        }
    }

    /// Leaves these items out of the list.
    pub fn deny(mut self, items: &'a [u32]) -> Self {
        self.deny = items;
        self
    }

    /// Ranks only these items; denied and seen ones among them stay out.
    pub fn allow(mut self, items: &'a [u32]) -> Self {
        self.allow = Some(items);
        self
    }

    /// What each history asks for where all lists may hold the same.
    pub(crate) fn of_all(histories: &[impl Copy + Into<History<'a>>]) -> Vec<Self> {
        histories
            .iter()
            .map(|&history| Self::new(history))
            .collect()
    }

    pub(crate) fn check(&self, items: usize) -> Result<()> {
        check_items(self.deny, items)?;
        check_items(self.allow.unwrap_or_default(), items)
    }
}

fn check_items(named: &[u32], items: usize) -> Result<()> {
    match named.iter().find(|&&item| item as usize >= items) {
        Some(&item) => Err(Error::UnknownItem { item, items }),
        None => Ok(()),
    }
}

/// The items that are not allowed, of which all must be below `items`.
fn all_but(allowed: &[u32], items: usize) -> impl Iterator<Item = u32> {
    let mut is_allowed = vec![false; items];
    for &item in allowed {
        is_allowed[item as usize] = true;
    }
    (0..items as u32).filter(move |&item| !is_allowed[item as usize])
}

/// The items that stay out of the lists.
pub(crate) struct Mask {
    keep_seen: bool,
    hidden: Vec<u32>,
    items: usize,
}

impl Mask {
    /// The items that stay out of the list of `request`, whose history's items these are.
    pub(crate) fn hidden_from<'a>(
        &'a self,
        request: &ListRequest<'a>,
        history: &'a [u32],
    ) -> Cow<'a, [u32]> {
        let seen = if self.keep_seen { &[] } else { history };
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
