//! A fitted model of rows and columns.

use std::hash::Hash;
use std::path::PathBuf;

use bspm::data::{History, ItemSet};
use bspm::fitted::{Fallback, RankOptions, Rerank};
use bspm::saved::{SavedId, SavedModelInfo};
use bspm::tune::Trial;
use bspm::{
    CpuBackend, Dataset, EvaluateOptions, FilterConfig, FitOptions, FittedFilter, Model,
    RecommendOptions, UnknownIds,
};
use bspm_arrow::RecommendBatch;
use bspm_rules::ItemCondition;
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arrays::{Csr, Integers, Rows, numbers};
use crate::arrow::{Batches, in_form};
use crate::datasets::{DecayPair, Times, backend, dataset, with_weighting};
use crate::error::to_python;
use crate::evaluation::to_dict;
use crate::ids::{Id, IdList, of_kind};
use crate::import::Source;
use crate::items::{self, Items};
use crate::lists::{Lists, to_arrays};
use crate::options::warn;
use crate::rules::{Rules, rerank_by};
use crate::search::{as_json, value_of};
use crate::sparse_rows::{Matrix, SparseRows};
use crate::tags::{TagRows, tagged};
use crate::work::{long, short};

/// A model for each combination of id types.
#[derive(Debug)]
enum AnyModel {
    Numbers(Model<CpuBackend, i64, i64>),
    NumbersTexts(Model<CpuBackend, i64, String>),
    TextsNumbers(Model<CpuBackend, String, i64>),
    Texts(Model<CpuBackend, String, String>),
}

/// Columns and weights.
type Entries<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f32>>);

/// Items, neighbours and values of the entries; shares and common scores of the items.
type NeighbourArrays<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<f32>>,
    Bound<'py, PyArray1<f32>>,
    Bound<'py, PyArray1<f32>>,
);

/// Ids of rows, the name of the column of titles, and the columns by name.
type TableColumns<'py> = (
    Bound<'py, PyAny>,
    String,
    Vec<(String, Vec<Bound<'py, PyAny>>)>,
);

macro_rules! each {
    ($any:expr, $model:ident => $body:expr) => {
        match $any {
            AnyModel::Numbers($model) => $body,
            AnyModel::NumbersTexts($model) => $body,
            AnyModel::TextsNumbers($model) => $body,
            AnyModel::Texts($model) => $body,
        }
    };
}

/// Converts the model to another model with the same types of ids.
macro_rules! each_becomes {
    ($any:expr, $model:ident => $body:expr) => {
        match $any {
            AnyModel::Numbers($model) => AnyModel::Numbers($body),
            AnyModel::NumbersTexts($model) => AnyModel::NumbersTexts($body),
            AnyModel::TextsNumbers($model) => AnyModel::TextsNumbers($body),
            AnyModel::Texts($model) => AnyModel::Texts($body),
        }
    };
}

/// A fitted model. See the class `Model` of the package.
#[pyclass(frozen, module = "bspm._bspm")]
#[derive(Debug)]
pub(crate) struct Core {
    model: AnyModel,
}

/// From this number of lists on, the work runs on a separate thread, so that Ctrl-C can cancel it.
const MANY: usize = 4_096;

/// The dataset of some rows and ids, for each combination of id types.
macro_rules! with_dataset {
    ($rows:expr, $times:expr, $users:expr, $items:expr, $dataset:ident, $variant:ident => $body:expr) => {
        match ($users, $items) {
            (IdList::Numbers(users), IdList::Numbers(items)) => {
                let dataset = dataset($rows, $times, users, items)?;
                let ($dataset, $variant) = (dataset, AnyModel::Numbers);
                $body
            }
            (IdList::Numbers(users), IdList::Texts(items)) => {
                let dataset = dataset($rows, $times, users, items)?;
                let ($dataset, $variant) = (dataset, AnyModel::NumbersTexts);
                $body
            }
            (IdList::Texts(users), IdList::Numbers(items)) => {
                let dataset = dataset($rows, $times, users, items)?;
                let ($dataset, $variant) = (dataset, AnyModel::TextsNumbers);
                $body
            }
            (IdList::Texts(users), IdList::Texts(items)) => {
                let dataset = dataset($rows, $times, users, items)?;
                let ($dataset, $variant) = (dataset, AnyModel::Texts);
                $body
            }
        }
    };
}

