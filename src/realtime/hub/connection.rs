//! A connection as its wire protocol holds it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::inner::HubInner;
use crate::access::FieldView;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::realtime::connection::outbound::{CloseReason, OutboundQueue, QueueSignals};
use crate::realtime::connection::snapshot_budget::SnapshotReservation;
use crate::realtime::connection::state::{ConnectionHandle, ConnectionState, count_subscriptions};
use crate::realtime::live::command::{JoinOutcome, ShardCommand};
use crate::realtime::live::member::LiveMember;
use crate::realtime::replay::Replayer;
use crate::realtime::subscription::{RecordSelection, StartAt, Subscribe, Subscription};
use crate::schema::{Collection, SYSTEM_FIELDS};

/// The reason for which a subscription was not made.
#[derive(Debug)]
pub enum SubscribeError {
    /// The connection has reached this limit of subscriptions.
    TooMany(usize),
    /// The request cannot be fulfilled.
    Invalid(Error),
}

/// Receives [`JoinOutcome::Behind`] when a shard has ended a subscription.
type EndReceiver = oneshot::Receiver<JoinOutcome>;

/// A connection; when it is dropped, its subscriptions end.
pub struct Connection {
    state: Arc<ConnectionState>,
    hub: Arc<HubInner>,
    replayer: Replayer,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.state.id)
            .finish_non_exhaustive()
    }
}

impl Connection {
    pub(in crate::realtime) fn new(state: Arc<ConnectionState>, hub: Arc<HubInner>) -> Self {
        Self {
            replayer: Replayer::new(hub.replay.clone(), state.clone()),
            state,
            hub,
        }
    }

    #[cfg(test)]
    pub(in crate::realtime) fn state(&self) -> &Arc<ConnectionState> {
        &self.state
    }

    /// The connection's id.
    pub fn id(&self) -> Uuid {
        self.state.id
    }

    /// The caller, with its present rights.
    pub fn caller(&self) -> Caller {
        self.state.caller()
    }

    /// The queue of frames to send.
    pub fn queue(&self) -> &OutboundQueue {
        self.state.queue()
    }

    /// Access to the connection for others.
    pub fn handle(&self) -> ConnectionHandle {
        ConnectionHandle::new(self.state.clone())
    }

    /// Notes a sign of life of the peer.
    pub fn note_peer_activity(&self) {
        self.state.unanswered_pings.store(0, Ordering::Relaxed);
    }

    /// Checks the credential again. A protocol does this once after it has connected: a change
    /// between the check of the credential and the registration with the hub would be missed
    /// otherwise.
    pub async fn recheck(&self) {
        self.hub.recheck(&self.state).await;
    }

    /// Waits until there is something to send and puts it into `frames`, which must be empty.
    /// Nothing is lost if the future is dropped before it returns.
    pub async fn next_frames(&self, frames: &mut Vec<Bytes>) -> QueueSignals {
        let signals = self.replayer.next_frames(frames).await;
        self.state
            .sent_frames
            .fetch_add(frames.len() as u64, Ordering::Relaxed);
        signals
    }

    /// Counts a snapshot that will wait to be sent; `None` if too many bytes of them wait, for this
    /// connection or for its account.
    pub fn reserve_snapshot(&self) -> Option<SnapshotReservation> {
        if self.replayer.has_many_snapshot_bytes() {
            return None;
        }
        self.hub.snapshots.reserve(self.caller().account_id())
    }

    /// Subscribes; a subscription of the same name is replaced. From the acknowledgement on, every
    /// event that is committed later is delivered; missed events or a snapshot come before.
    ///
    /// # Errors
    ///
    /// See [`SubscribeError`]; nothing changes then.
    pub async fn subscribe(&self, request: Subscribe) -> Result<(), SubscribeError> {
        self.subscribe_all(vec![request]).await
    }

    /// Subscribes to several topics of one scope, all of which start as the first one does. Missed
    /// events come in the order of the log.
    ///
    /// # Errors
    ///
    /// See [`SubscribeError`]; subscriptions before the one that fails may have been made.
    pub async fn subscribe_all(&self, requests: Vec<Subscribe>) -> Result<(), SubscribeError> {
        if requests
            .first()
            .is_some_and(|first| matches!(first.start, StartAt::Now))
        {
            // A client that was just answered is not told of that write.
            self.hub.replay.log.caught_up().await;
        }
        for request in &requests {
            self.check(request).map_err(SubscribeError::Invalid)?;
        }
        let mut starting = Vec::new();
        let (mut start, mut ended) = (StartAt::Now, None);
        for mut request in requests {
            let own_start = std::mem::take(&mut request.start);
            if starting.is_empty() {
                start = own_start;
            }
            let (subscription, replaced) = if matches!(start, StartAt::Now) {
                (self.subscribe_now(request)?, None)
            } else {
                self.register(request)?
            };
            starting.push(subscription);
            ended = replaced.or(ended);
        }
        self.replayer.start(starting, start, ended);
        Ok(())
    }

