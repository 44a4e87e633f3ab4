//! `bspm export`: a model as tables that other engines read.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::Float32Type;
use arrow_array::{ArrayRef, Float32Array, ListArray, RecordBatch, StringArray};
use bspm::backend::TopK;
use bspm::data::History;
use bspm::fitted::{LowPassVectors, RankOptions};
use bspm::{Backend, FilterConfig, FitOptions};
use bspm_args::{DeviceArguments, ProgressBars, tell};
use clap::{Args, Subcommand};
use ndarray::{Array1, Array2};

use super::{Outcome, TextModel, on_device, parquet_file, shape};
use crate::outputs::Files;

/// Write a model as Parquet tables that other engines read
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Neighbours(NeighbourArguments),
    Vectors(VectorArguments),
}

/// Vectors of items and users for a vector database: their inner products are the scores of the
/// ideal low-pass filter
///
/// Two tables are written: FILE with item and vector, and beside it one that ends in
/// .users.parquet, with user and vector. The blur, the other part of BSPM, GF-CF and ChebyCF, is not
/// of low rank: what the vectors find are candidates, to be scored by the model. How much of the
/// model's lists is among them is told.
#[derive(Args)]
struct VectorArguments {
    /// The saved model, of bspm, gf-cf or cheby-cf
    model: PathBuf,
    /// Where the table goes; a name that ends in .parquet
    #[arg(short, long, value_name = "FILE", value_parser = parquet_name)]
    output: PathBuf,
    /// Users whose lists are compared with those of the model; 0 for none
    #[arg(long, value_name = "N", default_value_t = 500)]
    sample: usize,
    #[command(flatten)]
    device: DeviceArguments,
}

/// What each item gives to its neighbours, so that a join and a group-by make the lists
///
/// Two tables are written: FILE with item, neighbour and value, and beside it one that ends in
/// .items.parquet, with item, share and common. The score of an item is the sum of its values over
/// the history, and the sum of the history's shares times its common.
#[derive(Args)]
struct NeighbourArguments {
    /// The saved model; of a neighbour table all entries are written
    model: PathBuf,
    /// How many entries of an item are kept
    #[arg(short, value_name = "N", default_value_t = 500)]
    k: usize,
    /// Where the table goes; a name that ends in .parquet
    #[arg(short, long, value_name = "FILE", value_parser = parquet_name)]
    output: PathBuf,
    /// Save a model that serves from the table too
    #[arg(long, value_name = "FILE")]
    model_output: Option<PathBuf>,
    /// Users whose lists are compared with those of the model, to tell the loss
    #[arg(long, value_name = "N", default_value_t = 2000)]
    sample: usize,
    #[command(flatten)]
    device: DeviceArguments,
}

/// Rows of a table that are made together.
const ROWS_AT_ONCE: usize = 1 << 18;

fn parquet_name(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().is_some_and(|it| it == "parquet") {
        true => Ok(path),
        false => Err("expected a name that ends in .parquet".into()),
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match &arguments.what {
        What::Neighbours(arguments) => {
            Files::new()
                .reads(&arguments.model)
                .writes("--output", &arguments.output)
                .writes("the table beside it,", &items_table(&arguments.output))
                .writes("--model-output", arguments.model_output.as_ref())
                .check()?;
            on_device!(arguments.device, neighbours, arguments)
        }
        What::Vectors(arguments) => {
            Files::new()
                .reads(&arguments.model)
                .writes("--output", &arguments.output)
                .writes("the table beside it,", &users_table(&arguments.output))
                .check()?;
            on_device!(arguments.device, vectors, arguments)
        }
    }
}

/// The second table of neighbours.
fn items_table(path: &Path) -> PathBuf {
    path.with_extension("items.parquet")
}

/// The second table of vectors.
fn users_table(path: &Path) -> PathBuf {
    path.with_extension("users.parquet")
}

fn vectors<B: Backend>(backend: B, arguments: &VectorArguments) -> Outcome {
    let model = TextModel::open(backend, &arguments.model)?;
    let vectors = model.filter().low_pass_vectors()?;
    let (dataset, items) = (model.dataset(), vectors.items());
    let rows = items.rows().into_iter().map(|row| row.to_vec());
    write_vectors(&arguments.output, "item", dataset.items().iter().zip(rows))?;
    let histories = (0..dataset.users().len() as u32).map(|user| {
        let history = dataset.interactions().history_of(user);
        vectors.of_history(history)
    });
    let path = users_table(&arguments.output);
    write_vectors(&path, "user", dataset.users().iter().zip(histories))?;
    tell!(
        "{}: {}, {} numbers each",
        arguments.output.display(),
        shape(&model),
        vectors.factors()
    );
    tell_candidates(&model, &vectors, &items, arguments.sample)
}

/// Ids and their vectors.
fn write_vectors<'a>(
    path: &Path,
    kind: &str,
    mut rows: impl Iterator<Item = (&'a String, Vec<f32>)>,
) -> bspm::Result<()> {
    const ROWS: usize = 4096;
    let batches = std::iter::from_fn(|| {
        let (ids, vectors): (Vec<&String>, Vec<Vec<f32>>) = rows.by_ref().take(ROWS).unzip();
        let vectors = vectors.into_iter().map(|it| Some(it.into_iter().map(Some)));
        let vectors = ListArray::from_iter_primitive::<Float32Type, _, _>(vectors);
        (!ids.is_empty()).then(|| {
            table_of([
                (
                    kind,
                    Arc::new(StringArray::from_iter_values(ids)) as ArrayRef,
                ),
                ("vector", Arc::new(vectors)),
            ])
        })
    });
    parquet_file::write(path, Some(ROWS), batches)
}

/// How much of the model's lists is among the best by inner product, for users evenly spaced.
fn tell_candidates<B: Backend>(
    model: &TextModel<B>,
    vectors: &LowPassVectors,
    items: &Array2<f32>,
    sample: usize,
) -> Outcome {
    const K: usize = 20;
    const CANDIDATES: usize = 500;
    let histories = evenly_spaced(model, sample);
    let options = RankOptions::top(K);
    let lists = model.filter().rank_histories(&histories, &options)?.lists;
    let (mut found, mut all) = (0, 0);
    for (&history, list) in histories.iter().zip(lists) {
        let scores = items.dot(&Array1::from(vectors.of_history(history)));
        let mut candidates = TopK::new(CANDIDATES);
        for (item, &score) in scores.iter().enumerate() {
            if !history.items().contains(&(item as u32)) {
                candidates.offer(item as u32, score);
            }
        }
        let candidates = candidates.into_sorted();
        let candidates: HashSet<u32> = candidates.iter().map(|entry| entry.item).collect();
        all += list.len();
        found += list
            .iter()
            .filter(|entry| candidates.contains(&entry.item))
            .count();
    }
    if all > 0 {
        tell!(
            "of the lists of {} users, {:.2}% of the {K} best items are among the {CANDIDATES} best \
             by inner product",
            histories.len(),
            100.0 * found as f64 / all as f64,
        );
    }
    Ok(())
}

/// The histories of so many users with interactions, in even steps.
fn evenly_spaced<B: Backend>(model: &TextModel<B>, sample: usize) -> Vec<History<'_>> {
    let interactions = model.dataset().interactions();
    let users = interactions.users_with_items();
    let step = users.len().div_ceil(sample.max(1)).max(1);
    let users = users.into_iter().step_by(step).take(sample);
    users.map(|user| interactions.history_of(user)).collect()
}

