//! `bspm refit`: fits a saved model's filter and settings to more interactions.

mod forgotten;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bspm::data::{Duplicates, Event, Ids, Weighting, other_times, similar_ids};
use bspm::{Backend, Dataset};
use bspm_args::{DeviceArguments, ProgressBars, tell};
use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::{Outcome, TextModel, fitted, on_device, save};
use crate::data::DataArguments;
use crate::events::KindArguments;
use crate::items::{ItemArguments, tell_coverage, with_items};
use crate::outputs::Files;
use crate::tags::TagArguments;
use forgotten::ToForget;

/// Refit a model, with the same filter and settings, to its interactions and new ones
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bspm refit model.bspm today.csv --output model.bspm\n  \
                  bspm refit model.bspm --events log --output model.bspm\n  \
                  bspm refit model.bspm --forget-user ann --output model.bspm"
)]
pub(crate) struct Arguments {
    /// Model file
    model: PathBuf,
    /// Files with further interactions, of known or new users and items. If the model already has an
    /// interaction of the same user and item, the larger weight and the later time are kept
    #[arg(value_name = "DATA")]
    data: Vec<PathBuf>,
    /// Add the interactions of this event log, which `bspm serve --events` writes; may be repeated. The
    /// server may run at the same time, except with --forget-user and --forget-item
    #[arg(long, value_name = "FOLDER")]
    events: Vec<PathBuf>,
    #[command(flatten)]
    kinds: KindArguments,
    /// After the model is written, delete the files of the event log that are older than this number of
    /// days. Their events are in the model
    #[arg(long, value_name = "DAYS", requires = "events",
          value_parser = RangedU64ValueParser::<u32>::new().range(0..=36_500))]
    delete_events: Option<u32>,
    /// Output file for the model. An existing file is replaced
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Remove this user and all interactions of this user; may be repeated. With --events, also from the
    /// events and lists of the log, which no server may write to at the time
    #[arg(long, value_name = "USER")]
    forget_user: Vec<String>,
    /// Remove this item and all interactions with it; may be repeated. With --events, also from the events
    /// of the log; logged lists keep it
    #[arg(long, value_name = "ITEM")]
    forget_item: Vec<String>,
    /// Keep the singular vectors and fold in new users and items, which is much faster than a fit. New
    /// items are folded in from the interactions of their users
    #[arg(long, conflicts_with_all = ["forget_user", "forget_item", "TagArguments"])]
    keep_vectors: bool,
    #[command(flatten)]
    interactions: DataArguments,
    #[command(flatten)]
    items: ItemArguments,
    #[command(flatten)]
    tags: TagArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    // The output may replace the model itself.
    Files::new()
        .reads_data(arguments.data.as_slice())
        .reads_data(arguments.items.files())
        .reads_data(arguments.tags.files())
        .writes("--output", &arguments.output)
        .check()?;
    let folder = arguments.output.parent().map(|it| it.canonicalize());
    if let Some(Ok(folder)) = folder
        && arguments
            .events
            .iter()
            .any(|log| log.canonicalize().is_ok_and(|log| log == folder))
    {
        return Err("--output: expected a file outside the folder of --events".into());
    }
    on_device!(arguments.device, refit, arguments)
}

impl Arguments {
    /// Returns the first given flag that has no effect without interaction files.
    fn given(&self) -> Option<&'static str> {
        match self.items.files().is_empty() && self.tags.files().is_empty() {
            true => self.interactions.given(),
            false => self.interactions.given_beside_items(),
        }
    }

    /// Reads the interactions of the files and of the event log.
    fn new_interactions(&self, known: &Dataset) -> Outcome<Option<Dataset>> {
        let events = match self.events.as_slice() {
            [] if self.kinds.is_given() => {
                return Err("--kind has no effect without --events FOLDER".into());
            }
            [] => None,
            folders => Some(self.read_events(folders, known.times().is_some())?),
        };
        // The weights of events have the scale of the model.
        let events = events.map(|it| it.with_weight_scale(known.weight_scale()));
        if let Some(events) = &events {
            if !self.kinds.is_given() {
                warn_of_weights(
                    known,
                    events,
                    "set the weights of the kinds of events with --kind",
                );
            }
            warn_of_times(known, events);
        }
        if self.data.is_empty() {
            return match self.given() {
                Some(flag) => Err(format!("{flag} has no effect without interaction files").into()),
                None => Ok(events),
            };
        }
        let more = self
            .interactions
            .with_weighting_of(known)?
            .read_all(&self.data)?;
        if let Some(hint) = self.interactions.hint_of_weights(&self.data) {
            warn_of_weights(known, &more, hint);
        }
        if more.times().is_some() && known.times().is_none() {
            return Err(
                "the new interactions have times, but the model has none; hint: fit all interactions \
                 together with `bspm fit`"
                    .into(),
            );
        }
        warn_of_times(known, &more);
        Ok(Some(match events {
            Some(events) => more.with_dataset(&events)?,
            None => more,
        }))
    }

    /// Reads event logs. Of several events of a user with an item, the largest weight counts.
    fn read_events(&self, folders: &[PathBuf], has_times: bool) -> Outcome<Dataset> {
        let weighting = Weighting::new().duplicates(Duplicates::Max);
        let mut builder = Dataset::builder().weighting(weighting);
        let weights = self.kinds.weights()?;
        let (mut kinds, mut counted) = (BTreeSet::new(), 0);
        for folder in folders {
            let (mut added, mut failed) = (0_u64, None);
            let report = bspm_events::read(folder, |event| {
                kinds.extend(event.kind.clone());
                let Some(weight) = weights.of(&event) else {
                    return;
                };
                let mut interaction = Event::new(event.user, event.item).weight(weight.into());
                if has_times {
                    interaction = interaction.time(event.time);
                }
                match builder.push(interaction) {
                    Ok(()) => added += 1,
                    Err(error) => failed = failed.take().or(Some(error)),
                }
            })?;
            if let Some(error) = failed {
                return Err(error.into());
            }
            if report.files == 0 {
                let folder = folder.display();
                return Err(
                    format!("{folder}: expected an event log, found no files of events").into(),
                );
            }
            counted += added;
            for warning in report.warnings() {
                tell!("warning: {warning}");
            }
            tell!(
                "{}: {added} of {} events in {} files",
                folder.display(),
                report.records,
                report.files
            );
        }
        if let Some(warning) = self.kinds.warning(&kinds, counted as usize) {
            tell!("warning: {warning}");
        }
        Ok(builder.finish()?)
    }

    /// Deletes the old files of the event logs, which were read after `start`.
    fn delete_events(&self, start: SystemTime) -> Outcome {
        let Some(days) = self.delete_events else {
            return Ok(());
        };
        let age = Duration::from_secs(86_400 * u64::from(days));
        let before = start.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        for folder in &self.events {
            let deleted = bspm_events::delete_before(folder, before)?;
            tell!("{}: deleted {deleted} files", folder.display());
        }
        Ok(())
    }
}

