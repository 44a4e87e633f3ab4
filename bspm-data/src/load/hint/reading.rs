//! The options of a file that could not be read.

use std::path::Path;

use super::super::format::Format;
use super::super::options::TableOptions;

/// The options of a file that could not be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub(super) options: &'a TableOptions,
    /// The format, if an option names it.
    pub(super) format: Option<Format>,
}

impl Reading<'_> {
    /// Whether a file is a text table, whose header can be missing.
    pub(super) fn has_text_table(&self, path: &Path) -> bool {
        let format = self.format.or_else(|| Format::of(path).ok());
        matches!(format, Some(Format::Csv | Format::Tsv) | None)
    }
}
