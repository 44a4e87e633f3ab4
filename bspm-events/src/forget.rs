//! Removing users and items from a log.

use std::collections::HashSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Result, read_error, write_error};
use crate::event::Event;
use crate::line::{Record, decode};
use crate::list::LoggedList;
use crate::log::{Unsupported, lock};
use crate::read::files;
use crate::segments::sync_folder;

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
    /// Locks the log in a folder, and deletes what an earlier [`forget`](Self::forget) that was interrupted
    /// has left.
    ///
    /// # Errors
    ///
    /// [`EventError::Locked`](crate::EventError::Locked) if a process writes to the log;
    /// [`EventError::Read`](crate::EventError::Read) if the folder has no log;
    /// [`EventError::Write`](crate::EventError::Write), also if the file system has no locks.
    pub fn lock(folder: &Path) -> Result<Self> {
        let segments = [
            files(folder, Event::PREFIX)?,
            files(folder, LoggedList::PREFIX)?,
        ]
        .concat();
        if segments.is_empty() {
            let source = io::Error::new(io::ErrorKind::NotFound, "no files of events or lists");
            return Err(read_error(folder, source));
        }
        let closed = Self {
            folder: folder.into(),
            _lock: lock(folder, Unsupported::Fails)?,
        };
        for segment in segments {
            let next = next_of(&segment.path);
            match fs::remove_file(&next) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(write_error(&next, error));
                }
                _ => {}
            }
        }
        Ok(closed)
    }

    /// The folder of the log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the lists of these users, the events of these users, and the events with these items. Lists
    /// that contain the items stay. Each file is replaced in one step, and keeps its owner, its permissions
    /// and its time of modification. The ids of removed events are forgotten too.
    ///
    /// # Errors
    ///
    /// [`EventError::Read`](crate::EventError::Read), [`EventError::Write`](crate::EventError::Write).
    /// Files that were replaced before stay so.
    pub fn forget(&self, users: &HashSet<&str>, items: &HashSet<&str>) -> Result<Forgotten> {
        let mut forgotten = Forgotten::default();
        let is_named = |event: &Event| {
            users.contains(event.user.as_str()) || items.contains(event.item.as_str())
        };
        let of_user = |list: &LoggedList| {
            let user = list.user.as_deref();
            user.is_some_and(|user| users.contains(user))
        };
        forgotten.lists = self.remove(of_user, &mut forgotten.damaged)?;
        forgotten.events = self.remove(is_named, &mut forgotten.damaged)?;
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

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // A link stays a link.
        let path = path.canonicalize()?;
        let next = next_of(&path);
        let written = write(&next, bytes, &fs::metadata(&path)?);
        let replaced = written.and_then(|()| fs::rename(&next, &path));
        if replaced.is_err() {
            let _ = fs::remove_file(&next);
        }
        replaced?;
        sync_folder(path.parent().unwrap_or(&self.folder))
    }
}

/// The new version of a file until it replaces the file. It has a fixed name, so that it is found after an
/// interruption.
fn next_of(path: &Path) -> PathBuf {
    path.with_extension("next")
}

/// Writes a new file with the owner, the permissions and the time of modification of another one.
fn write(path: &Path, bytes: &[u8], like: &Metadata) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    keep_owner(&file, like)?;
    file.set_permissions(like.permissions())?;
    file.set_modified(like.modified()?)?;
    file.sync_all()
}

#[cfg(unix)]
fn keep_owner(file: &File, like: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = file.metadata()?;
    match (own.uid(), own.gid()) == (like.uid(), like.gid()) {
        true => Ok(()),
        false => fchown(file, Some(like.uid()), Some(like.gid())),
    }
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _like: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventError, EventLog, read, read_lists};

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

        let left = path.with_extension("next");
        fs::write(&left, b"ann").unwrap();
        let log = ClosedLog::lock(folder).unwrap();
        assert!(!left.exists());
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
        assert!(!left.exists());
        drop(log);
        assert!(ClosedLog::lock(&folder.join("none")).is_err());
        let empty = tempfile::tempdir().unwrap();
        assert!(ClosedLog::lock(empty.path()).is_err());
        assert!(fs::read_dir(empty.path()).unwrap().next().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_keeps_its_permissions_and_a_link_stays_a_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (log, elsewhere) = (folder.path().join("log"), folder.path().join("events"));
        EventLog::open(&log, |_| {})
            .and_then(|(mut log, _)| {
                log.append(&[Event::new("ann", "tea"), Event::new("bob", "tea")])
            })
            .unwrap();
        let path = files(&log, Event::PREFIX).unwrap()[0].path.clone();
        fs::rename(&path, &elsewhere).unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&elsewhere, &path).unwrap();
        let closed = ClosedLog::lock(&log).unwrap();
        let removed = closed.forget(&["ann"].into(), &HashSet::new()).unwrap();
        assert_eq!(removed.events, 1);
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
        let text = fs::read_to_string(&elsewhere).unwrap();
        assert!(!text.contains("ann") && text.contains("bob"), "{text}");
        let mode = fs::metadata(&elsewhere).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
