//! A task that delivers the events of some accounts, in the order of the log.

use std::collections::HashSet;
use std::sync::Arc;

use metrics::{counter, histogram};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::catch_up::{CatchUp, CatchUpError};
use super::command::{JoinOutcome, LiveJoin, ShardCommand, StartNotice};
use super::congestion::wait_for_congested;
use super::context::ShardContext;
use super::handles::{ShardHandle, ShardProgress};
use super::member::LiveMember;
use super::prefetch::{Prefetch, PrefetchSize, PrefetchedEvent, PrefetchedEvents};
use super::recent_changes::RecentChanges;
use super::shard_map::ShardShare;
use super::topic::TopicDelivery;
use super::topics::ShardTopics;
use crate::changes::{Change, ChangeLog, Cursor, FeedBatch, FeedItem, FeedReceiver, feed};
use crate::db::Db;
use crate::realtime::connection::state::ConnectionState;
use crate::realtime::protocol::{ControlFrame, ResyncReason};
use crate::realtime::subscription::Subscription;
use crate::realtime::visibility::change_event::ChangeEvent;
use crate::realtime::visibility::difference::resync_reason;
use crate::realtime::visibility::step_budget::StepBudgets;
use crate::schema::{Catalog, CatalogHandle};

/// Number of frames after which the task lets others run.
const FRAMES_PER_TURN: usize = 1000;

/// See the module.
pub(in crate::realtime) struct Shard {
    context: ShardContext,
    feed: FeedReceiver,
    commands: mpsc::UnboundedReceiver<ShardCommand>,
    topics: ShardTopics,
    prefetch_size: PrefetchSize,
    budgets: StepBudgets,
    recent: RecentChanges,
    progress: Arc<ShardProgress>,
}

impl Shard {
    /// A shard for a share of the changes, at the present position of the log, and the way to reach
    /// it. At most `backlog` changes wait for it in memory, the others in the log.
    pub(in crate::realtime) fn new(
        db: Db,
        catalog: CatalogHandle,
        log: ChangeLog,
        own_share: ShardShare,
        backlog: usize,
    ) -> (Self, ShardHandle) {
        let (number, serves_everything) = (own_share.number, own_share.is_everything());
        let (sender, feed) = feed(&log, backlog, move |change| own_share.includes(change));
        let (commands, commands_in) = mpsc::unbounded_channel();
        let progress = Arc::new(ShardProgress::starting_at(log.position()));
        let handle = ShardHandle {
            feed: sender,
            commands,
            progress: progress.clone(),
        };
        let shard = Self {
            recent: RecentChanges::after(log.position()),
            context: ShardContext {
                db,
                catalog,
                log,
                number,
            },
            feed,
            commands: commands_in,
            topics: ShardTopics::new(serves_everything),
            prefetch_size: PrefetchSize::default(),
            budgets: StepBudgets::default(),
            progress,
        };
        (shard, handle)
    }

