//! From files to [`Dataset`](crate::Dataset), a file per format.

#[cfg(feature = "arrow")]
pub(crate) mod columns;
#[cfg(feature = "parquet")]
mod damage;
mod delimited;
mod encoding;
mod file;
mod format;
mod id_text;
mod json_lines;
mod lightgcn;
mod movielens;
mod npz;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
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
mod zstandard;

#[cfg(feature = "parquet")]
pub use damage::caught;
pub use format::Format;
pub use lightgcn::{Pairs, parse_lightgcn, read_lightgcn};
pub use options::{OptionUse, TableOptions};
pub use paths::expand_paths;
pub use quotes::Quoting;
pub use report::{ColumnUse, ReadReport};
pub use text::{TextLines, TextTable};
pub use time::{TimeUnit, parse_time};

#[cfg(feature = "arrow")]
pub(crate) use rows::Rows;
