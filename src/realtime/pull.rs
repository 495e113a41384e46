//! Reading the log instead of being handed events: what a client missed before it came, and what
//! was dropped because it read too slowly. A connection reads at the pace at which it sends, and
//! joins the others again under the eyes of the shard, so that nothing is left out and nothing
//! comes twice.

mod anew;
mod reading;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::Hub;
use super::connection::{Connection, Ended};
use super::frame::Resync;
use super::history::Segment;
use super::inquiry::Unanswered;
use super::queue::{Close, Mark, Taken};
use super::subscription::{Arrived, Command, Join, Joined, Scope, Snapshot, Start, Subscription};
use super::waiting::WaitingSnapshot;
use crate::auth::Caller;
use crate::schema::Catalog;
use reading::{Asked, Read};

/// How many frames of a snapshot are sent at once.
const SNAPSHOT_FRAMES: usize = 4;
/// How long a shard is waited for that has not handed out yet what a snapshot shows.
const LINGER: Duration = Duration::from_millis(5);

/// What a connection reads in the log.
#[derive(Default)]
pub(super) struct Pulls {
    jobs: Mutex<Vec<Job>>,
    /// Whether the queue had its turn.
    due: AtomicBool,
}

/// How many bytes of snapshots may wait for a connection that asks for one more.
const SNAPSHOT_BYTES: usize = 8 << 20;

struct Job {
    id: u64,
    task: Task,
    /// Everything up to here has been read.
    position: i64,
    /// Set while the shard is asked to hand events out again.
    joining: Option<oneshot::Receiver<Joined>>,
}

enum Task {
    /// Subscriptions that begin in the past.
    Start(Beginning),
    /// The events of a shard that were dropped.
    Lane(u32),
}

struct Beginning {
    /// They have one scope.
    subscriptions: Vec<Arc<Subscription>>,
    /// What is sent first.
    opening: std::vec::IntoIter<Bytes>,
    /// Counts the opening, until it has been sent.
    waiting: Option<WaitingSnapshot>,
    /// Whether the cursor belongs to another database.
    foreign: bool,
    /// Positions that the opening shows already, in order.
    shown: Vec<i64>,
    arrival: Arrived,
    /// How many events have been sent.
    count: u64,
    /// How its records were seen at the last step.
    seen: Sight,
    /// The position up to which the log must be read before events are handed out again: what has
    /// changed for the subscribers by now is in there. `None` if that is not known yet.
    least: Option<i64>,
}

impl Beginning {
    /// `None` if no subscription is left.
    fn scope(&self) -> Option<Scope> {
        self.subscriptions
            .first()
            .map(|subscription| subscription.scope)
    }
}

/// With which eyes a connection sees records.
struct Sight {
    catalog: Arc<Catalog>,
    caller: Caller,
}

impl Sight {
    /// Whether nothing can be seen otherwise.
    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.catalog, &other.catalog) && self.caller.is_same(&other.caller)
    }
}

/// What to do next.
enum Step {
    /// There is no job.
    Nothing,
    /// Something was done.
    Done,
    /// The log must be read.
    Read {
        job: u64,
        scope: Scope,
        position: i64,
        until: i64,
    },
    /// It must be asked how far the log goes.
    Verify { job: u64 },
    /// The shard answers soon.
    Wait { job: u64 },
    /// The shard gets there soon.
    Linger,
}

