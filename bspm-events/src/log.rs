//! Writing a log.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use crate::error::{EventError, Result, write_error};
use crate::event::Event;
use crate::line::{IdHashes, encode};
use crate::list::LoggedList;
use crate::read::LogReport;
use crate::segments::{Segments, Sync, is_at};

/// A log that this process writes to. One process at a time can open a log.
#[derive(Debug)]
pub struct EventLog {
    /// Locked while the log is open.
    _lock: File,
    events: Segments,
    ids: HashSet<u128>,
    hashes: IdHashes,
    lists: Segments,
}

impl EventLog {
    /// Opens the log in a folder, which is made if it does not exist. Calls `each` with each of its events.
    ///
    /// An incomplete last line is removed: the process that wrote it ended before the line was acknowledged.
    /// Damaged lines are skipped and stay in the file.
    ///
    /// # Errors
    ///
    /// [`EventError::Locked`] if another process writes to the log; [`EventError::Read`],
    /// [`EventError::Write`].
    pub fn open(folder: &Path, mut each: impl FnMut(Event)) -> Result<(Self, LogReport)> {
        fs::create_dir_all(folder).map_err(|source| write_error(folder, source))?;
        let lock = lock(folder, Unsupported::Passes)?;
        let mut report = LogReport::default();
        let (mut ids, hashes) = (HashSet::new(), IdHashes::default());
        let mut seen = 0;
        let events = Segments::open(folder, &mut report, |event: Event| {
            let is_new = event.id.as_ref().is_none_or(|id| ids.insert(hashes.of(id)));
            if is_new {
                seen += 1;
                each(event);
            }
        })?;
        report.records = seen;
        let mut of_lists = LogReport::default();
        let lists = Segments::open_last::<LoggedList>(folder, &mut of_lists)?;
        report.incomplete.extend(of_lists.incomplete);
        let log = Self {
            _lock: lock,
            events,
            ids,
            hashes,
            lists,
        };
        Ok((log, report))
    }

    /// Appends events and waits until they are on the disk. Returns for each event whether it is new; an
    /// event with the id of an earlier event is not.
    ///
    /// The events of several clients can be appended together, which takes one write to the disk.
    ///
    /// # Errors
    ///
    /// [`EventError::Invalid`], and then no event is appended; [`EventError::Write`], and then no event is
    /// acknowledged, and the next call tries to write again.
    pub fn append(&mut self, events: &[Event]) -> Result<Vec<bool>> {
        events.iter().try_for_each(Event::check)?;
        let (mut lines, mut added) = (Vec::new(), Vec::new());
        let mut are_new = Vec::with_capacity(events.len());
        for event in events {
            let hash = event.id.as_ref().map(|id| self.hashes.of(id));
            let is_new = hash.is_none_or(|hash| self.ids.insert(hash));
            are_new.push(is_new);
            if is_new {
                added.extend(hash);
                encode(event, &mut lines);
            }
        }
        let written = self.events.append(&lines, Sync::Disk);
        if written.is_err() {
            added.iter().for_each(|hash| {
                self.ids.remove(hash);
            });
        }
        written.map(|()| are_new)
    }

    /// Appends a list. It survives the end of the process, but not a crash of the system.
    ///
    /// # Errors
    ///
    /// [`EventError::Write`].
    pub fn append_list(&mut self, list: &LoggedList) -> Result<()> {
        let mut line = Vec::new();
        encode(list, &mut line);
        self.lists.append(&line, Sync::Process)
    }
}

/// What a lock does on a file system without locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsupported {
    /// It succeeds, and does not prevent a second process.
    Passes,
    /// It fails.
    Fails,
}

