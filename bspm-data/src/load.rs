//! Readers of files, one module per format.

mod column_names;
mod delimited;
mod encoding;
mod fault;
mod file;
mod foreign;
mod format;
mod header;
pub mod hint;
mod id_text;
mod item_columns;
mod item_json;
mod item_options;
mod item_rows;
mod item_table;
#[cfg(test)]
mod item_tests;
mod json_lines;
mod json_object;
mod json_records;
mod lightgcn;
mod likely_format;
mod movielens;
mod npz;
mod numeric_times;
mod options;
mod paths;
mod plain_text;
mod plausibility;
mod quotes;
mod read;
mod records;
mod report;
mod rows;
mod text;
mod time;
mod time_format;
mod time_warnings;
mod zstandard;

pub use column_names::{usual_item_column, usual_user_column};
pub use format::Format;
pub use item_options::ItemTableOptions;
pub use lightgcn::{Pairs, parse_lightgcn, read_lightgcn};
pub use numeric_times::NumericTimes;
pub use options::{OptionUse, TableOptions};
pub use paths::expand_paths;
pub use plausibility::similar_ids;
pub use quotes::Quoting;
pub use report::{ColumnReason, ColumnUse, ReadReport};
pub use text::{TextLines, TextTable};
pub use time::{TimeUnit, parse_time};
pub use time_format::likely_time_formats;
pub use time_warnings::other_times;

/// The parts that a reader of another format needs, such as that of Parquet. Not covered by semver.
pub mod reader {
    pub use super::fault::Fault;
    pub use super::id_text::{NullValues, whole_number};
    pub use super::item_columns::Cell;
    pub use super::item_rows::ItemRows;
    pub use super::item_table::read_items_with;
    pub use super::json_object::{JsonObject, JsonValue, or_with_null_for_nan};
    pub use super::json_records::JsonRecords;
    pub use super::likely_format::{LikelyFormat, LikelyTable};
    pub use super::options::Places;
    pub use super::plausibility::{IdSource, warnings_of_items, warnings_of_users};
    pub use super::read::read_files_with;
    pub use super::rows::{Row, Rows, parse_value};
    pub use super::time::{TimeReader, TimesRead, seconds};
    pub use super::time_warnings::warnings_of_times;
}
