//! A task that hands out the events of some accounts, in the order of the log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::connection::Outlet;
use super::subscription::{Command, Member, Scope};
use super::topic::{Delivery, Topic};
use super::workers::Workers;
use crate::changes::{Change, ChangeLog};
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
    pub(super) events: mpsc::Sender<Vec<Arc<Change>>>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
}

pub(super) struct Shard {
    catalog: CatalogHandle,
    log: ChangeLog,
    events: mpsc::Receiver<Vec<Arc<Change>>>,
    commands: mpsc::UnboundedReceiver<Command>,
    topics: HashMap<Scope, HashMap<Arc<str>, Topic>>,
    /// Whether it serves subscriptions of every account, or those of one account each.
    everything: bool,
    /// The last entry that was handed out.
    position: i64,
}

impl Shard {
    /// Starts a shard; it ends when its handle is gone.
    pub(super) fn start(
        workers: &Workers,
        catalog: CatalogHandle,
        log: ChangeLog,
        everything: bool,
        backlog: usize,
    ) -> Handle {
        let (events, events_in) = mpsc::channel(backlog);
        let (commands, commands_in) = mpsc::unbounded_channel();
        let position = log.position();
        let topics = HashMap::new();
        let shard = Self { catalog, log, events: events_in, commands: commands_in, topics, everything, position };
        workers.spawn(shard.run());
        Handle { events, commands }
    }

    async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                Some(changes) = self.events.recv() => self.hand_out(changes).await,
            }
        }
    }

    async fn hand_out(&mut self, changes: Vec<Arc<Change>>) {
        let (mut events, mut sent, mut overflowed, mut turn) = (0, 0, 0, 0);
        for change in changes {
            while let Ok(command) = self.commands.try_recv() {
                self.obey(command);
            }
            let delivery = self.deliver(&change);
            self.position = change.position;
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
        counter!("snackbase_realtime_events_total").increment(events);
        counter!("snackbase_realtime_deliveries_total").increment(sent);
        counter!("snackbase_realtime_overflows_total").increment(overflowed);
    }

    fn deliver(&mut self, change: &Change) -> Delivery {
        let scope = match change.account_id {
            _ if self.everything => Scope::Everything,
            Some(account) => Scope::Account(account),
            None => return Delivery::default(),
        };
        let Some(topics) = self.topics.get_mut(&scope) else { return Delivery::default() };
        let catalog = self.catalog.current();
        let collection = change.collection_id.and_then(|id| catalog.by_id(id));
        let Some(collection) = collection else { return Delivery::default() };
        let Some(topic) = topics.get_mut(collection.name.as_str()) else { return Delivery::default() };
        change_groups(topic, |topic| topic.refresh(Some(collection)));
        topic.deliver(change, self.log.cursor(change.position))
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Subscribe { scope, collection, member, replaces, ack, registered } => {
                let outlet = member.outlet.clone();
                let catalog = self.catalog.current();
                let topic = self.topics.entry(scope).or_default().entry(collection.clone()).or_default();
                change_groups(topic, |topic| {
                    topic.refresh(catalog.by_name(&collection));
                    if let Some(id) = replaces {
                        topic.remove(id);
                    }
                    topic.add(member);
                });
                if let Some(ack) = ack {
                    outlet.queue().push(ack);
                }
                if let Some(registered) = registered {
                    // Whoever asked may be gone; then its subscription ends soon.
                    let _ = registered.send(self.position);
                }
            }
            Command::Unsubscribe { scope, collection, id, ack } => {
                self.in_topic(scope, &collection, |topic| {
                    topic.remove(id);
                });
                if let Some((outlet, ack)) = ack {
                    outlet.queue().push(ack);
                }
            }
            Command::Recast { scope, collection, id, caller } => self.in_topic(scope, &collection, |topic| {
                if let Some(member) = topic.remove(id) {
                    topic.add(Member { caller, ..member });
                }
            }),
        }
    }

    fn in_topic(&mut self, scope: Scope, collection: &Arc<str>, change: impl FnOnce(&mut Topic)) {
        let Some(topics) = self.topics.get_mut(&scope) else { return };
        let Some(topic) = topics.get_mut(collection) else { return };
        change_groups(topic, change);
        if topic.is_empty() {
            topics.remove(collection);
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