impl Pulls {
    fn jobs(&self) -> MutexGuard<'_, Vec<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins what does not begin now, after what was replaced by it has `ended`.
    pub(super) fn begin(
        &self,
        connection: &Connection,
        subscriptions: Vec<Arc<Subscription>>,
        start: Start,
        ended: Option<Ended>,
    ) {
        let hub = connection.hub();
        let mut foreign = false;
        let (position, arrival, snapshot) = match start {
            Start::Now => return,
            Start::After(cursor) => {
                foreign = *cursor.epoch != *hub.0.log.epoch();
                (cursor.position, Arrived::Replayed(0), Snapshot::default())
            }
            Start::Snapshot(snapshot) => (snapshot.after, Arrived::Live, snapshot),
        };
        let Snapshot {
            frames,
            mut shown,
            catalog,
            caller,
            waiting,
            ..
        } = snapshot;
        // What changes while the records are read is told when they have been sent.
        let seen = Sight {
            catalog: catalog.unwrap_or_else(|| hub.0.catalog.current()),
            caller: caller.unwrap_or_else(|| connection.caller()),
        };
        shown.sort_unstable();
        let least = (arrival == Arrived::Live).then(|| shown.last().copied().unwrap_or(position));
        let opening = frames.into_iter();
        let beginning = Beginning {
            subscriptions,
            opening,
            waiting,
            foreign,
            shown,
            arrival,
            count: 0,
            seen,
            least,
        };
        let id = hub.next_subscription();
        self.jobs().push(Job {
            id,
            task: Task::Start(beginning),
            position,
            joining: ended,
        });
        // The answer waits in the queue and goes first.
        self.due.store(false, Ordering::Relaxed);
    }

    /// Whether so much of snapshots waits to be sent that there should be no other one.
    pub(super) fn is_full(&self) -> bool {
        let waiting = |job: &Job| match &job.task {
            Task::Start(start) => start.opening.as_slice().iter().map(Bytes::len).sum(),
            Task::Lane(_) => 0,
        };
        self.jobs().iter().map(waiting).sum::<usize>() > SNAPSHOT_BYTES
    }

    /// How many entries of the log are still to be read; `None` if it is not read. `lags` are the
    /// first events that the queue dropped.
    pub(super) fn behind(&self, hub: &Hub, lags: &[Mark]) -> Option<i64> {
        let jobs = self.jobs();
        let of_lane = |job: &Job, lane| matches!(job.task, Task::Lane(number) if number == lane);
        let dropped = lags.iter().map(|lag| {
            let job = jobs.iter().find(|job| of_lane(job, lag.lane));
            hub.position_of_lane(lag.lane) - job.map_or(lag.position - 1, |job| job.position)
        });
        let begun = jobs.iter().filter_map(|job| match &job.task {
            Task::Start(start) => Some(hub.position_of(start.scope()?) - job.position),
            Task::Lane(_) => None,
        });
        dropped.chain(begun).max().map(|behind| behind.max(0))
    }

    fn add(&self, id: u64, task: Task, position: i64) {
        self.jobs().push(Job {
            id,
            task,
            position,
            joining: None,
        });
    }
}

impl Connection {
    /// Waits until there is something to send and puts it into `frames`, which must be empty.
    /// Nothing is lost if this is dropped before it returns.
    pub async fn next(&self, frames: &mut Vec<Bytes>) -> Taken {
        let taken = self.next_frames(frames).await;
        self.outlet()
            .sent
            .fetch_add(frames.len() as u64, Ordering::Relaxed);
        taken
    }

    async fn next_frames(&self, frames: &mut Vec<Bytes>) -> Taken {
        let pulls = self.pulls();
        loop {
            // What waits in the queue and what is read in the log take turns.
            if !pulls.due.swap(false, Ordering::Relaxed)
                && let Some(taken) = self.queue().take(frames)
            {
                pulls.due.store(true, Ordering::Relaxed);
                return taken;
            }
            while let Some(first) = self.queue().lag() {
                pulls.add(
                    self.hub().next_subscription(),
                    Task::Lane(first.lane),
                    first.position - 1,
                );
            }
            let step = self.plan(frames);
            match step {
                Step::Done => {}
                Step::Nothing => self.queue().ready().await,
                Step::Linger => {
                    let _ = tokio::time::timeout(LINGER, self.queue().ready()).await;
                }
                Step::Wait { job } => {
                    tokio::select! {
                        biased;
                        joined = self.joined(job) => self.settle(job, joined),
                        () = self.queue().ready() => {}
                    }
                }
                Step::Verify { job } => match self.hub().0.log.end().await {
                    Ok(end) => self.verified(job, end),
                    Err(error) => self.fail(&error),
                },
                Step::Read {
                    job,
                    scope,
                    position,
                    until,
                } => {
                    match self.hub().0.history.read(scope, position, until).await {
                        Ok(Some(segment)) => match self.ask(job, &segment, until).await {
                            Ok(asked) => {
                                let sight = self.sight();
                                // If it is looked at with other eyes meanwhile: once more.
                                if self.stands(&asked, &sight) {
                                    let mut read = Vec::new();
                                    self.apply(job, &segment, &asked, sight, &mut read);
                                    // What was said about anything that was read waits there, and
                                    // goes first.
                                    let taken = self.queue().take(frames);
                                    frames.append(&mut read);
                                    if let Some(taken) = taken {
                                        return taken;
                                    }
                                }
                            }
                            Err(Unanswered) => self.queue().close(Close::Overload),
                        },
                        Ok(None) => self.expired(job),
                        Err(error) => self.fail(&error),
                    }
                }
            }
            if !frames.is_empty() {
                return Taken::default();
            }
        }
    }

