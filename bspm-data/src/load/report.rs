//! Reports of read and excluded rows.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::fault::Fault;
use super::format::Format;
use crate::error::{Error, InvalidRow};

/// The role of a column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ColumnUse {
    /// The name of the column.
    pub name: String,
    /// `user`, `item`, `rating`, `weight` or `time`, or several of them joined by `and`. In an item
    /// table `id`, `title`, or the type of the values. `None` for a column that was not read.
    pub role: Option<String>,
    /// The reason for the role.
    pub reason: ColumnReason,
}

/// Why a column has its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnReason {
    /// No role needs the column.
    NotRead,
    /// An option names the column.
    Option,
    /// Its name is the default of the format.
    Default,
    /// It has a usual name, such as `userId` ([`usual_user_column`](crate::usual_user_column)).
    UsualName,
    /// It has the ids of an item table.
    ItemIds,
    /// The values of an item table determine the role.
    Values,
}

impl fmt::Display for ColumnReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotRead => "not read",
            Self::Option => "set by an option",
            Self::Default => "default of the format",
            Self::UsualName => "a usual name",
            Self::ItemIds => "the id column",
            Self::Values => "the type of its values",
        })
    }
}

impl Serialize for ColumnReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A report of reading interactions or an item table: the numbers of rows, the columns, and the excluded
/// rows.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ReadReport {
    /// The files in order, with their formats.
    pub files: Vec<(PathBuf, Format)>,
    /// The number of rows, or of interactions in a format without rows, including excluded ones.
    pub rows: u64,
    /// The numbers of skipped invalid rows, by reason.
    pub invalid: BTreeMap<InvalidRow, u64>,
    /// The number of rows whose rating is below the threshold.
    pub below_threshold: u64,
    /// The number of rows with weight 0, which are excluded.
    pub zero_weight: u64,
    /// The columns of the first table; empty for a format without columns.
    pub columns: Vec<ColumnUse>,
    /// The first and the last time of the rows that are interactions, if there are times. The data set keeps
    /// only the latest time of a repeated pair.
    pub time_range: Option<(f64, f64)>,
    /// Whether the times are known to be seconds since 1970: dates, or numbers with a unit.
    pub times_are_seconds: bool,
    /// Warnings about the data.
    pub warnings: Vec<String>,
    /// The first skipped row of each reason.
    first_invalid: BTreeMap<InvalidRow, SkippedRow>,
}

/// A skipped row.
#[derive(Clone, Debug, PartialEq)]
struct SkippedRow {
    /// The file; `None` for a record batch.
    path: Option<PathBuf>,
    /// The line, from 1, or the row of a record batch, from 0.
    line: u64,
    fault: Fault,
}

impl ReadReport {
    /// The number of skipped invalid rows.
    pub fn skipped(&self) -> u64 {
        self.invalid.values().sum()
    }

    /// The number of rows that are interactions, including duplicates.
    pub fn interactions(&self) -> u64 {
        self.rows - self.skipped() - self.below_threshold - self.zero_weight
    }

    /// Adds a warning with the number of skipped rows, if there are any.
    pub(super) fn warn_of_skipped(&mut self) {
        if self.skipped() == 0 {
            return;
        }
        self.warnings.push(format!(
            "{} of {} rows are skipped: {}",
            self.skipped(),
            self.rows,
            self.reasons()
        ));
    }

    /// Counts a skipped invalid row.
    pub(super) fn count_invalid(&mut self, path: Option<&Path>, line: u64, fault: Fault) {
        *self.invalid.entry(fault.reason).or_default() += 1;
        let first = self.first_invalid.entry(fault.reason);
        first.or_insert_with(|| SkippedRow {
            path: path.map(Path::to_owned),
            line,
            fault,
        });
    }

    /// Returns the error of the first row that was skipped for the most frequent reason.
    pub(super) fn usual_fault(&self) -> Option<Error> {
        let usual = self
            .invalid
            .iter()
            .min_by_key(|(_, count)| Reverse(**count));
        let row = self.first_invalid.get(usual?.0)?;
        let fault = row.fault.clone();
        Some(fault.into_error(row.path.as_deref(), row.line))
    }

    /// The numbers of skipped invalid rows by reason, with the first row of each reason, as text.
    fn reasons(&self) -> String {
        let reasons = self.invalid.iter();
        let reasons = reasons.map(|(reason, count)| match self.first_invalid.get(reason) {
            Some(row) => format!("{count} with {reason} ({})", self.example(row)),
            None => format!("{count} with {reason}"),
        });
        reasons.collect::<Vec<_>>().join(", ")
    }

    /// Describes a skipped row: its file if there are several, its line, and its invalid text.
    fn example(&self, row: &SkippedRow) -> String {
        let SkippedRow { path, line, fault } = row;
        let format = self.files.iter().find(|it| Some(&it.0) == path.as_ref());
        let unit = match format {
            None | Some((_, Format::Parquet)) => "row",
            Some(_) => "line",
        };
        let place = match path {
            Some(path) if self.files.len() > 1 => format!("{unit} {line} of {}", path.display()),
            _ => format!("{unit} {line}"),
        };
        match (fault.reason, fault.found.as_str()) {
            (_, "") => place,
            (InvalidRow::FieldCount, found) if found.parse::<u64>().is_ok() => {
                format!("{place}: {found} fields")
            }
            (_, found) => format!("{place}: {found:?}"),
        }
    }

    /// The numbers of all rows by reason, as text, if no row is an interaction of the data set.
    pub(super) fn exclusions(&self) -> String {
        let others = [
            (self.below_threshold, "a rating below the threshold"),
            (self.zero_weight, "weight 0"),
            (self.interactions(), "weight 0 after scaling"),
        ];
        let others = others.into_iter().filter(|(count, _)| *count > 0);
        let others = others.map(|(count, reason)| format!("{count} with {reason}"));
        let invalid = Some(self.reasons()).filter(|reasons| !reasons.is_empty());
        invalid
            .into_iter()
            .chain(others)
            .collect::<Vec<_>>()
            .join(", ")
    }
}
