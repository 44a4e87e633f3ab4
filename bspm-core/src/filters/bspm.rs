//! Blurring-sharpening process models (Choi et al., SIGIR 2023, arXiv 2211.09324).

use crate::backend::Backend;
use crate::config::{BspmConfig, Preset};
use crate::error::Result;
use crate::filter::{Filter, SavedTensors, Settings, Tensor, TileHistories};
use crate::fit_options::FitOptions;
use crate::interactions::Interactions;
use crate::normalization::NormalizedGraph;
use crate::process::ideal_low_pass::{Basis, FittedIdealLowPass};
use crate::process::merge::score_tile;
use crate::process::{Scratch, Tile};
use crate::solver::Solver;
use crate::truncated_svd::SvdReport;

struct FittedBspm<B: Backend> {
    config: BspmConfig,
    graph: NormalizedGraph<B>,
    ideal_low_pass: Option<FittedIdealLowPass<B>>,
}

impl BspmConfig {
    fn with_basis<B: Backend>(
        &self,
        graph: NormalizedGraph<B>,
        basis: impl FnOnce(&NormalizedGraph<B>, usize) -> Result<Basis<B>>,
    ) -> Result<Box<dyn Filter<B>>> {
        let ideal_low_pass = match self.ideal_low_pass() {
            Some(settings) => Some(FittedIdealLowPass {
                basis: basis(&graph, settings.factor_dim)?,
                settings,
            }),
            None => None,
        };
        Ok(Box::new(FittedBspm {
            config: self.clone(),
            graph,
            ideal_low_pass,
        }))
    }
}

impl Settings for BspmConfig {
    const NAME: &'static str = "bspm";

    fn published(data: Preset) -> Self {
        data.config()
    }

    /// A value of this type is checked already.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn fit<B: Backend>(
        &self,
        backend: &B,
        interactions: &Interactions,
        options: &FitOptions,
    ) -> Result<Box<dyn Filter<B>>> {
        let graph = NormalizedGraph::new(backend, interactions)?;
        self.with_basis(graph, |graph, factor_dim| {
            Basis::fit(backend, graph, factor_dim, options)
        })
    }

    fn open<B: Backend>(
        &self,
        backend: &B,
        interactions: &Interactions,
        tensors: &dyn SavedTensors,
        _options: &FitOptions,
    ) -> Result<Box<dyn Filter<B>>> {
        let graph = NormalizedGraph::new(backend, interactions)?;
        self.with_basis(graph, |graph, _| {
            Basis::open(backend, graph.items(), tensors)
        })
    }
}

impl<B: Backend> Filter<B> for FittedBspm<B> {
    fn scratch(&self) -> Scratch {
        let sharpening_steps = self.config.sharpening().map_or(0, |it| it.steps);
        let is_exact = [Some(self.config.blur()), self.config.sharpening()]
            .into_iter()
            .flatten()
            .any(|it| matches!(it.solver, Solver::Exact { .. }));
        Scratch {
            items: self.graph.items(),
            users: self.graph.users(),
            stages: if is_exact { 2 } else { 1 },
            factors: self
                .ideal_low_pass
                .as_ref()
                .map_or(0, |it| it.basis.factors()),
            mean_of: match self.config.t_point_combination() {
                true => self.config.blur().steps + sharpening_steps,
                false => 0,
            },
        }
    }

    fn score_tile(
        &self,
        backend: &B,
        histories: TileHistories<'_>,
        tile: &mut Tile<B>,
    ) -> Result<()> {
        let histories = histories.upload(backend, self.graph.history_weights())?;
        let filter = self.ideal_low_pass.as_ref();
        score_tile(backend, &self.graph, &self.config, filter, &histories, tile)
    }

    fn item_scale(&self) -> &B::Matrix {
        self.graph.output_scale()
    }

    fn tensors(&self, _backend: &B) -> Result<Vec<(&'static str, Tensor<'_, B>)>> {
        let filter = self.ideal_low_pass.as_ref();
        Ok(filter.map_or_else(Vec::new, |it| it.basis.tensors()))
    }

    fn singular_values(&self) -> &[f32] {
        match &self.ideal_low_pass {
            Some(filter) => &filter.basis.singular_values,
            None => &[],
        }
    }

    fn svd_report(&self) -> Option<&SvdReport> {
        self.ideal_low_pass.as_ref()?.basis.report.as_ref()
    }
}
