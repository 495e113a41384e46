//! A task that hands out the events of some accounts, in the order of the log.

mod ahead;
mod catching_up;
mod judging;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::connection::Outlet;
use super::frame::{Notice, Resync};
use super::lane::Lane;
use super::lens::Subject;
use super::ring::Ring;
use super::subscription::{Arrived, Command, Join, Joined, Member, Scope, Subscription};
use super::topic::{Delivery, Findings, Topic, difference, tell};
use super::workers::Workers;
use crate::changes::{Batch, Change, ChangeLog, Cursor, Feed, Intake, Portion, feed};
use crate::db::Db;
use crate::schema::{Catalog, CatalogHandle, Collection};
use ahead::{Outlook, Pace};
use catching_up::MissedError;
pub(super) use judging::Allowance;
use judging::Allowances;

/// After so many frames the task lets others run.
const FRAMES_PER_TURN: usize = 1000;
/// Connections that have much to send are waited for if they are at least this part of an event's
/// receivers: then it is this machine that cannot keep up, and not some slow readers.
const MANY: usize = 8;
/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(1);
/// How long none of them may read before the others go on without them.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long they are waited for in all.
const MOST_PATIENCE: Duration = Duration::from_secs(2);

/// How others reach a shard.
pub(super) struct Handle {
    pub(super) intake: Intake,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    position: Arc<AtomicI64>,
    delivered: Arc<AtomicU64>,
}

impl Handle {
    /// The position up to which everything has been handed out.
    pub(super) fn position(&self) -> i64 {
        self.position.load(Ordering::Acquire)
    }

    /// How many events have been put into queues since the shard started.
    pub(super) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }
}

pub(super) struct Shard {
    db: Db,
    catalog: CatalogHandle,
    log: ChangeLog,
    feed: Feed,
    commands: mpsc::UnboundedReceiver<Command>,
    topics: HashMap<Scope, HashMap<Arc<str>, Topic>>,
    lane: Lane,
    pace: Pace,
    allowances: Allowances,
    ring: Ring,
    /// The last entry that was handed out.
    position: Arc<AtomicI64>,
    /// Events that were put into queues.
    delivered: Arc<AtomicU64>,
}

impl Shard {
    /// Starts a shard; it ends when its handle is gone.
    pub(super) fn start(
        workers: &Workers,
        db: Db,
        catalog: CatalogHandle,
        log: ChangeLog,
        lane: Lane,
        backlog: usize,
    ) -> Handle {
        let wanted = lane.clone();
        let (intake, feed) = feed(&log, backlog, move |change| wanted.takes(change));
        let (commands, commands_in) = mpsc::unbounded_channel();
        let (ring, position) = (
            Ring::new(log.position()),
            Arc::new(AtomicI64::new(log.position())),
        );
        let delivered = Arc::new(AtomicU64::new(0));
        let handle = Handle {
            intake,
            commands,
            position: position.clone(),
            delivered: delivered.clone(),
        };
        let (commands, topics, pace) = (commands_in, HashMap::new(), Pace::default());
        let shard = Self {
            db,
            catalog,
            log,
            feed,
            commands,
            topics,
            lane,
            pace,
            allowances: Allowances::default(),
            ring,
            position,
            delivered,
        };
        workers.spawn(shard.run());
        handle
    }

