//! The log on standard error, filtered by the environment variable `BSPM_LOG`.

use std::io::{self, Write};
use std::sync::OnceLock;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Counts the lines that [`start_in_background`] dropped.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// The maximum number of lines that wait for standard error; further lines are dropped.
const MOST_WAITING: usize = 8_192;

/// Starts the log; lines are written by the thread that logs them. The default of `BSPM_LOG` is `off`.
pub fn start() {
    start_with("off", || Quiet(io::stderr()));
}

/// Starts the log on a background thread, so that a slow reader of standard error does not block the
/// program. Lines that cannot be written in time are dropped, and [`dropped_lines`] counts them. The
/// default of `BSPM_LOG` is `warn`. The log ends when the returned value is dropped.
pub fn start_in_background() -> WorkerGuard {
    let (lines, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(MOST_WAITING)
        .finish(Quiet(io::stderr()));
    let _ = DROPPED.set(lines.error_counter());
    start_with("warn", lines);
    guard
}

/// Returns the number of lines of the log that were dropped since the start.
pub fn dropped_lines() -> usize {
    DROPPED.get().map_or(0, ErrorCounter::dropped_lines)
}

fn start_with(default: &str, writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) {
    let filter = EnvFilter::try_from_env("BSPM_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_span_events(FmtSpan::CLOSE)
        .init();
}

/// Standard error without errors: a full device or a closed pipe does not end the program.
struct Quiet(io::Stderr);

impl Write for Quiet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}
