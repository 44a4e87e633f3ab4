//! The settings of a sweep.

use crate::error::Result;
use crate::filters::bspm::config::{BspmConfig, Integration, Merge};
use crate::filters::bspm::solver::Solver;

/// Every combination of these values of the parameters. An empty list of sharpening times
/// turns sharpening off, and an empty list of `factor_dims` the ideal low-pass filter.
///
/// By default: blur by one Euler step over unit time, the projection, early merge, no t-point
/// combination, RK4 in one step; no sharpening times and no factors.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepGrid {
    /// Solvers of the blurring process.
    pub blur_solvers: Vec<Solver>,
    /// `T_b`.
    pub blur_times: Vec<f32>,
    /// `K_b`.
    pub blur_steps: Vec<usize>,
    /// Solvers of the sharpening process.
    pub sharpen_solvers: Vec<Solver>,
    /// `T_s`.
    pub sharpen_times: Vec<f32>,
    /// `K_s`.
    pub sharpen_steps: Vec<usize>,
    /// Numbers of singular vectors.
    pub factor_dims: Vec<usize>,
    /// Weights of the ideal low-pass filter.
    pub betas: Vec<f32>,
    /// Solvers of the ideal low-pass filter.
    pub idl_solvers: Vec<Solver>,
    /// `T_idl`.
    pub idl_times: Vec<f32>,
    /// `K_idl`.
    pub idl_steps: Vec<usize>,
    /// Where the ideal low-pass part joins.
    pub merges: Vec<Merge>,
    /// Whether the mean of all recorded points replaces the last.
    pub t_point_combinations: Vec<bool>,
}

impl Default for SweepGrid {
    fn default() -> Self {
        Self {
            blur_solvers: vec![Solver::Euler],
            blur_times: vec![1.0],
            blur_steps: vec![1],
            sharpen_solvers: vec![Solver::Rk4],
            sharpen_times: Vec::new(),
            sharpen_steps: vec![1],
            factor_dims: Vec::new(),
            betas: vec![0.2],
            idl_solvers: vec![Solver::Euler],
            idl_times: vec![1.0],
            idl_steps: vec![1],
            merges: vec![Merge::Early],
            t_point_combinations: vec![false],
        }
    }
}

impl SweepGrid {
    /// All settings, checked; the last parameter named varies fastest. Settings that are the
    /// same, as merges are without an ideal low-pass filter, come once.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for the first value
    /// outside its range.
    pub fn configs(&self) -> Result<Vec<BspmConfig>> {
        let blurs = integrations(&self.blur_solvers, &self.blur_times, &self.blur_steps);
        let sharpenings = optional(integrations(
            &self.sharpen_solvers,
            &self.sharpen_times,
            &self.sharpen_steps,
        ));
        let filters = optional(self.filters());
        let mut configs = Vec::new();
        for &blur in &blurs {
            for &sharpening in &sharpenings {
                for &filter in &filters {
                    for &merge in &self.merges {
                        for &combination in &self.t_point_combinations {
                            let mut builder = BspmConfig::builder()
                                .blur(blur.solver, blur.time, blur.steps)
                                .t_point_combination(combination);
                            if let Some(it) = sharpening {
                                builder = builder.sharpen(it.solver, it.time, it.steps);
                            }
                            if let Some((factor_dim, beta, it)) = filter {
                                builder = builder
                                    .merge(merge)
                                    .ideal_low_pass_integrated(factor_dim, beta, it);
                            }
                            let config = builder.build()?;
                            if !configs.contains(&config) {
                                configs.push(config);
                            }
                        }
                    }
                }
            }
        }
        Ok(configs)
    }

    fn filters(&self) -> Vec<(usize, f32, Integration)> {
        let integrations = integrations(&self.idl_solvers, &self.idl_times, &self.idl_steps);
        let mut filters = Vec::new();
        for &factor_dim in &self.factor_dims {
            for &integration in &integrations {
                for &beta in &self.betas {
                    filters.push((factor_dim, beta, integration));
                }
            }
        }
        filters
    }
}

fn integrations(solvers: &[Solver], times: &[f32], steps: &[usize]) -> Vec<Integration> {
    let mut integrations = Vec::new();
    for &solver in solvers {
        for &time in times {
            for &steps in steps {
                integrations.push(Integration {
                    solver,
                    time,
                    steps,
                });
            }
        }
    }
    integrations
}

fn optional<T>(values: Vec<T>) -> Vec<Option<T>> {
    if values.is_empty() {
        return vec![None];
    }
    values.into_iter().map(Some).collect()
}
