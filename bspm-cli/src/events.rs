//! Flags of the event log.

use bspm_events::KindWeights;
use clap::Args;

/// Which events count.
#[derive(Args)]
pub(crate) struct KindArguments {
    /// Count only events of this kind, with this weight; may be repeated, such as
    /// `--kind view=1 --kind purchase=5`. Default: all events count with their own weight
    #[arg(long, value_name = "KIND=WEIGHT", value_parser = kind)]
    kind: Vec<(String, f32)>,
}

impl KindArguments {
    /// Returns the weights of the kinds.
    pub(crate) fn weights(&self) -> KindWeights {
        KindWeights::new(self.kind.iter().cloned())
    }

    /// Whether a kind is given.
    pub(crate) fn is_given(&self) -> bool {
        !self.kind.is_empty()
    }
}

fn kind(text: &str) -> Result<(String, f32), String> {
    let expected = || {
        format!(
            "expected KIND=WEIGHT with a weight greater than 0, such as purchase=5; found {text:?}"
        )
    };
    let (kind, weight) = text.rsplit_once('=').ok_or_else(expected)?;
    let weight: f32 = weight.parse().map_err(|_| expected())?;
    match !kind.is_empty() && weight.is_finite() && weight > 0.0 {
        true => Ok((kind.into(), weight)),
        false => Err(expected()),
    }
}