/// Reports the numbers of new users and items, and warns of new ids that are similar to known ones.
fn tell_new_ids(known: &Dataset, more: &Dataset) -> Outcome {
    let count = |known: &Ids<String>, more: &Ids<String>| {
        more.iter().filter(|id| known.index(*id).is_none()).count()
    };
    let users = count(known.users(), more.users());
    let items = count(known.items(), more.items());
    if users + items == 0 {
        return Ok(());
    }
    tell!("new users: {users}; new items: {items}");
    let users = similar_ids("user", known.users(), more.users())?;
    let items = similar_ids("item", known.items(), more.items())?;
    for warning in [users, items].into_iter().flatten() {
        tell!("warning: {warning}");
    }
    Ok(())
}

/// Warns if the interactions of the model have weights and the new ones do not.
fn warn_of_weights(known: &Dataset, more: &Dataset, hint: &str) {
    if is_weighted(known) && !is_weighted(more) {
        tell!(
            "warning: the new interactions have weight 1, but those of the model have weights; hint: {hint}"
        );
    }
}

/// Whether the interactions have weights that do not only come from a half-life.
fn is_weighted(data: &Dataset) -> bool {
    let (Some(weights), Some(decay)) = (data.interactions().weights(), data.decay()) else {
        return data.interactions().weights().is_some();
    };
    let times = data.times().unwrap_or_default();
    let mut pairs = weights.iter().zip(times);
    pairs.any(|(&weight, &time)| {
        let ratio = f64::from(weight) / decay.factor(time);
        weight > f32::MIN_POSITIVE && (ratio - 1.0).abs() > 1e-3
    })
}

/// Warns if the times are likely in another unit than those of the model.
fn warn_of_times(known: &Dataset, more: &Dataset) {
    let (known, more) = (
        known.times().unwrap_or_default(),
        more.times().unwrap_or_default(),
    );
    if let Some(warning) = other_times(known, more) {
        tell!("warning: {warning}");
    }
}

fn refit<B: Backend>(backend: B, arguments: &Arguments) -> Outcome {
    let start = SystemTime::now();
    let Arguments {
        forget_user,
        forget_item,
        events,
        ..
    } = arguments;
    let to_forget = ToForget::new(forget_user, forget_item, events)?;
    let model = TextModel::open(backend.clone(), &arguments.model)?;
    let table = arguments.items.read(&arguments.interactions)?;
    let more = arguments.new_interactions(model.dataset())?;
    if let Some(more) = &more {
        tell_new_ids(model.dataset(), more)?;
    }
    let model = match (arguments.keep_vectors, more) {
        (true, None) => {
            return Err(
                "--keep-vectors has no effect without interaction files or --events".into(),
            );
        }
        (true, Some(more)) => {
            let model = model.with_dataset(&more)?;
            match table {
                Some(table) => {
                    tell_coverage(&table, model.dataset());
                    model.with_items(table)?
                }
                None => model,
            }
        }
        (false, more) => {
            let mut dataset = model.dataset().clone();
            if let Some(more) = more {
                dataset = dataset.with_dataset(&more)?;
            }
            dataset = with_items(to_forget.removed_from(&dataset)?, table)?;
            dataset = arguments.tags.add_to(dataset, &arguments.interactions)?;
            let config = model.filter().config().clone();
            fitted(backend, dataset, config, &ProgressBars::default())?
        }
    };
    save(&model, &arguments.output)?;
    to_forget.remove_from_logs()?;
    arguments.delete_events(start)
}
