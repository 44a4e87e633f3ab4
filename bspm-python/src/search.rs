//! Configurations, and the search for the best one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bspm::data::Weighting;
use bspm::filters::{Search as SearchRange, SettingInfo, SettingKind};
use bspm::tune::{Trial, TuneOptions, Tuner, choose_tag_weight};
use bspm::{CpuBackend, Dataset, FilterConfig, FitOptions, Preset};
use numpy::PyReadonlyArray1;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::Csr;
use crate::datasets::{Times, backend, numbered};
use crate::error::to_python;
use crate::files::{Entries, entries};
use crate::options::scale;
use crate::tags::{TagRows, tagged};
use crate::work::{Watch, long, short};

/// Returns all filters. Each has a dict of its settings: the description, type, default, range, choices and
/// search range of each.
#[pyfunction]
pub(crate) fn filters(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let all = PyDict::new(py);
    for name in FilterConfig::NAMES {
        let config = FilterConfig::published(name, Preset::Gowalla).map_err(to_python)?;
        let settings = PyDict::new(py);
        for setting in config.settings() {
            settings.set_item(setting.name, described(py, &setting)?)?;
        }
        all.set_item(name, settings)?;
    }
    Ok(all)
}

/// The description of a setting.
fn described<'py>(py: Python<'py>, setting: &SettingInfo) -> PyResult<Bound<'py, PyDict>> {
    let found = PyDict::new(py);
    found.set_item("description", setting.doc)?;
    let kind = match setting.kind {
        SettingKind::Number => "float",
        SettingKind::Count => "int",
        _ => "str",
    };
    found.set_item("type", kind)?;
    found.set_item("default", value_of(py, setting)?)?;
    if kind != "str" {
        found.set_item("range", setting.range)?;
    }
    match setting.search {
        SearchRange::Linear(low, high) => found.set_item("search", ("linear", low, high))?,
        SearchRange::Log(low, high) => found.set_item("search", ("log", low, high))?,
        SearchRange::Factors => found.set_item("search", ("factors",))?,
        SearchRange::Words(words) => found.set_item("choices", words)?,
        _ => {}
    }
    Ok(found)
}

/// The value of a setting; None if its process is off.
pub(crate) fn value_of<'py>(py: Python<'py>, setting: &SettingInfo) -> PyResult<Bound<'py, PyAny>> {
    let value = setting.value.as_deref();
    match setting.kind {
        SettingKind::Number => value
            .and_then(|it| it.parse::<f64>().ok())
            .into_bound_py_any(py),
        SettingKind::Count => value
            .and_then(|it| it.parse::<u64>().ok())
            .into_bound_py_any(py),
        _ => value.into_bound_py_any(py),
    }
}

/// Returns a configuration as JSON: the published settings of a filter, or those for the shape, with
/// some settings changed.
#[pyfunction]
#[pyo3(signature = (filter, shape, preset, settings))]
pub(crate) fn configuration(
    filter: &str,
    shape: (usize, usize),
    preset: Option<&str>,
    settings: Vec<(String, String)>,
) -> PyResult<String> {
    let config = match preset {
        None => FilterConfig::for_shape(filter, shape),
        Some(preset) => preset
            .parse::<Preset>()
            .and_then(|preset| FilterConfig::published(filter, preset)),
    };
    let base = config.map_err(to_python)?;
    let mut config = base.clone();
    for (name, text) in settings {
        config.set(&name, &text).map_err(to_python)?;
    }
    config.check().map_err(to_python)?;
    config.check_used(&base).map_err(to_python)?;
    serde_json::to_string(&config).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Returns the names of the settings without effect beside these settings.
#[pyfunction]
pub(crate) fn unused_settings(
    filter: &str,
    settings: Vec<(String, String)>,
) -> PyResult<Vec<&'static str>> {
    let mut config = FilterConfig::published(filter, Preset::Gowalla).map_err(to_python)?;
    for (name, text) in settings {
        config.set(&name, &text).map_err(to_python)?;
    }
    let all = config.settings().into_iter();
    let unused = all.filter(|it| it.needs.is_some());
    Ok(unused.map(|it| it.name).collect())
}

