//! The log, on standard error; the environment variable `BSPM_LOG` filters it.

use std::io::{self, Write};
use std::sync::OnceLock;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Counts the lines that [`start_in_background`] dropped.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Lines that wait for standard error before the next one is dropped.
const MOST_WAITING: usize = 8_192;

/// Logs on the thread that has something to say. The default of `BSPM_LOG` is `off`.
pub fn start() {
    start_with("off", || Quiet(io::stderr()));
}

/// Logs on a thread of its own, so that nobody waits for whoever reads standard error: lines that
/// it takes too slowly are dropped, and [`dropped_lines`] counts them. The default of `BSPM_LOG`
/// is `warn`. The log ends with the value that is returned.
pub fn start_in_background() -> WorkerGuard {
    let (lines, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(MOST_WAITING)
        .finish(Quiet(io::stderr()));
    let _ = DROPPED.set(lines.error_counter());
    start_with("warn", lines);
    guard
}

/// How many lines of the log were dropped since the start.
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

/// Standard error, which takes what it can: a full device or a closed pipe ends no command.
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
