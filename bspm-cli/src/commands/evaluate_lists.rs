//! `bspm evaluate --lists`: metrics of the lists of any system on a test set.

mod read;

use std::error::Error;
use std::path::PathBuf;

use bspm::Dataset;
use bspm::data::expand_paths;
use bspm::fitted::{Evaluation, ListEvaluation};
use bspm_args::tell;
use serde::Serialize;

use crate::data::DataArguments;
use crate::output::Record;
use read::{Lists, Repeats};

/// The inputs of an evaluation of lists.
pub(super) struct Request<'a> {
    /// Files of lists, folders of part files, or glob patterns.
    pub(super) lists: &'a [PathBuf],
    pub(super) test: &'a PathBuf,
    /// The interactions that the lists were made from; empty if they are not given.
    pub(super) train: &'a [PathBuf],
    pub(super) interactions: &'a DataArguments,
    pub(super) cutoffs: &'a [usize],
    pub(super) detailed: bool,
}

/// Evaluates the lists. Returns the counts of ignored users and rows, which are also reported on standard
/// error.
pub(super) fn evaluate(request: &Request<'_>) -> Result<(Evaluation, Counts), Box<dyn Error>> {
    if request.detailed && request.train.is_empty() {
        let message = "--detailed requires the interactions that the lists were made from; hint: name \
                       them with --train FILE";
        return Err(message.into());
    }
    if request.train.is_empty()
        && let Some(flag) = request.interactions.changes_training()
    {
        return Err(format!("{flag} has no effect without --train").into());
    }
    let test: Dataset = request.interactions.read_test(request.test)?;
    let train = match request.train {
        [] => None,
        train => Some(request.interactions.read_all(train)?),
    };
    let mut lists = Lists::default();
    for path in expand_paths(request.lists)? {
        // `bspm score` writes a manifest to the folder of the part files.
        if path.file_name().is_none_or(|name| name != "manifest.json") {
            lists.read(&path)?;
        }
    }
    let (lists, repeats) = lists.finish();
    let found = ListEvaluation::of(lists, &test, train.as_ref(), request.cutoffs)?;
    let counts = Counts {
        users: found.evaluation.users().len(),
        users_without_list: found.users_without_list,
        unknown_users: found.unknown_users,
        unknown_items: found.unknown_items,
        repeats,
    };
    counts.tell();
    Ok((found.evaluation, counts))
}

/// Counts of evaluated users and of ignored entries.
#[derive(Serialize)]
pub(super) struct Counts {
    users: usize,
    users_without_list: usize,
    unknown_users: usize,
    unknown_items: usize,
    #[serde(flatten)]
    repeats: Repeats,
}

impl Counts {
    fn tell(&self) {
        tell!("lists of {} users evaluated", self.users);
        let Repeats {
            repeated_items,
            equal_places,
        } = self.repeats;
        for (count, what) in [
            (
                self.users_without_list,
                "users of the test set have no list and count as users without hits",
            ),
            (
                self.unknown_users,
                "users of the lists have no interactions in the test set and are skipped",
            ),
            (
                self.unknown_items,
                "items of the lists are neither in the test set nor in --train and cannot be hits",
            ),
            (
                repeated_items,
                "entries repeat an item of their list; only the first one counts",
            ),
            (
                equal_places,
                "entries have the same rank or score as another entry of their list; they keep the \
                 order of the file",
            ),
        ] {
            if count > 0 {
                tell!("warning: {count} {what}");
            }
        }
    }
}

/// A row of metrics; in JSON, the counts are added.
#[derive(Serialize)]
pub(super) struct WithCounts<'a, R: Record> {
    #[serde(flatten)]
    pub(super) metrics: R,
    #[serde(flatten)]
    pub(super) counts: &'a Counts,
}

impl<R: Record> Record for WithCounts<'_, R> {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        self.metrics.columns()
    }

    fn rows(&self) -> Vec<Vec<String>> {
        self.metrics.rows()
    }
}
