//! The replay of the log for one connection: the events that a client missed before it came, and
//! the ones that were dropped because it read too slowly. A connection reads at the pace at which
//! it sends, and joins live delivery again in its shard, so that nothing is left out and nothing
//! comes twice.

pub(in crate::realtime) mod client;
pub(in crate::realtime) mod context;
pub(in crate::realtime) mod log_cache;
pub(in crate::realtime) mod reader;
pub(in crate::realtime) mod resync;
pub(in crate::realtime) mod segment;
pub(in crate::realtime) mod task;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::connection::frame_buffer::LogMark;
use super::connection::outbound::{CloseReason, QueueSignals};
use super::connection::state::ConnectionState;
use super::live::command::{JoinOutcome, LiveJoin, ShardCommand, StartNotice};
use super::live::member::LiveMember;
use super::protocol::ResyncReason;
use super::subscription::{AccountScope, StartAt, Subscription};
use crate::db::DbError;
use client::{AccessSnapshot, ReplayClient};
use context::ReplayContext;
use reader::SegmentReader;
use resync::{
    difference_frames, give_up_replay, handle_expired, invalidation_frames, missed_resync_reason,
};
use task::{ReplayPurpose, ReplayTask};

/// Number of frames of a snapshot that are sent at once.
const SNAPSHOT_FRAMES_PER_TURN: usize = 4;
/// Upper limit, in bytes, of the snapshots that wait for a connection when it asks for another one.
const MAX_WAITING_SNAPSHOT_BYTES: usize = 8 << 20;
/// Pause before a shard is looked at again that has not delivered yet what a snapshot shows.
const SHARD_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Reads the log for one connection.
pub(in crate::realtime) struct Replayer {
    client: ReplayClient,
    tasks: Mutex<Vec<ReplayTask>>,
    /// `true` if the queue had its turn, so that the log is read next.
    queue_was_served: AtomicBool,
}

/// The next step of the connection's tasks.
enum ReplayStep {
    /// There is no task.
    Idle,
    /// A step was taken at once.
    Done,
    /// The log must be read.
    Read {
        task: u64,
        scope: AccountScope,
        position: i64,
        until: i64,
    },
    /// The end of the log must be read.
    ReadEnd { task: u64 },
    /// The shard answers soon.
    AwaitShard { task: u64 },
    /// The shard reaches the position of a snapshot soon.
    AwaitPosition,
}

