//! The queue of what is to be scored, and the threads that do it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use bspm::data::History;
use bspm::fitted::RankOptions;
use bspm::{CpuModel, Fallback};
use tokio::sync::oneshot;

use super::current::CurrentModel;
use super::error::Failure;
use super::metrics::Counters;
use super::work::{Answer, Work, named};

/// The work of a request on the model that it was prepared for.
pub(super) struct Job {
    pub(super) model: Arc<CpuModel>,
    pub(super) work: Work,
    reply: oneshot::Sender<Answer>,
}

/// A bounded queue in front of some threads.
#[derive(Clone)]
pub(super) struct Queue {
    jobs: SyncSender<Job>,
    pub(super) current: Arc<CurrentModel>,
    pub(super) counters: Arc<Counters>,
}

/// The most histories that are scored together: the columns of a tile.
const LARGEST_BATCH: usize = 32;

/// The longest queue, whose places are allocated at the start.
const LONGEST_QUEUE: usize = 65_536;

impl Queue {
    pub(super) fn new(current: Arc<CurrentModel>, workers: usize, length: usize) -> Self {
        let (jobs, waiting) = sync_channel(length.clamp(1, LONGEST_QUEUE));
        let waiting = Arc::new(Mutex::new(waiting));
        let counters = Arc::new(Counters::default());
        for _ in 0..workers.max(1) {
            let (waiting, counters) = (waiting.clone(), counters.clone());
            std::thread::spawn(move || work(&waiting, &counters));
        }
        Self {
            jobs,
            current,
            counters,
        }
    }

    /// Waits for the answer, unless the queue is full.
    pub(super) async fn answer(&self, model: Arc<CpuModel>, work: Work) -> Answer {
        let (reply, answer) = oneshot::channel();
        let job = Job { model, work, reply };
        match self.jobs.try_send(job) {
            Ok(()) => answer.await.unwrap_or(Err(Failure::Lost)),
            Err(TrySendError::Full(_)) => Err(Failure::Busy),
            Err(TrySendError::Disconnected(_)) => Err(Failure::Lost),
        }
    }
}

/// Takes what is waiting, again and again, until the queue is gone.
fn work(waiting: &Mutex<Receiver<Job>>, counters: &Counters) {
    loop {
        let batch = {
            let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let Ok(first) = waiting.recv() else { return };
            let mut batch = vec![first];
            while batch.len() < LARGEST_BATCH
                && let Ok(next) = waiting.try_recv()
            {
                batch.push(next);
            }
            batch
        };
        counters.batches.fetch_add(1, Ordering::Relaxed);
        counters
            .scored
            .fetch_add(batch.len() as u64, Ordering::Relaxed);
        let mut together: Vec<Job> = Vec::new();
        for job in batch.into_iter().filter(|job| !job.reply.is_closed()) {
            match job.work {
                // A model that was replaced in between has a batch of its own.
                Work::Best { .. } => {
                    if together
                        .first()
                        .is_some_and(|it| !Arc::ptr_eq(&it.model, &job.model))
                    {
                        rank(std::mem::take(&mut together));
                    }
                    together.push(job);
                }
                Work::Other(work) => {
                    let run = AssertUnwindSafe(|| work(&job.model));
                    let answer = catch_unwind(run).unwrap_or(Err(Failure::Lost));
                    let _ = job.reply.send(answer);
                }
            }
        }
        rank(together);
    }
}

/// Scores the histories of these jobs, all of one model, as one tile.
fn rank(jobs: Vec<Job>) {
    let Some(first) = jobs.first() else { return };
    let model = first.model.clone();
    let best = jobs.iter().filter_map(|job| match &job.work {
        Work::Best {
            items,
            weights,
            k,
            is_filled,
            ..
        } => {
            let history = History::from(items);
            let weighted = weights
                .as_ref()
                .and_then(|weights| history.weighted(weights));
            Some((weighted.unwrap_or(history), (*k, *is_filled)))
        }
        Work::Other(_) => None,
    });
    let (histories, asked): (Vec<History<'_>>, Vec<(usize, bool)>) = best.unzip();
    let k = asked.iter().map(|it| it.0).max().unwrap_or(1);
    let options = RankOptions::top(k).fallback(Fallback::Popularity);
    let ranked = AssertUnwindSafe(|| model.filter().rank_histories(&histories, &options));
    let ranked = catch_unwind(ranked);
    let failure = match ranked {
        Ok(Ok(ranking)) => {
            let lists = ranking.lists.into_iter().zip(asked);
            for (job, (list, (k, is_filled))) in jobs.into_iter().zip(lists) {
                let Work::Best { unknown, .. } = &job.work else {
                    continue;
                };
                let answer = named(&model, &list, k, is_filled, unknown);
                let _ = job.reply.send(answer);
            }
            return;
        }
        Ok(Err(error)) => Failure::Model(error),
        Err(_) => Failure::Lost,
    };
    // One history that cannot be scored does not take the others with it.
    let mut jobs = jobs.into_iter();
    match (jobs.next(), jobs.len()) {
        (Some(only), 0) => {
            let _ = only.reply.send(Err(failure));
        }
        (first, _) => first
            .into_iter()
            .chain(jobs)
            .for_each(|job| rank(vec![job])),
    }
}
