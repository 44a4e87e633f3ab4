//! `bspm explain`: the contribution of each item of a history to a score.

use std::path::PathBuf;

use bspm::{Backend, Explanation};
use bspm_args::DeviceArguments;
use clap::{ArgGroup, Args};
use serde::Serialize;

use super::{Outcome, TextModel, on_device};
use crate::output::{OutputArguments, Record, TITLE, Writer};

/// Explain a score: the contribution of each item of the history
#[derive(Args)]
#[command(
    group(ArgGroup::new("whose").required(true)),
    after_help = "Examples:\n  bspm explain model.bspm grinder --user ann\n  \
                  bspm explain model.bspm grinder --history espresso --history milk"
)]
pub(crate) struct Arguments {
    /// Model file
    model: PathBuf,
    /// Item whose score is explained
    item: String,
    /// User whose history is used
    #[arg(long, value_name = "USER", group = "whose")]
    user: Option<String>,
    /// Item of the history of a new user (fold-in); may be repeated
    #[arg(long, value_name = "ITEM", group = "whose")]
    history: Vec<String>,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    on_device!(arguments.device, explain, arguments)
}

fn explain<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let model = TextModel::open(backend, &arguments.model)?;
    let item = arguments.item.as_str();
    let explanation = match &arguments.user {
        Some(user) => model.explain(user.as_str(), item)?,
        None => model.explain_for_items(arguments.history.iter().map(String::as_str), item)?,
    };
    let mut writer = Writer::new(&arguments.output);
    writer.write(&Explained {
        item,
        explanation,
        has_titles: model.dataset().item_table().is_some(),
    })?;
    writer.finish()
}

#[derive(Serialize)]
struct Explained<'a> {
    item: &'a str,
    #[serde(flatten)]
    explanation: Explanation,
    /// Whether to show titles.
    #[serde(skip)]
    has_titles: bool,
}

impl Explained<'_> {
    fn has_weights(&self) -> bool {
        let mut contributions = self.explanation.contributions.iter();
        contributions.any(|it| it.weight.is_some())
    }
}

impl Record for Explained<'_> {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        let title = self.has_titles.then_some((TITLE, false));
        let weight = self.has_weights().then_some(("weight", true));
        let numbers = [("adds", true), ("share", true)];
        [("history", false)]
            .into_iter()
            .chain(title)
            .chain(weight)
            .chain(numbers)
            .collect()
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let Explanation {
            title,
            score,
            base,
            contributions,
            ..
        } = &self.explanation;
        let has_weights = self.has_weights();
        let row = |name: &str, title: Option<&str>, weight: Option<f32>, part: f32| {
            let share = 100.0 * part / score;
            let share = if share.is_finite() {
                format!("{share:.1}%")
            } else {
                String::new()
            };
            let title = self
                .has_titles
                .then(|| title.unwrap_or_default().to_owned());
            let weight = has_weights.then(|| weight.map_or(String::new(), |it| it.to_string()));
            // Without the sign of a negative number that rounds to zero.
            let part = format!("{part:.6}").replace("-0.000000", "0.000000");
            [name.to_owned()]
                .into_iter()
                .chain(title)
                .chain(weight)
                .chain([part, share])
                .collect()
        };
        let parts = contributions.iter();
        let parts =
            parts.map(|part| row(&part.item, part.title.as_deref(), part.weight, part.score));
        let base = (*base != 0.0).then(|| row("(independent of the history)", None, None, *base));
        let whole = row(&format!("= {}", self.item), title.as_deref(), None, *score);
        parts.chain(base).chain([whole]).collect()
    }
}
