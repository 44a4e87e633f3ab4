//! Top-k selection on the device, with ties broken by the lower item id.

use bspm_core::backend::{ScoredItem, TopK};
use tch::{Kind, TchError, Tensor};

/// The number of additional entries that are selected. libtorch does not specify which of several equal
/// scores it selects, so the entries after the end of the list are needed to break a tie at the end.
const MARGIN: usize = 12;

/// The best entries of each of the first `lengths.len()` rows of `scores: columns x items`.
///
/// Entries of `-inf` are masked. Only the selected ids and scores are copied to the host, except for rows
/// with a tie at the end that is longer than the margin.
pub(crate) fn top_k(scores: &Tensor, lengths: &[usize]) -> Result<Vec<Vec<ScoredItem>>, TchError> {
    let items = scores.size2()?.1 as usize;
    let rows = lengths.len();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let selected = longest.saturating_add(MARGIN).min(items);
    if selected == 0 || rows == 0 {
        return Ok(vec![Vec::new(); rows]);
    }
    let (values, ids) = scores.f_topk(selected as i64, 1, true, true)?;
    let (values, ids) = (
        values
            .f_narrow(0, 0, rows as i64)?
            .f_view_dtype(Kind::Int)?,
        ids.f_narrow(0, 0, rows as i64)?.f_to_kind(Kind::Int)?,
    );
    // Scores and ids side by side, as bits, so that they are copied in one transfer.
    let mut host = vec![0_i32; 2 * rows * selected];
    Tensor::f_cat(&[values, ids], 1)?.f_copy_data(&mut host, 2 * rows * selected)?;

    let lists = host.chunks_exact(2 * selected).map(|row| {
        let (values, ids) = row.split_at(selected);
        let values: Vec<f32> = values
            .iter()
            .map(|&bits| f32::from_bits(bits as u32))
            .collect();
        (values, ids)
    });
    let mut result = Vec::with_capacity(rows);
    for ((row, &k), (values, ids)) in lengths.iter().enumerate().zip(lists) {
        let tie_may_go_on = selected < items
            && k > 0
            && values[selected - 1] == values[k - 1]
            && values[k - 1] > f32::NEG_INFINITY;
        if tie_may_go_on {
            let mut all = vec![0.0_f32; items];
            scores
                .f_narrow(0, row as i64, 1)?
                .f_copy_data(&mut all, items)?;
            result.push(best(k, (0..items as u32).zip(all)));
        } else {
            let entries = ids.iter().map(|&id| id as u32).zip(values);
            result.push(best(k, entries));
        }
    }
    Ok(result)
}

fn best(k: usize, entries: impl Iterator<Item = (u32, f32)>) -> Vec<ScoredItem> {
    let mut selection = TopK::new(k);
    for (item, score) in entries.filter(|(_, score)| *score > f32::NEG_INFINITY) {
        selection.offer(item, score);
    }
    selection.into_sorted()
}
