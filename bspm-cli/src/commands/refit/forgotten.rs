//! The users and items that a refit removes, from the model and from event logs.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use bspm::Dataset;
use bspm_args::tell;
use bspm_events::{ClosedLog, EventError};

use super::Outcome;

/// The users and items to remove, and the event logs that contain them, which are locked.
pub(super) struct ToForget<'a> {
    users: HashSet<&'a str>,
    items: HashSet<&'a str>,
    logs: Vec<ClosedLog>,
    /// Those of them that the logs contain.
    users_of_logs: HashSet<String>,
    items_of_logs: HashSet<String>,
}

impl<'a> ToForget<'a> {
    /// Locks the logs if users or items are to be removed.
    pub(super) fn new(
        users: &'a [String],
        items: &'a [String],
        folders: &[PathBuf],
    ) -> Outcome<Self> {
        let mut to_forget = Self {
            users: users.iter().map(String::as_str).collect(),
            items: items.iter().map(String::as_str).collect(),
            logs: Vec::new(),
            users_of_logs: HashSet::new(),
            items_of_logs: HashSet::new(),
        };
        if users.is_empty() && items.is_empty() {
            return Ok(to_forget);
        }
        let folders = folders.iter().map(|folder| folder.canonicalize());
        let folders: BTreeSet<PathBuf> = folders.collect::<Result<_, _>>()?;
        for folder in &folders {
            let log = ClosedLog::lock(folder).map_err(|error| match error {
                EventError::Locked { folder } => format!(
                    "{}: a server writes to this log, and --forget-user and --forget-item change it; \
                     hint: stop the server first",
                    folder.display()
                )
                .into(),
                error => Box::<dyn std::error::Error>::from(error),
            })?;
            bspm_events::read(folder, |event| {
                if to_forget.users.contains(event.user.as_str()) {
                    to_forget.users_of_logs.insert(event.user);
                }
                if to_forget.items.contains(event.item.as_str()) {
                    to_forget.items_of_logs.insert(event.item);
                }
            })?;
            bspm_events::read_lists(folder, |list| {
                let user = list
                    .user
                    .filter(|user| to_forget.users.contains(user.as_str()));
                to_forget.users_of_logs.extend(user);
            })?;
            to_forget.logs.push(log);
        }
        Ok(to_forget)
    }

    /// Removes the users and items from the interactions. Those that are only in a log need not be there.
    pub(super) fn removed_from(&self, dataset: &Dataset) -> bspm::Result<Dataset> {
        let users = self.users.iter().copied().filter(|&user| {
            !self.users_of_logs.contains(user) || dataset.users().index(user).is_some()
        });
        let items = self.items.iter().copied().filter(|&item| {
            !self.items_of_logs.contains(item) || dataset.items().index(item).is_some()
        });
        dataset.without(users, items)
    }

    /// Removes the users and items from the logs.
    pub(super) fn remove_from_logs(&self) -> Outcome {
        for log in &self.logs {
            let removed = log.forget(&self.users, &self.items)?;
            let folder = log.folder().display();
            tell!(
                "{folder}: removed {} events and {} lists",
                removed.events,
                removed.lists
            );
            if removed.damaged > 0 {
                tell!(
                    "warning: {folder}: kept {} damaged or incomplete lines, which may contain removed ids",
                    removed.damaged
                );
            }
        }
        Ok(())
    }
}