pub(crate) fn config(json: &str) -> PyResult<FilterConfig> {
    serde_json::from_str(json).map_err(|error| {
        let expected = "a complete configuration, as Model.config and the config of a trial";
        let hint = "settings= changes some settings of a filter";
        PyValueError::new_err(format!(
            "config: expected {expected} ({error}); hint: {hint}"
        ))
    })
}

#[pymethods]
impl Core {
    /// Fits a model to compressed sparse rows.
    #[staticmethod]
    #[pyo3(signature = (csr, times, users, items, config, *, weight_scale = None, decay = None, tags = None, threads = 0, seed = 0, progress = None))]
    #[expect(clippy::too_many_arguments, reason = "keywords in Python")]
    fn fit(
        py: Python<'_>,
        csr: Csr<'_>,
        times: Times<'_>,
        users: IdList,
        items: IdList,
        config: &str,
        weight_scale: Option<&str>,
        decay: Option<DecayPair>,
        tags: Option<TagRows<'_>>,
        threads: usize,
        seed: u64,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let (config, backend) = (self::config(config)?, backend(threads)?);
        let rows = csr.rows()?;
        with_dataset!(&rows, times, users, items, dataset, variant => {
            let dataset = with_weighting(tagged(dataset, tags.as_ref())?, weight_scale, decay)?;
            let model = long(py, progress.as_ref(), |observer| {
                let options = FitOptions::new().seed(seed).observer(observer);
                Model::fit_with(backend, dataset, config, &options)
            })?;
            Ok(Self { model: variant(model) })
        })
    }

    /// Opens a model file. The file is mapped into memory if this is possible.
    #[staticmethod]
    #[pyo3(signature = (path, *, threads = 0))]
    fn open(py: Python<'_>, path: PathBuf, threads: usize) -> PyResult<Self> {
        let backend = backend(threads)?;
        let model = short(py, || {
            let info = SavedModelInfo::open(&path)?;
            let is_number = |kind: &str| <i64 as SavedId>::accepts(kind);
            Ok(
                match (is_number(&info.user_ids), is_number(&info.item_ids)) {
                    (true, true) => AnyModel::Numbers(Model::open(backend, path)?),
                    (true, false) => AnyModel::NumbersTexts(Model::open(backend, path)?),
                    (false, true) => AnyModel::TextsNumbers(Model::open(backend, path)?),
                    (false, false) => AnyModel::Texts(Model::open(backend, path)?),
                },
            )
        })?;
        Ok(Self { model })
    }

    /// Opens a model from the bytes of a file. `kinds` says whether the ids of users and items are numbers.
    #[staticmethod]
    #[pyo3(signature = (bytes, kinds, *, threads = 0))]
    fn from_bytes(
        py: Python<'_>,
        bytes: Vec<u8>,
        kinds: (bool, bool),
        threads: usize,
    ) -> PyResult<Self> {
        let backend = backend(threads)?;
        let model = short(py, || {
            Ok(match kinds {
                (true, true) => AnyModel::Numbers(Model::from_bytes(backend, bytes)?),
                (true, false) => AnyModel::NumbersTexts(Model::from_bytes(backend, bytes)?),
                (false, true) => AnyModel::TextsNumbers(Model::from_bytes(backend, bytes)?),
                (false, false) => AnyModel::Texts(Model::from_bytes(backend, bytes)?),
            })
        })?;
        Ok(Self { model })
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        short(py, || each!(&self.model, model => model.save(path)))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = short(py, || each!(&self.model, model => model.to_bytes()))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The trials that the settings were chosen from, as JSON, best first.
    #[getter]
    fn trials(&self) -> PyResult<Vec<String>> {
        as_json(each!(&self.model, model => model.trials()))
    }

    /// Returns the model with the trials that its settings were chosen from, as JSON, best first.
    fn with_trials(&self, trials: Vec<String>) -> PyResult<Self> {
        let trials: Result<Vec<Trial>, _> = trials
            .iter()
            .map(|text| serde_json::from_str(text))
            .collect();
        let trials = trials.map_err(|error| PyValueError::new_err(error.to_string()))?;
        let model = each_becomes!(&self.model, model => model.clone().with_trials(trials));
        Ok(Self { model })
    }

    /// Whether the ids of users and of items are numbers.
    #[getter]
    fn kinds(&self) -> (bool, bool) {
        match self.model {
            AnyModel::Numbers(_) => (true, true),
            AnyModel::NumbersTexts(_) => (true, false),
            AnyModel::TextsNumbers(_) => (false, true),
            AnyModel::Texts(_) => (false, false),
        }
    }

    /// The number of users and the number of items.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        let interactions = self.histories();
        (interactions.users(), interactions.items())
    }