    async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => return,
                },
                () = self.feed.ready() => match self.feed.take().await {
                    Portion::Batch(batch) => self.hand_out(batch).await,
                    Portion::Gone(until) => self.skip(until),
                    Portion::End => return,
                },
            }
        }
    }

    async fn hand_out(&mut self, batch: Batch) {
        let (mut events, mut sent, mut overflowed, mut turn) = (0, 0, 0, 0);
        let mut outlook = Outlook::default();
        for (index, change) in batch.changes.iter().enumerate() {
            while let Ok(command) = self.commands.try_recv() {
                self.obey(command).await;
                // Others may be told now, or with other rights.
                outlook = Outlook::default();
            }
            self.look_ahead(&mut outlook, &batch.changes[index..]).await;
            let delivery = self.deliver(change, &mut outlook, batch.until);
            self.advance(change.position);
            self.ring.push(change.clone());
            events += 1;
            sent += delivery.sent as u64;
            overflowed += delivery.overflowed;
            turn += delivery.sent;
            if delivery.congested.len() * MANY > delivery.sent {
                wait_for(delivery.congested, delivery.sent / MANY).await;
                turn = 0;
            } else if turn >= FRAMES_PER_TURN {
                tokio::task::yield_now().await;
                turn = 0;
            }
        }
        self.advance(batch.until);
        if events > 0 {
            self.delivered.fetch_add(sent, Ordering::Relaxed);
            counter!("snackbase_realtime_events_total").increment(events);
            counter!("snackbase_realtime_deliveries_total").increment(sent);
            counter!("snackbase_realtime_overflows_total").increment(overflowed);
        }
    }

    fn position(&self) -> i64 {
        self.position.load(Ordering::Relaxed)
    }

    fn cursor(&self) -> Cursor {
        self.log.cursor(self.position())
    }

    fn advance(&self, position: i64) {
        self.position.fetch_max(position, Ordering::Release);
    }

    /// Hands out one of the changes up to the position `until`, which have all been committed.
    fn deliver(&mut self, change: &Arc<Change>, outlook: &mut Outlook, until: i64) -> Delivery {
        let (start, before) = (Instant::now(), self.cursor());
        let found = outlook.next(change);
        let Some(topics) = self.topics_of(change) else {
            return Delivery::default();
        };
        // Who goes on after a later cursor must have heard of this.
        for topic in topics.values_mut() {
            topic.note(change);
            topic.tell_shaken(&before, until);
        }
        let mut allowance = self.allowances.of(change.account_id, Instant::now());
        let (lane, cursor) = (self.lane.number, self.log.cursor(change.position));
        let Some((topic, collection)) = self.topic_of(change, outlook.catalog()) else {
            return Delivery::default();
        };
        let (subject, findings) = found.unwrap_or_else(|| {
            let subject = Subject::new(change.clone(), collection.clone(), cursor);
            (subject, Findings::default())
        });
        let delivery = topic.deliver(&subject, &findings, lane, &mut allowance);
        if !delivery.unjudged.is_empty() {
            topic.leave_unjudged(&delivery.unjudged, change.position);
            topic.tell_shaken(&before, until);
            counter!("snackbase_realtime_unjudged_total").increment(delivery.unjudged.len() as u64);
        }
        self.allowances
            .settle(change.account_id, &allowance, Instant::now());
        let took = start.elapsed() + outlook.share();
        histogram!("snackbase_realtime_delivery_seconds").record(took.as_secs_f64());
        delivery
    }

    /// The subscriptions that a change can concern.
    fn topics_of(&mut self, change: &Change) -> Option<&mut HashMap<Arc<str>, Topic>> {
        let scope = match change.account_id {
            _ if self.lane.is_of_everything() => Scope::Everything,
            account => Scope::Account(account?),
        };
        self.topics.get_mut(&scope)
    }

    /// The subscriptions to the collection of a change.
    fn topic_of<'c>(
        &mut self,
        change: &Change,
        catalog: &'c Arc<Catalog>,
    ) -> Option<(&mut Topic, &'c Arc<Collection>)> {
        let cursor = self.cursor();
        let collection = catalog.by_id(change.collection_id?)?;
        let topic = self.topics_of(change)?.get_mut(collection.name.as_str())?;
        change_groups(topic, |topic| {
            topic.refresh(catalog, &collection.name, &cursor);
        });
        Some((topic, collection))
    }

    /// Goes on after entries that nobody knows any more: everybody begins anew.
    fn skip(&mut self, until: i64) {
        self.ring = Ring::new(until);
        self.advance(until);
        let cursor = self.cursor();
        for topic in self.topics.values().flat_map(HashMap::values) {
            topic.give_up_all(Resync::Expired, &cursor);
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Subscribe {
                mut member,
                replaces,
                after,
                ack,
            } => {
                let outlet = member.outlet.clone();
                let position = if replaces.is_some() {
                    self.position()
                } else {
                    self.position().max(after)
                };
                member.begin(position, position);
                // The answer goes ahead of all that follows from it.
                if let Some(ack) = ack {
                    outlet.queue().push(ack);
                }
                self.add(member, replaces);
            }
            Command::Join(join) => self.join(*join).await,
            Command::Rejoin {
                outlet,
                position,
                reply,
            } => {
                // Whoever asked may be gone; then its subscriptions end soon.
                let _ = reply.send(self.rejoin(&outlet, position).await);
            }
            Command::Unsubscribe {
                subscription,
                ack,
                done,
            } => {
                self.in_topic(&subscription, |topic| {
                    topic.remove(subscription.id);
                });
                if let Some((outlet, ack)) = ack {
                    outlet.queue().push(ack);
                }
                if let Some(done) = done {
                    let _ = done.send(Joined::Behind);
                }
            }
            Command::Recast {
                subscription,
                caller,
            } => {
                let cursor = self.cursor();
                self.in_topic(&subscription, |topic| {
                    topic.recast(subscription.id, caller, &cursor);
                });
            }
            Command::Refresh => {
                let (catalog, cursor) = (self.catalog.current(), self.cursor());
                for (name, topic) in self.topics.values_mut().flatten() {
                    change_groups(topic, |topic| topic.refresh(&catalog, name, &cursor));
                }
                self.forget_empty_topics();
            }
            Command::Count {
                subscriptions,
                reply,
            } => {
                let size = |subscription: &Arc<Subscription>| {
                    let topic = self
                        .topics
                        .get(&subscription.scope)?
                        .get(&subscription.collection)?;
                    Some((subscription.id, topic.group_size(subscription.id)?))
                };
                // Whoever asked may have given up.
                let _ = reply.send(subscriptions.iter().filter_map(size).collect());
            }
            Command::Checkpoint(outlets) => self.checkpoint(&outlets),
        }
    }

    fn add(&mut self, member: Member, replaces: Option<Arc<Subscription>>) {
        let cursor = self.cursor();
        let catalog = self.catalog.current();
        let (scope, collection) = (
            member.subscription.scope,
            member.subscription.collection.clone(),
        );
        if let Some(replaced) = replaces {
            self.in_topic(&replaced, |topic| {
                topic.remove(replaced.id);
            });
        }
        let topic = self
            .topics
            .entry(scope)
            .or_default()
            .entry(collection.clone())
            .or_default();
        change_groups(topic, |topic| {
            topic.refresh(&catalog, &collection, &cursor);
            topic.add(member);
        });
        if topic.is_empty() {
            self.forget_empty_topics();
        }
    }

    /// Subscriptions may have ended by themselves.
    fn forget_empty_topics(&mut self) {
        self.topics.retain(|_, topics| {
            topics.retain(|_, topic| !topic.is_empty());
            !topics.is_empty()
        });
    }

    /// Adds subscriptions that know everything up to a position; what has happened since is queued
    /// first.
    async fn join(&mut self, join: Join) {
        let Join {
            members,
            position,
            arrival,
            seen,
            reply,
        } = join;
        let Some(outlet) = members.first().map(|member| member.outlet.clone()) else {
            return;
        };
        let subscriptions: Vec<Arc<Subscription>> = members
            .iter()
            .map(|member| member.subscription.clone())
            .collect();
        let catalog = self.catalog.current();
        let caught_up = if outlet.queue().is_lagging() {
            // What is queued now would be lost.
            None
        } else {
            tell_differences(&members, &seen, &catalog, &self.log.cursor(position));
            match self.missed(&outlet, &subscriptions, position).await {
                Ok(missed) => Some(self.catch_up(&outlet, &missed).await),
                Err(MissedError::Closed) => Some(0),
                Err(MissedError::Behind) => None,
            }
        };
        let Some(queued) = caught_up else {
            let _ = reply.send(Joined::Behind);
            return;
        };
        let after = self.position().max(position);
        let cursor = self.log.cursor(after);
        let notice = match arrival {
            Arrived::Replayed(count) => Some(Notice::Replayed {
                count: count + queued,
                cursor: &cursor,
            }),
            Arrived::Live => Some(Notice::Live { cursor: &cursor }),
            Arrived::Silent => None,
        };
        let first = subscriptions.first();
        let notice = notice
            .zip(first)
            .and_then(|(notice, first)| first.notice(&outlet, &notice));
        if let Some(frame) = notice {
            outlet.queue().push(frame);
        }
        outlet.queue().note_told(after);
        // It may have changed while the database was asked.
        tell_differences(&members, &catalog, &self.catalog.current(), &cursor);
        for mut member in members {
            member.begin(position, after);
            self.add(member, None);
        }
        let _ = reply.send(Joined::Live);
    }

    /// Hands events to a connection again that knows everything up to a position.
    async fn rejoin(&mut self, outlet: &Arc<Outlet>, position: i64) -> Joined {
        let of_lane =
            |subscription: &Subscription| subscription.is_live() && self.serves(subscription.scope);
        let subscriptions = outlet.held(of_lane);
        let missed = match self.missed(outlet, &subscriptions, position).await {
            Ok(missed) => Some(missed),
            Err(MissedError::Closed) => None,
            Err(MissedError::Behind) => return Joined::Behind,
        };
        outlet.queue().rejoin(self.lane.number);
        if let Some(missed) = missed {
            self.catch_up(outlet, &missed).await;
        }
        counter!("snackbase_realtime_rejoins_total").increment(1);
        Joined::Live
    }

    fn serves(&self, scope: Scope) -> bool {
        // A scope belongs to this shard if it has been given subscriptions of it.
        self.topics.contains_key(&scope)
    }

    /// Tells connections how far the log is, if all that they wait for has been handed to them.
    fn checkpoint(&self, outlets: &[Arc<Outlet>]) {
        let position = self.position();
        let cursor = self.cursor();
        for outlet in outlets {
            if outlet.is_complete(|subscription| self.serves(subscription.scope)) {
                let notice = || {
                    outlet
                        .dialect()
                        .notice(&Notice::Checkpoint { cursor: &cursor }, None)
                };
                outlet.queue().push_checkpoint(position, notice);
            }
        }
    }

    fn in_topic(&mut self, subscription: &Subscription, change: impl FnOnce(&mut Topic)) {
        let scope = subscription.scope;
        let Some(topics) = self.topics.get_mut(&scope) else {
            return;
        };
        let Some(topic) = topics.get_mut(&subscription.collection) else {
            return;
        };
        change_groups(topic, change);
        if topic.is_empty() {
            topics.remove(&subscription.collection);
        }
        if topics.is_empty() {
            self.topics.remove(&scope);
        }
    }
}

