//! `bspm export`: a model as tables and vectors for other engines.

mod sparse_vectors;

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
use ndarray::Array1;

use super::{Outcome, TextModel, on_device, parquet_file, shape};
use crate::outputs::Files;

/// Export a model as tables and vectors for databases and other engines
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bspm export neighbours model.bspm --output neighbours.parquet\n  \
                  bspm export vectors model.bspm --output vectors.parquet\n  \
                  bspm export sparse-vectors model.bspm --output items.jsonl"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Neighbours(NeighbourArguments),
    Vectors(VectorArguments),
    SparseVectors(sparse_vectors::Arguments),
}

/// Export item and user vectors for a vector database; their inner products are the scores of the
/// ideal low-pass filter
///
/// Writes two tables: FILE with the columns item and vector, and a second table in the same folder, whose
/// name ends in .users.parquet, with the columns user and vector. The vectors cover only the ideal
/// low-pass filter. The blur, the other part of BSPM, GF-CF and ChebyCF, does not have a low rank. Use
/// the vectors to retrieve candidates, and rescore the candidates with the model. The command reports
/// which share of the model's top 20 is among the top 500 by inner product.
#[derive(Args)]
#[command(after_help = "Examples:\n  bspm export vectors model.bspm --output vectors.parquet")]
struct VectorArguments {
    /// Model file; the filter must be bspm, gf-cf or cheby-cf
    model: PathBuf,
    /// Output file; the name must end in .parquet
    #[arg(short, long, value_name = "FILE", value_parser = parquet_name)]
    output: PathBuf,
    /// Number of users for which the candidates are compared with the model's lists; 0 skips this
    #[arg(long, value_name = "N", default_value_t = 500)]
    sample: usize,
    #[command(flatten)]
    device: DeviceArguments,
}

/// Export an item-neighbour table: a join and a group-by compute the recommendations
///
/// Writes two tables: FILE with the columns item, neighbour and value, and a second table in the same
/// folder, whose name ends in .items.parquet, with the columns item, share and common. The score of a
/// neighbour is the sum of value over the items of the history, plus the sum of share over the items
/// of the history times the neighbour's common.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bspm export neighbours model.bspm -k 200 --output neighbours.parquet"
)]
struct NeighbourArguments {
    /// Output file; the name must end in .parquet
    #[arg(short, long, value_name = "FILE", value_parser = parquet_name)]
    output: PathBuf,
    #[command(flatten)]
    table: TableArguments,
}

/// Flags of the commands that export a neighbour table.
#[derive(Args)]
struct TableArguments {
    /// Model file. If the model is already a neighbour table, all its entries are exported
    model: PathBuf,
    /// Number of entries to keep per item
    #[arg(short, value_name = "N", default_value_t = 500)]
    k: usize,
    /// Also save a model that scores from the neighbour table
    #[arg(long, value_name = "FILE")]
    model_output: Option<PathBuf>,
    /// Number of users whose lists are compared with those of the model, to measure the loss
    #[arg(long, value_name = "N", default_value_t = 2000)]
    sample: usize,
    #[command(flatten)]
    device: DeviceArguments,
}

/// The number of rows of a table in a batch.
const ROWS_AT_ONCE: usize = 1 << 18;

fn parquet_name(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().is_some_and(|it| it == "parquet") {
        true => Ok(path),
        false => Err("expected a file name that ends in .parquet".into()),
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match &arguments.what {
        What::Neighbours(arguments) => {
            Files::new()
                .reads(&arguments.table.model)
                .writes("--output", &arguments.output)
                .writes("second table", &items_table(&arguments.output))
                .writes("--model-output", arguments.table.model_output.as_ref())
                .check()?;
            on_device!(arguments.table.device, neighbours, arguments)
        }
        What::SparseVectors(arguments) => sparse_vectors::run(arguments),
        What::Vectors(arguments) => {
            Files::new()
                .reads(&arguments.model)
                .writes("--output", &arguments.output)
                .writes("second table", &users_table(&arguments.output))
                .check()?;
            on_device!(arguments.device, vectors, arguments)
        }
    }
}

/// Returns the path of the second table of `export neighbours`.
fn items_table(path: &Path) -> PathBuf {
    path.with_extension("items.parquet")
}

/// Returns the path of the second table of `export vectors`.
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
        "{}: {}, vectors of dimension {}",
        arguments.output.display(),
        shape(&model),
        vectors.factors()
    );
    tell_candidates(&model, &vectors, arguments.sample)
}

