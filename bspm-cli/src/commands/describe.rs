//! `bspm describe`: a summary of interaction files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bspm::Dataset;
use bspm::data::{
    ColumnUse, DatasetSummary, Format, HalfLife, InvalidRow, NumericTimes, Quantiles, ReadReport,
    date_of, date_of_seconds, hint,
};
use clap::Args;
use serde::Serialize;

use super::Outcome;
use crate::data::{DataArguments, with_flags};
use crate::output::{OutputArguments, Record, Writer};

/// Summarize interactions: counts, density, interactions per user and item, weights, times, the role
/// of each column, and warnings
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bspm describe ratings.csv --time-column timestamp\n  \
                  bspm describe 'events/*.parquet' --json"
)]
pub(crate) struct Arguments {
    /// Interaction files, folders of part files, or glob patterns
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    interactions: DataArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let (dataset, report) = arguments.interactions.load(&arguments.data)?;
    let mut writer = Writer::new(&arguments.output);
    writer.write(&Description::of(&dataset, report))?;
    writer.finish()
}

/// The most column names in a line.
const MOST_NAMES: usize = 20;

/// A summary of interactions and of how they were read.
#[derive(Serialize)]
pub(crate) struct Description {
    files: Vec<(PathBuf, &'static str)>,
    rows: u64,
    skipped: BTreeMap<InvalidRow, u64>,
    below_threshold: u64,
    zero_weight: u64,
    /// Duplicate rows: an earlier row has the same user and item.
    repeats: u64,
    #[serde(flatten)]
    summary: DatasetSummary,
    /// The first and the last time of the rows.
    time_range: Option<(f64, f64)>,
    #[serde(skip)]
    times_are_seconds: bool,
    columns: Vec<ColumnUse>,
    warnings: Vec<String>,
}

impl Description {
    pub(crate) fn of(dataset: &Dataset, report: ReadReport) -> Self {
        let summary = dataset.summary();
        let mut warnings = report.warnings.clone();
        if summary.users_with_one * 2 > summary.users {
            warnings.push(format!(
                "{} of {} users have a single interaction, so no interaction of these users can be held out",
                summary.users_with_one, summary.users
            ));
        }
        if !report.times_are_seconds {
            warnings.extend(of_times(dataset.times().unwrap_or_default()));
        }
        Self {
            rows: report.rows,
            repeats: report
                .interactions()
                .saturating_sub(summary.interactions as u64),
            skipped: report.invalid,
            below_threshold: report.below_threshold,
            zero_weight: report.zero_weight,
            summary,
            time_range: report.time_range,
            times_are_seconds: report.times_are_seconds,
            columns: report.columns,
            warnings,
            files: report
                .files
                .into_iter()
                .map(|(path, format)| (path, format.name()))
                .collect(),
        }
    }

    /// Returns the warnings.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns a short summary: the counts, and the role of each column.
    pub(crate) fn lines(&self) -> Vec<String> {
        let Self { summary, .. } = self;
        let left_out = self.skipped.values().sum::<u64>() + self.below_threshold + self.zero_weight;
        let left_out = match left_out {
            0 => String::new(),
            left_out => format!(" ({left_out} excluded)"),
        };
        let median = |quantiles: Option<Quantiles>| quantiles.map_or(0.0, |it| it.median);
        let mut lines = vec![format!(
            "read {} rows{left_out}: {} interactions of {} users with {} items; median {} per user, {} \
             per item",
            self.rows,
            summary.interactions,
            summary.users,
            summary.items,
            median(summary.per_user),
            median(summary.per_item),
        )];
        if !self.columns.is_empty() {
            lines.push(format!("columns: {}", self.columns_as_text()));
        }
        if self
            .files
            .iter()
            .any(|(_, format)| *format == Format::Npz.name())
        {
            lines.push("matrix: rows = users; columns = items".into());
        }
        lines
    }

