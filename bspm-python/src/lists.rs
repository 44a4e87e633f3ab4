//! Lists of recommendations as arrays.

use bspm::backend::ScoredItem;
use bspm::fitted::Fallback;
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;

/// Columns and scores, each `lists x k`.
pub(crate) type Lists<'py> = (Bound<'py, PyArray2<i32>>, Bound<'py, PyArray2<f32>>);

/// The padding of a short list.
const NO_ITEM: i32 = -1;
const NO_SCORE: f32 = f32::MIN;

/// Returns the lists, padded to `k` entries with -1 and the lowest score. The score of an item of
/// the fallback is NaN.
pub(crate) fn to_arrays<'py>(
    py: Python<'py>,
    lists: &[Vec<ScoredItem>],
    k: usize,
    fallback: Fallback,
) -> PyResult<Lists<'py>> {
    let score = |entry: &ScoredItem| match fallback.has_filled(entry) {
        true => f32::NAN,
        false => entry.score,
    };
    let places = lists.len() * k;
    let (mut items, mut scores) = (Vec::with_capacity(places), Vec::with_capacity(places));
    for list in lists {
        items.extend(list.iter().map(|entry| entry.item as i32));
        scores.extend(list.iter().map(score));
        let missing = k - list.len();
        items.extend(std::iter::repeat_n(NO_ITEM, missing));
        scores.extend(std::iter::repeat_n(NO_SCORE, missing));
    }
    let shape = [lists.len(), k];
    Ok((
        PyArray1::from_vec(py, items).reshape(shape)?,
        PyArray1::from_vec(py, scores).reshape(shape)?,
    ))
}