/// Locks the log until the returned file is closed.
pub(crate) fn lock(folder: &Path, unsupported: Unsupported) -> Result<File> {
    let path = folder.join("lock");
    let failed = |source| write_error(&path, source);
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false);
    let file = options.open(&path).map_err(failed)?;
    match file.try_lock() {
        // Another process may have removed the file in between.
        Ok(()) if is_at(&file, &path).unwrap_or(false) => Ok(file),
        Ok(()) => Err(EventError::Locked {
            folder: folder.into(),
        }),
        Err(TryLockError::WouldBlock) => Err(EventError::Locked {
            folder: folder.into(),
        }),
        Err(TryLockError::Error(error))
            if error.kind() == io::ErrorKind::Unsupported && unsupported == Unsupported::Passes =>
        {
            Ok(file)
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::line::Record;
    use crate::read::{delete_before, path_of, read, read_lists};
    use crate::segments::LARGEST_FILE;

    fn event(number: u32) -> Event {
        Event::new(format!("u{}", number % 7), format!("i{number}"))
            .weight(number as f32 + 0.1)
            .time(f64::from(number) / 3.0)
            .id(format!("e{number}"))
    }

    fn written(folder: &Path, count: u32) -> Vec<Event> {
        let (mut log, _) = EventLog::open(folder, |_| {}).unwrap();
        let events: Vec<Event> = (0..count).map(event).collect();
        assert_eq!(log.append(&events).unwrap(), vec![true; events.len()]);
        events
    }

    fn replayed(folder: &Path) -> (Vec<Event>, LogReport) {
        let mut found = Vec::new();
        let (_, report) = EventLog::open(folder, |event| found.push(event)).unwrap();
        (found, report)
    }

    #[test]
    fn a_log_cut_at_any_byte_opens_with_its_complete_lines() {
        let folder = tempfile::tempdir().unwrap();
        let events = written(folder.path(), 5);
        let path = path_of(folder.path(), Event::PREFIX, 1);
        let bytes = fs::read(&path).unwrap();
        let ends: Vec<usize> = (0..bytes.len()).filter(|&it| bytes[it] == b'\n').collect();
        for length in 0..=bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            let complete = ends.iter().filter(|&&end| end < length).count();
            let (found, report) = replayed(folder.path());
            assert_eq!(found, events[..complete], "{length}");
            let is_torn = complete.checked_sub(1).map_or(0, |it| ends[it] + 1) < length;
            assert_eq!(report.incomplete.len(), usize::from(is_torn), "{length}");
            assert_eq!(report.damaged, 0);
            // The incomplete line is gone, and the next event has a line of its own.
            let (mut log, report) = EventLog::open(folder.path(), |_| {}).unwrap();
            assert!(report.incomplete.is_empty());
            let last = Event::new("ann", "tea");
            log.append(std::slice::from_ref(&last)).unwrap();
            drop(log);
            let (found, _) = replayed(folder.path());
            assert_eq!(found.last(), Some(&last));
            assert_eq!(found.len(), complete + 1);
        }
    }

    #[test]
    fn a_changed_byte_damages_one_line_only() {
        let folder = tempfile::tempdir().unwrap();
        let events = written(folder.path(), 3);
        let path = path_of(folder.path(), Event::PREFIX, 1);
        let bytes = fs::read(&path).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            fs::write(&path, &changed).unwrap();
            let mut found = Vec::new();
            let report = read(folder.path(), |event| found.push(event)).unwrap();
            assert!(found.iter().all(|event| events.contains(event)), "{place}");
            let expected = match bytes[place] {
                b'\n' if place + 1 == bytes.len() => (2, 0, 1),
                b'\n' => (1, 1, 0),
                _ => (2, 1, 0),
            };
            let counts = (found.len(), report.damaged, report.incomplete.len());
            assert_eq!(counts, expected, "{place}");
            assert_eq!(report.warnings().len(), 1);
        }
    }

    #[test]
    fn an_id_counts_once_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), 4);
        let (mut log, report) = EventLog::open(folder.path(), |_| {}).unwrap();
        assert_eq!(report.records, 4);
        let again = [event(2), event(9), event(9), Event::new("ann", "tea")];
        assert_eq!(log.append(&again).unwrap(), [false, true, false, true]);
        drop(log);
        assert_eq!(replayed(folder.path()).0.len(), 6);
    }

    #[test]
    fn one_process_writes_and_files_are_deleted_by_age() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, _) = EventLog::open(folder.path(), |_| {}).unwrap();
        assert!(matches!(
            EventLog::open(folder.path(), |_| {}),
            Err(EventError::Locked { .. })
        ));
        log.append(&[event(1)]).unwrap();
        log.events.length = LARGEST_FILE;
        log.append(&[event(2)]).unwrap();
        log.append(&[event(3)]).unwrap();
        assert_eq!(read(folder.path(), |_| {}).unwrap().files, 2);
        let later = SystemTime::now() + Duration::from_secs(60);
        let earlier = SystemTime::UNIX_EPOCH;
        assert_eq!(delete_before(folder.path(), earlier).unwrap(), 0);
        assert_eq!(delete_before(folder.path(), later).unwrap(), 1);
        let mut found = Vec::new();
        let report = read(folder.path(), |event| found.push(event)).unwrap();
        assert_eq!((report.files, report.deleted_files), (1, 1));
        assert_eq!(found, [event(2), event(3)]);
    }

    #[cfg(unix)]
    #[test]
    fn a_removed_file_or_folder_loses_no_acknowledged_event() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("log");
        let (mut log, _) = EventLog::open(&folder, |_| {}).unwrap();
        log.append(&[event(1)]).unwrap();
        fs::remove_file(path_of(&folder, Event::PREFIX, 1)).unwrap();
        log.append(&[event(2)]).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let refused = log.append(&[event(3)]);
        assert!(matches!(refused, Err(EventError::Write { .. })));
        fs::create_dir(&folder).unwrap();
        assert_eq!(log.append(&[event(3)]).unwrap(), [true]);
        let mut found = Vec::new();
        read(&folder, |event| found.push(event)).unwrap();
        assert_eq!(found, [event(3)]);
    }

    #[test]
    fn lists_are_read_beside_the_events() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, _) = EventLog::open(folder.path(), |_| {}).unwrap();
        let mut list = LoggedList::new("a1", "shop", ["tea", "milk"]);
        list.user = Some("ann".into());
        log.append_list(&list).unwrap();
        log.append(&[event(1)]).unwrap();
        drop(log);
        let (mut log, report) = EventLog::open(folder.path(), |_| {}).unwrap();
        assert_eq!(report.records, 1);
        log.append_list(&list).unwrap();
        let mut found = Vec::new();
        read_lists(folder.path(), |list| found.push(list)).unwrap();
        assert_eq!(found, [list.clone(), list]);
    }

    #[test]
    fn invalid_events_are_errors_that_name_the_field() {
        for (event, field) in [
            (Event::new("", "tea"), "user"),
            (Event::new("ann", "x".repeat(1_025)), "item"),
            (Event::new("ann", "tea").kind(""), "kind"),
            (Event::new("ann", "tea").id("x".repeat(257)), "id"),
            (Event::new("ann", "tea").weight(0.0), "weight"),
            (Event::new("ann", "tea").weight(1e7), "weight"),
            (Event::new("ann", "tea").weight(f32::NAN), "weight"),
            (Event::new("ann", "tea").time(f64::INFINITY), "time"),
        ] {
            let error = event.check().unwrap_err().to_string();
            assert!(error.starts_with(field), "{error}");
        }
    }
}
