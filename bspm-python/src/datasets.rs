//! Datasets from rows of Python, and the backend that they are fitted on.

use bspm::backend::CpuError;
use bspm::data::Decay;
use bspm::{CpuBackend, Dataset};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::Rows;
use crate::error::to_python;
use crate::ids::{Id, distinct};
use crate::options::{refused, scale};

pub(crate) fn backend(threads: usize) -> PyResult<CpuBackend> {
    match threads {
        0 => Ok(CpuBackend::new()),
        threads => CpuBackend::with_threads(threads).map_err(|error| match error {
            CpuError::TooManyThreads { threads, limit } => {
                let expected = format!("0 (one for each core) to {limit}");
                refused("num_threads", &expected, threads)
            }
            other => PyValueError::new_err(format!("num_threads: {other}")),
        }),
    }
}

/// The time of each entry of some rows, in the order of the entries, if there are times.
pub(crate) type Times<'py> = Option<PyReadonlyArray1<'py, f64>>;

/// The half-life of weights and their reference time, which Python has as two numbers.
pub(crate) type DecayPair = (f64, f64);

/// Records how the weights of a dataset were computed: their scale and their decay.
pub(crate) fn with_weighting<U: Id, I: Id>(
    dataset: Dataset<U, I>,
    weight_scale: Option<&str>,
    decay: Option<DecayPair>,
) -> PyResult<Dataset<U, I>> {
    let scale = weight_scale.map(scale).transpose()?;
    let decay = decay.map(|(half_life, reference_time)| Decay::new(half_life, reference_time));
    let decay = decay.transpose().map_err(to_python)?;
    Ok(dataset.with_weight_scale(scale).with_decay(decay))
}

/// The dataset of some rows, with ids of these types.
pub(crate) fn dataset<U: Id, I: Id>(
    rows: &Rows,
    times: Times<'_>,
    users: Vec<U>,
    items: Vec<I>,
) -> PyResult<Dataset<U, I>> {
    let (users, items) = (distinct("users", users)?, distinct("items", items)?);
    let dataset = Dataset::from_interactions(users, items, rows.interactions()?);
    let Some(times) = times else {
        return dataset.map_err(to_python);
    };
    if !rows.is_canonical() {
        let expected = "rows whose columns ascend, each of them once";
        return Err(refused("times", expected, "others"));
    }
    let times = times.as_array().to_vec();
    let dataset = dataset.and_then(|dataset| dataset.with_times(times));
    dataset.map_err(to_python)
}

/// The dataset whose ids are the row and column numbers.
pub(crate) fn numbered(rows: &Rows, times: Times<'_>) -> PyResult<Dataset<i64, i64>> {
    let ids = |count: usize| (0..count as i64).collect();
    dataset(rows, times, ids(rows.len()), ids(rows.width()))
}