/// Tells subscriptions whose collection is another one now.
fn tell_differences(members: &[Member], before: &Catalog, now: &Catalog, cursor: &Cursor) {
    for member in members {
        let Subscription {
            collection,
            selection,
            ..
        } = &*member.subscription;
        if let Some(reason) = difference(before, now, collection, selection, &member.caller) {
            tell(member, reason, cursor);
        }
    }
}

/// Changes a topic and keeps count of the groups.
fn change_groups(topic: &mut Topic, change: impl FnOnce(&mut Topic)) {
    let before = topic.groups();
    change(topic);
    let after = topic.groups();
    if before != after {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge takes nothing but doubles"
        )]
        gauge!("snackbase_realtime_groups").increment(after as f64 - before as f64);
    }
}

/// Lets connections catch up that read, but not as fast as events come, until only `few` are left;
/// meanwhile events wait in the log. Connections that take nothing are given up on: they delay
/// nobody any more, and their queues overflow.
async fn wait_for(mut congested: Vec<Arc<Outlet>>, few: usize) {
    let start = Instant::now();
    let mut progress = start;
    while congested.len() > few {
        tokio::time::sleep(LOOK).await;
        let before = congested.len();
        congested.retain(|outlet| outlet.queue().is_congested());
        if congested.len() < before {
            progress = Instant::now();
        }
        if progress.elapsed() >= PATIENCE || start.elapsed() >= MOST_PATIENCE {
            for outlet in &congested {
                outlet.queue().give_up_waiting();
            }
            return;
        }
    }
}
