//! The event log of a server: one thread writes the events of all requests that wait.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bspm_events::{Event, EventError, EventLog, KindWeights, LogReport, LoggedList};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::error::Failure;
use super::ids::{Bounded, Id};
use super::live::Live;
use super::metrics::Metric;
use super::object::Request;

/// The maximum number of events that are written together.
const LARGEST_WRITE: usize = 10_000;

/// How long the end of the server waits for the log.
const LONGEST_FLUSH: Duration = Duration::from_secs(10);

/// How far the time of an event may be in the future, in seconds: clocks differ, but a time in milliseconds
/// is thousands of years ahead.
const MOST_AHEAD: f64 = 86_400.0;

/// The options of an event log.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct EventOptions {
    /// The folder of the log.
    pub folder: PathBuf,
    /// The weights of the kinds of events. Default: all events count.
    pub weights: KindWeights,
    /// The interval at which new items are folded in. Default: a minute. `None`: only when a model is
    /// loaded.
    pub new_items: Option<Duration>,
    /// Whether the lists of responses are logged. Default: `false`.
    pub log_lists: bool,
    /// The maximum number of requests that wait for the log. Default: 1,024.
    pub queue: usize,
}

impl EventOptions {
    /// Returns the default options with the log in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            weights: KindWeights::default(),
            new_items: Some(Duration::from_secs(60)),
            log_lists: false,
            queue: 1_024,
        }
    }
}

/// The thread that writes the log.
#[derive(Clone, Debug)]
pub(super) struct EventWriter {
    sender: mpsc::Sender<Message>,
    counts: Arc<Counts>,
    pub(super) live: Arc<Live>,
    log_lists: bool,
}

#[derive(Debug, Default)]
struct Counts {
    events: AtomicU64,
    duplicates: AtomicU64,
    not_counted: AtomicU64,
    writes: AtomicU64,
    failed_writes: AtomicU64,
    lost_lists: AtomicU64,
}

enum Message {
    Events(Vec<Event>, oneshot::Sender<Result<Appended, Failure>>),
    List(LoggedList),
    /// A request for a message after all earlier ones are written.
    Flush(oneshot::Sender<()>),
}

/// What happened to the events of a request.
#[derive(Debug, Default, Serialize)]
pub(super) struct Appended {
    /// The number of events that were added to the log.
    accepted: usize,
    /// The number of events whose id was already in the log.
    duplicates: usize,
    /// The number of added events that do not count, because of their kind.
    not_counted: usize,
}

/// The current time in seconds since 1970.
pub(super) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

impl EventWriter {
    /// Opens the log, and starts the thread.
    ///
    /// # Errors
    ///
    /// Those of [`EventLog::open`].
    pub(super) fn open(options: &EventOptions) -> Result<(Self, LogReport), EventError> {
        let live = Arc::new(Live::new(options.weights.clone()));
        let (log, report) = EventLog::open(&options.folder, |event| {
            live.add([&event]);
        })?;
        let (sender, receiver) = mpsc::channel(options.queue.max(1));
        let writer = Self {
            sender,
            counts: Arc::default(),
            live,
            log_lists: options.log_lists,
        };
        let (live, counts) = (writer.live.clone(), writer.counts.clone());
        std::thread::spawn(move || write(log, receiver, &live, &counts));
        Ok((writer, report))
    }

