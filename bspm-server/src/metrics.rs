//! Counters in the Prometheus text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Upper bounds of the buckets of response times, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

/// Counters since the start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    paths: Mutex<Vec<PathCounts>>,
    pub(super) batches: AtomicU64,
    pub(super) scored: AtomicU64,
}

/// The responses of a path.
#[derive(Clone, Debug, Default)]
struct PathCounts {
    path: String,
    /// The number of responses by status.
    statuses: BTreeMap<u16, u64>,
    /// The number of responses in each bucket of [`BUCKETS`], and of slower ones.
    buckets: [u64; BUCKETS.len() + 1],
    /// The sum of the response times.
    time: Duration,
}

impl PathCounts {
    fn add(&mut self, status: u16, time: Duration) {
        *self.statuses.entry(status).or_default() += 1;
        self.buckets[BUCKETS.partition_point(|&end| end < time.as_secs_f64())] += 1;
        self.time += time;
    }

    fn write_statuses(&self, text: &mut String) {
        for (status, count) in &self.statuses {
            let path = &self.path;
            let _ = writeln!(
                text,
                "bspm_requests_total{{path=\"{path}\",status=\"{status}\"}} {count}"
            );
        }
    }

    fn write_times(&self, text: &mut String) {
        let (path, mut sum) = (&self.path, 0);
        let name = "bspm_request_seconds";
        let ends = BUCKETS
            .iter()
            .map(f64::to_string)
            .chain(["+Inf".to_owned()]);
        for (count, end) in self.buckets.iter().zip(ends) {
            sum += count;
            let _ = writeln!(text, "{name}_bucket{{path=\"{path}\",le=\"{end}\"}} {sum}");
        }
        let seconds = self.time.as_secs_f64();
        let _ = writeln!(text, "{name}_sum{{path=\"{path}\"}} {seconds}");
        let _ = writeln!(text, "{name}_count{{path=\"{path}\"}} {sum}");
    }
}

impl Counters {
    fn paths(&self) -> MutexGuard<'_, Vec<PathCounts>> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, path: &str, status: u16, time: Duration) {
        let mut paths = self.paths();
        if let Some(counts) = paths.iter_mut().find(|it| it.path == path) {
            counts.add(status, time);
            return;
        }
        let mut counts = PathCounts {
            path: path.into(),
            ..PathCounts::default()
        };
        counts.add(status, time);
        paths.push(counts);
    }

    pub(super) fn text(&self) -> String {
        let paths = self.paths().clone();
        let mut text = String::from(
            "# HELP bspm_requests_total Requests answered.\n# TYPE bspm_requests_total counter\n",
        );
        paths.iter().for_each(|it| it.write_statuses(&mut text));
        text.push_str(
            "# HELP bspm_request_seconds Response time in seconds.\n# TYPE bspm_request_seconds histogram\n",
        );
        paths.iter().for_each(|it| it.write_times(&mut text));
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let dropped = crate::log::dropped_lines() as u64;
        let name = "bspm_log_lines_dropped_total";
        let batches = "Batches of lists that were scored, and other requests that were computed.";
        let scored = "Lists that were scored, and other requests that were computed.";
        text.push_str(&Metric::text([
            Metric::counter("bspm_batches_total", batches, load(&self.batches)),
            Metric::counter("bspm_scored_total", scored, load(&self.scored)),
            Metric::counter(name, "Lines that the log dropped.", dropped),
        ]));
        text
    }
}

/// A value for monitoring.
#[derive(Clone, Debug)]
pub(super) struct Metric {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    /// The name of the label and its value.
    label: Option<(&'static str, String)>,
    value: f64,
}

impl Metric {
    /// Returns the number of something since the start.
    pub(super) fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self {
            kind: "counter",
            ..Self::gauge(name, help, value as f64)
        }
    }

    /// Returns a current value.
    pub(super) fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Self {
            name,
            help,
            kind: "gauge",
            label: None,
            value,
        }
    }

    /// Sets the label.
    pub(super) fn label(mut self, name: &'static str, value: &str) -> Self {
        self.label = Some((name, value.into()));
        self
    }

    /// Formats metrics. Those with the same name follow each other.
    pub(super) fn text(metrics: impl IntoIterator<Item = Self>) -> String {
        let mut metrics: Vec<Self> = metrics.into_iter().collect();
        metrics.sort_by_key(|metric| metric.name);
        let mut text = String::new();
        for same in metrics.chunk_by(|left, right| left.name == right.name) {
            let Self {
                name, help, kind, ..
            } = &same[0];
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for Self { label, value, .. } in same {
                let _ = match label {
                    None => writeln!(text, "{name} {value}"),
                    Some((label, of)) => {
                        let of = of.replace('\\', "\\\\").replace('"', "\\\"");
                        writeln!(text, "{name}{{{label}=\"{of}\"}} {value}")
                    }
                };
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_times_are_counted_by_path() {
        let counters = Counters::default();
        for (path, status, milliseconds) in [
            ("/recommend", 200, 30),
            ("/recommend", 503, 2_000),
            ("/recommend", 200, 4),
            ("/healthz", 200, 0),
        ] {
            counters.add(path, status, Duration::from_millis(milliseconds));
        }
        let text = counters.text();
        for line in [
            "bspm_requests_total{path=\"/recommend\",status=\"200\"} 2",
            "bspm_requests_total{path=\"/recommend\",status=\"503\"} 1",
            "bspm_request_seconds_bucket{path=\"/recommend\",le=\"0.0025\"} 0",
            "bspm_request_seconds_bucket{path=\"/recommend\",le=\"0.005\"} 1",
            "bspm_request_seconds_bucket{path=\"/recommend\",le=\"1\"} 2",
            "bspm_request_seconds_bucket{path=\"/recommend\",le=\"+Inf\"} 3",
            "bspm_request_seconds_sum{path=\"/recommend\"} 2.034",
            "bspm_request_seconds_count{path=\"/recommend\"} 3",
            "bspm_request_seconds_count{path=\"/healthz\"} 1",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}: {text}");
        }
    }
}
