//! LGCN-IDE (Shen et al., CIKM 2021, arXiv 2108.07567, section 4.1): LightGCN without
//! training, with infinitely many dimensions; as the authors of BSPM compare with it.

use serde::{Deserialize, Serialize};

use super::walk::WalkPolynomial;
use crate::backend::Backend;
use crate::config::Preset;
use crate::error::Result;
use crate::filter::{Filter, Settings, check_positive};
use crate::fit_options::FitOptions;
use crate::interactions::Interactions;
use crate::normalization::Normalization;

/// `r D_i^-1/2 P^layers`: the normalised history, propagated.
///
/// Published: 2 layers on Gowalla, 1 elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LgcnIde {
    /// How often `P` is applied; at least 1.
    pub layers: usize,
}

impl Settings for LgcnIde {
    const NAME: &'static str = "lgcn-ide";

    fn published(data: Preset) -> Self {
        Self {
            layers: if data == Preset::Gowalla { 2 } else { 1 },
        }
    }

    fn check(&self) -> Result<()> {
        check_positive("layers", self.layers)
    }

    fn fit<B: Backend>(
        &self,
        backend: &B,
        interactions: &Interactions,
        _options: &FitOptions,
    ) -> Result<Box<dyn Filter<B>>> {
        let normalization = Normalization {
            history: 1.0,
            ..Normalization::SYMMETRIC
        };
        let mut coefficients = vec![0.0; self.layers];
        coefficients[self.layers - 1] = 1.0;
        WalkPolynomial::fit(backend, interactions, normalization, coefficients)
    }
}
