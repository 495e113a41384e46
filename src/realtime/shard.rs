//! A task that hands out the events of some accounts, in the order of the log.

mod catching_up;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::connection::Outlet;
use super::frame::Notice;
use super::inquiry::Unanswered;
use super::lens::Subject;
use super::queue::Mark;
use super::ring::Ring;
use super::subscription::{Arrived, Command, Join, Joined, Member, Scope, Subscription};
use super::topic::{Delivery, Findings, Topic, difference, tell};
use super::workers::Workers;
use crate::changes::{Change, ChangeLog, Cursor};
use crate::db::Db;
use crate::id::AccountId;
use crate::schema::CatalogHandle;

/// After so many frames the task lets others run.
const FRAMES_PER_TURN: usize = 1000;
/// Connections that have much to send are waited for if they are at least this part of an event's receivers: then it is
/// this machine that cannot keep up, and not some slow readers.
const MANY: usize = 8;
/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(1);
/// How long none of them may read before the others go on without them.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long they are waited for in all.
const MOST_PATIENCE: Duration = Duration::from_secs(2);

/// How others reach a shard.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) events: mpsc::Sender<Batch>,
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

/// What a shard hands out next.
pub(super) struct Batch {
    /// Changes of records of its accounts, in order.
    pub(super) changes: Vec<Arc<Change>>,
    /// The position up to which there are no others.
    pub(super) until: i64,
}

/// Which shard it is.
#[derive(Clone, Copy)]
pub(super) struct Lane {
    /// Its number.
    pub(super) number: u32,
    /// Whether it serves subscriptions of every account, or those of one account each.
    pub(super) everything: bool,
}

