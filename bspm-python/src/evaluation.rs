//! Splits of data, and the metrics of lists.

use std::collections::HashMap;

use bspm::Metrics;
use bspm::fitted::{Evaluation, ListEvaluation};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::numbers;
use crate::arrays::{Csr, Rows};
use crate::datasets::{Times, dataset, numbered};
use crate::error::to_python;
use crate::files::{Entries, entries};
use crate::ids::of_kind;
use crate::ids::{Id, IdList};
use crate::options::refused;
use crate::work::short;

/// The options of a split.
#[derive(Debug, FromPyObject)]
pub(crate) struct SplitOptions {
    #[pyo3(item)]
    ratio: Option<f64>,
    #[pyo3(item)]
    seed: Option<u64>,
    #[pyo3(item)]
    random: bool,
    #[pyo3(item)]
    last_out: bool,
    #[pyo3(item)]
    from_time: Option<f64>,
}

/// The default share of held-out interactions.
const RATIO: f64 = 0.2;

/// Splits rows into two parts with the same rows and columns.
#[pyfunction]
pub(crate) fn split<'py>(
    py: Python<'py>,
    csr: Csr<'py>,
    times: Times<'py>,
    options: SplitOptions,
) -> PyResult<(Entries<'py>, Entries<'py>)> {
    let SplitOptions {
        ratio,
        seed,
        random,
        last_out,
        from_time,
    } = options;
    let ways = [last_out, from_time.is_some(), random];
    if ways.into_iter().filter(|&it| it).count() > 1 {
        let expected = "one of last_out=, from_time= and random=";
        return Err(refused("split", expected, "more"));
    }
    let is_share = !last_out && from_time.is_none();
    if let (false, Some(ratio)) = (is_share, ratio) {
        let expected = "no ratio beside last_out= or from_time=, which choose all of the test part";
        return Err(refused("ratio", expected, ratio));
    }
    let by_chance = is_share && (random || times.is_none());
    if let (false, Some(seed)) = (by_chance, seed) {
        let expected = "no seed, as times choose the test part; random=True chooses at random";
        return Err(refused("seed", expected, seed));
    }
    let dataset = numbered(&csr.rows()?, times)?;
    let (ratio, seed) = (ratio.unwrap_or(RATIO), seed.unwrap_or(0));
    let parts = short(py, || match (last_out, from_time) {
        (true, _) => dataset.leave_last_out(),
        (_, Some(time)) => dataset.split_at(time),
        _ if random => dataset.hold_out_at_random(ratio, seed),
        _ => dataset.hold_out(ratio, seed),
    })?;
    for (name, part) in [("training", &parts.train), ("test", &parts.test)] {
        if part.is_empty() {
            let expected = format!("a split that leaves interactions in the {name} part");
            return Err(refused("split", &expected, "none"));
        }
    }
    Ok((entries(py, &parts.train)?, entries(py, &parts.test)?))
}

/// Rows, their times, and the ids of users and items.
type Data<'py> = (Csr<'py>, IdList, IdList);

/// Returns the metrics of lists of any system. Each row is a user, an item and a number for the order.
#[pyfunction]
#[pyo3(signature = (users, items, order, test, train, k, *, detailed = false))]
#[expect(clippy::too_many_arguments, reason = "keywords in Python")]
pub(crate) fn evaluate_lists<'py>(
    py: Python<'py>,
    users: IdList,
    items: IdList,
    order: Option<PyReadonlyArray1<'py, f64>>,
    test: Data<'py>,
    train: Option<Data<'py>>,
    k: Vec<usize>,
    detailed: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let order = order.map(|order| order.as_array().to_vec());
    let (test_csr, test_users, test_items) = test;
    let test = (test_csr.rows()?, test_users, test_items);
    let train = match train {
        None => None,
        Some((csr, users, items)) => Some((csr.rows()?, users, items)),
    };
    let task = Task {
        users,
        items,
        order,
        train,
        k,
        detailed,
    };
    match (&test.1, &test.2) {
        (IdList::Numbers(_), IdList::Numbers(_)) => task.run::<i64, i64>(py, test),
        (IdList::Numbers(_), IdList::Texts(_)) => task.run::<i64, String>(py, test),
        (IdList::Texts(_), IdList::Numbers(_)) => task.run::<String, i64>(py, test),
        (IdList::Texts(_), IdList::Texts(_)) => task.run::<String, String>(py, test),
    }
}

type OfRows = (Rows, IdList, IdList);

