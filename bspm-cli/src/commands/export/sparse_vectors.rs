//! `bspm export sparse-vectors`: a neighbour table as vectors for databases with sparse vectors.

use std::io::Write;
use std::path::{Path, PathBuf};

use bspm::Backend;
use bspm::fitted::SparseVector;
use bspm::saved::replace_file;
use bspm_args::tell;
use clap::Args;
use serde::Serialize;

use super::{TableArguments, TextModel, finish_table, neighbour_table};
use crate::commands::{Outcome, on_device, shape};
use crate::outputs::Files;

/// Export a neighbour table as sparse vectors for a vector database; their inner products are its
/// scores
///
/// Writes two files of JSON lines: FILE with the fields id, item, share, indices and values, and a second
/// file in the same folder, whose name ends in .users.jsonl, with the fields user, indices and values. The
/// inner product of the vectors of a user and an item is the score of the neighbour table. The vector of
/// another history has the ids of its items as indices and the weights of the items as values (1 without
/// weights). Its last index is the number of items, with the sum of weight times share as its value. The
/// items of the history are not hidden: use a filter of the database. The command reports the number of
/// negative values, because some databases do not accept them.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bspm export sparse-vectors model.bspm -k 200 --output items.jsonl"
)]
pub(super) struct Arguments {
    /// Output file; the name must end in .jsonl
    #[arg(short, long, value_name = "FILE", value_parser = json_lines_name)]
    output: PathBuf,
    #[command(flatten)]
    table: TableArguments,
}

fn json_lines_name(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().is_some_and(|it| it == "jsonl") {
        true => Ok(path),
        false => Err("expected a file name that ends in .jsonl".into()),
    }
}

/// An item, its vector, and its share in queries.
#[derive(Serialize)]
struct ItemRow<'a> {
    id: u32,
    item: &'a str,
    share: f32,
    indices: Vec<u32>,
    values: Vec<f32>,
}

/// A user and the query vector of the user's history.
#[derive(Serialize)]
struct UserRow<'a> {
    user: &'a str,
    indices: Vec<u32>,
    values: Vec<f32>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    Files::new()
        .reads(&arguments.table.model)
        .writes("--output", &arguments.output)
        .writes("second file", &users_file(&arguments.output))
        .writes("--model-output", arguments.table.model_output.as_ref())
        .check()?;
    on_device!(arguments.table.device, export, arguments)
}

/// Returns the path of the file with the vectors of the users.
fn users_file(path: &Path) -> PathBuf {
    path.with_extension("users.jsonl")
}

fn export<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let model = TextModel::open(backend, &arguments.table.model)?;
    let table = neighbour_table(&model, arguments.table.k)?;
    let (vectors, dataset) = (table.filter().sparse_vectors()?, table.dataset());
    let (mut count, mut negative) = (0, 0);
    let items = (0..).zip(dataset.items().iter().zip(vectors.loadings()));
    let items = items.map(|(id, (item, &share))| {
        let SparseVector { indices, values } = vectors.item(id)?;
        count += values.len();
        negative += values.iter().filter(|&&it| it < 0.0).count();
        Ok(ItemRow {
            id,
            item,
            share,
            indices,
            values,
        })
    });
    write_lines(&arguments.output, items)?;
    let users = (0..).zip(dataset.users().iter()).map(|(row, user)| {
        let history = dataset.interactions().history_of(row);
        let SparseVector { indices, values } = vectors.of_history(history)?;
        Ok(UserRow {
            user,
            indices,
            values,
        })
    });
    write_lines(&users_file(&arguments.output), users)?;
    tell!(
        "{}: {}, {} dimensions, {count} values, {negative} of them negative",
        arguments.output.display(),
        shape(&table),
        vectors.dimension()
    );
    finish_table(&model, &table, &arguments.table)
}

/// Writes a line for each row, and replaces the file when it is complete.
fn write_lines<R: Serialize>(
    path: &Path,
    rows: impl Iterator<Item = bspm::Result<R>>,
) -> bspm::Result<()> {
    let failed = |source| bspm::Error::Write {
        path: path.into(),
        source,
    };
    replace_file(path, |out| {
        for row in rows {
            serde_json::to_writer(&mut *out, &row?).map_err(|error| failed(error.into()))?;
            out.write_all(b"\n").map_err(failed)?;
        }
        Ok(())
    })
}
