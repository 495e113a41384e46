//! The hub: it takes entries of the change log and hands them to the shards, and keeps the
//! connections.

pub(in crate::realtime) mod connection;
pub(in crate::realtime) mod inner;
pub(in crate::realtime) mod keepalive;
pub(in crate::realtime) mod listing;
pub(in crate::realtime) mod options;
pub(in crate::realtime) mod registry;
pub(in crate::realtime) mod runtime;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Instant;
use uuid::Uuid;

use super::connection::snapshot_budget::SnapshotBudget;
use super::connection::state::{ConnectRequest, ConnectionHandle, ConnectionState};
use super::live::handles::ShardHandles;
use super::live::shard::Shard;
use super::live::shard_map::ShardMap;
use super::replay::context::ReplayContext;
use crate::changes::{Change, ChangeLog};
use crate::clock::Clock;
use crate::config::RealtimeConfig;
use crate::db::Db;
use crate::error::Result;
use crate::id::{AccountId, UserId};
use crate::schema::CatalogHandle;
use connection::Connection;
use inner::{HubInner, millis};
use listing::{ConnectionFilter, ConnectionInfo};
use options::HubOptions;
use registry::ConnectionRegistry;
use runtime::HubRuntime;

/// Upper limit of the connections of one user that are checked again at the same time.
const MAX_CONCURRENT_CHECKS: usize = 32;
/// Upper limit of the time that clients may take to leave when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// Interval at which the server looks whether they have left.
const STOP_POLL_INTERVAL: Duration = Duration::from_millis(30);

/// Delivers events to connections; cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<HubInner>);

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
        Self::start(db, log, catalog, clock, HubOptions::new(config))
    }

    pub(in crate::realtime) fn start(
        db: Db,
        log: ChangeLog,
        catalog: CatalogHandle,
        clock: Clock,
        options: HubOptions,
    ) -> Self {
        let runtime = HubRuntime::start();
        let map = ShardMap::new(u32::try_from(options.shards).unwrap_or(u32::MAX));
        let mut handles = Vec::new();
        for share in map.shares() {
            let (shard, handle) = Shard::new(
                db.clone(),
                catalog.clone(),
                log.clone(),
                share,
                options.backlog,
            );
            runtime.spawn(shard.run());
            handles.push(handle);
        }
        let shards = ShardHandles::new(map, handles);
        let inner = Arc::new(HubInner {
            runtime,
            options,
            clock,
            replay: Arc::new(ReplayContext::new(db, catalog, log, shards)),
            snapshots: SnapshotBudget::default(),
            connections: ConnectionRegistry::default(),
            started: Instant::now(),
        });
        inner
            .runtime
            .spawn(keepalive::keep_alive(Arc::downgrade(&inner)));
        Self(inner)
    }

    /// Runs a connection's task on the threads that deliver events.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.runtime.spawn(task);
    }

    /// Delivers entries of the change log to the subscribers; there are no others up to `until`.
    /// Everything that was committed must come here once, in order. This does not wait.
    pub fn publish(&self, changes: &[Arc<Change>], until: i64) {
        self.0.shards().publish(changes, until);
    }

    /// Applies changes of collections to the open subscriptions.
    pub fn catalog_changed(&self) {
        self.0.shards().refresh_catalog();
    }

    /// Applies a change of a user's rights: the user's connections are checked again before events
    /// are delivered that are published later.
    pub async fn access_changed(&self, user: UserId) {
        self.recheck(|connection| {
            connection.user_id == Some(user) || connection.opened_by == Some(user)
        })
        .await;
    }

    /// Applies a change of an account, in the same way.
    pub async fn account_changed(&self, account: AccountId) {
        self.recheck(|connection| {
            (connection.opened_by.is_some() && account.is_system())
                || connection.caller().account_id() == Some(account)
        })
        .await;
    }

    async fn recheck(&self, is_concerned: impl Fn(&ConnectionState) -> bool) {
        stream::iter(self.0.connections.select(is_concerned))
            .for_each_concurrent(MAX_CONCURRENT_CHECKS, async |connection| {
                self.0.recheck(&connection).await;
            })
            .await;
    }

    /// Registers a connection.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::error::Error::Unavailable) if the server stops,
    /// [`Error::RateLimited`](crate::error::Error::RateLimited) if the user or the address has too
    /// many connections.
    pub fn connect(&self, request: ConnectRequest) -> Result<Connection> {
        let options = &self.0.options;
        let age = self.0.age_millis();
        let due = [options.heartbeat, options.checkpoint].map(|interval| age + millis(interval));
        let state = ConnectionState::new(request, options.queue, self.0.clock.now(), due);
        let state = Arc::new(state);
        self.0.connections.add(&state, options)?;
        Ok(Connection::new(state, self.0.clone()))
    }

    /// The number of connections.
    pub fn connected(&self) -> usize {
        self.0.connections.count()
    }

    /// The number of events that were put into queues since the hub started.
    pub fn delivered(&self) -> u64 {
        self.0.shards().delivered()
    }

    /// The connections of this process that a filter accepts, newest first, and their number on all
    /// pages.
    pub async fn list_connections(
        &self,
        filter: &ConnectionFilter<'_>,
    ) -> (Vec<ConnectionInfo>, usize) {
        listing::list(&self.0, filter).await
    }

    /// The connection with this id.
    pub fn connection(&self, id: Uuid) -> Option<ConnectionHandle> {
        self.0.connections.find(id).map(ConnectionHandle::new)
    }

    /// Tells every client to go elsewhere, takes no new ones, and waits until they have left, but
    /// at most a few seconds.
    pub async fn stop(&self) {
        self.0.connections.close();
        let deadline = Instant::now() + STOP_TIMEOUT;
        while self.connected() > 0 && Instant::now() < deadline {
            tokio::time::sleep(STOP_POLL_INTERVAL).await;
        }
    }

    #[cfg(test)]
    pub(in crate::realtime) fn inner(&self) -> &HubInner {
        &self.0
    }
}
