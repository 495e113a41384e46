//! One client's connection: its queue, its subscriptions, and the rights with which it sees
//! records.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use metrics::gauge;
use uuid::Uuid;

use super::frame_buffer::{LogMark, QueueLimits};
use super::outbound::{CloseReason, OutboundQueue};
use crate::auth::Caller;
use crate::error::Result;
use crate::id::UserId;
use crate::realtime::protocol::{ControlFrame, Protocol};
use crate::realtime::subscription::Subscription;

/// Checks the connection's credential again and returns the caller for whom it stands now.
pub type CredentialCheck = Box<dyn Fn() -> BoxFuture<'static, Result<Caller>> + Send + Sync>;

/// A client that asks to be connected.
pub struct ConnectRequest {
    /// The caller, as its credential was checked a moment ago.
    pub caller: Caller,
    /// The check to repeat while the connection lasts.
    pub check: CredentialCheck,
    /// The client's address, if it is known.
    pub address: Option<IpAddr>,
    /// The superadmin who acts for the caller, if one does.
    pub opened_by: Option<UserId>,
    /// The wire protocol.
    pub protocol: &'static dyn Protocol,
}

impl fmt::Debug for ConnectRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectRequest")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A connection as the hub and its shards see it.
pub(in crate::realtime) struct ConnectionState {
    pub(in crate::realtime) id: Uuid,
    pub(in crate::realtime) user_id: Option<UserId>,
    pub(in crate::realtime) address: Option<IpAddr>,
    pub(in crate::realtime) opened_by: Option<UserId>,
    pub(in crate::realtime) since: DateTime<Utc>,
    protocol: &'static dyn Protocol,
    queue: OutboundQueue,
    check: CredentialCheck,
    rights: Mutex<ConnectionRights>,
    /// `true` if it is sent checkpoints.
    wants_checkpoints: AtomicBool,
    /// The time of the next heartbeat, in milliseconds since the hub started.
    pub(in crate::realtime) next_heartbeat: AtomicU64,
    /// The time of the next checkpoint.
    pub(in crate::realtime) next_checkpoint: AtomicU64,
    /// The number of pings that the peer has not answered.
    pub(in crate::realtime) unanswered_pings: AtomicU8,
    /// The number of frames that the client was given.
    pub(in crate::realtime) sent_frames: AtomicU64,
    /// The positions up to which the connection has read the log, one for each place at which it
    /// reads.
    replaying: Mutex<Vec<LogMark>>,
}

/// The rights of a connection, and its subscriptions. They are under one lock, so that no
/// subscription misses a change of rights.
pub(in crate::realtime) struct ConnectionRights {
    pub(in crate::realtime) caller: Caller,
    expires_at: Option<DateTime<Utc>>,
    pub(in crate::realtime) subscriptions: HashMap<Arc<str>, Arc<Subscription>>,
}

impl ConnectionState {
    /// A connection with the times of its first heartbeat and checkpoint, in milliseconds since the
    /// hub started.
    pub(in crate::realtime) fn new(
        request: ConnectRequest,
        limits: QueueLimits,
        now: DateTime<Utc>,
        [next_heartbeat, next_checkpoint]: [u64; 2],
    ) -> Self {
        let principal = request.caller.principal();
        let expires_at = principal.and_then(|principal| principal.expires_at);
        Self {
            id: crate::id::new_id(),
            user_id: principal.map(|principal| principal.user_id),
            address: request.address,
            opened_by: request.opened_by,
            since: now,
            protocol: request.protocol,
            queue: OutboundQueue::new(limits),
            check: request.check,
            rights: Mutex::new(ConnectionRights {
                caller: request.caller,
                expires_at,
                subscriptions: HashMap::new(),
            }),
            wants_checkpoints: AtomicBool::new(request.protocol.has_silent_checkpoints()),
            next_heartbeat: AtomicU64::new(next_heartbeat),
            next_checkpoint: AtomicU64::new(next_checkpoint),
            unanswered_pings: AtomicU8::new(0),
            sent_frames: AtomicU64::new(0),
            replaying: Mutex::default(),
        }
    }

    /// The user whose limit the connection counts for: the caller, or the superadmin who acts for
    /// the caller.
    pub(in crate::realtime) fn holder(&self) -> Option<UserId> {
        self.opened_by.or(self.user_id)
    }

    pub(in crate::realtime) fn queue(&self) -> &OutboundQueue {
        &self.queue
    }