struct Task {
    users: IdList,
    items: IdList,
    order: Option<Vec<f64>>,
    train: Option<OfRows>,
    k: Vec<usize>,
    detailed: bool,
}

impl Task {
    fn run<'py, U: Id, I: Id>(self, py: Python<'py>, test: OfRows) -> PyResult<Bound<'py, PyDict>> {
        let of = |what: &str, (rows, users, items): OfRows| {
            let users = of_kind::<U>(&format!("{what}: users"), users)?;
            let items = of_kind::<I>(&format!("{what}: items"), items)?;
            dataset(&rows, None, users, items)
        };
        let test = of("test", test)?;
        let train = self.train.map(|train| of("train", train)).transpose()?;
        let users = of_kind::<U>("lists: users", self.users)?;
        let items = of_kind::<I>("lists: items", self.items)?;
        let (has_catalogue, detailed) = (train.is_some(), self.detailed);
        let found = short(py, || {
            let lists = grouped(users, items, self.order);
            ListEvaluation::of(lists, &test, train.as_ref(), &self.k)
        })?;
        let result = to_dict(py, &found.evaluation, detailed, has_catalogue)?;
        result.set_item("users_without_list", found.users_without_list)?;
        result.set_item("unknown_users", found.unknown_users)?;
        result.set_item("unknown_items", found.unknown_items)?;
        Ok(result)
    }
}

/// The list of each user, in ascending order of the numbers, or in the order of the rows.
fn grouped<U: Id, I: Id>(
    users: Vec<U>,
    items: Vec<I>,
    order: Option<Vec<f64>>,
) -> Vec<(U, Vec<I>)> {
    let mut rows: Vec<usize> = (0..users.len()).collect();
    if let Some(order) = order {
        rows.sort_by(|&left, &right| order[left].total_cmp(&order[right]));
    }
    let mut places: HashMap<&U, usize> = HashMap::new();
    let mut lists: Vec<(U, Vec<I>)> = Vec::new();
    for row in rows {
        let place = *places.entry(&users[row]).or_insert_with(|| {
            lists.push((users[row].clone(), Vec::new()));
            lists.len() - 1
        });
        lists[place].1.push(items[row].clone());
    }
    lists
}

/// Parses a time in the format of files: a number, or a date, which becomes seconds since 1970.
#[pyfunction]
pub(crate) fn parse_time(text: &str) -> Option<f64> {
    bspm::data::parse_time(text)
}

/// Returns an evaluation as a dict.
pub(crate) fn to_dict<'py>(
    py: Python<'py>,
    evaluation: &Evaluation,
    detailed: bool,
    has_catalogue: bool,
) -> PyResult<Bound<'py, PyDict>> {
    if evaluation.users().is_empty() {
        let expected = "a test set with at least one user to evaluate";
        return Err(refused("test", expected, "none"));
    }
    let result = PyDict::new(py);
    result.set_item("users", evaluation.users().len())?;
    let cutoffs = PyDict::new(py);
    let means = evaluation.means();
    for (place, &k) in evaluation.cutoffs().iter().enumerate() {
        let at_cutoff = PyDict::new(py);
        for (name, value) in Metrics::NAMES.iter().zip(means[place].values()) {
            at_cutoff.set_item(name, value)?;
        }
        if detailed {
            for name in ["recall", "ndcg"] {
                let interval = evaluation.interval(name, k).map_err(to_python)?;
                at_cutoff.set_item(format!("{name}_interval"), (interval.low, interval.high))?;
            }
            if !has_catalogue {
                cutoffs.set_item(k, at_cutoff)?;
                continue;
            }
            let catalogue = evaluation.catalogue()[place];
            at_cutoff.set_item("coverage", catalogue.coverage)?;
            at_cutoff.set_item("gini", catalogue.gini)?;
            at_cutoff.set_item("novelty", catalogue.novelty)?;
            at_cutoff.set_item("popularity", catalogue.popularity)?;
            at_cutoff.set_item("diversity", catalogue.diversity)?;
        }
        cutoffs.set_item(k, at_cutoff)?;
    }
    result.set_item("metrics", cutoffs)?;
    if detailed {
        let rows: Vec<i64> = evaluation.users().iter().map(|&it| it.into()).collect();
        result.set_item("rows", numbers(py, rows))?;
        let first = evaluation.cutoffs()[0];
        for name in ["recall", "ndcg"] {
            let values = evaluation.values(name, first).map_err(to_python)?;
            result.set_item(format!("{name}_by_user"), numbers(py, values))?;
        }
    }
    Ok(result)
}