pub(super) struct Shard {
    db: Db,
    catalog: CatalogHandle,
    log: ChangeLog,
    events: mpsc::Receiver<Batch>,
    commands: mpsc::UnboundedReceiver<Command>,
    topics: HashMap<Scope, HashMap<Arc<str>, Topic>>,
    lane: Lane,
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
        let (events, events_in) = mpsc::channel(backlog);
        let (commands, commands_in) = mpsc::unbounded_channel();
        let (ring, position) = (Ring::new(log.position()), Arc::new(AtomicI64::new(log.position())));
        let delivered = Arc::new(AtomicU64::new(0));
        let handle = Handle { events, commands, position: position.clone(), delivered: delivered.clone() };
        let (events, commands, topics) = (events_in, commands_in, HashMap::new());
        let shard = Self { db, catalog, log, events, commands, topics, lane, ring, position, delivered };
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
                Some(batch) = self.events.recv() => self.hand_out(batch).await,
            }
        }
    }

    async fn hand_out(&mut self, batch: Batch) {
        let (mut events, mut sent, mut overflowed, mut turn) = (0, 0, 0, 0);
        let mut touched = BTreeSet::new();
        for change in batch.changes {
            while let Ok(command) = self.commands.try_recv() {
                self.obey(command).await;
            }
            let delivery = self.deliver(&change).await;
            touched.extend(change.account_id);
            self.advance(change.position);
            self.ring.push(change);
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
        self.tell_shaken(touched);
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

    /// Tells who may see other records because of changes in these accounts.
    fn tell_shaken(&mut self, accounts: BTreeSet<AccountId>) {
        let cursor = self.cursor();
        let everything = self.lane.everything.then_some(Scope::Everything);
        for scope in everything.into_iter().chain(accounts.into_iter().map(Scope::Account)) {
            for topic in self.topics.get_mut(&scope).into_iter().flat_map(HashMap::values_mut) {
                topic.tell_shaken(&cursor);
            }
        }
    }

    async fn deliver(&mut self, change: &Arc<Change>) -> Delivery {
        let scope = match change.account_id {
            _ if self.lane.everything => Scope::Everything,
            Some(account) => Scope::Account(account),
            None => return Delivery::default(),
        };
        let Some(topics) = self.topics.get_mut(&scope) else { return Delivery::default() };
        for topic in topics.values_mut() {
            topic.note(change);
        }
        let catalog = self.catalog.current();
        let collection = change.collection_id.and_then(|id| catalog.by_id(id));
        let Some(collection) = collection else { return Delivery::default() };
        let Some(topic) = topics.get_mut(collection.name.as_str()) else { return Delivery::default() };
        let cursor = self.log.cursor(change.position);
        change_groups(topic, |topic| topic.refresh(&catalog, &collection.name, &cursor));
        let start = Instant::now();
        let subject = Subject::new(change.clone(), collection.clone(), cursor);
        let mut findings = Findings::default();
        let inquired = topic.inquire(&subject, &self.db);
        if let Some((inquiry, questions)) = inquired {
            match inquiry.answers().await {
                Ok(answers) => {
                    let verdicts = questions.into_iter().map(|(group, asked)| (group, answers.verdict(asked)));
                    findings.verdicts = verdicts.collect();
                }
                Err(Unanswered) => topic.give_up(&questions, change.position),
            }
        }
        let errand = topic.errand(&subject, &findings.verdicts);
        if let Some((errand, groups)) = errand {
            if let Ok(expanded) = errand.run(&self.db, &self.catalog).await {
                findings.expanded = expanded;
            } else {
                topic.withhold(&groups, change.position);
                findings.withheld = groups;
            }
        }
        let delivery = topic.deliver(&subject, &findings, self.lane.number);
        histogram!("snackbase_realtime_delivery_seconds").record(start.elapsed().as_secs_f64());
        delivery
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Subscribe { mut member, replaces, ack } => {
                let outlet = member.outlet.clone();
                let position = self.position();
                member.begin(position, position);
                self.add(member, replaces);
                if let Some(ack) = ack {
                    outlet.queue().push(ack);
                }
            }
            Command::Join(join) => self.join(*join).await,
            Command::Rejoin { outlet, position, reply } => {
                // Whoever asked may be gone; then its subscriptions end soon.
                let _ = reply.send(self.rejoin(&outlet, position).await);
            }
            Command::Unsubscribe { subscription, ack, done } => {
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
            Command::Recast { subscription, caller } => {
                let cursor = self.cursor();
                self.in_topic(&subscription, |topic| topic.recast(subscription.id, caller, &cursor));
            }
            Command::Refresh => {
                let (catalog, cursor) = (self.catalog.current(), self.cursor());
                for (name, topic) in self.topics.values_mut().flatten() {
                    change_groups(topic, |topic| topic.refresh(&catalog, name, &cursor));
                }
            }
            Command::Count { subscriptions, reply } => {
                let size = |subscription: &Arc<Subscription>| {
                    let topic = self.topics.get(&subscription.scope)?.get(&subscription.collection)?;
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
        let (scope, collection) = (member.subscription.scope, member.subscription.collection.clone());
        if let Some(replaced) = replaces {
            self.in_topic(&replaced, |topic| {
                topic.remove(replaced.id);
            });
        }
        let topic = self.topics.entry(scope).or_default().entry(collection.clone()).or_default();
        change_groups(topic, |topic| {
            topic.refresh(&catalog, &collection, &cursor);
            topic.add(member);
        });
    }

    /// Adds subscriptions that know everything up to a position; what has happened since is queued first.
    async fn join(&mut self, join: Join) {
        let Join { members, position, arrival, seen, reply } = join;
        let Some(outlet) = members.first().map(|member| member.outlet.clone()) else { return };
        let subscriptions: Vec<Arc<Subscription>> = members.iter().map(|member| member.subscription.clone()).collect();
        let caught_up = if outlet.queue().is_lagging() {
            // What is queued now would be lost.
            None
        } else {
            self.catch_up(&outlet, &subscriptions, position).await
        };
        let Some(queued) = caught_up else {
            let _ = reply.send(Joined::Behind);
            return;
        };
        let after = self.position().max(position);
        let cursor = self.log.cursor(after);
        let catalog = self.catalog.current();
        let notice = match arrival {
            Arrived::Replayed(count) => Some(Notice::Replayed { count: count + queued, cursor: &cursor }),
            Arrived::Live => Some(Notice::Live { cursor: &cursor }),
            Arrived::Silent => None,
        };
        let first = subscriptions.first();
        let notice = notice.zip(first).and_then(|(notice, first)| first.notice(&outlet, &notice));
        if let Some(frame) = notice {
            outlet.queue().push(frame);
        }
        for mut member in members {
            let Subscription { collection, selection, .. } = &*member.subscription;
            if let Some(reason) = difference(&seen, &catalog, collection, selection, &member.caller) {
                tell(&member, reason, &cursor);
            }
            member.begin(position, after);
            self.add(member, None);
        }
        let _ = reply.send(Joined::Live);
    }

    /// Hands events to a connection again that knows everything up to a position.
    async fn rejoin(&self, outlet: &Arc<Outlet>, position: i64) -> Joined {
        if self.ring.since(position).is_none() {
            return Joined::Behind;
        }
        let of_lane = |subscription: &Subscription| subscription.is_live() && self.serves(subscription.scope);
        let subscriptions = outlet.held(of_lane);
        outlet.queue().rejoin(self.lane.number);
        self.catch_up(outlet, &subscriptions, position).await;
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
            let queue = outlet.queue();
            let complete = || outlet.is_complete(|subscription| self.serves(subscription.scope));
            if queue.last() >= position || queue.is_lagging() || !complete() {
                continue;
            }
            if let Some(frame) = outlet.dialect().notice(&Notice::Checkpoint { cursor: &cursor }, None) {
                queue.push_event(frame, Mark { lane: self.lane.number, position });
            }
        }
    }

    fn in_topic(&mut self, subscription: &Subscription, change: impl FnOnce(&mut Topic)) {
        let scope = subscription.scope;
        let Some(topics) = self.topics.get_mut(&scope) else { return };
        let Some(topic) = topics.get_mut(&subscription.collection) else { return };
        change_groups(topic, change);
        if topic.is_empty() {
            topics.remove(&subscription.collection);
        }
        if topics.is_empty() {
            self.topics.remove(&scope);
        }
    }
}

/// Changes a topic and keeps count of the groups.
fn change_groups(topic: &mut Topic, change: impl FnOnce(&mut Topic)) {
    let before = topic.groups();
    change(topic);
    let after = topic.groups();
    if before != after {
        #[expect(clippy::cast_precision_loss, reason = "a gauge takes nothing but doubles")]
        gauge!("snackbase_realtime_groups").increment(after as f64 - before as f64);
    }
}

/// Lets connections catch up that read, but not as fast as events come, until only `few` are left; meanwhile events wait
/// in the log. Connections that take nothing are given up on: they delay nobody any more, and their queues overflow.
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
