//! `bspm evaluate --lists`: how well lists that any system made predict a test set.

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

/// What is evaluated, and by what.
pub(super) struct Request<'a> {
    /// Files of lists, folders of part files, or patterns.
    pub(super) lists: &'a [PathBuf],
    pub(super) test: &'a PathBuf,
    /// What the lists were made from; none if it is not given.
    pub(super) train: &'a [PathBuf],
    pub(super) interactions: &'a DataArguments,
    pub(super) cutoffs: &'a [usize],
    pub(super) detailed: bool,
}

/// The evaluation of the lists, and what of them could not count, which is reported on standard error.
pub(super) fn evaluate(request: &Request<'_>) -> Result<(Evaluation, Counts), Box<dyn Error>> {
    if request.detailed && request.train.is_empty() {
        let message = "--detailed counts items in the interactions that lists are made from; hint: \
                       --train FILE names them";
        return Err(message.into());
    }
    let test: Dataset = request.interactions.read(request.test)?;
    let train = match request.train {
        [] => None,
        train => Some(request.interactions.read_all(train)?),
    };
    let mut lists = Lists::default();
    for path in expand_paths(request.lists)? {
        // Part files have what they are of beside them.
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

/// What was evaluated, and what could not count.
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
                "users of the test set have no list, and count without a hit",
            ),
            (
                self.unknown_users,
                "users of the lists have no interactions in the test set, and are left out",
            ),
            (
                self.unknown_items,
                "items of the lists are neither in the test set nor in --train, and cannot be hits",
            ),
            (
                repeated_items,
                "entries repeat an item of their list, and only the first of each counts",
            ),
            (
                equal_places,
                "entries have the rank or the score of another one of their list, and stay in the \
                 order of the file",
            ),
        ] {
            if count > 0 {
                tell!("warning: {count} {what}");
            }
        }
    }
}

/// Metrics as a row, with the counts in JSON.
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