    fn fail(&self, error: &crate::db::DbError) {
        tracing::error!(%error, "missed events cannot be read");
        self.queue().close(Close::Overload);
    }

    /// Takes the first job, looks what it needs, and puts it behind the others.
    fn plan(&self, frames: &mut Vec<Bytes>) -> Step {
        let mut jobs = self.pulls().jobs();
        if jobs.is_empty() {
            return Step::Nothing;
        }
        let mut job = jobs.remove(0);
        let Some(scope) = self.scope_of(&mut job) else {
            // Its subscriptions have ended.
            if let Task::Lane(lane) = job.task {
                self.queue().rejoin(lane);
            }
            return Step::Done;
        };
        let (id, position, until) = (job.id, job.position, self.hub().position_of(scope));
        let step = match &mut job.task {
            _ if job.joining.is_some() => Step::Wait { job: id },
            Task::Start(start) if start.foreign => {
                start.foreign = false;
                job.position = self.give_up_replaying(start, scope, Resync::Epoch);
                Step::Done
            }
            Task::Start(start) if start.opening.len() > 0 => {
                frames.extend(start.opening.by_ref().take(SNAPSHOT_FRAMES));
                if start.opening.len() == 0 {
                    start.waiting = None;
                }
                Step::Done
            }
            Task::Start(start) if start.least.is_none() => Step::Verify { job: id },
            _ if position < until => {
                // A superadmin's subscriptions of several accounts may share a shard.
                let scope = if matches!(job.task, Task::Lane(_)) {
                    self.widest(scope)
                } else {
                    scope
                };
                Step::Read {
                    job: id,
                    scope,
                    position,
                    until,
                }
            }
            Task::Start(start) if start.least.is_some_and(|least| least > position) => Step::Linger,
            _ => {
                job.joining = Some(self.ask_to_join(&mut job, scope));
                Step::Wait { job: id }
            }
        };
        jobs.push(job);
        step
    }

    /// The scope of a job's subscriptions; `None` if none of them is left.
    fn scope_of(&self, job: &mut Job) -> Option<Scope> {
        match &mut job.task {
            Task::Start(start) => {
                let held = self
                    .outlet()
                    .held(|held| start.subscriptions.iter().any(|own| own.id == held.id));
                if held.len() < start.subscriptions.len() {
                    let kept = |subscription: &Arc<Subscription>| {
                        held.iter().any(|held| held.id == subscription.id)
                    };
                    start.subscriptions.retain(kept);
                }
                start.scope()
            }
            Task::Lane(lane) => self
                .lane_subscriptions(*lane)
                .first()
                .map(|subscription| subscription.scope),
        }
    }

    fn lane_subscriptions(&self, lane: u32) -> Vec<Arc<Subscription>> {
        self.outlet()
            .held(|held| held.is_live() && self.hub().lane_of(held.scope) == lane)
    }

    /// A scope that holds every subscription of the same shard.
    fn widest(&self, scope: Scope) -> Scope {
        let lane = self.hub().lane_of(scope);
        let same = self
            .lane_subscriptions(lane)
            .iter()
            .all(|subscription| subscription.scope == scope);
        if same { scope } else { Scope::Everything }
    }

