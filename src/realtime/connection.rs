//! One client's connection: its queue, its subscriptions, and the rights with which it sees
//! records.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use metrics::gauge;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Hub;
use super::frame::{Dialect, Notice};
use super::pull::Pulls;
use super::queue::{Close, Limits, Queue};
use super::subscription::{Command, Joined, Member, Selection, Start, Subscribe, Subscription};
use super::waiting::WaitingSnapshot;
use crate::access::FieldView;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::schema::{Collection, SYSTEM_FIELDS};

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
    /// The superadmin who stands behind it, if it is not the user who is shown.
    pub opened_by: Option<UserId>,
    /// The protocol.
    pub dialect: &'static dyn Dialect,
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A connection as the hub and its shards see it.
pub(super) struct Outlet {
    pub(super) id: Uuid,
    pub(super) user_id: Option<UserId>,
    pub(super) address: Option<IpAddr>,
    pub(super) opened_by: Option<UserId>,
    pub(super) since: DateTime<Utc>,
    dialect: &'static dyn Dialect,
    queue: Queue,
    recheck: Recheck,
    rights: Mutex<Rights>,
    /// Whether it is told how far the log is.
    checkpoints: AtomicBool,
    /// When the next heartbeat is due, in milliseconds of the hub's life.
    pub(super) next_beat: AtomicU64,
    /// When the next checkpoint is due.
    pub(super) next_checkpoint: AtomicU64,
    /// How many pings the peer has not answered.
    pub(super) unanswered: AtomicU8,
    /// What it reads in the log.
    pub(super) pulls: Pulls,
    /// How many frames the client has been given.
    pub(super) sent: AtomicU64,
}

/// What a connection may see and what it listens to. Under one lock, so that no subscription misses
/// a change of rights.
struct Rights {
    caller: Caller,
    expires_at: Option<DateTime<Utc>>,
    held: HashMap<Arc<str>, Arc<Subscription>>,
}

impl Outlet {
    /// A connection whose first heartbeat and checkpoint are due then, in milliseconds of the hub's
    /// life.
    pub(super) fn new(
        arrival: Arrival,
        limits: Limits,
        now: DateTime<Utc>,
        [beat, checkpoint]: [u64; 2],
    ) -> Self {
        let principal = arrival.caller.principal();
        let expires_at = principal.and_then(|principal| principal.expires_at);
        Self {
            id: crate::id::new_id(),
            user_id: principal.map(|principal| principal.user_id),
            address: arrival.address,
            opened_by: arrival.opened_by,
            since: now,
            dialect: arrival.dialect,
            queue: Queue::new(limits),
            recheck: arrival.recheck,
            rights: Mutex::new(Rights {
                caller: arrival.caller,
                expires_at,
                held: HashMap::new(),
            }),
            checkpoints: AtomicBool::new(arrival.dialect.has_silent_checkpoints()),
            next_beat: AtomicU64::new(beat),
            next_checkpoint: AtomicU64::new(checkpoint),
            unanswered: AtomicU8::new(0),
            pulls: Pulls::default(),
            sent: AtomicU64::new(0),
        }
    }

    /// Whose connection it is: the user's, or the superadmin's who acts for the user.
    pub(super) fn holder(&self) -> Option<UserId> {
        self.opened_by.or(self.user_id)
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

    pub(super) fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.rights().expires_at
    }

