//! Parts that all command-line programs of `bspm` share: the settings of BSPM as flags, the choice
//! of the device, and progress bars. The command-line tool `bspm` and the examples that reproduce
//! the paper use them.

/// Writes a line to standard error. Ignores errors, for example if the device is full.
#[macro_export]
macro_rules! tell {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

mod allocator;
mod device;
mod process;
mod progress;
mod warnings;

pub use allocator::return_large_blocks;
pub use device::{Device, DeviceArguments};
pub use process::{ProcessArguments, argument, flag, switched_off, with_switches};
pub use progress::ProgressBars;
pub use warnings::warn_of_svd;