    fn columns_as_text(&self) -> String {
        let read = self.columns.iter().filter_map(|column| {
            let role = column.role.as_ref()?;
            Some(format!("{role} = {}", column.name))
        });
        let unread: Vec<&str> = self
            .columns
            .iter()
            .filter(|column| column.role.is_none())
            .map(|column| column.name.as_str())
            .collect();
        let mut texts: Vec<String> = read.collect();
        if !unread.is_empty() {
            let (first, rest) = unread.split_at(unread.len().min(MOST_NAMES));
            let more = match rest.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            texts.push(format!("not read: {}{more}", first.join(", ")));
        }
        texts.join("; ")
    }
}

impl Record for Description {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        vec![("property", false), ("value", false)]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let Self { summary, .. } = self;
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut row = |what: &str, value: String| rows.push(vec![what.into(), value]);
        for (path, format) in &self.files {
            row("file", format!("{} ({format})", path.display()));
        }
        row("rows", self.rows.to_string());
        for (reason, count) in &self.skipped {
            row("skipped rows", format!("{count} with {reason}"));
        }
        if self.below_threshold > 0 {
            row(
                "rows below the rating threshold",
                self.below_threshold.to_string(),
            );
        }
        if self.zero_weight > 0 {
            row("rows with weight 0", self.zero_weight.to_string());
        }
        row("duplicate rows", self.repeats.to_string());
        row("users", summary.users.to_string());
        row("items", summary.items.to_string());
        row("interactions", summary.interactions.to_string());
        row("density", format!("{:.4}%", 100.0 * summary.density));
        let quantiles = [
            ("interactions per user", summary.per_user),
            ("interactions per item", summary.per_item),
            ("weights", summary.weights),
        ];
        for (what, quantiles) in quantiles {
            if let Some(quantiles) = quantiles {
                row(what, text(quantiles));
            }
        }
        let share = 100.0 * summary.users_with_one as f64 / summary.users.max(1) as f64;
        row(
            "users with one interaction",
            format!("{} ({share:.1}%)", summary.users_with_one),
        );
        if let Some(times) = summary.times {
            let range = self.time_range.unwrap_or((times.min, times.max));
            row("times", span(range, self.times_are_seconds));
        }
        for column in &self.columns {
            let what = format!("column {}", column.name);
            row(
                &what,
                match &column.role {
                    Some(role) => format!("{role} ({})", column.reason),
                    None => column.reason.to_string(),
                },
            );
        }
        for warning in &self.warnings {
            row("warning", warning.clone());
        }
        rows
    }
}

fn text(it: Quantiles) -> String {
    format!(
        "min {}, 25% {}, median {}, 75% {}, max {}, mean {:.2}",
        it.min, it.q25, it.median, it.q75, it.max, it.mean
    )
}

/// Warns about numeric times in another unit than seconds. Reading warns about dates as numbers.
fn of_times(times: &[f64]) -> Option<String> {
    let last = times.iter().copied().reduce(f64::max)?;
    let likely = NumericTimes::of(times);
    let what = match likely.filter(|kind| !kind.are_seconds()) {
        Some(NumericTimes::Digits(_)) => return None,
        Some(kind) => format!("look like {kind}"),
        None if last > HalfLife::LARGEST_SECONDS => "are not seconds since 1970".into(),
        None => return None,
    };
    let hint = with_flags(&hint::of_times(likely));
    Some(format!("the times (maximum {last}) {what}; hint: {hint}"))
}

/// Returns the time range, as dates if the times are seconds or may be.
fn span((first, last): (f64, f64), are_seconds: bool) -> String {
    let date = if are_seconds {
        date_of_seconds
    } else {
        date_of
    };
    let unit = match are_seconds {
        true => "seconds since 1970",
        false => "in the unit of the data",
    };
    match (date(first), date(last)) {
        (Some(from), Some(to)) => {
            let days = (last - first) / 86_400.0;
            format!("{from} to {to} ({days:.1} days)")
        }
        _ => format!("{first} to {last} ({unit})"),
    }
}
