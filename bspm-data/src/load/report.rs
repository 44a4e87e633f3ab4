//! What was read, and what was left out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::format::Format;
use crate::error::InvalidRow;

/// What a column of a table was read as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ColumnUse {
    /// Its name.
    pub name: String,
    /// `user`, `item`, `rating`, `weight` or `time`, or several with `and` between them; of an item
    /// table `id`, `title`, or what its values are. None for a column that was not read.
    pub role: Option<String>,
    /// Why: the option that names it, or the default of the format.
    pub reason: &'static str,
}

/// What reading interactions or an item table found: how many rows, which columns, and what was left out.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ReadReport {
    /// The files read, in order, each with its format.
    pub files: Vec<(PathBuf, Format)>,
    /// Rows, or interactions of a format without rows, those left out included.
    pub rows: u64,
    /// Rows skipped because they are no interactions, by reason.
    pub invalid: BTreeMap<InvalidRow, u64>,
    /// Rows whose rating is below the threshold.
    pub below_threshold: u64,
    /// Rows of weight 0, which are no interactions.
    pub zero_weight: u64,
    /// The columns of the first table; empty for a format without columns.
    pub columns: Vec<ColumnUse>,
    /// What may be wrong, each a sentence.
    pub warnings: Vec<String>,
}

impl ReadReport {
    /// Rows skipped because they are no interactions.
    pub fn skipped(&self) -> u64 {
        self.invalid.values().sum()
    }

    /// Rows that are interactions, repeats included.
    pub fn interactions(&self) -> u64 {
        self.rows - self.skipped() - self.below_threshold - self.zero_weight
    }

    /// Adds a warning that counts the rows skipped, if there are some.
    pub(super) fn warn_of_skipped(&mut self) {
        if self.skipped() == 0 {
            return;
        }
        let reasons = self.invalid.iter();
        let reasons = reasons.map(|(reason, count)| format!("{count} with {reason}"));
        self.warnings.push(format!(
            "{} of {} rows are skipped: {}",
            self.skipped(),
            self.rows,
            reasons.collect::<Vec<_>>().join(", ")
        ));
    }
}
