//! The queues of requests, and the worker threads.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bspm::fitted::{ListRequest, RankOptions, Rerank};
use bspm::{CpuModel, Fallback};
use bspm_rules::ListRules;
use tokio::sync::oneshot;

use super::error::Failure;
use super::metrics::{Counters, Metric};
use super::work::{Answer, ListWork, Work, named};

/// Work, and the model that it was prepared for.
struct Job<W> {
    model: Arc<CpuModel>,
    work: W,
    reply: oneshot::Sender<Answer>,
}

type ListJob = Job<ListWork>;
type OtherJob = Job<Box<dyn FnOnce(&CpuModel) -> Answer + Send>>;

/// Two bounded queues with worker threads: one for lists, and one for other requests, which at most
/// half of the threads work on.
#[derive(Clone)]
pub(super) struct Queue {
    waiting: Arc<Open>,
    pub(super) counters: Arc<Counters>,
}

struct Waiting {
    /// The maximum length of each queue.
    most: usize,
    /// The maximum number of threads that work on other requests.
    most_others: usize,
    /// Whether a list does not depend on the lists that are scored with it.
    batch_invariant: bool,
    jobs: Mutex<Jobs>,
    changed: Condvar,
}

#[derive(Default)]
struct Jobs {
    lists: VecDeque<ListJob>,
    others: VecDeque<OtherJob>,
    /// The number of threads that work on other requests.
    in_others: usize,
    is_over: bool,
}

/// Ends the threads on drop.
struct Open(Arc<Waiting>);

/// The next work of a thread.
enum Next {
    Lists(Vec<ListJob>),
    Other(OtherJob),
}

/// The maximum number of histories that are scored together: the columns of a tile.
const LARGEST_BATCH: usize = 32;

/// The longest queue.
const LONGEST_QUEUE: usize = 65_536;

impl Queue {
    pub(super) fn new(workers: usize, length: usize, batch_invariant: bool) -> Self {
        let workers = workers.max(1);
        let waiting = Arc::new(Waiting {
            most: length.clamp(1, LONGEST_QUEUE),
            most_others: (workers / 2).max(1),
            batch_invariant,
            jobs: Mutex::default(),
            changed: Condvar::new(),
        });
        let counters = Arc::new(Counters::default());
        for _ in 0..workers {
            let (waiting, counters) = (waiting.clone(), counters.clone());
            std::thread::spawn(move || waiting.work(&counters));
        }
        Self {
            waiting: Arc::new(Open(waiting)),
            counters,
        }
    }

    /// Whether less than half of the queue of lists is used.
    pub(super) fn has_room(&self) -> bool {
        let waiting = &self.waiting.0;
        waiting.jobs().lists.len() * 2 < waiting.most
    }

    /// Returns the values for monitoring.
    pub(super) fn metrics(&self) -> [Metric; 2] {
        let jobs = self.waiting.0.jobs();
        let lengths = [("lists", jobs.lists.len()), ("other", jobs.others.len())];
        lengths.map(|(queue, length)| {
            let metric = Metric::gauge("bspm_queue_length", "Waiting requests.", length as f64);
            metric.label("queue", queue)
        })
    }

