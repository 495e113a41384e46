//! Realtime: whoever subscribed is told of what was committed.
//!
//! The [`Hub`] is fed from the change log and knows connections, subscriptions and groups of
//! subscriptions that see the same; it knows no protocol. A [`Dialect`] gives events their shape on
//! the wire. Rules, field lists and masks of a collection's list decide what a subscriber sees,
//! judged with the rights and the rules of the moment at which an event is handed out.
//!
//! # Order and flow
//!
//! The events of an account pass through one task, in the order of the log; those of all accounts
//! through another, for superadmins. A connection has a bounded queue and is never waited for
//! alone: if it reads too slowly, what waits is dropped, and it reads the log at its own pace until
//! it has caught up. In the same way it hears what it missed before it came. If most receivers fall
//! behind, it is the machine that is too slow, and events wait in the log. So do those that come
//! faster than they can be judged: whoever follows the log never waits for that, so that changes of
//! rights take effect at once, and one account's rules delay only the accounts that share its task.

mod census;
mod connection;
mod expanding;
mod frame;
mod history;
mod inquiry;
mod lane;
mod lens;
mod pull;
mod pulse;
pub mod queue;
mod ring;
mod shard;
mod subscription;
#[cfg(test)]
mod tests;
mod topic;
mod waiting;
mod workers;

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use metrics::gauge;
use tokio::time::Instant;
use uuid::Uuid;

pub use census::{ConnectionInfo, SubscriptionInfo, Wanted};
pub use connection::{Arrival, Connection, Line, Recheck, Refused};
pub use frame::{About, Crossing, Dialect, Event, Notice, Operation, Resync};
pub use queue::{Close, Limits, Queue, Taken};
pub use subscription::{Operations, Scope, Selection, Snapshot, Start, Subscribe};
pub use waiting::WaitingSnapshot;
use workers::Workers;

use crate::changes::{Change, ChangeLog};
use crate::clock::Clock;
use crate::config::RealtimeConfig;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::schema::CatalogHandle;
use connection::Outlet;
use history::History;
use lane::Spread;
use shard::{Handle, Shard};
use subscription::{Command, SubscriptionId};
use waiting::WaitingSnapshots;

/// How many connections of one user are checked again at once.
const RECHECKS: usize = 32;
/// How long clients may take to go when the server stops.
const FAREWELL: Duration = Duration::from_secs(3);
/// When a client should try again that was refused because there are too many connections.
const RETRY_AFTER: u64 = 5;

/// What realtime may use.
#[derive(Clone, Debug)]
struct Options {
    /// Tasks that hand out events.
    shards: usize,
    /// Events that may wait for each of them.
    backlog: usize,
    /// What may wait for each connection.
    queue: Limits,
    /// Subscriptions of one connection.
    subscriptions: usize,
    /// Connections of one user.
    connections_per_user: usize,
    /// Connections from one address.
    connections_per_address: usize,
    /// How often a connection hears from the server.
    heartbeat: Duration,
    /// How often a connection hears how far the log is.
    checkpoint: Duration,
    /// How long a client may leave unread what waits for it.
    stall: Duration,
}

impl Options {
    fn new(config: &RealtimeConfig) -> Self {
        let or_any = |most| if most == 0 { usize::MAX } else { most };
        Self {
            backlog: config.backlog_events,
            shards: std::thread::available_parallelism().map_or(1, usize::from),
            queue: Limits {
                frames: config.queue_frames,
                bytes: config.queue_bytes,
            },
            subscriptions: config.max_subscriptions,
            connections_per_user: or_any(config.max_connections_per_user),
            connections_per_address: or_any(config.max_connections_per_address),
            heartbeat: Duration::from_secs(config.heartbeat_seconds),
            checkpoint: Duration::from_secs(config.checkpoint_seconds),
            stall: Duration::from_secs(config.stall_seconds),
        }
    }
}

/// Hands out events; cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    workers: Workers,
    options: Options,
    clock: Clock,
    db: Db,
    catalog: CatalogHandle,
    log: ChangeLog,
    history: History,
    snapshots: WaitingSnapshots,
    /// Those of single accounts, and at the end the one of all.
    lanes: Vec<Handle>,
    spread: Spread,
    connections: Mutex<Connections>,
    stopping: AtomicBool,
    next_subscription: AtomicU64,
    started: Instant,
}