    pub(super) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.rights()
            .expires_at
            .is_some_and(|expires_at| expires_at <= now)
    }

    pub(super) fn wants_checkpoints(&self) -> bool {
        self.checkpoints.load(Ordering::Relaxed)
    }

    /// Whether everything up to a position of one shard is all that its subscriptions want to know.
    pub(super) fn is_complete(&self, is_of_shard: impl Fn(&Subscription) -> bool) -> bool {
        let rights = self.rights();
        !rights.held.is_empty()
            && rights
                .held
                .values()
                .all(|held| held.is_live() && is_of_shard(held))
    }

    /// The subscriptions that a predicate picks.
    pub(super) fn held(&self, pick: impl Fn(&Subscription) -> bool) -> Vec<Arc<Subscription>> {
        self.rights()
            .held
            .values()
            .filter(|held| pick(held))
            .cloned()
            .collect()
    }

    /// Sends a command about subscriptions with the rights of now. No change of rights slips in
    /// between.
    pub(super) fn with_members<T>(
        self: &Arc<Self>,
        subscriptions: &[Arc<Subscription>],
        send: impl FnOnce(Vec<Member>) -> T,
    ) -> T {
        let rights = self.rights();
        let member = |subscription: &Arc<Subscription>| {
            Member::new(subscription.clone(), self.clone(), rights.caller.clone())
        };
        send(subscriptions.iter().map(member).collect())
    }

    /// Asks for the user's rights again and applies them to what is subscribed.
    pub(super) async fn recheck(&self, hub: &Hub) {
        let reason = match (self.recheck)().await {
            Ok(caller) if caller.has_identity_of(&self.caller()) => {
                return self.recast(hub, &caller);
            }
            _ if self.has_expired(hub.0.clock.now()) => Close::Expired,
            Err(Error::Unavailable(_) | Error::Internal(_) | Error::RateLimited { .. }) => {
                Close::Overload
            }
            Ok(_) | Err(_) => Close::Revoked,
        };
        self.queue.close(reason);
    }

    /// Forgets a subscription that cannot go on, and tells its client why.
    pub(super) fn end_unusable(&self, subscription: &Subscription, error: &str) {
        let mut rights = self.rights();
        let before = rights.held.len();
        rights.held.retain(|_, held| held.id != subscription.id);
        if rights.held.len() == before {
            return;
        }
        count_subscriptions(-1);
        if let Some(frame) = subscription.notice(self, &Notice::Ended { error }) {
            self.queue.push(frame);
        }
    }

    fn recast(&self, hub: &Hub, caller: &Caller) {
        let mut rights = self.rights();
        rights.caller = caller.clone();
        rights.expires_at = caller
            .principal()
            .and_then(|principal| principal.expires_at);
        for held in rights.held.values() {
            // A subscription that is about to go live was sent to its shard with the rights of
            // before.
            hub.command(
                held.scope,
                Command::Recast {
                    subscription: held.clone(),
                    caller: caller.clone(),
                },
            );
        }
    }
}

/// Why a subscription was not made.
#[derive(Debug)]
pub enum Refused {
    /// The connection already has as many subscriptions as it may have.
    TooMany(usize),
    /// What was asked for cannot be.
    Invalid(Error),
}

/// Hears when a shard has ended a subscription.
pub(super) type Ended = oneshot::Receiver<Joined>;