    /// Appends events, and waits until they are on the disk.
    ///
    /// # Errors
    ///
    /// [`Failure::Busy`] if too many requests wait; [`Failure::Storage`] if the log cannot be written.
    pub(super) async fn append(&self, events: Vec<Event>) -> Result<Appended, Failure> {
        let (reply, answer) = oneshot::channel();
        let message = Message::Events(events, reply);
        self.sender.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => Failure::Busy,
            TrySendError::Closed(_) => Failure::Storage,
        })?;
        answer.await.unwrap_or(Err(Failure::Lost))
    }

    /// Whether the lists of responses are logged.
    pub(super) fn logs_lists(&self) -> bool {
        self.log_lists
    }

    /// Appends a list without waiting. A list is lost, and counted, if half of the queue is used: lists do
    /// not displace events.
    pub(super) fn append_list(&self, list: LoggedList) {
        let is_free = self.sender.capacity() * 2 > self.sender.max_capacity();
        if !is_free || self.sender.try_send(Message::List(list)).is_err() {
            self.counts.lost_lists.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything that was sent before is written, for a limited time.
    pub(super) async fn flush(&self) {
        let (reply, written) = oneshot::channel();
        let flushed = async {
            if self.sender.send(Message::Flush(reply)).await.is_ok() {
                let _ = written.await;
            }
        };
        if tokio::time::timeout(LONGEST_FLUSH, flushed).await.is_err() {
            tracing::warn!("the last lists were not logged within {LONGEST_FLUSH:?}");
        }
    }

    /// Returns the values for monitoring.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (users, pairs) = self.live.counts();
        let counts = &self.counts;
        let waiting = self.sender.max_capacity() - self.sender.capacity();
        vec![
            Metric::counter(
                "bspm_events_total",
                "Events added to the log.",
                load(&counts.events),
            ),
            Metric::counter(
                "bspm_event_duplicates_total",
                "Events whose id was already in the log.",
                load(&counts.duplicates),
            ),
            Metric::counter(
                "bspm_events_not_counted_total",
                "Events added to the log that do not count, because of their kind.",
                load(&counts.not_counted),
            ),
            Metric::counter(
                "bspm_event_writes_total",
                "Writes of the log.",
                load(&counts.writes),
            ),
            Metric::counter(
                "bspm_event_failed_writes_total",
                "Writes of the log that failed.",
                load(&counts.failed_writes),
            ),
            Metric::counter(
                "bspm_lists_not_logged_total",
                "Lists that were not logged.",
                load(&counts.lost_lists),
            ),
            Metric::gauge(
                "bspm_event_users",
                "Users with interactions in the event log.",
                users as f64,
            ),
            Metric::gauge(
                "bspm_event_pairs",
                "Pairs of a user and an item in the event log.",
                pairs as f64,
            ),
            Metric::gauge("bspm_queue_length", "Waiting requests.", waiting as f64)
                .label("queue", "events"),
        ]
    }
}

/// Runs the thread: writes the events of all waiting requests together, then answers them.
fn write(mut log: EventLog, mut messages: mpsc::Receiver<Message>, live: &Live, counts: &Counts) {
    while let Some(first) = messages.blocking_recv() {
        let (mut requests, mut events) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Events(more, reply) => {
                    requests.push((more.len(), reply));
                    events.extend(more);
                }
                Message::List(list) => {
                    let is_lost = log.append_list(&list).is_err();
                    counts
                        .lost_lists
                        .fetch_add(is_lost.into(), Ordering::Relaxed);
                }
                Message::Flush(reply) => {
                    let _ = reply.send(());
                }
            }
            next = match events.len() < LARGEST_WRITE {
                true => messages.try_recv().ok(),
                false => None,
            };
        }
        if requests.is_empty() {
            continue;
        }
        counts.writes.fetch_add(1, Ordering::Relaxed);
        let written = log.append(&events);
        if let Err(error) = &written {
            counts.failed_writes.fetch_add(1, Ordering::Relaxed);
            tracing::error!("{}", bspm::with_sources(error));
        }
        let mut start = 0;
        for (length, reply) in requests {
            let range = start..start + length;
            start += length;
            let answer = match &written {
                Ok(are_new) => Ok(added(&events[range.clone()], &are_new[range], live, counts)),
                Err(_) => Err(Failure::Storage),
            };
            let _ = reply.send(answer);
        }
    }
}