/// The options of a search.
#[derive(Debug, FromPyObject)]
pub(crate) struct SearchOptions {
    #[pyo3(item)]
    metric: String,
    #[pyo3(item)]
    k: usize,
    #[pyo3(item)]
    trials: usize,
    #[pyo3(item)]
    seconds: f64,
    #[pyo3(item)]
    popularity_penalty: f64,
    #[pyo3(item)]
    filters: Vec<String>,
    #[pyo3(item)]
    ratio: f64,
    #[pyo3(item)]
    seed: u64,
}

/// Returns the backend, and the data with their tags.
fn prepared(
    csr: &Csr<'_>,
    times: Times<'_>,
    tags: Option<&TagRows<'_>>,
    threads: usize,
) -> PyResult<(CpuBackend, Dataset<i64, i64>)> {
    let backend = backend(threads)?;
    let dataset = numbered(&csr.rows()?, times)?;
    Ok((backend, tagged(dataset, tags)?))
}

/// A search, which runs one trial at a time. Trials are JSON.
#[pyclass(frozen, module = "bspm._bspm")]
pub(crate) struct Search {
    tuner: Mutex<Tuner<CpuBackend>>,
    watch: Watch,
}

#[pymethods]
impl Search {
    /// Prepares a search that holds out some interactions.
    #[new]
    #[pyo3(signature = (csr, times, options, *, tags = None, threads = 0))]
    fn new(
        csr: Csr<'_>,
        times: Option<PyReadonlyArray1<'_, f64>>,
        options: SearchOptions,
        tags: Option<TagRows<'_>>,
        threads: usize,
    ) -> PyResult<Self> {
        let (backend, dataset) = prepared(&csr, times, tags.as_ref(), threads)?;
        let split = dataset.hold_out(options.ratio, options.seed);
        let split = split.map_err(to_python)?;
        let time = Duration::try_from_secs_f64(options.seconds)
            .map_err(|error| PyValueError::new_err(format!("minutes: {error}")))?;
        let watch = Watch::default();
        let tune_options = TuneOptions::new()
            .metric(&options.metric)
            .k(options.k)
            .trials(options.trials)
            .time(time)
            .popularity_penalty(options.popularity_penalty)
            .filters(&options.filters)
            .seed(options.seed)
            .fit(FitOptions::new().observer(watch.observer()));
        let train = split.train.matrix_to_fit().map_err(to_python)?;
        let tuner = Tuner::new(backend, train, split.test.interactions(), tune_options);
        Ok(Self {
            tuner: Mutex::new(tuner.map_err(to_python)?),
            watch,
        })
    }

    /// Adds the trials of an earlier search with the same data and options, in their order.
    fn resume(&self, trials: Vec<String>) -> PyResult<()> {
        let trials = trials.iter().map(|trial| serde_json::from_str(trial));
        let trials = trials.collect::<Result<Vec<Trial>, _>>();
        let trials = trials.map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.tuner().resume(trials).map_err(to_python)
    }

    /// Runs the next trial and returns it. Returns None at the end of the search.
    #[pyo3(signature = (progress = None))]
    fn advance(&self, py: Python<'_>, progress: Option<Py<PyAny>>) -> PyResult<Option<String>> {
        let trial = self.watch.run(py, progress.as_ref(), || {
            Ok(self.tuner().advance()?.cloned())
        })?;
        Ok(as_json(trial.as_slice())?.pop())
    }

    /// Returns the trials, best first.
    fn leaderboard(&self) -> PyResult<Vec<String>> {
        let tuner = self.tuner();
        let trials: Vec<Trial> = tuner.leaderboard().into_iter().cloned().collect();
        as_json(&trials)
    }
}