/// A connection; when it is dropped, its subscriptions end.
pub struct Connection {
    outlet: Arc<Outlet>,
    hub: Hub,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.outlet.id)
            .finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn new(outlet: Arc<Outlet>, hub: Hub) -> Self {
        Self { outlet, hub }
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.hub
    }

    pub(super) fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }

    pub(super) fn pulls(&self) -> &Pulls {
        &self.outlet.pulls
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

    /// Asks for the user's rights again. Whoever connects does this once: what changed between the
    /// check of the credential and the registration with the hub would be missed otherwise.
    pub async fn recheck(&self) {
        self.outlet.recheck(&self.hub).await;
    }

    /// Counts a snapshot that will wait to be sent; `None` if so much of them waits already, for
    /// this connection or for its account, that there should be no other one.
    pub fn begin_snapshot(&self) -> Option<WaitingSnapshot> {
        if self.outlet.pulls.is_full() {
            return None;
        }
        self.hub.0.snapshots.add(self.caller().account_id())
    }

    /// Subscribes; a subscription of the same name is replaced. From the acknowledgement on, every
    /// event that is committed later is delivered; what was missed or is shown first comes before.
    pub async fn subscribe(&self, subscribe: Subscribe) -> Result<(), Refused> {
        self.subscribe_all(vec![subscribe]).await
    }

    /// Subscribes to several collections of one scope, which begin as the first one does. What was
    /// missed comes in the order of the log.
    pub async fn subscribe_all(&self, all: Vec<Subscribe>) -> Result<(), Refused> {
        if all
            .first()
            .is_some_and(|first| matches!(first.start, Start::Now))
        {
            // Whoever has just been answered is not told of that write.
            self.hub.0.log.caught_up().await;
        }
        for subscribe in &all {
            self.check(subscribe)?;
        }
        let mut starting = Vec::new();
        let (mut start, mut ended) = (Start::Now, None);
        for mut subscribe in all {
            let from = std::mem::take(&mut subscribe.start);
            if starting.is_empty() {
                start = from;
            }
            let (subscription, replaced) =
                self.register(subscribe, !matches!(start, Start::Now))?;
            starting.push(subscription);
            ended = replaced.or(ended);
        }
        self.outlet.pulls.begin(self, starting, start, ended);
        Ok(())
    }

    /// Refuses a filter that means nothing or uses what the subscriber does not see, and unknown
    /// names of fields and references.
    fn check(&self, subscribe: &Subscribe) -> Result<(), Refused> {
        let Selection {
            filter,
            expand,
            fields,
            ..
        } = &*subscribe.selection;
        if filter.is_none() && expand.is_none() && fields.is_none() {
            return Ok(());
        }
        let catalog = self.hub.0.catalog.current();
        let missing = || {
            Error::not_found(format!(
                "Collection '{}' does not exist",
                subscribe.collection
            ))
        };
        let collection = catalog
            .by_name(&subscribe.collection)
            .ok_or_else(missing)
            .map_err(Refused::Invalid)?;
        let caller = self.caller();
        let view = FieldView::of(&caller, collection, subscribe.selection.operation());
        let filtered = filter
            .as_deref()
            .map_or(Ok(()), |filter| view.compile_filter(filter).map(drop));
        let expanded = expand
            .as_ref()
            .map_or(Ok(()), |expand| expand.check(collection));
        let named = fields
            .as_deref()
            .map_or(Ok(()), |fields| check_names(collection, fields));
        filtered.and(expanded).and(named).map_err(Refused::Invalid)
    }

    /// Adds a subscription to those of this connection. If it does not begin `later`, its shard is
    /// told. The answer is sent after the last event of the one that is replaced; whoever begins
    /// later waits for that.
    fn register(
        &self,
        subscribe: Subscribe,
        later: bool,
    ) -> Result<(Arc<Subscription>, Option<Ended>), Refused> {
        let mut rights = self.outlet.rights();
        let most = self.hub.options().subscriptions;
        if rights.held.len() >= most && !rights.held.contains_key(&subscribe.name) {
            return Err(Refused::TooMany(most));
        }
        let subscription = Arc::new(Subscription::new(self.hub.next_subscription(), &subscribe));
        if subscribe.notices {
            self.outlet.checkpoints.store(true, Ordering::Relaxed);
        }
        let before = rights.held.insert(subscribe.name, subscription.clone());
        count_subscriptions(i64::from(before.is_none()));
        let (scope, ack) = (subscribe.scope, subscribe.ack);
        if later {
            let ended = match (before, ack) {
                (Some(before), ack) => Some(self.end(before, ack)),
                (None, Some(ack)) => {
                    self.outlet.queue.push(ack);
                    None
                }
                (None, None) => None,
            };
            return Ok((subscription, ended));
        }
        let (replaces, elsewhere) = match before {
            Some(before) if before.scope != scope => (None, Some(before)),
            before => (before, None),
        };
        let member = Member::new(
            subscription.clone(),
            self.outlet.clone(),
            rights.caller.clone(),
        );
        let after = self.hub.published(scope);
        // The answer may name a position up to there.
        self.outlet.queue.note_told(after);
        self.hub.command(
            scope,
            Command::Subscribe {
                member,
                replaces,
                after,
                ack,
            },
        );
        if let Some(before) = elsewhere {
            self.end(before, None);
        }
        Ok((subscription, None))
    }

    fn end(&self, subscription: Arc<Subscription>, ack: Option<Bytes>) -> Ended {
        let (done, ended) = oneshot::channel();
        let (ack, done) = (ack.map(|ack| (self.outlet.clone(), ack)), Some(done));
        self.hub.command(
            subscription.scope,
            Command::Unsubscribe {
                subscription,
                ack,
                done,
            },
        );
        ended
    }

    /// Ends a subscription, if there is one of that name; the acknowledgement is sent in any case.
    pub fn unsubscribe(&self, name: &str, ack: Bytes) {
        let Some(held) = self.outlet.rights().held.remove(name) else {
            self.outlet.queue.push(ack);
            return;
        };
        count_subscriptions(-1);
        self.end(held, Some(ack));
    }
}

/// Refuses names that are not fields of a collection's records.
fn check_names(collection: &Collection, fields: &[String]) -> Result<()> {
    let is_known = |name: &str| {
        collection.field(name).is_some() || SYSTEM_FIELDS.contains(&name) || name == "account_name"
    };
    match fields.iter().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => Err(Error::refused(
            "Invalid fields",
            format!("Field '{name}' does not exist"),
        )),
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
    pub(super) fn new(outlet: Arc<Outlet>) -> Self {
        Self(outlet)
    }

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
        f.debug_struct("Line")
            .field("id", &self.0.id)
            .finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut rights = self.outlet.rights();
        // Nothing is queued for a connection that is gone.
        self.outlet.queue.close(Close::GoingAway);
        #[expect(clippy::cast_possible_wrap, reason = "there are few subscriptions")]
        count_subscriptions(-(rights.held.len() as i64));
        for (_, held) in rights.held.drain() {
            self.end(held, None);
        }
        drop(rights);
        self.hub.leave(&self.outlet);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge takes nothing but doubles"
)]
fn count_subscriptions(more: i64) {
    gauge!("snackbase_realtime_subscriptions").increment(more as f64);
}
