//! Removing users and items from a log.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{EventError, Result};
use crate::event::Event;
use crate::line::{Record, decode};
use crate::list::LoggedList;
use crate::log::lock;
use crate::read::files;
use crate::segments::{sync_folder, write_error};

/// A log that no process writes to while this value exists, to remove lines from it.
#[derive(Debug)]
pub struct ClosedLog {
    folder: PathBuf,
    /// Locked while the value exists.
    _lock: File,
}

/// What was removed from a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forgotten {
    /// The number of removed events.
    pub events: u64,
    /// The number of removed lists.
    pub lists: u64,
    /// The number of damaged lines, which are kept, whomever they are about.
    pub damaged: u64,
}

impl ClosedLog {
    /// Locks the log in a folder.
    ///
    /// # Errors
    ///
    /// [`EventError::Locked`] if a process writes to the log; [`EventError::Read`] if there is no such
    /// folder; [`EventError::Write`].
    pub fn lock(folder: &Path) -> Result<Self> {
        fs::read_dir(folder).map_err(|source| read_error(folder, source))?;
        Ok(Self {
            folder: folder.into(),
            _lock: lock(folder)?,
        })
    }

    /// The folder of the log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the events of these users, the events with these items, and the lists of these users. Each
    /// file is replaced in one step and keeps its time of modification. The ids of removed events are
    /// forgotten too.
    ///
    /// # Errors
    ///
    /// [`EventError::Read`], [`EventError::Write`]. Files that were replaced before stay so.
    pub fn forget(&self, users: &HashSet<&str>, items: &HashSet<&str>) -> Result<Forgotten> {
        let mut forgotten = Forgotten::default();
        let is_named = |event: &Event| {
            users.contains(event.user.as_str()) || items.contains(event.item.as_str())
        };
        let of_user = |list: &LoggedList| {
            let user = list.user.as_deref();
            user.is_some_and(|user| users.contains(user))
        };
        forgotten.events = self.remove(is_named, &mut forgotten.damaged)?;
        forgotten.lists = self.remove(of_user, &mut forgotten.damaged)?;
        Ok(forgotten)
    }

    /// Removes the records that are to be removed from all files of a kind. Returns their number.
    fn remove<T: Record>(&self, is_removed: impl Fn(&T) -> bool, damaged: &mut u64) -> Result<u64> {
        let mut removed = 0;
        for file in files(&self.folder, T::PREFIX)? {
            let bytes = fs::read(&file.path).map_err(|source| read_error(&file.path, source))?;
            let mut kept = Vec::with_capacity(bytes.len());
            let before = removed;
            for line in bytes.split_inclusive(|&byte| byte == b'\n') {
                match decode(line.strip_suffix(b"\n").unwrap_or(line)) {
                    Ok(record) if is_removed(&record) => removed += 1,
                    Ok(_) => kept.extend_from_slice(line),
                    Err(_) => {
                        *damaged += 1;
                        kept.extend_from_slice(line);
                    }
                }
            }
            if removed > before {
                self.replace(&file.path, &kept)
                    .map_err(|source| write_error(&file.path, source))?;
            }
        }
        Ok(removed)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let modified = fs::metadata(path)?.modified()?;
        let next = path.with_extension("next");
        let mut file = File::create(&next)?;
        file.set_permissions(fs::metadata(path)?.permissions())?;
        file.write_all(bytes)?;
        file.set_modified(modified)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&next, path)?;
        sync_folder(&self.folder)
    }
}

fn read_error(path: &Path, source: std::io::Error) -> EventError {
    EventError::Read {
        path: path.into(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventLog, read, read_lists};

    #[test]
    fn users_and_items_are_removed_and_all_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let event = |user, item| Event::new(user, item).time(1.5);
        let (mut log, _) = EventLog::open(folder, |_| {}).unwrap();
        let events = [
            event("ann", "tea"),
            event("bob", "tea"),
            event("ann", "milk").id("e1"),
            event("bob", "jam"),
        ];
        log.append(&events).unwrap();
        for user in [Some("ann"), Some("bob"), None] {
            let mut list = LoggedList::new("a", "shop", ["tea"]);
            list.user = user.map(Into::into);
            log.append_list(&list).unwrap();
        }
        assert!(matches!(
            ClosedLog::lock(folder),
            Err(EventError::Locked { .. })
        ));
        drop(log);
        let path = files(folder, Event::PREFIX).unwrap()[0].path.clone();
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(b"{\"user\":\"ann\", damaged\n{\"torn");
        fs::write(&path, &bytes).unwrap();
        let written = fs::metadata(&path).unwrap().modified().unwrap();

        let log = ClosedLog::lock(folder).unwrap();
        let none = log.forget(&["eve"].into(), &HashSet::new()).unwrap();
        assert_eq!((none.events, none.lists, none.damaged), (0, 0, 2));
        assert_eq!(fs::read(&path).unwrap(), bytes);
        let some = log.forget(&["ann"].into(), &["jam"].into()).unwrap();
        assert_eq!((some.events, some.lists, some.damaged), (3, 1, 2));
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
        drop(log);

        let mut found = Vec::new();
        let report = read(folder, |event| found.push(event)).unwrap();
        assert_eq!(found, [event("bob", "tea")]);
        assert_eq!((report.damaged, report.incomplete.len()), (1, 1));
        let mut users = Vec::new();
        read_lists(folder, |list| users.push(list.user)).unwrap();
        assert_eq!(users, [Some("bob".to_owned()), None]);
        let (mut log, _) = EventLog::open(folder, |_| {}).unwrap();
        assert_eq!(log.append(&[event("cid", "tea").id("e1")]).unwrap(), [true]);
        assert!(ClosedLog::lock(&folder.join("none")).is_err());
    }
}
