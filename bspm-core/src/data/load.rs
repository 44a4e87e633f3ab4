//! From files to [`Dataset`](crate::Dataset), a file per format.

mod delimited;
mod file;
mod format;
mod lightgcn;
mod movielens;
mod npz;
#[cfg(feature = "parquet")]
mod parquet;
mod plain_text;
mod table;
mod time;

pub use format::Format;
pub use lightgcn::{Pairs, parse_lightgcn, read_lightgcn};
pub use table::TableOptions;
pub use time::parse_time;