impl Replayer {
    pub(in crate::realtime) fn new(
        context: Arc<ReplayContext>,
        connection: Arc<ConnectionState>,
    ) -> Self {
        Self {
            client: ReplayClient {
                context,
                connection,
            },
            tasks: Mutex::default(),
            queue_was_served: AtomicBool::new(false),
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<ReplayTask>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_task(&self, id: u64, change: impl FnOnce(&mut ReplayTask)) {
        if let Some(task) = self.tasks().iter_mut().find(|task| task.id == id) {
            change(task);
        }
    }

    /// Starts subscriptions that do not start with the next commit, after the subscription that
    /// they replace has `ended`.
    pub(in crate::realtime) fn start(
        &self,
        subscriptions: Vec<Arc<Subscription>>,
        start_at: StartAt,
        ended: Option<oneshot::Receiver<JoinOutcome>>,
    ) {
        let Some(task) = ReplayTask::start(&self.client, subscriptions, start_at, ended) else {
            return;
        };
        self.tasks().push(task);
        // The acknowledgement is in the queue and goes first.
        self.queue_was_served.store(false, Ordering::Relaxed);
        self.publish_progress();
    }

    /// Returns `true` if so many bytes of snapshots wait to be sent that there should be no other
    /// one.
    pub(in crate::realtime) fn has_many_snapshot_bytes(&self) -> bool {
        let bytes = |task: &ReplayTask| match &task.purpose {
            ReplayPurpose::Start(start) => start.snapshot_bytes(),
            ReplayPurpose::DroppedEvents { .. } => 0,
        };
        self.tasks().iter().map(bytes).sum::<usize>() > MAX_WAITING_SNAPSHOT_BYTES
    }

    /// Waits until there is something to send and puts it into `frames`, which must be empty.
    /// Nothing is lost if the future is dropped before it returns.
    pub(in crate::realtime) async fn next_frames(&self, frames: &mut Vec<Bytes>) -> QueueSignals {
        let queue = self.client.connection.queue();
        loop {
            // The queue and the log take turns.
            if !self.queue_was_served.swap(false, Ordering::Relaxed)
                && let Some(signals) = queue.take(frames)
            {
                self.queue_was_served.store(true, Ordering::Relaxed);
                return signals;
            }
            self.add_dropped_events();
            let step = self.plan_step(frames);
            match step {
                ReplayStep::Done => {}
                ReplayStep::Idle => queue.ready().await,
                ReplayStep::AwaitPosition => {
                    let _ = tokio::time::timeout(SHARD_POLL_INTERVAL, queue.ready()).await;
                }
                ReplayStep::AwaitShard { task } => {
                    tokio::select! {
                        biased;
                        outcome = self.join_outcome(task) => self.settle(task, outcome),
                        () = queue.ready() => {}
                    }
                }
                ReplayStep::ReadEnd { task } => match self.client.context.log.end().await {
                    Ok(end) => self.verify_cursor(task, end),
                    Err(error) => self.fail(&error),
                },
                ReplayStep::Read {
                    task,
                    scope,
                    position,
                    until,
                } => {
                    let mut read = Vec::new();
                    self.read_log(task, scope, position, until, &mut read).await;
                    if !read.is_empty() {
                        // Control frames about the entries are in the queue, and go first.
                        let signals = queue.take(frames);
                        frames.append(&mut read);
                        if let Some(signals) = signals {
                            return signals;
                        }
                    }
                }
            }
            if !frames.is_empty() {
                return QueueSignals::default();
            }
        }
    }

    /// Adds tasks for the events that the queue dropped.
    fn add_dropped_events(&self) {
        let mut has_added = false;
        while let Some(first) = self.client.connection.queue().take_dropped() {
            let task = ReplayTask {
                id: self.client.context.next_id(),
                purpose: ReplayPurpose::DroppedEvents { shard: first.shard },
                position: first.position - 1,
                joining: None,
            };
            self.tasks().push(task);
            has_added = true;
        }
        if has_added {
            self.publish_progress();
        }
    }

    /// Tells the connection listing how far the tasks are.
    fn publish_progress(&self) {
        let tasks = self.tasks();
        let marks = tasks.iter().filter_map(|task| {
            Some(LogMark {
                shard: task.shard(&self.client)?,
                position: task.position,
            })
        });
        self.client.connection.note_replaying(marks);
    }

    fn fail(&self, error: &DbError) {
        tracing::error!(%error, "missed events cannot be read");
        self.client.connection.queue().close(CloseReason::Overload);
    }

    /// Takes the first task, finds its next step, and puts it behind the others.
    fn plan_step(&self, frames: &mut Vec<Bytes>) -> ReplayStep {
        let mut tasks = self.tasks();
        if tasks.is_empty() {
            return ReplayStep::Idle;
        }
        let mut task = tasks.remove(0);
        let Some(scope) = task.update_scope(&self.client) else {
            // Its subscriptions have ended.
            if let ReplayPurpose::DroppedEvents { shard } = task.purpose {
                self.client.connection.queue().resume_events(shard);
            }
            drop(tasks);
            self.publish_progress();
            return ReplayStep::Done;
        };
        let step = self.step_of(&mut task, scope, frames);
        tasks.push(task);
        step
    }

    fn step_of(
        &self,
        task: &mut ReplayTask,
        scope: AccountScope,
        frames: &mut Vec<Bytes>,
    ) -> ReplayStep {
        let (id, position) = (task.id, task.position);
        let until = self.client.context.shards.position(scope);
        match &mut task.purpose {
            _ if task.joining.is_some() => ReplayStep::AwaitShard { task: id },
            ReplayPurpose::Start(start) if start.is_foreign => {
                start.is_foreign = false;
                task.position = give_up_replay(&self.client, start, scope, ResyncReason::Epoch);
                ReplayStep::Done
            }
            ReplayPurpose::Start(start) if start.snapshot.len() > 0 => {
                frames.extend(start.snapshot.by_ref().take(SNAPSHOT_FRAMES_PER_TURN));
                if start.snapshot.len() == 0 {
                    start.reservation = None;
                }
                ReplayStep::Done
            }
            ReplayPurpose::Start(start) if start.min_position.is_none() => {
                ReplayStep::ReadEnd { task: id }
            }
            ReplayPurpose::Start(_) if position < until => ReplayStep::Read {
                task: id,
                scope,
                position,
                until,
            },
            ReplayPurpose::DroppedEvents { .. } if position < until => ReplayStep::Read {
                task: id,
                scope: self.client.widest_scope(scope),
                position,
                until,
            },
            ReplayPurpose::Start(start) if start.min_position.is_some_and(|min| min > position) => {
                ReplayStep::AwaitPosition
            }
            _ => {
                task.joining = Some(self.request_join(task, scope));
                ReplayStep::AwaitShard { task: id }
            }
        }
    }

    /// Asks the shard to deliver events from now on.
    fn request_join(
        &self,
        task: &mut ReplayTask,
        scope: AccountScope,
    ) -> oneshot::Receiver<JoinOutcome> {
        let (reply, answer) = oneshot::channel();
        let (connection, position) = (&self.client.connection, task.position);
        let shards = &self.client.context.shards;
        match &mut task.purpose {
            ReplayPurpose::Start(start) => {
                let rights = connection.rights();
                let access = AccessSnapshot {
                    catalog: self.client.context.catalog.current(),
                    caller: rights.caller.clone(),
                };
                let member = |subscription: &Arc<Subscription>| {
                    LiveMember::new(
                        subscription.clone(),
                        connection.clone(),
                        rights.caller.clone(),
                    )
                };
                let members = start.subscriptions.iter().map(member).collect();
                for frame in difference_frames(&self.client, start, access, position) {
                    connection.queue().push(frame);
                }
                let notice = match start.notice {
                    StartNotice::Replayed(_) => StartNotice::Replayed(start.event_count),
                    other => other,
                };
                let join = LiveJoin {
                    members,
                    position,
                    notice,
                    catalog: start.access.catalog.clone(),
                    reply,
                };
                // Under the lock, so that no change of rights comes between.
                shards.send(scope, ShardCommand::Join(Box::new(join)));
                drop(rights);
            }
            ReplayPurpose::DroppedEvents { .. } => {
                let command = ShardCommand::Rejoin {
                    connection: connection.clone(),
                    position,
                    reply,
                };
                shards.send(scope, command);
            }
        }
        answer
    }

    /// Waits for the shard's decision.
    async fn join_outcome(&self, id: u64) -> JoinOutcome {
        poll_fn(|context| {
            let mut tasks = self.tasks();
            let Some(task) = tasks.iter_mut().find(|task| task.id == id) else {
                return Poll::Ready(JoinOutcome::Live);
            };
            match &mut task.joining {
                // A shard that has ended delivers nothing.
                Some(joining) => Pin::new(joining)
                    .poll(context)
                    .map(|answer| answer.unwrap_or(JoinOutcome::Live)),
                None => Poll::Ready(JoinOutcome::Behind),
            }
        })
        .await
    }

    fn settle(&self, id: u64, outcome: JoinOutcome) {
        match outcome {
            JoinOutcome::Live => {
                self.tasks().retain(|task| task.id != id);
                self.publish_progress();
            }
            JoinOutcome::Behind => self.with_task(id, |task| task.joining = None),
        }
    }

    /// Checks the cursor of a start against the end of the log. A cursor ahead of this process is
    /// good if the log has got there; another node may be faster.
    fn verify_cursor(&self, id: u64, end: i64) {
        self.with_task(id, |task| {
            let ReplayPurpose::Start(start) = &mut task.purpose else {
                return;
            };
            start.min_position = Some(end);
            if let Some(scope) = start.scope().filter(|_| task.position > end) {
                task.position = give_up_replay(&self.client, start, scope, ResyncReason::Epoch);
            }
        });
    }

    /// Reads entries of the log for a task and appends the frames.
    async fn read_log(
        &self,
        id: u64,
        scope: AccountScope,
        position: i64,
        until: i64,
        frames: &mut Vec<Bytes>,
    ) {
        let context = &self.client.context;
        let segment = match context.log_cache.read(scope, position, until).await {
            Ok(Some(segment)) => segment,
            Ok(None) => {
                self.with_task(id, |task| handle_expired(&self.client, task));
                return self.publish_progress();
            }
            Err(error) => return self.fail(&error),
        };
        let mut subscriptions = Vec::new();
        self.with_task(id, |task| subscriptions = task.subscriptions(&self.client));
        let asked = SegmentReader::ask(&self.client, segment, subscriptions, position, until).await;
        let Ok(reader) = asked else {
            let queue = self.client.connection.queue();
            return queue.close(CloseReason::Overload);
        };
        let access = self.client.access_now();
        // If rules or rights have changed since, the segment is read once more.
        if reader.is_valid(&self.client, &access) {
            self.with_task(id, |task| {
                self.take_entries(task, &reader, access, frames);
            });
            self.publish_progress();
        }
    }

    /// Moves a task on over the entries of a segment and appends the frames.
    fn take_entries(
        &self,
        task: &mut ReplayTask,
        reader: &SegmentReader,
        access: AccessSnapshot,
        frames: &mut Vec<Bytes>,
    ) {
        let (client, segment) = (&self.client, reader.segment());
        let (from, until) = (task.position, reader.until());
        task.position = until;
        let is_between = |position: i64| position > from && position <= until;
        match &mut task.purpose {
            ReplayPurpose::Start(start) => {
                if let Some(reason) = missed_resync_reason(client, start, segment, from, &access) {
                    // The client fetches everything, so it needs no missed events.
                    if let Some(scope) = start.scope() {
                        task.position = give_up_replay(client, start, scope, reason);
                    }
                    return;
                }
                // The client is told that it sees other records before it sees them.
                frames.extend(invalidation_frames(
                    client, start, segment, from, until, &access,
                ));
                frames.extend(difference_frames(client, start, access, from));
                let before = frames.len();
                reader.collect(
                    client,
                    &start.access,
                    &start.subscriptions,
                    |_, position| is_between(position) && start.is_missing(position),
                    frames,
                );
                start.event_count += (frames.len() - before) as u64;
            }
            ReplayPurpose::DroppedEvents { shard } => reader.collect(
                client,
                &access,
                &client.subscriptions_of_shard(*shard),
                |subscription, position| {
                    is_between(position) && position > subscription.live_after()
                },
                frames,
            ),
        }
    }
}