impl Search {
    fn tuner(&self) -> MutexGuard<'_, Tuner<CpuBackend>> {
        self.tuner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Chooses a configuration for the data. Returns it as JSON, the trials, best first, and the weight of
/// the tags if it was chosen too.
#[pyfunction]
#[pyo3(signature = (csr, times, *, tags = None, threads = 0, seed = 0, progress = None))]
pub(crate) fn choose(
    py: Python<'_>,
    csr: Csr<'_>,
    times: Option<PyReadonlyArray1<'_, f64>>,
    tags: Option<TagRows<'_>>,
    threads: usize,
    seed: u64,
    progress: Option<Py<PyAny>>,
) -> PyResult<(String, Vec<String>, Option<f64>)> {
    let (backend, dataset) = prepared(&csr, times, tags.as_ref(), threads)?;
    let chooses_weight = tags.is_some_and(|tags| tags.has_no_weight());
    let (choice, weight) = long(py, progress.as_ref(), |observer| {
        let options = FitOptions::new().seed(seed).observer(observer);
        let choice = bspm::tune::choose(backend.clone(), &dataset, &options)?;
        let weight = match chooses_weight {
            true => Some(choose_tag_weight(
                backend,
                &dataset,
                &choice.config,
                &options,
            )?),
            false => None,
        };
        Ok((choice, weight))
    })?;
    let config = serde_json::to_string(&choice.config);
    let config = config.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok((config, as_json(&choice.trials)?, weight))
}

/// A weighting: its scale and its half-life, if it has them.
type WeightingOptions = (Option<String>, Option<f64>);

/// Chooses how the interactions are weighted. Returns the new entries if the weights change, the chosen
/// weighting, and all weightings that were compared, with their NDCG.
#[pyfunction]
#[pyo3(signature = (csr, times, *, tags = None, threads = 0, seed = 0, progress = None))]
#[allow(clippy::type_complexity, reason = "a tuple of Python objects")]
pub(crate) fn choose_weighting(
    py: Python<'_>,
    csr: Csr<'_>,
    times: Option<PyReadonlyArray1<'_, f64>>,
    tags: Option<TagRows<'_>>,
    threads: usize,
    seed: u64,
    progress: Option<Py<PyAny>>,
) -> PyResult<(WeightingOptions, Vec<(WeightingOptions, f64)>)> {
    let (backend, dataset) = prepared(&csr, times, tags.as_ref(), threads)?;
    let choice = long(py, progress.as_ref(), |observer| {
        let options = FitOptions::new().seed(seed).observer(observer);
        bspm::tune::choose_weighting(backend, &dataset, &options)
    })?;
    let options = |weighting: &Weighting| {
        let scale = weighting.scale.map(|scale| scale.to_string());
        (scale, weighting.half_life)
    };
    let trials = choice.trials.iter();
    let trials = trials.map(|(weighting, value)| (options(weighting), *value));
    Ok((options(&choice.weighting), trials.collect()))
}

/// Returns the entries with scaled weights that decay with time.
#[pyfunction]
pub(crate) fn reweighted<'py>(
    py: Python<'py>,
    csr: Csr<'_>,
    times: Times<'_>,
    weight_scale: Option<&str>,
    half_life: Option<f64>,
) -> PyResult<Entries<'py>> {
    let dataset = numbered(&csr.rows()?, times)?;
    let mut weighting = Weighting::new();
    weighting.scale = weight_scale.map(scale).transpose()?;
    weighting.half_life = half_life;
    entries(py, &short(py, || dataset.reweighted(&weighting))?)
}

pub(crate) fn as_json(trials: &[Trial]) -> PyResult<Vec<String>> {
    let as_json = |trial: &Trial| {
        serde_json::to_string(trial).map_err(|error| PyValueError::new_err(error.to_string()))
    };
    trials.iter().map(as_json).collect()
}