    /// Refuses filters that cannot be read or use fields that the subscriber does not see, and
    /// unknown names of fields and references.
    fn check(&self, request: &Subscribe) -> Result<()> {
        let RecordSelection {
            filter,
            expand,
            fields,
            ..
        } = &*request.selection;
        if filter.is_none() && expand.is_none() && fields.is_none() {
            return Ok(());
        }
        let catalog = self.hub.replay.catalog.current();
        let name = request.topic.collection();
        let collection = catalog
            .by_name(name)
            .ok_or_else(|| Error::not_found(format!("Collection '{name}' does not exist")))?;
        if let Some(filter) = filter.as_deref() {
            let operation = request.selection.operation();
            FieldView::of(&self.caller(), collection, operation).compile_filter(filter)?;
        }
        if let Some(expand) = expand {
            expand.check(collection)?;
        }
        fields
            .as_deref()
            .map_or(Ok(()), |fields| check_field_names(collection, fields))
    }

    /// Makes a subscription that starts with the next commit, and tells its shard. The
    /// acknowledgement is sent after the last event of a subscription that is replaced.
    fn subscribe_now(&self, request: Subscribe) -> Result<Arc<Subscription>, SubscribeError> {
        let mut rights = self.state.rights();
        self.check_limit(&rights.subscriptions, &request)?;
        let (scope, shards) = (request.scope, self.hub.shards());
        let subscription = self.new_subscription(&request);
        let before = rights
            .subscriptions
            .insert(request.name, subscription.clone());
        count_subscriptions(i64::from(before.is_none()));
        let (replaces, elsewhere) = match before {
            Some(before) if before.scope != scope => (None, Some(before)),
            before => (before, None),
        };
        let after = shards.published(scope);
        // The acknowledgement may name a position up to there.
        self.queue().note_told(after);
        let command = ShardCommand::Subscribe {
            member: LiveMember::new(
                subscription.clone(),
                self.state.clone(),
                rights.caller.clone(),
            ),
            replaces,
            after,
            ack: request.ack,
        };
        shards.send(scope, command);
        if let Some(before) = elsewhere {
            self.end(before, None);
        }
        Ok(subscription)
    }

    /// Makes a subscription that starts later, when it has read the log. If it replaces another
    /// one, the acknowledgement is sent after the last event of that one, and the receiver tells
    /// when that has ended.
    fn register(
        &self,
        request: Subscribe,
    ) -> Result<(Arc<Subscription>, Option<EndReceiver>), SubscribeError> {
        let mut rights = self.state.rights();
        self.check_limit(&rights.subscriptions, &request)?;
        let subscription = self.new_subscription(&request);
        let before = rights
            .subscriptions
            .insert(request.name, subscription.clone());
        count_subscriptions(i64::from(before.is_none()));
        if let Some(before) = before {
            return Ok((subscription, Some(self.end(before, request.ack))));
        }
        if let Some(ack) = request.ack {
            self.queue().push(ack);
        }
        Ok((subscription, None))
    }

    fn check_limit(
        &self,
        held: &std::collections::HashMap<Arc<str>, Arc<Subscription>>,
        request: &Subscribe,
    ) -> Result<(), SubscribeError> {
        let limit = self.hub.options.subscriptions;
        if held.len() >= limit && !held.contains_key(&request.name) {
            return Err(SubscribeError::TooMany(limit));
        }
        Ok(())
    }

    fn new_subscription(&self, request: &Subscribe) -> Arc<Subscription> {
        if request.knows_control_frames {
            self.state.enable_checkpoints();
        }
        Arc::new(Subscription::new(self.hub.replay.next_id(), request))
    }

    fn end(&self, subscription: Arc<Subscription>, ack: Option<Bytes>) -> EndReceiver {
        let (done, ended) = oneshot::channel();
        let scope = subscription.scope;
        let command = ShardCommand::Unsubscribe {
            subscription,
            ack: ack.map(|ack| (self.state.clone(), ack)),
            done: Some(done),
        };
        self.hub.shards().send(scope, command);
        ended
    }

    /// Ends a subscription, if there is one of that name; the acknowledgement is sent in any case.
    pub fn unsubscribe(&self, name: &str, ack: Bytes) {
        let Some(held) = self.state.rights().subscriptions.remove(name) else {
            self.queue().push(ack);
            return;
        };
        count_subscriptions(-1);
        self.end(held, Some(ack));
    }
}

/// Refuses names that are not fields of a collection's records.
fn check_field_names(collection: &Collection, fields: &[String]) -> Result<()> {
    let is_unknown = |name: &&String| {
        collection.field(name).is_none()
            && !SYSTEM_FIELDS.contains(&name.as_str())
            && *name != "account_name"
    };
    match fields.iter().find(is_unknown) {
        None => Ok(()),
        Some(name) => Err(Error::refused(
            "Invalid fields",
            format!("Field '{name}' does not exist"),
        )),
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut rights = self.state.rights();
        // Nothing is queued for a connection that is gone.
        self.queue().close(CloseReason::GoingAway);
        #[expect(clippy::cast_possible_wrap, reason = "there are few subscriptions")]
        count_subscriptions(-(rights.subscriptions.len() as i64));
        for (_, held) in rights.subscriptions.drain() {
            self.end(held, None);
        }
        drop(rights);
        self.hub.connections.remove(&self.state);
    }
}