    /// The filter and its settings, as JSON.
    #[getter]
    fn config(&self) -> PyResult<String> {
        serde_json::to_string(self.filter().config())
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// The settings of the filter that have an effect, by their names.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let settings = PyDict::new(py);
        let all = self.filter().config().settings();
        for setting in all.into_iter().filter(|it| it.needs.is_none()) {
            settings.set_item(setting.name, value_of(py, &setting)?)?;
        }
        Ok(settings)
    }

    #[getter]
    fn singular_values<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        numbers(py, self.filter().singular_values().to_vec())
    }

    /// The ids of all users, in the order of the rows.
    fn users<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        each!(&self.model, model => Id::to_python(py, model.dataset().users().iter().cloned().collect()))
    }

    /// The ids of all items, in the order of the columns.
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        each!(&self.model, model => Id::to_python(py, model.dataset().items().iter().cloned().collect()))
    }

    /// Returns the row of each user, or -1 if the user is unknown.
    fn rows<'py>(&self, py: Python<'py>, users: IdList) -> PyResult<Bound<'py, PyArray1<i64>>> {
        each!(&self.model, model => places(py, "users", model.dataset().users(), users))
    }

    /// Returns the column of each item, or -1 if the item is unknown.
    fn columns<'py>(&self, py: Python<'py>, items: IdList) -> PyResult<Bound<'py, PyArray1<i64>>> {
        each!(&self.model, model => places(py, "items", model.dataset().items(), items))
    }

    /// Returns the columns and weights of the history of a user.
    fn history<'py>(&self, py: Python<'py>, user: u32) -> PyResult<Entries<'py>> {
        let history = self.histories().history(user).map_err(to_python)?;
        let (items, weights) = history.entries().map(|it| (i64::from(it.0), it.1)).unzip();
        Ok((numbers(py, items), numbers(py, weights)))
    }

    /// Returns the histories of all users: row ends, columns and weights.
    fn matrix<'py>(&self, py: Python<'py>) -> Matrix<'py> {
        let matrix = self.histories();
        let rows = matrix.as_csr();
        let ends = rows.indptr().into_raw_storage().iter();
        let (columns, weights) = matrix.entries().map(|it| (i64::from(it.1), it.2)).unzip();
        let ends = numbers(py, ends.map(|&end| end.into()).collect());
        (ends, numbers(py, columns), numbers(py, weights))
    }

    /// The time of each entry of [`matrix`](Self::matrix), if there are times.
    fn times<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<f64>>> {
        let times = each!(&self.model, model => model.dataset().times());
        times.map(|times| numbers(py, times.to_vec()))
    }

    /// Returns whether the histories of these users have the same items as these rows.
    fn has_rows(&self, users: Integers<'_>, csr: Csr<'_>) -> PyResult<bool> {
        let matrix = self.histories();
        let users = users.below("users", matrix.users())?;
        let rows = csr.rows()?;
        let is_own = |(place, &user): (usize, &u32)| matrix.items_of(user) == rows.row(place).0;
        Ok(users.len() == rows.len() && users.iter().enumerate().all(is_own))
    }

    /// Returns a model with a neighbour table of `keep` entries for each item.
    #[pyo3(signature = (keep, *, progress = None))]
    fn neighbours(
        &self,
        py: Python<'_>,
        keep: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let model = each_becomes!(&self.model, model => {
            long(py, progress.as_ref(), |observer| {
                model.neighbours_with(keep, &FitOptions::new().observer(observer))
            })?
        });
        Ok(Self { model })
    }

    /// Returns the model with an item table, and three numbers: items with a row, items without a row,
    /// and rows of items without interactions.
    fn with_items(&self, py: Python<'_>, items: &Items) -> PyResult<(Self, (usize, usize, usize))> {
        let counts;
        let model = each_becomes!(&self.model, model => {
            let table = items.under()?;
            let coverage = table.coverage(model.dataset().items());
            let rows = coverage.rows_without_item;
            counts = (coverage.items_with_row, coverage.items_without_row, rows);
            short(py, || model.with_items(table))?
        });
        Ok((Self { model }, counts))
    }

    /// Returns the titles of some columns, with None for no title, or None without an item table.
    fn titles(&self, columns: Integers<'_>) -> PyResult<Option<Vec<Option<&str>>>> {
        let columns = columns.below("items", self.histories().items())?;
        Ok(each!(&self.model, model => {
            let dataset = model.dataset();
            let title = |&column: &u32| dataset.title_of_column(column);
            dataset.item_table().map(|_| columns.iter().map(title).collect())
        }))
    }

    /// Returns the item table: the ids of its rows, the name of the column of titles, and each column.
    /// Returns None if there is no item table.
    fn item_table<'py>(&self, py: Python<'py>) -> PyResult<Option<TableColumns<'py>>> {
        each!(&self.model, model => {
            let Some(table) = model.dataset().item_table() else {
                return Ok(None);
            };
            let ids = Id::to_python(py, table.ids().iter().cloned().collect())?;
            let columns = table.columns().iter().enumerate();
            let columns = columns.map(|(place, column)| {
                Ok((column.name().to_owned(), items::values(py, table, place)?))
            });
            let title = table.titles().name().to_owned();
            Ok(Some((ids, title, columns.collect::<PyResult<_>>()?)))
        })
    }

    /// How the weights were scaled, as text; None if they were not.
    #[getter]
    fn weight_scale(&self) -> Option<String> {
        let scale = each!(&self.model, model => model.dataset().weight_scale());
        scale.map(|scale| scale.to_string())
    }

    /// The half-life of the weights and their reference time; None if they do not decay.
    #[getter]
    fn decay(&self) -> Option<DecayPair> {
        let decay = each!(&self.model, model => model.dataset().decay());
        decay.map(|decay| (decay.half_life, decay.reference_time))
    }

    /// Returns the model with more interactions, also of new users and items.
    #[pyo3(signature = (csr, times, users, items, weight_scale = None, decay = None))]
    #[expect(clippy::too_many_arguments, reason = "arrays from Python")]
    fn with_interactions(
        &self,
        py: Python<'_>,
        csr: Csr<'_>,
        times: Times<'_>,
        users: IdList,
        items: IdList,
        weight_scale: Option<&str>,
        decay: Option<DecayPair>,
    ) -> PyResult<Self> {
        let rows = csr.rows()?;
        let model = each_becomes!(&self.model, model => {
            let (users, items) = (of_kind("users", users)?, of_kind("items", items)?);
            let added = dataset(&rows, times, users, items)?;
            let added = with_weighting(added, weight_scale, decay)?;
            short(py, || model.with_dataset(&added))?
        });
        Ok(Self { model })
    }

    /// Fits the filter again without these users and items, and returns the new model.
    #[pyo3(signature = (users, items, *, progress = None))]
    fn forget(
        &self,
        py: Python<'_>,
        users: IdList,
        items: IdList,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let model = each_becomes!(&self.model, model => {
            let left = without(model.dataset(), users, items)?;
            let (backend, config) = (model.filter().backend(), model.filter().config());
            long(py, progress.as_ref(), |observer| {
                let options = FitOptions::new().observer(observer);
                Model::fit_with(backend.clone(), left, config.clone(), &options)
            })?
        });
        Ok(Self { model })
    }

    /// Returns the neighbour table: columns of the items and of their neighbours, values, shares and
    /// common scores. Returns None if the model has no neighbour table.
    fn neighbour_rows<'py>(&self, py: Python<'py>) -> Option<NeighbourArrays<'py>> {
        let rows = self.filter().neighbour_rows()?;
        let (mut items, mut neighbours, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (item, neighbour, value) in rows.entries() {
            items.push(i64::from(item));
            neighbours.push(i64::from(neighbour));
            values.push(value);
        }
        Some((
            numbers(py, items),
            numbers(py, neighbours),
            numbers(py, values),
            numbers(py, rows.loadings().to_vec()),
            numbers(py, rows.baseline().to_vec()),
        ))
    }

    /// Returns the sparse vectors of the items of a neighbour table, `items x (items + 1)`.
    fn sparse_vectors<'py>(&self, py: Python<'py>) -> PyResult<Matrix<'py>> {
        let rows = short(py, || {
            let vectors = self.filter().sparse_vectors()?;
            let items = 0..vectors.len() as u32;
            SparseRows::of(items.map(|item| vectors.item(item)))
        })?;
        Ok(rows.into_arrays(py))
    }

    /// Returns the sparse query vectors of some histories, `histories x (items + 1)`.
    fn sparse_queries<'py>(&self, py: Python<'py>, csr: Csr<'py>) -> PyResult<Matrix<'py>> {
        let rows = csr.rows()?;
        let rows = short(py, || {
            let vectors = self.filter().sparse_vectors()?;
            let histories = histories(&rows).into_iter();
            SparseRows::of(histories.map(|history| vectors.of_history(history)))
        })?;
        Ok(rows.into_arrays(py))
    }

    /// Returns the best items for some users of the model, `users x k`.
    #[pyo3(signature = (users, k, *, keep_seen = false, deny = None, allow = None, minimum_score = None, condition = None, rules = None, fallback = None, progress = None))]
    #[expect(clippy::too_many_arguments, reason = "keywords in Python")]
    fn rank<'py>(
        &self,
        py: Python<'py>,
        users: Integers<'py>,
        k: usize,
        keep_seen: bool,
        deny: Option<Integers<'py>>,
        allow: Option<Integers<'py>>,
        minimum_score: Option<f32>,
        condition: Option<&str>,
        rules: Option<Rules>,
        fallback: Option<&str>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Lists<'py>> {
        let matrix = self.histories();
        let users = users.below("users", matrix.users())?;
        let histories: Vec<History<'_>> = users.iter().map(|&it| matrix.history_of(it)).collect();
        let options = self
            .rank_options(k, keep_seen, deny, allow, minimum_score, condition)?
            .rerank(self.rerank(rules.as_ref())?)
            .fallback(fallback_of(fallback)?);
        self.lists(py, &histories, options, progress)
    }

    /// Returns the best items for some histories, `histories x k`.
    #[pyo3(signature = (csr, k, *, keep_seen = false, deny = None, allow = None, minimum_score = None, condition = None, rules = None, fallback = None, progress = None))]
    #[expect(clippy::too_many_arguments, reason = "keywords in Python")]
    fn rank_histories<'py>(
        &self,
        py: Python<'py>,
        csr: Csr<'py>,
        k: usize,
        keep_seen: bool,
        deny: Option<Integers<'py>>,
        allow: Option<Integers<'py>>,
        minimum_score: Option<f32>,
        condition: Option<&str>,
        rules: Option<Rules>,
        fallback: Option<&str>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Lists<'py>> {
        let rows = csr.rows()?;
        let options = self
            .rank_options(k, keep_seen, deny, allow, minimum_score, condition)?
            .rerank(self.rerank(rules.as_ref())?)
            .fallback(fallback_of(fallback)?);
        self.lists(py, &histories(&rows), options, progress)
    }

    /// Returns the lists for the rows of an Arrow table.
    #[pyo3(signature = (table, k, *, keep_seen = false, skip_unknown = false, minimum_score = None, condition = None, rules = None, fallback = None, long = false))]
    #[expect(clippy::too_many_arguments, reason = "keywords in Python")]
    fn recommend_arrow(
        &self,
        py: Python<'_>,
        table: &Bound<'_, PyAny>,
        k: usize,
        keep_seen: bool,
        skip_unknown: bool,
        minimum_score: Option<f32>,
        condition: Option<&str>,
        rules: Option<Rules>,
        fallback: Option<&str>,
        long: bool,
    ) -> PyResult<Batches> {
        let source = Source::of(table)?;
        let fallback = fallback_of(fallback)?;
        let set = condition.map(|condition| self.items_where(condition));
        let set = set.transpose()?;
        let rerank = self.rerank(rules.as_ref())?;
        each!(&self.model, model => {
            let mut options = RecommendOptions::top(k).fallback(fallback).rerank(rerank);
            if let Some(set) = set {
                options = options.allow_set(set);
            }
            if keep_seen {
                options = options.keep_seen();
            }
            if skip_unknown {
                options = options.unknown_ids(UnknownIds::Skip);
            }
            if let Some(least) = minimum_score {
                options = options.minimum_score(least);
            }
            source.map(py, |batch| {
                in_form(model.recommend_batch(batch, options.clone())?, long)
            })
        })
    }

    /// Returns the rows of the most similar users, and their similarity.
    fn similar_users<'py>(&self, py: Python<'py>, user: u32, k: usize) -> PyResult<Scored<'py>> {
        each!(&self.model, model => {
            let users = model.dataset().users();
            let Some(id) = users.id(user) else {
                return Err(PyValueError::new_err(format!("user: there is no row {user}")));
            };
            let found = short(py, || model.similar_users(id, k))?;
            let row = |(id, _): &(_, f32)| users.index(id).map_or(-1, i64::from);
            let rows = found.iter().map(row).collect();
            let scores = found.iter().map(|it| it.1).collect();
            Ok((numbers(py, rows), numbers(py, scores)))
        })
    }

    /// Returns vectors of items and of users. Their inner products are scores of the ideal low-pass filter.
    fn low_pass_vectors<'py>(&self, py: Python<'py>) -> PyResult<Vectors<'py>> {
        let (vectors, users) = short(py, || {
            let vectors = self.filter().low_pass_vectors()?;
            let matrix = self.histories();
            let rows = 0..matrix.users() as u32;
            let users = rows.flat_map(|user| vectors.of_history(matrix.history_of(user)));
            let users = users.collect::<Vec<f32>>();
            Ok((vectors, users))
        })?;
        let items = vectors.items();
        let shape = [self.histories().users(), items.ncols()];
        Ok((
            PyArray1::from_iter(py, items.iter().copied()).reshape(items.dim())?,
            PyArray1::from_vec(py, users).reshape(shape)?,
        ))
    }

    /// Returns the scores of all items for some histories, `histories x items`.
    fn score_histories<'py>(
        &self,
        py: Python<'py>,
        csr: Csr<'py>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let rows = csr.rows()?;
        let histories = histories(&rows);
        let scores = short(py, || self.filter().score_histories(&histories))?;
        let shape = [scores.nrows(), scores.ncols()];
        PyArray1::from_iter(py, scores.iter().copied()).reshape(shape)
    }

    /// Returns the contribution of each item of a history to the score of an item, and the base score.
    #[pyo3(signature = (csr, item))]
    fn contributions<'py>(
        &self,
        py: Python<'py>,
        csr: Csr<'py>,
        item: u32,
    ) -> PyResult<(Bound<'py, PyArray1<f32>>, f32)> {
        let rows = csr.rows()?;
        let histories = histories(&rows);
        let history = *histories
            .first()
            .ok_or_else(|| PyValueError::new_err("history: expected one row, found none"))?;
        let (parts, base) = short(py, || self.filter().contributions(history, item))?;
        Ok((numbers(py, parts), base))
    }

    /// Returns the metrics for the users of a test set, at each cut-off.
    #[pyo3(signature = (csr, users, items, k, *, skip_unknown = false, detailed = false, progress = None))]
    #[expect(clippy::too_many_arguments, reason = "keywords in Python")]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        csr: Csr<'py>,
        users: IdList,
        items: IdList,
        k: Vec<usize>,
        skip_unknown: bool,
        detailed: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let rows = csr.rows()?;
        let unknown = match skip_unknown {
            true => UnknownIds::Skip,
            false => UnknownIds::Error,
        };
        let options = EvaluateOptions::at(k.as_slice()).unknown_users(unknown);
        each!(&self.model, model => {
            let (users, items) = (of_kind("users", users)?, of_kind("items", items)?);
            let test = dataset(&rows, None, users, items)?;
            let metrics = evaluate(py, model, &test, options, detailed, progress)?;
            for warning in model.test_coverage(&test).warnings() {
                warn(py, &warning)?;
            }
            Ok(metrics)
        })
    }
}