fn neighbours<B: Backend>(backend: B, arguments: &NeighbourArguments) -> Outcome {
    let model = TextModel::open(backend, &arguments.model)?;
    let bars = ProgressBars::default();
    let table = match model.filter().config() {
        FilterConfig::Neighbours(_) => model.clone(),
        _ => {
            let options = FitOptions::new().observer(bars.observer());
            model.neighbours_with(arguments.k, &options)?
        }
    };
    bars.clear();
    write_tables(&table, &arguments.output)?;
    tell!("{}: {}", arguments.output.display(), shape(&table));
    if let Some(path) = &arguments.model_output {
        table.save(path)?;
    }
    tell_loss(&model, &table, arguments.sample)
}

fn write_tables<B: Backend>(table: &TextModel<B>, path: &Path) -> Outcome {
    let rows = table.filter().neighbour_rows();
    let rows = rows.ok_or("the model has no neighbour table")?;
    let ids: Vec<&str> = table.dataset().items().iter().map(String::as_str).collect();
    let texts = |items: &mut dyn Iterator<Item = u32>| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            items.map(|item| ids[item as usize]),
        ))
    };
    let numbers = |values: Vec<f32>| -> ArrayRef { Arc::new(Float32Array::from(values)) };
    let mut entries = rows.entries().peekable();
    let batches = std::iter::from_fn(|| {
        entries.peek()?;
        let batch: Vec<(u32, u32, f32)> = entries.by_ref().take(ROWS_AT_ONCE).collect();
        Some(table_of([
            ("item", texts(&mut batch.iter().map(|entry| entry.0))),
            ("neighbour", texts(&mut batch.iter().map(|entry| entry.1))),
            (
                "value",
                numbers(batch.iter().map(|entry| entry.2).collect()),
            ),
        ]))
    });
    parquet_file::write(path, None, batches)?;
    let items = table_of([
        ("item", texts(&mut (0..ids.len() as u32))),
        ("share", numbers(rows.loadings().to_vec())),
        ("common", numbers(rows.baseline().to_vec())),
    ]);
    Ok(parquet_file::write(&items_table(path), None, [items])?)
}

/// Columns of one length, without nulls.
fn table_of<const N: usize>(columns: [(&str, ArrayRef); N]) -> bspm::Result<RecordBatch> {
    let columns = columns.map(|(name, values)| (name, values, false));
    RecordBatch::try_from_iter_with_nullable(columns).map_err(|error| bspm::Error::Write {
        path: "table".into(),
        source: std::io::Error::other(error),
    })
}

/// How much of the lists of 20 items is the same, for users evenly spaced.
fn tell_loss<B: Backend>(model: &TextModel<B>, table: &TextModel<B>, sample: usize) -> Outcome {
    const K: usize = 20;
    let histories = evenly_spaced(model, sample);
    if histories.is_empty() {
        return Ok(());
    }
    let options = RankOptions::top(K);
    let exact = model.filter().rank_histories(&histories, &options)?.lists;
    let found = table.filter().rank_histories(&histories, &options)?.lists;
    let (mut same, mut all, mut first) = (0, 0, 0);
    for (exact, found) in exact.iter().zip(&found) {
        let items: HashSet<u32> = exact.iter().map(|entry| entry.item).collect();
        same += found
            .iter()
            .filter(|entry| items.contains(&entry.item))
            .count();
        all += exact.len();
        first += usize::from(exact.first().map(|it| it.item) == found.first().map(|it| it.item));
    }
    tell!(
        "of the lists of {} users, {:.2}% of the {K} best items and {:.2}% of the first ones are those of the model",
        histories.len(),
        100.0 * same as f64 / all.max(1) as f64,
        100.0 * first as f64 / histories.len() as f64,
    );
    Ok(())
}