#[derive(Default)]
struct Connections {
    by_id: HashMap<Uuid, Arc<Outlet>>,
    per_user: HashMap<UserId, usize>,
    per_address: HashMap<IpAddr, usize>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// Starts the hub's tasks; they end with its last clone.
    pub fn new(
        db: Db,
        log: ChangeLog,
        catalog: CatalogHandle,
        clock: Clock,
        config: &RealtimeConfig,
    ) -> Self {
        Self::start(db, log, catalog, clock, Options::new(config))
    }

    fn start(
        db: Db,
        log: ChangeLog,
        catalog: CatalogHandle,
        clock: Clock,
        options: Options,
    ) -> Self {
        let workers = Workers::start();
        let shards = u32::try_from(options.shards).unwrap_or(u32::MAX);
        let spread = Spread::over(shards);
        let lanes = spread.lanes().map(|lane| {
            Shard::start(
                &workers,
                db.clone(),
                catalog.clone(),
                log.clone(),
                lane,
                options.backlog,
            )
        });
        let lanes = lanes.collect();
        let inner = Arc::new(Inner {
            workers,
            options,
            clock,
            db,
            catalog,
            history: History::new(log.clone()),
            snapshots: WaitingSnapshots::default(),
            log,
            lanes,
            spread,
            connections: Mutex::default(),
            stopping: AtomicBool::new(false),
            next_subscription: AtomicU64::new(1),
            started: Instant::now(),
        });
        inner.workers.spawn(pulse::beat(Arc::downgrade(&inner)));
        Self(inner)
    }

