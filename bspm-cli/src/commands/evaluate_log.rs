//! `bspm evaluate-log`: metrics of the lists of a server, by the events after them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use bspm::fitted::Interval;
use bspm_args::tell;
use bspm_events::{Event, KindWeights, LoggedList, read, read_lists};
use clap::Args;
use clap::builder::RangedU64ValueParser;
use serde::Serialize;

use super::Outcome;
use crate::events::KindArguments;
use crate::output::{OutputArguments, Record, Writer};

/// Evaluate the logged lists of each model of a server by what their users selected afterwards
///
/// `bspm serve --events FOLDER --log-lists` writes the log. An event that names an answer belongs to its
/// list. Any other event belongs to the last list of its user within --window. A mean is over users, and
/// its 95% confidence interval is the bootstrap over users. If `bspm refit --delete-events` has deleted
/// events, the lists before the first remaining event are left out.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bspm evaluate-log log\n  bspm evaluate-log log-1 log-2\n  bspm evaluate-log log --kind purchase=1 -k 5 --window 72"
)]
pub(crate) struct Arguments {
    /// Folders of the event logs, one for each copy of the server
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Count only items at the first K places of a list
    #[arg(short, value_name = "K", default_value_t = 10, value_parser = RangedU64ValueParser::<u32>::new().range(1..=10_000))]
    k: u32,
    /// Time in hours after a list in which an event belongs to it
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = RangedU64ValueParser::<u32>::new().range(1..=87_600))]
    window: u32,
    #[command(flatten)]
    kinds: KindArguments,
    #[command(flatten)]
    output: OutputArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let weights = arguments.kinds.weights()?;
    let mut log = Log::default();
    for folder in &arguments.folders {
        log.read(folder, &weights)?;
    }
    let window = f64::from(arguments.window) * 3_600.0;
    let (selected, others) = selections(&log.lists, &log.events, window);
    tell!(
        "{} lists and {} events; {others} events belong to no list",
        log.lists.len(),
        log.events.len()
    );
    let lists = log
        .lists
        .iter()
        .filter(|list| !log.early.contains(&list.answer));
    let mut writer = Writer::new(&arguments.output);
    for row in rows(lists, &selected, arguments.k as usize) {
        writer.write(&row)?;
    }
    writer.finish()
}

/// The lists and the events of one or several logs.
#[derive(Default)]
struct Log {
    lists: Vec<LoggedList>,
    /// The answers before the first event of their log, if earlier events have been deleted.
    early: HashSet<String>,
    events: Vec<Event>,
}

impl Log {
    /// Adds the log in a folder. Events that do not count are left out.
    fn read(&mut self, folder: &Path, weights: &KindWeights) -> Outcome {
        let first = self.lists.len();
        let of_lists = read_lists(folder, |list| self.lists.push(list))?;
        let mut first_event = f64::INFINITY;
        let of_events = read(folder, |event| {
            if first_event.is_infinite() {
                first_event = event.time;
            }
            if weights.of(&event).is_some() {
                self.events.push(event);
            }
        })?;
        for warning in of_lists.warnings().iter().chain(&of_events.warnings()) {
            tell!("warning: {warning}");
        }
        let (of_other_logs, lists) = self.lists.split_at(first);
        let folder = folder.display();
        let others: HashSet<&str> = of_other_logs.iter().map(|list| &*list.answer).collect();
        if let Some(list) = lists.iter().find(|list| others.contains(&*list.answer)) {
            return Err(format!(
                "{folder}: expected each log once; the answer {:?} is also in an earlier folder",
                list.answer
            )
            .into());
        }
        if !lists.iter().any(|list| list.user.is_some()) {
            return Err(format!(
                "{folder}: expected logged lists of users, found none; hint: start the server with \
                 --log-lists"
            )
            .into());
        }
        if of_events.deleted_files > 0 {
            let early = lists.iter().filter(|list| list.time < first_event);
            let before = self.early.len();
            self.early.extend(early.map(|list| list.answer.clone()));
            tell!(
                "warning: {folder}: left out {} answers before the first event, because the first {} files \
                 of events have been deleted",
                self.early.len() - before,
                of_events.deleted_files
            );
        }
        Ok(())
    }
}

/// The items that were selected after each answer.
type Selections<'a> = HashMap<&'a str, BTreeSet<&'a str>>;

/// Assigns each event to an answer. Also returns the number of events that belong to no answer.
fn selections<'a>(
    lists: &'a [LoggedList],
    events: &'a [Event],
    window: f64,
) -> (Selections<'a>, usize) {
    let answers = lists.iter().filter(|list| !list.shadow);
    let answers: HashMap<&str, Option<&str>> = answers
        .map(|list| (list.answer.as_str(), list.user.as_deref()))
        .collect();
    let mut of_user: HashMap<&str, Vec<(f64, &str)>> = HashMap::new();
    for list in lists.iter().filter(|list| !list.shadow) {
        if let Some(user) = &list.user {
            let sent = of_user.entry(user).or_default();
            sent.push((list.time, &list.answer));
        }
    }
    for sent in of_user.values_mut() {
        sent.sort_by(|left, right| left.0.total_cmp(&right.0));
    }
    let (mut selected, mut others) = (Selections::new(), 0);
    for event in events {
        let last = || {
            let sent = of_user.get(event.user.as_str())?;
            let after = sent.partition_point(|(time, _)| *time <= event.time);
            let (time, answer) = sent[..after].last()?;
            (event.time - time <= window).then_some(*answer)
        };
        let answer = match &event.answer {
            Some(answer) => answers
                .get_key_value(answer.as_str())
                .filter(|(_, user)| **user == Some(event.user.as_str()))
                .map(|(answer, _)| *answer),
            None => last(),
        };
        match answer {
            Some(answer) => {
                selected.entry(answer).or_default().insert(&event.item);
            }
            None => others += 1,
        }
    }
    (selected, others)
}

