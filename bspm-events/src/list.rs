//! A list that a server answered with.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::line::Record;

/// A list of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LoggedList {
    /// The id of the answer. The list of a shadow model has the id of the answer that was sent.
    pub answer: String,
    /// The name of the model.
    pub model: String,
    /// The user; `None` for the list of a history or an item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The time in seconds since 1970.
    #[serde(default)]
    pub time: f64,
    /// The items, best first.
    pub items: Vec<String>,
    /// Whether the list was computed by a shadow model and not sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

impl LoggedList {
    /// Creates a list of no user, at time 0.
    pub fn new(
        answer: impl Into<String>,
        model: impl Into<String>,
        items: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            answer: answer.into(),
            model: model.into(),
            user: None,
            time: 0.0,
            items: items.into_iter().map(Into::into).collect(),
            shadow: false,
        }
    }
}

impl Record for LoggedList {
    const PREFIX: &'static str = "lists";

    fn check(&self) -> Result<()> {
        Ok(())
    }
}