/// Parses the option `fallback`.
fn fallback_of(name: Option<&str>) -> PyResult<Fallback> {
    name.map_or(Ok(Fallback::None), |name| name.parse().map_err(to_python))
}

/// Rows or columns, and their scores.
type Scored<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f32>>);

/// Vectors of items and of users.
type Vectors<'py> = (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f32>>);

fn places<'py, T: Id>(
    py: Python<'py>,
    what: &str,
    known: &bspm::data::Ids<T>,
    ids: IdList,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let ids = of_kind::<T>(what, ids)?;
    let place = |id: &T| known.index(id).map_or(-1, i64::from);
    Ok(numbers(py, ids.iter().map(place).collect()))
}

/// Returns a data set without some users and items.
fn without<U: Id, I: Id>(
    dataset: &Dataset<U, I>,
    users: IdList,
    items: IdList,
) -> PyResult<Dataset<U, I>> {
    let (users, items): (Vec<U>, Vec<I>) = (of_kind("users", users)?, of_kind("items", items)?);
    dataset.without::<U, I>(&users, &items).map_err(to_python)
}

fn histories(rows: &Rows) -> Vec<History<'_>> {
    let history = |row: usize| {
        let (items, weights) = rows.row(row);
        let history = History::from(items);
        weights
            .and_then(|it| history.weighted(it))
            .unwrap_or(history)
    };
    (0..rows.len()).map(history).collect()
}

