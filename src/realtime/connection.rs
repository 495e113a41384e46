//! One client's connection: its queue, its subscriptions, and the rights with which it sees records.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use metrics::gauge;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Hub;
use super::frame::Dialect;
use super::queue::{Close, Limits, Queue};
use super::subscription::{Command, Member, Operations, Scope, SubscriptionId};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::id::UserId;

/// Checks the connection's credential again and returns whom it stands for now.
pub type Recheck = Box<dyn Fn() -> BoxFuture<'static, Result<Caller>> + Send + Sync>;

/// Who wants to connect, and how.
pub struct Arrival {
    /// Who.
    pub caller: Caller,
    /// How to find out whether that still holds.
    pub recheck: Recheck,
    /// From where.
    pub address: Option<IpAddr>,
    /// The protocol.
    pub dialect: &'static dyn Dialect,
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A connection as the hub and its shards see it.
pub(super) struct Outlet {
    pub(super) id: Uuid,
    pub(super) user_id: Option<UserId>,
    pub(super) address: Option<IpAddr>,
    dialect: &'static dyn Dialect,
    queue: Queue,
    recheck: Recheck,
    rights: Mutex<Rights>,
    /// When the next heartbeat is due, in milliseconds of the hub's life.
    pub(super) next_beat: AtomicU64,
    /// How many pings the peer has not answered.
    pub(super) unanswered: AtomicU8,
}

/// What a connection may see and what it listens to. Under one lock, so that no subscription misses a change of rights.
struct Rights {
    caller: Caller,
    expires_at: Option<DateTime<Utc>>,
    held: HashMap<Arc<str>, Held>,
}

struct Held {
    id: SubscriptionId,
    scope: Scope,
}

impl Outlet {
    pub(super) fn new(arrival: Arrival, limits: Limits, first_beat: u64) -> Self {
        let principal = arrival.caller.principal();
        let expires_at = principal.and_then(|principal| principal.expires_at);
        Self {
            id: crate::id::new_id(),
            user_id: principal.map(|principal| principal.user_id),
            address: arrival.address,
            dialect: arrival.dialect,
            queue: Queue::new(limits),
            recheck: arrival.recheck,
            rights: Mutex::new(Rights { caller: arrival.caller, expires_at, held: HashMap::new() }),
            next_beat: AtomicU64::new(first_beat),
            unanswered: AtomicU8::new(0),
        }
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(super) fn dialect(&self) -> &'static dyn Dialect {
        self.dialect
    }

    fn rights(&self) -> MutexGuard<'_, Rights> {
        self.rights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn caller(&self) -> Caller {
        self.rights().caller.clone()
    }

    pub(super) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.rights().expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Asks for the user's rights again and applies them to what is subscribed.
    pub(super) async fn recheck(&self, hub: &Hub) {
        let reason = match (self.recheck)().await {
            Ok(caller) if self.continues(&caller) => return self.recast(hub, &caller),
            _ if self.has_expired(hub.0.clock.now()) => Close::Expired,
            Err(Error::Unavailable(_) | Error::Internal(_) | Error::RateLimited { .. }) => Close::Overload,
            Ok(_) | Err(_) => Close::Revoked,
        };
        self.queue.close(reason);
    }

    /// Whether this is the same user, with the same reach.
    fn continues(&self, caller: &Caller) -> bool {
        caller.principal().map(|principal| principal.user_id) == self.user_id
            && caller.is_superadmin() == self.rights().caller.is_superadmin()
    }

    fn recast(&self, hub: &Hub, caller: &Caller) {
        let mut rights = self.rights();
        rights.caller = caller.clone();
        rights.expires_at = caller.principal().and_then(|principal| principal.expires_at);
        for (collection, held) in &rights.held {
            let (scope, collection) = (held.scope, collection.clone());
            hub.command(scope, Command::Recast { scope, collection, id: held.id, caller: caller.clone() });
        }
    }
}

/// What to subscribe to.
#[derive(Clone, Debug)]
pub struct Subscribe {
    /// The collection's name; it need not exist yet.
    pub collection: String,
    /// What to hear of.
    pub operations: Operations,
    /// Whose records.
    pub scope: Scope,
    /// Entries of the change log up to this position are known already.
    pub after: i64,
    /// What to send once the subscription stands, ahead of its first event.
    pub ack: Option<Bytes>,
}

/// The connection already has as many subscriptions as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany(pub usize);

/// A connection; when it is dropped, its subscriptions end.
pub struct Connection {
    outlet: Arc<Outlet>,
    hub: Hub,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("id", &self.outlet.id).finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn new(outlet: Arc<Outlet>, hub: Hub) -> Self {
        Self { outlet, hub }
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.hub
    }