    /// Runs a connection's task on the threads that hand out events.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.workers.spawn(task);
    }

    /// Hands entries of the change log to the subscribers; there are no others up to `until`.
    /// Everything that was committed must come here once, in order.
    pub fn publish(&self, changes: &[Arc<Change>], until: i64) {
        for lane in &self.0.lanes {
            lane.intake.put(changes, until);
        }
    }

    /// Applies changes of collections to what is subscribed.
    pub fn catalog_changed(&self) {
        for lane in &self.0.lanes {
            send(lane, Command::Refresh);
        }
    }

    /// Applies a change of somebody's rights: the user's connections are checked again before
    /// anything is handed out that is published later.
    pub async fn access_changed(&self, user: UserId) {
        self.recheck(|outlet| outlet.user_id == Some(user) || outlet.opened_by == Some(user))
            .await;
    }

    /// Applies a change of an account, in the same way.
    pub async fn account_changed(&self, account: AccountId) {
        let is_opener = |outlet: &Outlet| outlet.opened_by.is_some() && account.is_system();
        self.recheck(|outlet| is_opener(outlet) || outlet.caller().account_id() == Some(account))
            .await;
    }

    async fn recheck(&self, concerned: impl Fn(&Outlet) -> bool) {
        let outlets = self
            .connections()
            .by_id
            .values()
            .filter(|outlet| concerned(outlet))
            .cloned()
            .collect::<Vec<_>>();
        stream::iter(outlets)
            .for_each_concurrent(RECHECKS, async |outlet| outlet.recheck(self).await)
            .await;
    }

    /// Registers a connection.
    pub fn connect(&self, arrival: Arrival) -> Result<Connection> {
        let options = self.options();
        let due = [options.heartbeat, options.checkpoint].map(|pause| self.age() + millis(pause));
        let outlet = Arc::new(Outlet::new(arrival, options.queue, self.0.clock.now(), due));
        let mut connections = self.connections();
        if self.0.stopping.load(Ordering::Relaxed) {
            return Err(Error::Unavailable("The server is stopping".into()));
        }
        let of_user = outlet
            .holder()
            .and_then(|user| connections.per_user.get(&user))
            .copied()
            .unwrap_or(0);
        let of_address = outlet
            .address
            .and_then(|from| connections.per_address.get(&from))
            .copied()
            .unwrap_or(0);
        if of_user >= options.connections_per_user || of_address >= options.connections_per_address
        {
            return Err(Error::RateLimited {
                retry_after: RETRY_AFTER,
            });
        }
        if let Some(user) = outlet.holder() {
            connections.per_user.insert(user, of_user + 1);
        }
        if let Some(address) = outlet.address {
            connections.per_address.insert(address, of_address + 1);
        }
        connections.by_id.insert(outlet.id, outlet.clone());
        drop(connections);
        gauge!("snackbase_realtime_connections").increment(1.0);
        Ok(Connection::new(outlet, self.clone()))
    }

    fn leave(&self, outlet: &Outlet) {
        let mut connections = self.connections();
        connections.by_id.remove(&outlet.id);
        if let Some(user) = outlet.holder() {
            forget_one(&mut connections.per_user, &user);
        }
        if let Some(address) = outlet.address {
            forget_one(&mut connections.per_address, &address);
        }
        drop(connections);
        gauge!("snackbase_realtime_connections").decrement(1.0);
    }

    /// How many connections there are.
    pub fn connected(&self) -> usize {
        self.connections().by_id.len()
    }

    /// How many events were handed to connections since the hub started.
    pub fn delivered(&self) -> u64 {
        self.0.lanes.iter().map(Handle::delivered).sum()
    }

    /// Tells every client to go elsewhere, takes no new ones, and waits until they have gone, but
    /// not for long.
    pub async fn stop(&self) {
        let stop = |connections: &Connections| {
            self.0.stopping.store(true, Ordering::Relaxed);
            connections
                .by_id
                .values()
                .for_each(|outlet| outlet.queue().close(Close::GoingAway));
        };
        stop(&self.connections());
        let deadline = Instant::now() + FAREWELL;
        while self.connected() > 0 && Instant::now() < deadline {
            tokio::time::sleep(FAREWELL / 100).await;
        }
    }

    fn options(&self) -> &Options {
        &self.0.options
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.0.connections()
    }

    fn next_subscription(&self) -> SubscriptionId {
        self.0.next_subscription.fetch_add(1, Ordering::Relaxed)
    }

    fn index_of(&self, scope: Scope) -> usize {
        usize::try_from(self.lane_of(scope)).unwrap_or(usize::MAX)
    }

    /// The number of the shard that serves a scope.
    fn lane_of(&self, scope: Scope) -> u32 {
        match scope {
            Scope::Account(account) => self.0.spread.of(account),
            Scope::Everything => self.0.spread.everything(),
        }
    }

    /// The position up to which a scope's events have been handed out.
    fn position_of(&self, scope: Scope) -> i64 {
        self.0.lanes[self.index_of(scope)].position()
    }

    /// The position up to which a shard has handed events out.
    fn position_of_lane(&self, lane: u32) -> i64 {
        usize::try_from(lane)
            .ok()
            .and_then(|lane| self.0.lanes.get(lane))
            .map_or(0, Handle::position)
    }

    /// The position up to which a scope's events have been handed out, or wait for it.
    fn published(&self, scope: Scope) -> i64 {
        self.0.lanes[self.index_of(scope)].intake.until()
    }

    fn command(&self, scope: Scope, command: Command) {
        send(&self.0.lanes[self.index_of(scope)], command);
    }

    /// Lets each connection be told how far the log is, by the shard that serves it.
    fn checkpoint(&self, outlets: Vec<Arc<Outlet>>) {
        let mut parts: Vec<Vec<Arc<Outlet>>> = vec![Vec::new(); self.0.lanes.len()];
        for outlet in outlets {
            if let Some(first) = outlet.held(|_| true).first() {
                parts[self.index_of(first.scope)].push(outlet);
            }
        }
        for (lane, outlets) in self.0.lanes.iter().zip(parts) {
            if !outlets.is_empty() {
                send(lane, Command::Checkpoint(outlets));
            }
        }
    }

    fn age(&self) -> u64 {
        millis(self.0.started.elapsed())
    }
}

impl Inner {
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn send(lane: &Handle, command: Command) {
    if lane.commands.send(command).is_err() {
        tracing::error!("a realtime task has ended; a subscription is lost");
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn forget_one<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