/// The metrics of the lists of a model.
#[derive(Serialize)]
struct OfModel<'a> {
    model: &'a str,
    shadow: bool,
    lists: usize,
    users: usize,
    /// The share of lists with a selected item.
    hit_rate: Interval,
    /// The number of selected items of a list.
    hits: Interval,
    /// The reciprocal rank of the first selected item; 0 without one.
    mrr: Interval,
}

/// Returns the metrics of each model: means over the lists of each user, then over users.
fn rows<'a>(
    lists: impl IntoIterator<Item = &'a LoggedList>,
    selected: &Selections<'_>,
    k: usize,
) -> Vec<OfModel<'a>> {
    type OfUsers<'a> = BTreeMap<&'a str, Vec<[f64; 3]>>;
    let mut models: BTreeMap<(bool, &str), OfUsers<'_>> = BTreeMap::new();
    for list in lists {
        let Some(user) = &list.user else { continue };
        let items = selected.get(list.answer.as_str());
        let is_hit = |item: &&String| items.is_some_and(|items| items.contains(item.as_str()));
        let places = list.items.iter().take(k).enumerate();
        let mut hits = places
            .filter(|(_, item)| is_hit(item))
            .map(|(place, _)| place);
        let first = hits.next();
        let count = usize::from(first.is_some()) + hits.count();
        let reciprocal = first.map_or(0.0, |place| 1.0 / (place + 1) as f64);
        let values = [f64::from(count.min(1) as u32), count as f64, reciprocal];
        let users = models.entry((list.shadow, &list.model)).or_default();
        users.entry(user).or_default().push(values);
    }
    let rows = models.into_iter().map(|((shadow, model), users)| {
        let interval = |metric: usize| {
            let means = users.values().map(|lists| {
                lists.iter().map(|values| values[metric]).sum::<f64>() / lists.len() as f64
            });
            Interval::bootstrap(&means.collect::<Vec<_>>())
        };
        OfModel {
            model,
            shadow,
            lists: users.values().map(Vec::len).sum(),
            users: users.len(),
            hit_rate: interval(0),
            hits: interval(1),
            mrr: interval(2),
        }
    });
    rows.collect()
}

impl Record for OfModel<'_> {
    fn columns(&self) -> Vec<(&'static str, bool)> {
        let names = [
            "lists", "users", "hit_rate", "95%", "hits", "95%", "mrr", "95%",
        ];
        let names = names.map(|name| (name, true));
        [("model", false), ("sent", false)]
            .into_iter()
            .chain(names)
            .collect()
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let sent = match self.shadow {
            true => "no (shadow)",
            false => "yes",
        };
        let mut row = vec![
            self.model.to_owned(),
            sent.into(),
            self.lists.to_string(),
            self.users.to_string(),
        ];
        for Interval {
            mean, low, high, ..
        } in [self.hit_rate, self.hits, self.mrr]
        {
            row.extend([format!("{mean:.4}"), format!("{low:.4} to {high:.4}")]);
        }
        vec![row]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(answer: &str, model: &str, user: &str, time: f64, items: &[&str]) -> LoggedList {
        let mut list = LoggedList::new(answer, model, items.iter().copied());
        list.user = Some(user.into());
        list.time = time;
        list
    }

    #[test]
    fn events_belong_to_the_named_answer_or_the_last_list_in_the_window() {
        let mut shadow = list("a2", "c", "ann", 50.0, &["jam", "rice"]);
        shadow.shadow = true;
        let lists = [
            list("a1", "b", "ann", 10.0, &["tea", "milk"]),
            list("a2", "b", "ann", 50.0, &["rice", "tea"]),
            list("a3", "b", "bob", 50.0, &["tea"]),
            shadow,
        ];
        let at = |user: &str, item: &str, time: f64| Event::new(user, item).time(time);
        let events = [
            at("ann", "tea", 20.0),
            at("ann", "rice", 55.0),
            at("ann", "tea", 56.0),
            at("ann", "milk", 57.0).answer("a1"),
            at("ann", "jam", 151.0),
            at("bob", "tea", 49.0),
            at("zoe", "tea", 60.0),
            at("bob", "tea", 60.0).answer("unknown"),
            at("bob", "rice", 60.0).answer("a2"),
        ];
        let (selected, others) = selections(&lists, &events, 100.0);
        assert_eq!(others, 5);
        assert_eq!(selected["a1"], BTreeSet::from(["tea", "milk"]));
        assert_eq!(selected["a2"], BTreeSet::from(["rice", "tea"]));
        assert!(!selected.contains_key("a3"));
        let found = rows(&lists, &selected, 2);
        let summary: Vec<_> = found
            .iter()
            .map(|row| (row.model, row.shadow, row.lists, row.users))
            .collect();
        assert_eq!(summary, [("b", false, 3, 2), ("c", true, 1, 1)]);
        // Ann: both lists with two hits, the first one at place 1. Bob: none.
        assert_eq!(found[0].hit_rate.mean, 0.5);
        assert_eq!(found[0].hits.mean, 1.0);
        assert_eq!(found[0].mrr.mean, 0.5);
        assert_eq!((found[1].hits.mean, found[1].mrr.mean), (1.0, 0.5));
        let found = rows(&lists, &selected, 1);
        assert_eq!((found[0].hits.mean, found[1].hits.mean), (0.5, 0.0));
    }
}
