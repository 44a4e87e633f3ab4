//! LGCN-IDE (Shen et al., CIKM 2021, arXiv 2108.07567, section 4.1): LightGCN without
//! training, with infinitely many dimensions; as the authors of BSPM compare with it.

use serde::{Deserialize, Serialize};

use super::contract::Settings;
use super::preset::Preset;
use super::setting::{MOST_OFFSET, MOST_STEPS, Search, settings};
use crate::backend::{Backend, Checked};
use crate::engine::filter::Filter;
use crate::engine::polynomial::Polynomial;
use crate::engine::spectral::Spectral;
use crate::engine::tensors::Source;
use crate::engine::walk::{Normalization, bytes_of_walk};
use bspm_data::Interactions;
use bspm_data::Result;

/// `r D_i^-1/2 P^layers`: the normalised history, propagated.
///
/// Published: 2 layers on Gowalla, 1 elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LgcnIde {
    /// The number of layers, which is how often `P` is applied; at least 1.
    pub layers: usize,
    /// The offset that is added to all degrees; not negative.
    #[serde(default)]
    pub offset: f64,
}

settings!(LgcnIde {
    layers: usize ("K"): Count (1.0, MOST_STEPS), Search::Words(&["1", "2", "3"]), "Number of layers: how often P is applied";
    offset: f64 ("mu"): Number (0.0, MOST_OFFSET), Search::Log(0.5, 50.0), "Offset that is added to all degrees";
});

impl Settings for LgcnIde {
    const NAME: &'static str = "lgcn-ide";

    fn published(data: Preset) -> Self {
        Self {
            layers: if data == Preset::Gowalla { 2 } else { 1 },
            offset: 0.0,
        }
    }

    fn memory(&self, interactions: &Interactions) -> usize {
        bytes_of_walk(interactions)
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        _source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let normalization = Normalization {
            history: 1.0,
            ..Normalization::SYMMETRIC.with_offset(self.offset, interactions)
        };
        let mut powers = vec![0.0; self.layers + 1];
        powers[self.layers] = 1.0;
        let polynomial = Polynomial::of_powers(powers);
        Spectral::of_walk(backend, interactions, normalization, polynomial)
    }
}
