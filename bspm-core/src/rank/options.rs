//! What a list may hold.

use std::borrow::Cow;

use crate::error::{Error, Result};

/// How to rank.
///
/// # Examples
///
/// ```
/// let options = bspm_core::RankOptions::top(50).show_seen().hide(vec![3, 4]);
/// assert_eq!(options.batch_size, 2048);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RankOptions {
    /// The length of each list; at least 1.
    pub k: usize,
    /// How many users are scored together; at least 1, 2048 unless told.
    pub batch_size: usize,
    /// Whether the items of a user's own history are left out; they are unless told.
    pub hide_seen: bool,
    /// Items that are left out of every list.
    pub hidden: Vec<u32>,
    /// The only items that may enter a list; all may unless told.
    pub allowed: Option<Vec<u32>>,
    /// The score that an item must reach; none unless told.
    pub minimum_score: Option<f32>,
}

impl RankOptions {
    /// The `k` best items that the user has not interacted with.
    pub fn top(k: usize) -> Self {
        Self {
            k,
            batch_size: 2048,
            hide_seen: true,
            hidden: Vec::new(),
            allowed: None,
            minimum_score: None,
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

    /// Leaves these items out of every list.
    pub fn hide(mut self, items: Vec<u32>) -> Self {
        self.hidden = items;
        self
    }

    /// Ranks only these items; `hidden` and seen ones among them stay out.
    pub fn only(mut self, items: Vec<u32>) -> Self {
        self.allowed = Some(items);
        self
    }

    /// Ends every list before the first item that scores less.
    pub fn minimum_score(mut self, score: f32) -> Self {
        self.minimum_score = Some(score);
        self
    }

    /// What stays out of the lists over `items` items.
    pub(crate) fn checked_mask(&self, items: usize) -> Result<Mask> {
        for (parameter, value) in [("k", self.k), ("batch_size", self.batch_size)] {
            if value == 0 {
                return Err(Error::InvalidParameter {
                    parameter,
                    expected: "at least 1".into(),
                    found: "0".into(),
                });
            }
        }
        if self.minimum_score.is_some_and(f32::is_nan) {
            return Err(Error::InvalidParameter {
                parameter: "minimum_score",
                expected: "a number".into(),
                found: "NaN".into(),
            });
        }
        let named = self.hidden.iter().chain(self.allowed.iter().flatten());
        if let Some(&item) = named.into_iter().find(|&&item| item as usize >= items) {
            return Err(Error::UnknownItem { item, items });
        }
        let mut hidden = self.hidden.clone();
        if let Some(allowed) = &self.allowed {
            let mut is_allowed = vec![false; items];
            allowed
                .iter()
                .for_each(|&item| is_allowed[item as usize] = true);
            hidden.extend((0..items as u32).filter(|&item| !is_allowed[item as usize]));
        }
        Ok(Mask {
            hide_seen: self.hide_seen,
            hidden,
        })
    }
}

/// The items that stay out of the lists.
pub(crate) struct Mask {
    hide_seen: bool,
    hidden: Vec<u32>,
}

impl Mask {
    /// The items that stay out of the list of a user with this history.
    pub(crate) fn hidden_from<'a>(&'a self, history: &'a [u32]) -> Cow<'a, [u32]> {
        match (self.hide_seen, self.hidden.is_empty()) {
            (true, true) => Cow::Borrowed(history),
            (true, false) => Cow::Owned([history, &self.hidden].concat()),
            (false, _) => Cow::Borrowed(&self.hidden),
        }
    }
}
