//! Compiles the generic code of `bspm-core` for the CPU backend and text ids, so that programs of a
//! development build link it instead of compiling it again. Rust shares such code at low optimization
//! levels; a release build does not have this module.

use std::sync::Arc;

use bspm_core::sweep::Sweep;
use bspm_core::tune::{TuneOptions, Tuner, choose, choose_tag_weight, choose_weighting};
use bspm_core::{
    Dataset, EvaluateOptions, FilterConfig, FitOptions, FittedFilter, Interactions, Model,
    RecommendOptions, Result,
};
use bspm_cpu::CpuBackend;

/// Calls the functions that programs call. It is not for calling.
///
/// # Errors
///
/// Those of the functions.
pub fn calls(backend: CpuBackend, dataset: Dataset, config: FilterConfig) -> Result<()> {
    let options = FitOptions::new();
    let matrix: Arc<Interactions> = dataset.interactions().clone();
    let filter = FittedFilter::fit_with(backend.clone(), matrix.clone(), config.clone(), &options)?;
    filter.evaluate(&matrix, EvaluateOptions::at([20]))?;
    filter.evaluate_users(&matrix, EvaluateOptions::at([20]))?;
    filter.contributions(&[0][..], 0)?;
    filter.score(&[0])?;
    let model = Model::fit_with(backend.clone(), dataset.clone(), config.clone(), &options)?;
    let list = RecommendOptions::top(1);
    model.recommend("", list.clone())?;
    model.recommend_many([""], list)?;
    model.explain("", "")?;
    model.evaluate(&dataset, EvaluateOptions::at([20]))?;
    model.evaluate_users(&dataset, EvaluateOptions::at([20]))?;
    model.neighbours(1)?.refit()?;
    model.with_dataset(&dataset)?;
    #[cfg(feature = "saved")]
    {
        let path = std::path::Path::new("");
        model.save(path)?;
        Model::<CpuBackend>::open(backend.clone(), path)?;
    }
    let mut tuner = Tuner::new(backend.clone(), matrix.clone(), &matrix, TuneOptions::new())?;
    tuner.advance()?;
    choose(backend.clone(), &dataset, &options)?;
    choose_tag_weight(backend.clone(), &dataset, &config, &options)?;
    choose_weighting(backend.clone(), &dataset, &options)?;
    Sweep::new(backend, matrix.clone(), matrix, Vec::new(), &[20])?;
    Ok(())
}
