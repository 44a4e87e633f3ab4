//! An event, and the weights of its kinds.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::error::{EventError, Result};
use crate::line::Record;

/// The maximum length of the id of a user or an item, in bytes.
const LONGEST_NAME: usize = 1_024;

/// The maximum length of a kind and of the id of an event, in bytes.
const LONGEST_LABEL: usize = 256;

/// The weights of an event. One larger weight would make the scores of all users meaningless.
const WEIGHTS: RangeInclusive<f32> = 1e-6..=1e6;

/// An interaction of a user with an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Event {
    /// The user.
    pub user: String,
    /// The item.
    pub item: String,
    /// The weight, from 1e-6 to 1e6, in the scale of the weights of the model. Default: 1.
    #[serde(default = "one")]
    pub weight: f32,
    /// The time of the interaction, usually in seconds since 1970. Default: 0.
    #[serde(default)]
    pub time: f64,
    /// The kind of the interaction, such as `purchase`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The id of the event. The log contains an id only once, so that a client can repeat a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The id of the answer whose list the user selected the item from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

fn one() -> f32 {
    1.0
}

impl Event {
    /// Creates an event with weight 1 and time 0.
    pub fn new(user: impl Into<String>, item: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            item: item.into(),
            weight: 1.0,
            time: 0.0,
            kind: None,
            id: None,
            answer: None,
        }
    }

    /// Sets the weight.
    #[must_use]
    pub fn weight(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }

    /// Sets the time.
    #[must_use]
    pub fn time(mut self, time: f64) -> Self {
        self.time = time;
        self
    }

    /// Sets the kind.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Sets the id of the answer whose list the user selected the item from.
    #[must_use]
    pub fn answer(mut self, answer: impl Into<String>) -> Self {
        self.answer = Some(answer.into());
        self
    }

    /// Sets the id of the event.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Checks the values.
    ///
    /// # Errors
    ///
    /// [`EventError::Invalid`] for an empty or too long text, a weight out of range, and a time that is not
    /// finite.
    pub fn check(&self) -> Result<()> {
        for (field, name) in [("user", &self.user), ("item", &self.item)] {
            check_length(field, name, LONGEST_NAME, "a text of 1 to 1024 bytes")?;
        }
        let labels = [
            ("kind", &self.kind),
            ("id", &self.id),
            ("answer", &self.answer),
        ];
        for (field, label) in labels {
            if let Some(label) = label {
                check_length(field, label, LONGEST_LABEL, "a text of 1 to 256 bytes")?;
            }
        }
        if !WEIGHTS.contains(&self.weight) {
            return Err(EventError::Invalid {
                field: "weight",
                expected: "a number from 1e-6 to 1e6",
                found: self.weight.to_string(),
            });
        }
        if !self.time.is_finite() {
            return Err(EventError::Invalid {
                field: "time",
                expected: "a finite number, such as seconds since 1970",
                found: self.time.to_string(),
            });
        }
        Ok(())
    }
}

impl Record for Event {
    const PREFIX: &'static str = "events";

    fn check(&self) -> Result<()> {
        self.check()
    }
}

fn check_length(
    field: &'static str,
    text: &str,
    most: usize,
    expected: &'static str,
) -> Result<()> {
    match text.len() {
        0 => Err(EventError::Invalid {
            field,
            expected,
            found: "an empty text".into(),
        }),
        length if length > most => Err(EventError::Invalid {
            field,
            expected,
            found: format!("a text of {length} bytes"),
        }),
        _ => Ok(()),
    }
}

/// The weights of the kinds of events. Without any, all events count.
///
/// # Examples
///
/// ```
/// use bspm_events::{Event, KindWeights};
///
/// let weights = KindWeights::new([("purchase".to_owned(), 3.0)]);
/// assert_eq!(weights.of(&Event::new("ann", "tea").kind("purchase")), Some(3.0));
/// assert_eq!(weights.of(&Event::new("ann", "tea").kind("view")), None);
/// assert_eq!(KindWeights::default().of(&Event::new("ann", "tea").kind("view")), Some(1.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KindWeights(Vec<(String, f32)>);

impl KindWeights {
    /// Creates the weights of these kinds. Events of other kinds, and without a kind, do not count.
    pub fn new(weights: impl IntoIterator<Item = (String, f32)>) -> Self {
        Self(weights.into_iter().collect())
    }

    /// Returns the weight of an event times the weight of its kind; `None` if the event does not count.
    pub fn of(&self, event: &Event) -> Option<f32> {
        if self.0.is_empty() {
            return Some(event.weight);
        }
        let kind = event.kind.as_deref()?;
        let (_, weight) = self.0.iter().find(|(name, _)| name == kind)?;
        Some(weight * event.weight)
    }
}
