#![doc = include_str!("../README.md")]
//!
//! # Durability
//!
//! [`EventLog::append`] returns when the events are on the disk (`fdatasync`). After a crash, the log
//! contains all events of the calls that returned. It may also contain events of the last call.
//!
//! # Why a file of lines
//!
//! A database would do more than this log needs: nothing is looked up, and only [`ClosedLog::forget`]
//! removes lines. The log is read in order at the start, and by other programs.

mod error;
mod event;
mod forget;
mod line;
mod list;
mod log;
mod read;
mod segments;

pub use error::{EventError, Result};
pub use event::{Event, KindWeights};
pub use forget::{ClosedLog, Forgotten};
pub use list::LoggedList;
pub use log::EventLog;
pub use read::{LogReport, delete_before, read, read_lists};
