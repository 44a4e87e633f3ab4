//! Chooses how interactions are weighted.

use std::path::PathBuf;

use bspm::data::{Duplicates, Format, NumericTimes, Weighting};
use bspm::tune::choose_weighting;
use bspm::{Backend, Dataset, FitOptions, Result};
use bspm_args::{ProgressBars, tell};

use super::DataArguments;

impl DataArguments {
    /// Chooses how the interactions are weighted, if they have weights or times and no flag sets it.
    pub(crate) fn with_chosen_weighting<B: Backend>(
        &self,
        backend: B,
        dataset: Dataset,
        bars: &ProgressBars,
    ) -> Result<Dataset> {
        if self.weight.is_some() || self.half_life.is_some() {
            return Ok(dataset);
        }
        let options = FitOptions::new().observer(bars.observer());
        let choice = choose_weighting(backend, &dataset, &options)?;
        bars.clear();
        let is_chosen = |trial: &&(Weighting, f64)| trial.0 == choice.weighting;
        let Some((_, value)) = choice.trials.iter().find(is_chosen) else {
            return Ok(dataset);
        };
        if *value == 0.0 {
            tell!(
                "weights: {}; other weights cannot be compared, because no filter has a hit on held-out interactions",
                name_of(&choice.weighting, false)
            );
            return Ok(dataset);
        }
        let times = dataset.times().unwrap_or_default();
        let are_dates = NumericTimes::of(times).is_some_and(|kind| kind.are_seconds());
        let others = choice.trials.iter().filter(|trial| !is_chosen(trial));
        let others: Vec<String> = others
            .map(|(weighting, value)| format!("{} {value:.4}", name_of(weighting, are_dates)))
            .collect();
        tell!(
            "weights: {}, selected by NDCG@20 on held-out interactions with two filters: {value:.4} \
             (others: {}); other weights are selected only if they are better by one percent; hint: \
             comparisons need the same weights: {}",
            name_of(&choice.weighting, are_dates),
            others.join(", "),
            flags_of(&choice.weighting)
        );
        dataset.reweighted(&choice.weighting)
    }

    /// Returns whether a flag gives the interactions weights.
    pub(crate) fn has_weights(&self) -> bool {
        let counts = matches!(self.duplicates, Some(Duplicates::Sum | Duplicates::Count));
        self.weight_column.is_some() || self.weight.is_some() || counts
    }

    /// Returns which flag gives the interactions of these files weights. `None` if a flag is given, or if none exists.
    pub(crate) fn hint_of_weights(&self, paths: &[PathBuf]) -> Option<&'static str> {
        let format = || paths.first().and_then(|path| Format::of(path).ok());
        match self.format.or_else(format) {
            _ if self.has_weights() => None,
            Some(Format::LightGcn) => None,
            Some(Format::Npz) => Some("use the values as weights with --weight"),
            Some(Format::MovieLens) => {
                Some("use the ratings as weights with --weight-column rating")
            }
            _ => Some("set their column with --weight-column"),
        }
    }

    /// Returns the flags with the scale of the weights of a model, to which the interactions are added. The weights
    /// decay when they are added.
    pub(crate) fn with_weighting_of(&self, known: &Dataset) -> std::result::Result<Self, String> {
        let hint = "hint: fit all interactions together with `bspm fit` to change it";
        let own = known.decay().map(|decay| decay.half_life);
        if let Some(given) = self.half_life
            && own != Some(given.time)
        {
            let own = own.map_or("none".into(), |own| own.to_string());
            return Err(format!(
                "--half-life: expected {own}, the half-life of the weights of the model in the unit of its times, \
                 found {}; {hint}",
                given.time
            ));
        }
        let plain = Self {
            half_life: None,
            ..self.clone()
        };
        let own = known.weight_scale();
        match self.weight {
            Some(given) if given != own.unwrap_or_default() => Err(format!(
                "--weight: expected {}, the scale of the weights of the model, found {given}; {hint}",
                own.unwrap_or_default()
            )),
            None if self.has_weights() => Ok(Self {
                weight: own,
                ..plain
            }),
            _ => Ok(plain),
        }
    }
}

/// Returns the flags that set a weighting.
fn flags_of(weighting: &Weighting) -> String {
    let scale = weighting.scale.unwrap_or_default();
    match weighting.half_life {
        None => format!("--weight {scale}"),
        Some(half_life) => format!("--weight {scale} --half-life {half_life}"),
    }
}

/// Describes a weighting. `are_dates` says whether the times are seconds since 1970.
fn name_of(weighting: &Weighting, are_dates: bool) -> String {
    let scale = weighting.scale.unwrap_or_default();
    match (weighting.half_life, are_dates) {
        (None, _) => scale.to_string(),
        (Some(half_life), true) => {
            format!(
                "{scale} with a half-life of {:.1} days",
                half_life / 86_400.0
            )
        }
        (Some(half_life), false) => {
            format!("{scale} with a half-life of {half_life:.0} in the unit of the times")
        }
    }
}