    /// Enqueues work and waits for the response, or fails if the queue is full.
    pub(super) async fn answer(&self, model: Arc<CpuModel>, work: Work) -> Answer {
        let (reply, answer) = oneshot::channel();
        let waiting = &self.waiting.0;
        {
            let mut jobs = waiting.jobs();
            let length = match &work {
                Work::List(_) => jobs.lists.len(),
                Work::Other(_) => jobs.others.len(),
            };
            if length >= waiting.most {
                return Err(Failure::Busy);
            }
            match work {
                Work::List(work) => jobs.lists.push_back(Job { model, work, reply }),
                Work::Other(work) => jobs.others.push_back(Job { model, work, reply }),
            }
        }
        waiting.changed.notify_one();
        answer.await.unwrap_or(Err(Failure::Lost))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.jobs().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Jobs {
    /// Returns the next work of a thread; lists and other work alternate.
    fn next(&mut self, after_lists: bool, most_others: usize) -> Option<Next> {
        let is_other_free = self.in_others < most_others && !self.others.is_empty();
        if is_other_free && (after_lists || self.lists.is_empty()) {
            self.in_others += 1;
            return self.others.pop_front().map(Next::Other);
        }
        let batch = self.lists.len().min(LARGEST_BATCH);
        (batch > 0).then(|| Next::Lists(self.lists.drain(..batch).collect()))
    }
}

impl Waiting {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the loop of a worker thread, until the queue is dropped.
    fn work(&self, counters: &Counters) {
        let mut after_lists = false;
        while let Some(next) = self.take(after_lists) {
            after_lists = matches!(next, Next::Lists(_));
            let count = match next {
                Next::Lists(jobs) => {
                    let count = jobs.len();
                    rank_by_model(jobs, self.batch_invariant);
                    count
                }
                Next::Other(job) => {
                    run(job);
                    self.jobs().in_others -= 1;
                    1
                }
            };
            counters.batches.fetch_add(1, Ordering::Relaxed);
            counters.scored.fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    fn take(&self, after_lists: bool) -> Option<Next> {
        let mut jobs = self.jobs();
        loop {
            if jobs.is_over {
                return None;
            }
            if let Some(next) = jobs.next(after_lists, self.most_others) {
                return Some(next);
            }
            let changed = self.changed.wait(jobs);
            jobs = changed.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn run(job: OtherJob) {
    if job.reply.is_closed() {
        return;
    }
    let work = AssertUnwindSafe(|| (job.work)(&job.model));
    let answer = catch_unwind(work).unwrap_or(Err(Failure::Lost));
    let _ = job.reply.send(answer);
}

/// Groups jobs by their model, which may have been replaced in between, and scores each group together.
fn rank_by_model(jobs: Vec<ListJob>, batch_invariant: bool) {
    let mut groups: Vec<Vec<ListJob>> = Vec::new();
    for job in jobs.into_iter().filter(|job| !job.reply.is_closed()) {
        let same = |group: &&mut Vec<ListJob>| Arc::ptr_eq(&group[0].model, &job.model);
        match groups.iter_mut().find(same) {
            Some(group) => group.push(job),
            None => groups.push(vec![job]),
        }
    }
    for jobs in groups {
        let mut known = KnownRules::new();
        let jobs = jobs.into_iter().filter_map(|job| prepared(job, &mut known));
        rank(jobs.collect(), batch_invariant);
    }
}

/// A job whose condition and rules are evaluated.
struct Prepared {
    job: ListJob,
    rerank: Option<Arc<Rerank>>,
}

/// The rules of the jobs of a model, and what they are for its items.
type KnownRules = Vec<(ListRules, Arc<Rerank>)>;

/// Evaluates the condition and the rules of a job. If that fails, answers the job with the error and returns
/// `None`.
fn prepared(mut job: ListJob, known: &mut KnownRules) -> Option<Prepared> {
    let model = &job.model;
    let work = &mut job.work;
    let found = catch_unwind(AssertUnwindSafe(|| {
        work.prepare(model)?;
        let rules = work.rules.as_deref();
        rules
            .map(|rules| rerank_of(rules, model, known))
            .transpose()
    }));
    let failure = match found {
        Ok(Ok(rerank)) => return Some(Prepared { job, rerank }),
        Ok(Err(error)) => Failure::Model(error),
        Err(_) => Failure::Lost,
    };
    let _ = job.reply.send(Err(failure));
    None
}

/// Returns rules for the items of a model; equal rules are evaluated once.
fn rerank_of(
    rules: &ListRules,
    model: &CpuModel,
    known: &mut KnownRules,
) -> bspm::Result<Arc<Rerank>> {
    if let Some((_, rerank)) = known.iter().find(|known| known.0 == *rules) {
        return Ok(rerank.clone());
    }
    let rerank = Arc::new(rules.rerank(model.dataset())?);
    known.push((rules.clone(), rerank.clone()));
    Ok(rerank)
}

/// Scores the histories of these jobs, all of one model, as one tile.
fn rank(jobs: Vec<Prepared>, batch_invariant: bool) {
    let Some(Prepared { job: first, .. }) = jobs.first() else {
        return;
    };
    let model = first.model.clone();
    let requests = jobs
        .iter()
        .map(|it| it.job.work.request(it.rerank.as_deref()));
    let requests: Vec<ListRequest<'_>> = requests.collect();
    // Each request has its own length.
    let mut options = RankOptions::top(1).fallback(Fallback::Popularity);
    options.batch_invariant = batch_invariant;
    let ranked = AssertUnwindSafe(|| model.filter().rank_requests(&requests, &options));
    let ranked = catch_unwind(ranked);
    drop(requests);
    let failure = match ranked {
        Ok(Ok(ranking)) => {
            for (Prepared { job, .. }, list) in jobs.into_iter().zip(ranking.lists) {
                let answer = named(&model, &list, &job.work);
                let _ = job.reply.send(answer);
            }
            return;
        }
        Ok(Err(error)) => Failure::Model(error),
        Err(_) => Failure::Lost,
    };
    // If the batch fails, score the histories one by one, so that only invalid ones fail.
    let mut jobs = jobs.into_iter();
    match (jobs.next(), jobs.len()) {
        (Some(only), 0) => {
            let _ = only.job.reply.send(Err(failure));
        }
        (first, _) => first
            .into_iter()
            .chain(jobs)
            .for_each(|job| rank(vec![job], batch_invariant)),
    }
}
