//! Blurring-sharpening process models (Choi et al., SIGIR 2023, arXiv 2211.09324).
//!
//! Each process has its own module: `blur`, `ideal_low_pass`, `sharpen`, and `merge`, which combines
//! them. They compute the frequency response; the [engine](crate::engine) applies it.

mod blur;
pub(crate) mod config;
mod ideal_low_pass;
mod linear_ode;
pub(crate) mod merge;
pub(crate) mod settings;
mod sharpen;
pub(crate) mod solver;

use self::config::BspmConfig;
use self::merge::Response;
use super::filter_settings::{Settings, Unused};
use super::preset::Preset;
use super::setting::{Setting, Table};
use crate::backend::{Backend, Checked};
use crate::engine::basis::Basis;
use crate::engine::filter::Filter;
use crate::engine::low_pass::LowPass;
use crate::engine::polynomial::Polynomial;
use crate::engine::spectral::Spectral;
use crate::engine::tensors::Source;
use crate::engine::walk::{Normalization, NormalizedGraph};
use bspm_data::Interactions;
use bspm_data::Result;

impl Table for BspmConfig {
    fn table() -> &'static [Setting<Self>] {
        Self::SETTINGS
    }
}

impl Settings for BspmConfig {
    const NAME: &'static str = "bspm";

    fn published(data: Preset) -> Self {
        data.config()
    }

    fn for_shape(users: usize, items: usize) -> Self {
        Self::for_shape(users, items)
    }

    fn unused(&self) -> Vec<Unused> {
        let mut unused = Vec::new();
        if self
            .ideal_low_pass()
            .is_some_and(|filter| filter.beta == 0.0)
        {
            unused.push(Unused {
                names: &["factor_dim", "idl_solver", "idl_time", "idl_steps"],
                needs: "beta above 0",
            });
        }
        if self.ideal_low_pass().is_none() || self.sharpening().is_none() {
            unused.push(Unused {
                names: &["merge"],
                needs: "an ideal low-pass filter (factor_dim) and sharpening (sharpen_time)",
            });
        }
        unused
    }

    fn check(&self) -> Result<()> {
        self.to_builder().build().map(drop)
    }

    fn fit<B: Backend>(
        &self,
        backend: Checked<'_, B>,
        interactions: &Interactions,
        source: Source<'_>,
    ) -> Result<Box<dyn Filter<B>>> {
        let normalization = Normalization::SYMMETRIC.with_offset(self.offset, interactions);
        let device = backend.unchecked();
        let graph = NormalizedGraph::with_normalization(device, interactions, normalization)?;
        let response = Response::of(self);
        let low_pass = match response.factor_dim {
            Some(factor_dim) => {
                let basis = Basis::obtain(backend, &graph, factor_dim, source)?;
                let sharpening = Polynomial::of_series(response.of_low_pass());
                let low_pass = LowPass::new(basis);
                Some(low_pass.filtered(backend, &graph, &sharpening, source)?)
            }
            None => None,
        };
        let polynomial = Polynomial::of_series(response.of_history());
        Ok(Box::new(Spectral::new(graph, polynomial, low_pass)))
    }
}