    fn ask_to_join(&self, job: &mut Job, scope: Scope) -> oneshot::Receiver<Joined> {
        let (reply, answer) = oneshot::channel();
        let (outlet, position) = (self.outlet(), job.position);
        match &mut job.task {
            Task::Start(start) => outlet.with_members(&start.subscriptions.clone(), |members| {
                let Some(first) = members.first() else { return };
                let sight = Sight {
                    catalog: self.hub().0.catalog.current(),
                    caller: first.caller.clone(),
                };
                for frame in self.changes(start, sight, position) {
                    outlet.queue().push(frame);
                }
                let arrival = match start.arrival {
                    Arrived::Replayed(_) => Arrived::Replayed(start.count),
                    other => other,
                };
                let join = Join {
                    members,
                    position,
                    arrival,
                    seen: start.seen.catalog.clone(),
                    reply,
                };
                self.hub().command(scope, Command::Join(Box::new(join)));
            }),
            Task::Lane(_) => {
                let outlet = outlet.clone();
                self.hub().command(
                    scope,
                    Command::Rejoin {
                        outlet,
                        position,
                        reply,
                    },
                );
            }
        }
        answer
    }

    async fn joined(&self, job: u64) -> Joined {
        poll_fn(|context| {
            let mut jobs = self.pulls().jobs();
            let Some(job) = jobs.iter_mut().find(|other| other.id == job) else {
                return Poll::Ready(Joined::Live);
            };
            match &mut job.joining {
                // A shard that has ended hands out nothing any more.
                Some(joining) => Pin::new(joining)
                    .poll(context)
                    .map(|answer| answer.unwrap_or(Joined::Live)),
                None => Poll::Ready(Joined::Behind),
            }
        })
        .await
    }

    fn settle(&self, id: u64, joined: Joined) {
        let mut jobs = self.pulls().jobs();
        match joined {
            Joined::Live => jobs.retain(|job| job.id != id),
            Joined::Behind => {
                if let Some(job) = jobs.iter_mut().find(|job| job.id == id) {
                    job.joining = None;
                }
            }
        }
    }

    fn with_job(&self, id: u64, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.pulls().jobs().iter_mut().find(|job| job.id == id) {
            change(job);
        }
    }

    /// A cursor that is ahead of this process is good if the log has got there; another node may be
    /// faster.
    fn verified(&self, id: u64, end: i64) {
        self.with_job(id, |job| {
            let Task::Start(start) = &mut job.task else {
                return;
            };
            start.least = Some(end);
            if let Some(scope) = start.scope().filter(|_| job.position > end) {
                job.position = self.give_up_replaying(start, scope, Resync::Epoch);
            }
        });
    }

    /// Appends the frames of what was read.
    fn apply(
        &self,
        id: u64,
        segment: &Segment,
        asked: &Asked,
        sight: Sight,
        frames: &mut Vec<Bytes>,
    ) {
        self.with_job(id, |job| {
            let until = asked.until;
            let from = job.position;
            job.position = until;
            match &mut job.task {
                Task::Start(start) => {
                    if let Some(reason) = self.upheaval(start, segment, from, &sight) {
                        // The client fetches everything: there is no use in what it missed.
                        if let Some(scope) = start.scope() {
                            job.position = self.give_up_replaying(start, scope, reason);
                        }
                        return;
                    }
                    // Whoever is to see everything otherwise hears that before what is seen so.
                    frames.extend(self.shaken(start, segment, from, until, &sight));
                    frames.extend(self.changes(start, sight, from));
                    let before = frames.len();
                    let is_new = |position: i64| {
                        position > from
                            && position <= until
                            && start.shown.binary_search(&position).is_err()
                    };
                    let read = Read {
                        segment,
                        asked,
                        sight: &start.seen,
                    };
                    self.collect(
                        &read,
                        &start.subscriptions,
                        |_, position| is_new(position),
                        frames,
                    );
                    start.count += (frames.len() - before) as u64;
                }
                Task::Lane(lane) => {
                    let is_new = |subscription: &Subscription, position: i64| {
                        position > from && position <= until && position > subscription.live_after()
                    };
                    let read = Read {
                        segment,
                        asked,
                        sight: &sight,
                    };
                    self.collect(&read, &self.lane_subscriptions(*lane), is_new, frames);
                }
            }
        });
    }
}
