//! `bspm inspect`: the contents of a model file.

use std::path::PathBuf;

use bspm::saved::SavedModelInfo;
use bspm::tune::TrialOutcome;
use clap::Args;

use super::Outcome;
use crate::output::{OutputArguments, Record, Writer};

/// Check a model file and show its contents
#[derive(Args)]
#[command(after_help = "Examples:\n  bspm inspect model.bspm\n  bspm inspect model.bspm --json")]
pub(crate) struct Arguments {
    /// Model file
    model: PathBuf,
    #[command(flatten)]
    output: OutputArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut writer = Writer::new(&arguments.output);
    writer.write(&SavedModelInfo::open(&arguments.model)?)?;
    writer.finish()
}

impl Record for SavedModelInfo {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        vec![("property", false), ("value", false)]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let config = serde_json::to_string(&self.config).unwrap_or_default();
        let mut rows = vec![
            ("format", self.format.to_string()),
            ("bytes", self.bytes.to_string()),
            ("hash", self.hash.clone()),
            ("users", format!("{} ({})", self.users, self.user_ids)),
            ("items", format!("{} ({})", self.items, self.item_ids)),
            ("interactions", self.interactions.to_string()),
            ("fitted interactions", self.fitted_interactions.to_string()),
        ];
        if self.factors > 0 {
            rows.push(("singular vectors", self.factors.to_string()));
        }
        if let Some(svd) = &self.svd {
            rows.push(("truncated SVD", svd.to_string()));
        }
        rows.push(("config", config));
        if let Some(table) = &self.item_table {
            let columns = table.columns.iter();
            let columns = columns.map(|it| match it.name == table.title {
                true => format!("{} (title)", it.name),
                false => format!("{} ({})", it.name, it.kind.name()),
            });
            rows.push(("item columns", columns.collect::<Vec<_>>().join(", ")));
            let others = table.rows_without_item.to_string();
            rows.push(("item rows without interactions", others));
        }
        if let Some(tags) = &self.tags {
            rows.push(("tags of items", tags.tags.to_string()));
            rows.push(("pairs of tag and item", tags.pairs.to_string()));
            rows.push(("tag weight", tags.weight.to_string()));
        }
        if let Some(scale) = &self.weight_scale {
            rows.push(("weight scale", scale.clone()));
        }
        if let Some(half_life) = self.half_life {
            rows.push(("half-life", format!("{half_life} in the unit of the times")));
        }
        let trials = self.trials.iter().map(|trial| {
            let value = match &trial.outcome {
                TrialOutcome::Failed(reason) => format!("failed: {reason}"),
                _ => format!("{:.4}", trial.estimate),
            };
            ("candidate", format!("{value} {}", trial.config.label()))
        });
        rows.extend(trials);
        let rows = rows.into_iter();
        rows.map(|(what, value)| vec![what.to_owned(), value])
            .collect()
    }
}