/// Writes a table of ids and vectors.
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

/// Reports which share of the model's lists is among the candidates with the largest inner products.
fn tell_candidates<B: Backend>(
    model: &TextModel<B>,
    vectors: &LowPassVectors,
    sample: usize,
) -> Outcome {
    const K: usize = 20;
    const CANDIDATES: usize = 500;
    let histories = evenly_spaced(model, sample);
    let options = RankOptions::top(K);
    let lists = model.filter().rank_histories(&histories, &options)?.lists;
    let (mut found, mut all) = (0, 0);
    for (&history, list) in histories.iter().zip(lists) {
        let scores = vectors
            .items()
            .dot(&Array1::from(vectors.of_history(history)));
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
            "{:.2}% of the model's top {K} items are among the top {CANDIDATES} by inner product \
             ({} users)",
            100.0 * found as f64 / all as f64,
            histories.len(),
        );
    }
    Ok(())
}

/// Returns the histories of `sample` users with interactions, at even distances.
fn evenly_spaced<B: Backend>(model: &TextModel<B>, sample: usize) -> Vec<History<'_>> {
    let interactions = model.dataset().interactions();
    let users = interactions.users_with_items();
    let step = users.len().div_ceil(sample.max(1)).max(1);
    let users = users.into_iter().step_by(step).take(sample);
    users.map(|user| interactions.history_of(user)).collect()
}

fn neighbours<B: Backend>(backend: B, arguments: &NeighbourArguments) -> Outcome {
    let model = TextModel::open(backend, &arguments.table.model)?;
    let table = neighbour_table(&model, arguments.table.k)?;
    write_tables(&table, &arguments.output)?;
    tell!("{}: {}", arguments.output.display(), shape(&table));
    finish_table(&model, &table, &arguments.table)
}

/// Returns the neighbour table of a model, which may be one already.
fn neighbour_table<B: Backend>(model: &TextModel<B>, k: usize) -> bspm::Result<TextModel<B>> {
    if let FilterConfig::Neighbours(_) = model.filter().config() {
        return Ok(model.clone());
    }
    let bars = ProgressBars::default();
    let options = FitOptions::new().observer(bars.observer());
    let table = model.neighbours_with(k, &options);
    bars.clear();
    table
}

/// Saves a neighbour table as a model if an option asks for it, and reports its loss.
fn finish_table<B: Backend>(
    model: &TextModel<B>,
    table: &TextModel<B>,
    arguments: &TableArguments,
) -> Outcome {
    if let Some(path) = &arguments.model_output {
        table.save(path)?;
    }
    tell_loss(model, table, arguments.sample)
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

/// Makes a table of columns of the same length, without nulls.
fn table_of<const N: usize>(columns: [(&str, ArrayRef); N]) -> bspm::Result<RecordBatch> {
    let columns = columns.map(|(name, values)| (name, values, false));
    RecordBatch::try_from_iter_with_nullable(columns).map_err(|error| bspm::Error::Write {
        path: "table".into(),
        source: std::io::Error::other(error),
    })
}

/// Reports which share of the model's lists the neighbour table reproduces.
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
        "agreement with the model: {:.2}% of the top {K} items and {:.2}% of the first items ({} users)",
        100.0 * same as f64 / all.max(1) as f64,
        100.0 * first as f64 / histories.len() as f64,
        histories.len(),
    );
    Ok(())
}