    /// Runs until the handle is dropped.
    pub(in crate::realtime) async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.handle_command(command).await,
                    None => return,
                },
                () = self.feed.ready() => match self.feed.take().await {
                    FeedItem::Batch(batch) => self.deliver_batch(batch).await,
                    FeedItem::Gone(until) => self.skip_to(until),
                    FeedItem::End => return,
                },
            }
        }
    }

    async fn deliver_batch(&mut self, batch: FeedBatch) {
        let (mut events, mut sent, mut overflowed, mut sent_in_turn) = (0, 0, 0, 0);
        let mut prefetched = PrefetchedEvents::default();
        for (index, change) in batch.changes.iter().enumerate() {
            while let Ok(command) = self.commands.try_recv() {
                self.handle_command(command).await;
                // Others may be told now, or with other rights.
                prefetched = PrefetchedEvents::default();
            }
            let prefetch = Prefetch {
                cursor: self.cursor(),
                context: &self.context,
                topics: &mut self.topics,
                budgets: &mut self.budgets,
                size: &mut self.prefetch_size,
            };
            prefetch.run(&mut prefetched, &batch.changes[index..]).await;
            let receivers = self.deliver(change, &mut prefetched, batch.until).receivers;
            self.progress.advance_to(change.position);
            self.recent.push(change.clone());
            events += 1;
            sent += receivers.sent as u64;
            overflowed += receivers.overflowed;
            sent_in_turn += receivers.sent;
            if wait_for_congested(receivers).await {
                sent_in_turn = 0;
            } else if sent_in_turn >= FRAMES_PER_TURN {
                tokio::task::yield_now().await;
                sent_in_turn = 0;
            }
        }
        self.progress.advance_to(batch.until);
        if events > 0 {
            self.progress.count_delivered(sent);
            counter!("snackbase_realtime_events_total").increment(events);
            counter!("snackbase_realtime_deliveries_total").increment(sent);
            counter!("snackbase_realtime_overflows_total").increment(overflowed);
        }
    }

    fn cursor(&self) -> Cursor {
        self.context.log.cursor(self.progress.position())
    }

    /// Delivers one of the changes up to the position `until`, all of which have been committed.
    fn deliver(
        &mut self,
        change: &Arc<Change>,
        prefetched: &mut PrefetchedEvents,
        until: i64,
    ) -> TopicDelivery {
        let (start, before) = (Instant::now(), self.cursor());
        let known = prefetched.take(change);
        // A client that goes on after a later cursor must have been told of this.
        let Some(topics) = self.topics.of_account(change) else {
            return TopicDelivery::default();
        };
        for topic in topics {
            topic.note_dependency(change);
            topic.send_invalidations(&before, until);
        }
        let Some((topic, collection)) =
            self.topics
                .of_collection(change, prefetched.catalog(), &before)
        else {
            return TopicDelivery::default();
        };
        let PrefetchedEvent { event, unexpanded } = known.unwrap_or_else(|| {
            let cursor = self.context.log.cursor(change.position);
            PrefetchedEvent {
                event: ChangeEvent::new(change.clone(), collection.clone(), cursor),
                unexpanded: HashSet::new(),
            }
        });
        let mut budget = self.budgets.of(change.account_id, Instant::now());
        let delivery = topic.deliver(
            &event,
            prefetched.evaluation(),
            &unexpanded,
            self.context.number,
            &mut budget,
        );
        if !delivery.unjudged.is_empty() {
            topic.note_unjudged(&delivery.unjudged, change.position);
            topic.send_invalidations(&before, until);
            counter!("snackbase_realtime_unjudged_total").increment(delivery.unjudged.len() as u64);
        }
        self.budgets
            .settle(change.account_id, &budget, Instant::now());
        let elapsed = start.elapsed() + prefetched.time_per_event();
        histogram!("snackbase_realtime_delivery_seconds").record(elapsed.as_secs_f64());
        delivery
    }

    /// Goes on after entries that the log no longer keeps: all subscribers must fetch everything
    /// again.
    fn skip_to(&mut self, until: i64) {
        self.recent = RecentChanges::after(until);
        self.progress.advance_to(until);
        self.topics
            .resync_all(ResyncReason::Expired, &self.cursor());
    }

    async fn handle_command(&mut self, command: ShardCommand) {
        match command {
            ShardCommand::Subscribe {
                mut member,
                replaces,
                after,
                ack,
            } => {
                let position = if replaces.is_some() {
                    self.progress.position()
                } else {
                    self.progress.position().max(after)
                };
                member.go_live(position, position);
                // The answer goes ahead of everything that follows from it.
                if let Some(ack) = ack {
                    member.connection.queue().push(ack);
                }
                if let Some(replaced) = replaces {
                    self.topics.remove(&replaced);
                }
                self.add(member);
            }
            ShardCommand::Join(join) => self.join(*join).await,
            ShardCommand::Rejoin {
                connection,
                position,
                reply,
            } => {
                // The connection may be gone; then its subscriptions end soon.
                let _ = reply.send(self.rejoin(&connection, position).await);
            }
            ShardCommand::Unsubscribe {
                subscription,
                ack,
                done,
            } => {
                self.topics.remove(&subscription);
                if let Some((connection, ack)) = ack {
                    connection.queue().push(ack);
                }
                if let Some(done) = done {
                    let _ = done.send(JoinOutcome::Behind);
                }
            }
            ShardCommand::UpdateCaller {
                subscription,
                caller,
            } => {
                let cursor = self.cursor();
                self.topics.change(&subscription, |topic| {
                    topic.update_caller(subscription.id, caller, &cursor);
                });
            }
            ShardCommand::RefreshCatalog => {
                let (catalog, cursor) = (self.context.catalog.current(), self.cursor());
                self.topics.refresh(&catalog, &cursor);
            }
            ShardCommand::CountGroups {
                subscriptions,
                reply,
            } => {
                let size = |subscription: &Arc<Subscription>| {
                    Some((subscription.id, self.topics.group_size(subscription)?))
                };
                // The listing may have given up waiting.
                let _ = reply.send(subscriptions.iter().filter_map(size).collect());
            }
            ShardCommand::SendCheckpoints(connections) => self.send_checkpoints(&connections),
        }
    }

    fn add(&mut self, member: LiveMember) {
        let (catalog, cursor) = (self.context.catalog.current(), self.cursor());
        self.topics.add(member, &catalog, &cursor);
    }

    /// Adds subscriptions that know everything up to a position; later events are queued first.
    async fn join(&mut self, join: LiveJoin) {
        let LiveJoin {
            members,
            position,
            notice,
            catalog: before,
            reply,
        } = join;
        let Some(connection) = members.first().map(|member| member.connection.clone()) else {
            return;
        };
        if connection.queue().is_behind() {
            // Events that are queued now would be lost.
            let _ = reply.send(JoinOutcome::Behind);
            return;
        }
        let catalog = self.context.catalog.current();
        let cursor = self.context.log.cursor(position);
        send_differences(&members, &before, &catalog, &cursor);
        let subscriptions: Vec<Arc<Subscription>> = members
            .iter()
            .map(|member| member.subscription.clone())
            .collect();
        let catch_up = CatchUp {
            context: &self.context,
            connection: &connection,
            subscriptions: &subscriptions,
            position,
            cursor: self.cursor(),
        };
        let queued = match catch_up.judge_missed(&self.recent, &mut self.budgets).await {
            Ok(missed) => catch_up.queue_missed(missed).await,
            Err(CatchUpError::Closed) => 0,
            Err(CatchUpError::Behind) => {
                let _ = reply.send(JoinOutcome::Behind);
                return;
            }
        };
        let after = self.progress.position().max(position);
        let cursor = self.context.log.cursor(after);
        if let Some(first) = subscriptions.first() {
            send_start_notice(&connection, first, notice, queued, &cursor);
        }
        // It may have changed while the database was asked.
        send_differences(&members, &catalog, &self.context.catalog.current(), &cursor);
        for mut member in members {
            member.go_live(position, after);
            self.add(member);
        }
        let _ = reply.send(JoinOutcome::Live);
    }

    /// Delivers events again to a connection that knows everything up to a position.
    async fn rejoin(&mut self, connection: &Arc<ConnectionState>, position: i64) -> JoinOutcome {
        let subscriptions = connection.subscriptions(|subscription| {
            subscription.is_live() && self.topics.has_scope(subscription.scope)
        });
        let catch_up = CatchUp {
            context: &self.context,
            connection,
            subscriptions: &subscriptions,
            position,
            cursor: self.cursor(),
        };
        let missed = match catch_up.judge_missed(&self.recent, &mut self.budgets).await {
            Ok(missed) => Some(missed),
            Err(CatchUpError::Closed) => None,
            Err(CatchUpError::Behind) => return JoinOutcome::Behind,
        };
        connection.queue().resume_events(self.context.number);
        if let Some(missed) = missed {
            catch_up.queue_missed(missed).await;
        }
        counter!("snackbase_realtime_rejoins_total").increment(1);
        JoinOutcome::Live
    }

    /// Sends the position of the log to connections to which everything up to it was delivered.
    fn send_checkpoints(&self, connections: &[Arc<ConnectionState>]) {
        let cursor = self.cursor();
        let frame = ControlFrame::Checkpoint { cursor: &cursor };
        for connection in connections {
            // A scope belongs to this shard if it has subscriptions of it.
            if connection.is_live_in(|subscription| self.topics.has_scope(subscription.scope)) {
                connection.queue().push_checkpoint(cursor.position, || {
                    connection.protocol().control_frame(&frame, None)
                });
            }
        }
    }
}

/// Tells subscriptions whose collection has changed to fetch everything again.
fn send_differences(members: &[LiveMember], before: &Catalog, now: &Catalog, cursor: &Cursor) {
    for member in members {
        let Subscription {
            topic, selection, ..
        } = &*member.subscription;
        let name = topic.collection();
        if let Some(reason) = resync_reason(before, now, name, selection, &member.caller) {
            member.send_resync(reason, cursor);
        }
    }
}

/// Tells a subscription, and others that started with it, that it is live.
fn send_start_notice(
    connection: &ConnectionState,
    subscription: &Subscription,
    notice: StartNotice,
    queued: u64,
    cursor: &Cursor,
) {
    let frame = match notice {
        StartNotice::Replayed(count) => ControlFrame::Replayed {
            count: count + queued,
            cursor,
        },
        StartNotice::Live => ControlFrame::Live { cursor },
        StartNotice::Silent => return,
    };
    connection.push_control_frame(subscription, &frame);
}
