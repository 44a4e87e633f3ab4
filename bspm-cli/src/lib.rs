//! What command lines over `bspm` share: the knobs of the model, the choice of the
//! device, and progress bars.
//!
//! The command-line tool `bspm` of this package is built from these, and so are the
//! examples that reproduce the paper.

/// Writes a line to standard error, or nothing where it takes none, as on a full device.
#[macro_export]
macro_rules! tell {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

mod allocator;
mod device;
pub mod log;
mod process;
mod progress;
pub mod server;
mod warnings;

pub use allocator::return_large_blocks;
pub use device::{Device, DeviceArguments};
pub use process::{ProcessArguments, argument, flag, switched_off, with_switches};
pub use progress::ProgressBars;
pub use warnings::warn_of_svd;
