//! A queue that several workers serve and that no account can fill: at most so many jobs of one
//! account are ready or running at a time, the others wait behind them.
//!
//! A job is handed on by the one that ends, so that its caller sleeps until there is an answer: it
//! is woken once, not a second time to join the queue.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::id::AccountId;

/// Waiting jobs of one account beyond which abandoned ones among them are dropped.
const MIN_PRUNED_JOBS: usize = 64;

/// Work that may lose the one who asked for it before it begins.
pub(super) trait Abandonable {
    /// Returns true if nobody waits for the outcome any more.
    fn is_abandoned(&self) -> bool;
}

/// The sending side; cheap to clone.
#[derive(Debug)]
pub(super) struct FairQueue<J: Abandonable>(Arc<FairQueueState<J>>);

#[derive(Debug)]
struct FairQueueState<J: Abandonable> {
    /// Upper limit of the jobs of one account that are ready or running.
    max_active: usize,
    ready: flume::Sender<(J, Turn<J>)>,
    accounts: Mutex<HashMap<AccountId, AccountJobs<J>>>,
}

/// The jobs of an account of which at least one is ready or running.
#[derive(Debug)]
struct AccountJobs<J> {
    active: usize,
    waiting: VecDeque<J>,
    /// Number of waiting jobs at which abandoned ones are dropped next.
    prune_at: usize,
}

/// The right of an account to have one job ready or running. When it is dropped, the next waiting
/// job of the account becomes ready.
#[derive(Debug)]
pub(super) struct Turn<J: Abandonable> {
    queue: FairQueue<J>,
    account: AccountId,
}

/// The receiving side, for one worker or many: each job comes with its turn, which is to be kept
/// until the job has ended.
pub(super) type ReadyJobs<J> = flume::Receiver<(J, Turn<J>)>;

impl<J: Abandonable> FairQueue<J> {
    /// A queue of which each account may occupy all but one of so many workers.
    pub fn for_workers(workers: usize) -> (Self, ReadyJobs<J>) {
        let (ready, jobs) = flume::unbounded();
        let state = FairQueueState {
            max_active: workers.saturating_sub(1).max(1),
            ready,
            accounts: Mutex::default(),
        };
        (Self(Arc::new(state)), jobs)
    }

    /// Adds a job. It is dropped if there is no worker any more.
    pub fn push(&self, account: AccountId, job: J) {
        {
            let mut accounts = self.accounts();
            let jobs = accounts.entry(account).or_default();
            if jobs.active >= self.0.max_active {
                jobs.wait(job);
                return;
            }
            jobs.active += 1;
        }
        self.make_ready(account, job);
    }

    fn make_ready(&self, account: AccountId, job: J) {
        let turn = Turn {
            queue: self.clone(),
            account,
        };
        // Without a worker, the job is dropped here, and its caller learns of it.
        let _ = self.0.ready.send((job, turn));
    }

    /// Takes the next waiting job of an account in place of one that has ended.
    fn take_next(&self, account: AccountId) -> Option<J> {
        let mut accounts = self.accounts();
        let Entry::Occupied(mut jobs) = accounts.entry(account) else {
            return None;
        };
        while let Some(job) = jobs.get_mut().waiting.pop_front() {
            if !job.is_abandoned() {
                return Some(job);
            }
        }
        jobs.get_mut().active -= 1;
        if jobs.get().active == 0 {
            jobs.remove();
        }
        None
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<AccountId, AccountJobs<J>>> {
        self.0
            .accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J: Abandonable> Clone for FairQueue<J> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<J> Default for AccountJobs<J> {
    fn default() -> Self {
        Self {
            active: 0,
            waiting: VecDeque::new(),
            prune_at: MIN_PRUNED_JOBS,
        }
    }
}

impl<J: Abandonable> AccountJobs<J> {
    fn wait(&mut self, job: J) {
        if self.waiting.len() >= self.prune_at {
            self.waiting.retain(|job| !job.is_abandoned());
            // Twice as many may come before all are looked at again.
            self.prune_at = (2 * self.waiting.len()).max(MIN_PRUNED_JOBS);
        }
        self.waiting.push_back(job);
    }
}

impl<J: Abandonable> Drop for Turn<J> {
    fn drop(&mut self) {
        // Without workers a job would be dropped with its turn, and so on within each other.
        if !self.queue.0.ready.is_disconnected()
            && let Some(job) = self.queue.take_next(self.account)
        {
            self.queue.make_ready(self.account, job);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[derive(Clone, Debug)]
    struct Job(u32, Rc<Cell<bool>>);

    impl Abandonable for Job {
        fn is_abandoned(&self) -> bool {
            self.1.get()
        }
    }

    fn job(number: u32) -> Job {
        Job(number, Rc::default())
    }

    fn take(jobs: &ReadyJobs<Job>) -> Option<(u32, Turn<Job>)> {
        let (job, turn) = jobs.try_recv().ok()?;
        Some((job.0, turn))
    }

    #[test]
    fn one_account_leaves_a_worker_to_the_others() {
        let (queue, jobs) = FairQueue::for_workers(3);
        let (greedy, other) = (AccountId::new(), AccountId::new());
        for number in 0..4 {
            queue.push(greedy, job(number));
        }
        queue.push(other, job(10));
        let turns: Vec<_> = std::iter::from_fn(|| take(&jobs)).collect();
        assert_eq!(
            turns.iter().map(|turn| turn.0).collect::<Vec<_>>(),
            [0, 1, 10]
        );
        drop(turns);
        let turns: Vec<_> = std::iter::from_fn(|| take(&jobs)).collect();
        assert_eq!(turns.iter().map(|turn| turn.0).collect::<Vec<_>>(), [2, 3]);
        drop(turns);
        assert!(queue.accounts().is_empty());
    }

    #[test]
    fn a_job_that_nobody_waits_for_is_not_begun_and_not_kept() {
        let (queue, jobs) = FairQueue::for_workers(2);
        let account = AccountId::new();
        queue.push(account, job(0));
        let abandoned = Job(1, Rc::new(Cell::new(true)));
        for _ in 0..10_000 {
            queue.push(account, abandoned.clone());
        }
        assert!(Rc::strong_count(&abandoned.1) <= MIN_PRUNED_JOBS + 2);
        queue.push(account, job(2));
        drop(take(&jobs));
        assert_eq!(take(&jobs).map(|turn| turn.0), Some(2));
        assert!(queue.accounts().is_empty());
    }

    #[test]
    fn jobs_without_workers_are_dropped() {
        let (queue, jobs) = FairQueue::for_workers(1);
        let account = AccountId::new();
        for number in 0..100_000 {
            queue.push(account, job(number));
        }
        drop(jobs);
        queue.push(account, job(0));
    }
}
