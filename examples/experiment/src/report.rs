//! The report of the results, as text and as JSON.

use std::fmt;
use std::time::Duration;

use bspm::{Backend, BspmConfig, Evaluator, FittedFilter, Metrics, Preset};
use serde_json::{Map, Value, json};

use crate::data::Origin;

/// The wall time of each stage.
#[derive(Default)]
pub(crate) struct StageTimes {
    /// On a GPU, it includes loading CUDA.
    pub(crate) open_device: Duration,
    pub(crate) load: Duration,
    pub(crate) fit: Duration,
    pub(crate) score: Duration,
    pub(crate) rank: Duration,
    pub(crate) evaluate: Duration,
    pub(crate) total: Duration,
}

impl StageTimes {
    fn named(&self) -> [(&'static str, Duration); 7] {
        [
            ("open_device", self.open_device),
            ("load", self.load),
            ("fit", self.fit),
            ("score", self.score),
            ("rank", self.rank),
            ("evaluate", self.evaluate),
            ("total", self.total),
        ]
    }
}

/// The results of an experiment.
pub(crate) struct Report<'a, B: Backend> {
    pub(crate) preset: Preset,
    pub(crate) origin: Origin,
    pub(crate) config: &'a BspmConfig,
    pub(crate) model: &'a FittedFilter<B>,
    pub(crate) train_interactions: usize,
    pub(crate) test_interactions: usize,
    pub(crate) cutoffs: &'a [usize],
    pub(crate) evaluator: &'a Evaluator,
    pub(crate) stages: StageTimes,
}

impl<B: Backend> Report<'_, B> {
    pub(crate) fn to_json(&self) -> Value {
        let mut metrics = Map::new();
        for (cutoff, at) in self.cutoffs.iter().zip(self.evaluator.means()) {
            let values = json!(at);
            metrics.insert(cutoff.to_string(), values);
        }
        let stages: Map<String, Value> = self
            .stages
            .named()
            .into_iter()
            .map(|(name, time)| (format!("{name}_s"), json!(time.as_secs_f64())))
            .collect();
        json!({
            "dataset": {
                "name": self.preset.name(),
                "synthetic": matches!(self.origin, Origin::Synthetic),
                "users": self.model.interactions().users(),
                "items": self.model.interactions().items(),
                "train": self.train_interactions,
                "test": self.test_interactions,
            },
            "backend": self.model.backend().name(),
            "config": self.config,
            "truncated_svd": self.model.svd_report(),
            "metrics": metrics,
            "stages": stages,
            "peak_rss_bytes": peak_resident_bytes(),
        })
    }
}

impl<B: Backend> fmt::Display for Report<'_, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} from {}", self.preset, self.origin)?;
        writeln!(
            formatter,
            "  {} users x {} items, {} training and {} test interactions",
            self.model.interactions().users(),
            self.model.interactions().items(),
            self.train_interactions,
            self.test_interactions,
        )?;
        let backend = self.model.backend().name();
        writeln!(formatter, "  {:20}{backend}", "backend")?;
        for setting in BspmConfig::SETTINGS {
            let value = setting.get(self.config).unwrap_or_else(|| "off".into());
            writeln!(formatter, "  {:20}{value}", setting.name)?;
        }
        if let Some(report) = self.model.svd_report() {
            writeln!(formatter, "  {:20}{report}", "truncated SVD")?;
        }
        writeln!(formatter)?;

        write!(formatter, "{:>6}", "k")?;
        for name in Metrics::NAMES {
            write!(formatter, "{name:>11}")?;
        }
        writeln!(formatter)?;
        for (cutoff, at) in self.cutoffs.iter().zip(self.evaluator.means()) {
            write!(formatter, "{cutoff:>6}")?;
            for value in at.values() {
                write!(formatter, "{value:>11.4}")?;
            }
            writeln!(formatter)?;
        }
        writeln!(formatter)?;
        for (name, time) in self.stages.named() {
            let name = name.replace('_', " ");
            writeln!(formatter, "{name:>12}{:>9.2} s", time.as_secs_f64())?;
        }
        if let Some(bytes) = peak_resident_bytes() {
            writeln!(formatter, "{:>12}{:>9.0} MB", "peak", bytes as f64 / 1e6)?;
        }
        Ok(())
    }
}

/// The peak resident set size, if the operating system reports it.
fn peak_resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