    pub(in crate::realtime) fn protocol(&self) -> &'static dyn Protocol {
        self.protocol
    }

    /// The caller and the subscriptions. Commands about them are sent to shards under this lock, so
    /// that no change of rights comes between.
    pub(in crate::realtime) fn rights(&self) -> MutexGuard<'_, ConnectionRights> {
        self.rights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::realtime) fn caller(&self) -> Caller {
        self.rights().caller.clone()
    }

    pub(in crate::realtime) fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.rights().expires_at
    }

    pub(in crate::realtime) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.rights()
            .expires_at
            .is_some_and(|expires_at| expires_at <= now)
    }

    /// Checks the credential again; returns the caller for whom it stands now.
    pub(in crate::realtime) async fn check_credential(&self) -> Result<Caller> {
        (self.check)().await
    }

    pub(in crate::realtime) fn wants_checkpoints(&self) -> bool {
        self.wants_checkpoints.load(Ordering::Relaxed)
    }

    /// Sends checkpoints to the client from now on.
    pub(in crate::realtime) fn enable_checkpoints(&self) {
        self.wants_checkpoints.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if a shard serves all subscriptions of the connection, and delivers live
    /// events to all of them: then the client knows everything up to the shard's position.
    pub(in crate::realtime) fn is_live_in(
        &self,
        is_of_shard: impl Fn(&Subscription) -> bool,
    ) -> bool {
        let rights = self.rights();
        !rights.subscriptions.is_empty()
            && rights
                .subscriptions
                .values()
                .all(|subscription| subscription.is_live() && is_of_shard(subscription))
    }

    /// The subscriptions that a predicate accepts.
    pub(in crate::realtime) fn subscriptions(
        &self,
        accept: impl Fn(&Subscription) -> bool,
    ) -> Vec<Arc<Subscription>> {
        self.rights()
            .subscriptions
            .values()
            .filter(|subscription| accept(subscription))
            .cloned()
            .collect()
    }

    /// Removes a subscription that cannot go on, and tells its client why.
    pub(in crate::realtime) fn end_unusable(&self, subscription: &Subscription, error: &str) {
        let mut rights = self.rights();
        let before = rights.subscriptions.len();
        rights
            .subscriptions
            .retain(|_, held| held.id != subscription.id);
        if rights.subscriptions.len() == before {
            return;
        }
        count_subscriptions(-1);
        self.push_control_frame(subscription, &ControlFrame::Ended { error });
    }

    /// Queues a control frame of a subscription, if its client knows them. The position of its
    /// cursor counts as told.
    pub(in crate::realtime) fn push_control_frame(
        &self,
        subscription: &Subscription,
        frame: &ControlFrame<'_>,
    ) {
        if let Some(bytes) = self.control_frame(subscription, frame) {
            self.queue.push(bytes);
        }
    }

    /// Encodes a control frame of a subscription, if its client knows them. The position of its
    /// cursor counts as told.
    pub(in crate::realtime) fn control_frame(
        &self,
        subscription: &Subscription,
        frame: &ControlFrame<'_>,
    ) -> Option<bytes::Bytes> {
        let bytes = subscription.control_frame(self.protocol, frame)?;
        if let Some(cursor) = frame.cursor() {
            self.queue.note_told(cursor.position);
        }
        Some(bytes)
    }

    /// Applies other rights of the same user: `notify` is called for each subscription, before the
    /// rights can change again.
    pub(in crate::realtime) fn update_caller(
        &self,
        caller: &Caller,
        notify: impl Fn(&Arc<Subscription>),
    ) {
        let mut rights = self.rights();
        rights.caller = caller.clone();
        rights.expires_at = caller
            .principal()
            .and_then(|principal| principal.expires_at);
        // A subscription that is about to go live was sent to its shard with the earlier rights.
        rights.subscriptions.values().for_each(notify);
    }

    /// Publishes the positions up to which the connection has read the log.
    pub(in crate::realtime) fn note_replaying(&self, marks: impl Iterator<Item = LogMark>) {
        let mut replaying = self.replaying();
        replaying.clear();
        replaying.extend(marks);
    }

    /// The positions up to which the connection has read the log, one for each place at which it
    /// reads.
    pub(in crate::realtime) fn replaying(&self) -> MutexGuard<'_, Vec<LogMark>> {
        self.replaying
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Access to a connection without holding it open; cheap to clone.
#[derive(Clone)]
pub struct ConnectionHandle(Arc<ConnectionState>);

impl ConnectionHandle {
    pub(in crate::realtime) fn new(state: Arc<ConnectionState>) -> Self {
        Self(state)
    }

    /// The connection's id.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// The caller, with its present rights.
    pub fn caller(&self) -> Caller {
        self.0.caller()
    }

    /// The reason for which the connection ends, if it does.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.0.queue.close_reason()
    }

    /// The queue of frames to send.
    pub fn queue(&self) -> &OutboundQueue {
        &self.0.queue
    }

    /// Ends the connection.
    pub fn close(&self, reason: CloseReason) {
        self.0.queue.close(reason);
    }
}

impl fmt::Debug for ConnectionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionHandle")
            .field("id", &self.0.id)
            .finish_non_exhaustive()
    }
}

/// Adds to the number of subscriptions in the metrics.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge takes nothing but doubles"
)]
pub(in crate::realtime) fn count_subscriptions(difference: i64) {
    gauge!("snackbase_realtime_subscriptions").increment(difference as f64);
}