/// Adds the new ones of these events to the interactions since the fit.
fn added(events: &[Event], are_new: &[bool], live: &Live, counts: &Counts) -> Appended {
    let new = events.iter().zip(are_new).filter(|(_, is_new)| **is_new);
    let accepted = new.clone().count();
    let duplicates = events.len() - accepted;
    counts.events.fetch_add(accepted as u64, Ordering::Relaxed);
    counts
        .duplicates
        .fetch_add(duplicates as u64, Ordering::Relaxed);
    let not_counted = live.add(new.map(|(event, _)| event));
    counts
        .not_counted
        .fetch_add(not_counted as u64, Ordering::Relaxed);
    Appended {
        accepted,
        duplicates,
        not_counted,
    }
}

/// A request with one event or several.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Events {
    events: Option<Bounded<EventRequest>>,
    user: Option<Id>,
    item: Option<Id>,
    weight: Option<f32>,
    time: Option<f64>,
    kind: Option<String>,
    id: Option<Id>,
    answer: Option<String>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, expecting = "an event with a user and an item")]
struct EventRequest {
    user: Id,
    item: Id,
    weight: Option<f32>,
    time: Option<f64>,
    kind: Option<String>,
    id: Option<Id>,
    answer: Option<String>,
}

impl Request for Events {
    const EXPECTED: &'static str = "an object with a user and an item, or with events";
}

impl Events {
    /// Returns the checked events; an event without a time gets the current time.
    pub(super) fn events(self) -> Result<Vec<Event>, Failure> {
        let is_list = self.events.is_some();
        let events = match self {
            Self {
                events: Some(events),
                user: None,
                item: None,
                weight: None,
                time: None,
                kind: None,
                id: None,
                answer: None,
            } => events.0,
            Self {
                events: None,
                user: Some(user),
                item: Some(item),
                weight,
                time,
                kind,
                id,
                answer,
            } => vec![EventRequest {
                user,
                item,
                weight,
                time,
                kind,
                id,
                answer,
            }],
            Self { events: None, .. } => {
                let missing = match self.user {
                    None => "user",
                    Some(_) => "item",
                };
                return Err(Failure::Request(format!(
                    "{missing}: expected an id (a string or a whole number), found none; hint: send a user \
                     and an item, or several events in the field events"
                )));
            }
            Self {
                events: Some(_), ..
            } => {
                return Err(Failure::Request(
                    "events: expected no other field beside it; hint: move the other fields into the \
                     events"
                        .into(),
                ));
            }
        };
        let now = now();
        let events = events.into_iter().enumerate();
        events
            .map(|(place, event)| {
                event.checked(now).map_err(|reason| {
                    Failure::Request(match is_list {
                        true => format!("events[{place}].{reason}"),
                        false => reason,
                    })
                })
            })
            .collect()
    }
}

impl EventRequest {
    /// Returns the event, or an error that starts with the name of the field.
    fn checked(self, now: f64) -> Result<Event, String> {
        let mut event = Event::new(self.user.0, self.item.0)
            .weight(self.weight.unwrap_or(1.0))
            .time(self.time.unwrap_or(now));
        event.kind = self.kind;
        event.id = self.id.map(|id| id.0);
        event.answer = self.answer;
        event.check().map_err(|error| error.to_string())?;
        if event.time > now + MOST_AHEAD {
            let seconds = event.time;
            return Err(format!(
                "time: expected seconds since 1970, at most a day in the future, found {seconds}; hint: \
                 divide milliseconds by 1000"
            ));
        }
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_written_when_a_flush_ends() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, _) = EventWriter::open(&EventOptions::new(folder.path())).unwrap();
        for number in 0..400 {
            writer.append_list(LoggedList::new(number.to_string(), "shop", ["tea"]));
        }
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().unwrap();
        runtime.block_on(writer.flush());
        let mut found = Vec::new();
        bspm_events::read_lists(folder.path(), |list| found.push(list.answer)).unwrap();
        let expected: Vec<String> = (0..400).map(|number| number.to_string()).collect();
        assert_eq!(found, expected);
    }
}
