//! Counters in the Prometheus text format.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets of response times, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

/// Counters since the start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// The number of responses by path and status.
    answers: Mutex<Vec<(String, u16, u64)>>,
    buckets: [AtomicU64; BUCKETS.len() + 1],
    microseconds: AtomicU64,
    pub(super) batches: AtomicU64,
    pub(super) scored: AtomicU64,
}

impl Counters {
    pub(super) fn add(&self, path: &str, status: u16, time: Duration) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        match answers.iter_mut().find(|it| it.0 == path && it.1 == status) {
            Some(answer) => answer.2 += 1,
            None => answers.push((path.into(), status, 1)),
        }
        drop(answers);
        let place = BUCKETS.partition_point(|&end| end < time.as_secs_f64());
        self.buckets[place].fetch_add(1, Ordering::Relaxed);
        self.microseconds
            .fetch_add(time.as_micros() as u64, Ordering::Relaxed);
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::from(
            "# HELP bspm_requests_total Requests answered.\n# TYPE bspm_requests_total counter\n",
        );
        let mut line = |line: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "{line}");
        };
        let answers = self
            .answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (path, status, count) in answers {
            line(format_args!(
                "bspm_requests_total{{path=\"{path}\",status=\"{status}\"}} {count}"
            ));
        }
        line(format_args!(
            "# HELP bspm_request_seconds Response time in seconds."
        ));
        line(format_args!("# TYPE bspm_request_seconds histogram"));
        let mut sum = 0;
        let ends = BUCKETS
            .iter()
            .map(f64::to_string)
            .chain(["+Inf".to_owned()]);
        for (bucket, end) in self.buckets.iter().zip(ends) {
            sum += bucket.load(Ordering::Relaxed);
            line(format_args!(
                "bspm_request_seconds_bucket{{le=\"{end}\"}} {sum}"
            ));
        }
        let seconds = self.microseconds.load(Ordering::Relaxed) as f64 / 1e6;
        line(format_args!("bspm_request_seconds_sum {seconds}"));
        line(format_args!("bspm_request_seconds_count {sum}"));
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
