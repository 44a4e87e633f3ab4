//! Flags of the event log.

use std::collections::BTreeSet;

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
    ///
    /// # Errors
    ///
    /// If a kind is given twice.
    pub(crate) fn weights(&self) -> Result<KindWeights, String> {
        for (place, (kind, _)) in self.kind.iter().enumerate() {
            if self.kind[..place].iter().any(|(other, _)| other == kind) {
                return Err(format!(
                    "--kind: expected each kind once, found {kind:?} twice"
                ));
            }
        }
        Ok(KindWeights::new(self.kind.iter().cloned()))
    }

    /// Returns a warning if events have kinds and no kind is given, or if no event counts.
    pub(crate) fn warning(&self, kinds: &BTreeSet<String>, counted: usize) -> Option<String> {
        let found = || {
            kinds
                .iter()
                .take(10)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        };
        match (self.is_given(), kinds.is_empty(), counted) {
            (false, false, _) => Some(format!(
                "the events have kinds ({}), and all of them count with their own weight; hint: give the \
                 same --kind as to `bspm serve`",
                found()
            )),
            (true, _, 0) => Some(format!(
                "no event has a kind of --kind; the events have the kinds: {}",
                found()
            )),
            _ => None,
        }
    }

    /// Whether a kind is given.
    pub(crate) fn is_given(&self) -> bool {
        !self.kind.is_empty()
    }
}

fn kind(text: &str) -> Result<(String, f32), String> {
    let expected = || {
        format!(
            "expected KIND=WEIGHT with a weight from 1e-6 to 1e6, such as purchase=5; found {text:?}"
        )
    };
    let (kind, weight) = text.rsplit_once('=').ok_or_else(expected)?;
    let weight: f32 = weight.parse().map_err(|_| expected())?;
    match !kind.is_empty() && (1e-6..=1e6).contains(&weight) {
        true => Ok((kind.into(), weight)),
        false => Err(expected()),
    }
}