fn evaluate<
    'py,
    U: Eq + Hash + Clone + std::fmt::Debug + Send + Sync,
    I: Eq + Hash + Clone + Send + Sync,
>(
    py: Python<'py>,
    model: &Model<CpuBackend, U, I>,
    test: &Dataset<U, I>,
    options: EvaluateOptions,
    detailed: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let evaluation = long(py, progress.as_ref(), |observer| {
        model.evaluate_users(test, options.observer(observer))
    })?;
    to_dict(py, &evaluation, detailed, true)
}

impl Core {
    fn filter(&self) -> &FittedFilter<CpuBackend> {
        each!(&self.model, model => model.filter())
    }

    /// The interactions of the model.
    fn histories(&self) -> &bspm::Interactions {
        each!(&self.model, model => model.dataset().interactions())
    }

    /// The items that satisfy a condition.
    fn items_where(&self, condition: &str) -> PyResult<ItemSet> {
        let condition: ItemCondition = condition.parse().map_err(to_python)?;
        let found = each!(&self.model, model => condition.items(model.dataset()));
        found.map_err(to_python)
    }

    fn rerank(&self, rules: Option<&Rules>) -> PyResult<Rerank> {
        each!(&self.model, model => rerank_by(rules, model.dataset()))
    }

    fn rank_options(
        &self,
        k: usize,
        keep_seen: bool,
        deny: Option<Integers<'_>>,
        allow: Option<Integers<'_>>,
        minimum_score: Option<f32>,
        condition: Option<&str>,
    ) -> PyResult<RankOptions> {
        let items = self.histories().items();
        let columns = |what: &str, list: Option<Integers<'_>>| {
            list.map(|list| list.below(what, items)).transpose()
        };
        let mut denied = columns("deny", deny)?.unwrap_or_default();
        if let Some(condition) = condition {
            let set = self.items_where(condition)?;
            denied.extend((0..items as u32).filter(|&item| !set.contains(item)));
        }
        let mut options = RankOptions::top(k).deny(denied);
        options.keep_seen = keep_seen;
        options.allow = columns("allow", allow)?;
        options.minimum_score = minimum_score;
        Ok(options)
    }

    fn lists<'py>(
        &self,
        py: Python<'py>,
        histories: &[History<'_>],
        options: RankOptions,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Lists<'py>> {
        let (k, fallback) = (options.k.min(self.histories().items()), options.fallback);
        let filter = self.filter();
        let ranking = match histories.len() < MANY && progress.is_none() {
            true => short(py, || filter.rank_histories(histories, &options))?,
            false => long(py, progress.as_ref(), |observer| {
                filter.rank_histories(histories, &options.observer(observer))
            })?,
        };
        to_arrays(py, &ranking.lists, k, fallback)
    }
}