    pub(super) fn dialect(&self) -> &'static dyn Dialect {
        self.outlet.dialect
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.outlet.id
    }

    /// Who is connected, with the rights of now.
    pub fn caller(&self) -> Caller {
        self.outlet.caller()
    }

    /// What waits to be sent.
    pub fn queue(&self) -> &Queue {
        &self.outlet.queue
    }

    /// Notes that the peer lives.
    pub fn heard(&self) {
        self.outlet.unanswered.store(0, Ordering::Relaxed);
    }

    /// Asks for the user's rights again. Whoever connects does this once: what changed between the check of the
    /// credential and the registration with the hub would be missed otherwise.
    pub async fn recheck(&self) {
        self.outlet.recheck(&self.hub).await;
    }

    /// Subscribes; a subscription of the same collection is replaced. From the acknowledgement on, every event that is
    /// committed later is delivered.
    pub fn subscribe(&self, subscribe: Subscribe) -> Result<(), TooMany> {
        self.register(subscribe, None)
    }

    /// Subscribes as [`Connection::subscribe`], and waits for the position in the change log after which events come.
    pub async fn subscribe_at(&self, subscribe: Subscribe) -> Result<Option<i64>, TooMany> {
        let (registered, position) = oneshot::channel();
        self.register(subscribe, Some(registered))?;
        Ok(position.await.ok())
    }

    fn register(&self, subscribe: Subscribe, registered: Option<oneshot::Sender<i64>>) -> Result<(), TooMany> {
        let Subscribe { collection, operations, scope, after, ack } = subscribe;
        let collection: Arc<str> = collection.into();
        let id = self.hub.next_subscription();
        let mut rights = self.outlet.rights();
        let most = self.hub.options().subscriptions;
        if rights.held.len() >= most && !rights.held.contains_key(&collection) {
            return Err(TooMany(most));
        }
        let before = rights.held.insert(collection.clone(), Held { id, scope });
        count_subscriptions(i64::from(before.is_none()));
        let (replaces, elsewhere) = match before {
            Some(before) if before.scope != scope => (None, Some(before)),
            before => (before.map(|before| before.id), None),
        };
        let member = Member { id, outlet: self.outlet.clone(), caller: rights.caller.clone(), operations, after };
        let new = Command::Subscribe { scope, collection: collection.clone(), member, replaces, ack, registered };
        self.hub.command(scope, new);
        if let Some(before) = elsewhere {
            let scope = before.scope;
            self.hub.command(scope, Command::Unsubscribe { scope, collection, id: before.id, ack: None });
        }
        Ok(())
    }

    /// Ends a subscription, if there is one; the acknowledgement is sent in any case.
    pub fn unsubscribe(&self, collection: &str, ack: Bytes) {
        let mut rights = self.outlet.rights();
        let Some((collection, held)) = rights.held.remove_entry(collection) else {
            self.outlet.queue.push(ack);
            return;
        };
        count_subscriptions(-1);
        let (scope, ack) = (held.scope, Some((self.outlet.clone(), ack)));
        self.hub.command(scope, Command::Unsubscribe { scope, collection, id: held.id, ack });
    }
}

/// What may be known of a connection without holding it; cheap to clone.
#[derive(Clone)]
pub struct Line(Arc<Outlet>);

impl Connection {
    /// The connection as others may know it.
    pub fn line(&self) -> Line {
        Line(self.outlet.clone())
    }
}

impl Line {
    /// The connection's id.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// Who is connected, with the rights of now.
    pub fn caller(&self) -> Caller {
        self.0.caller()
    }

    /// Why the connection ends, if it does.
    pub fn ending(&self) -> Option<Close> {
        self.0.queue.ending()
    }

    /// Ends the connection.
    pub fn close(&self, reason: Close) {
        self.0.queue.close(reason);
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("id", &self.0.id).finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut rights = self.outlet.rights();
        // Nothing is queued for a connection that is gone.
        self.outlet.queue.close(Close::GoingAway);
        #[expect(clippy::cast_possible_wrap, reason = "there are few subscriptions")]
        count_subscriptions(-(rights.held.len() as i64));
        for (collection, held) in rights.held.drain() {
            let scope = held.scope;
            self.hub.command(scope, Command::Unsubscribe { scope, collection, id: held.id, ack: None });
        }
        drop(rights);
        self.hub.leave(&self.outlet);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge takes nothing but doubles")]
fn count_subscriptions(more: i64) {
    gauge!("snackbase_realtime_subscriptions").increment(more as f64);
}
