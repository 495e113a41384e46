//! The cases in which a client must fetch everything again: the log cannot tell what it missed, or
//! it sees records with other eyes than before.

use std::sync::Arc;

use bytes::Bytes;

use super::client::{AccessSnapshot, ReplayClient};
use super::segment::LogSegment;
use super::task::{ReplayPurpose, ReplayStart, ReplayTask};
use crate::access::Gate;
use crate::auth::{Caller, access_log};
use crate::changes::{Change, ChangeKind};
use crate::realtime::connection::outbound::CloseReason;
use crate::realtime::live::command::StartNotice;
use crate::realtime::protocol::ResyncReason;
use crate::realtime::subscription::{AccountScope, Subscription};
use crate::realtime::visibility::dependencies::RuleDependencies;
use crate::realtime::visibility::difference;
use crate::schema::{Collection, Operation};

/// Tells the subscriptions of a start to fetch everything again; they are told of what happens after
/// the position that is returned. It is ahead of the events that the shard has yet to deliver,
/// since the client may see these already when it fetches.
pub(in crate::realtime) fn give_up_replay(
    client: &ReplayClient,
    start: &mut ReplayStart,
    scope: AccountScope,
    reason: ResyncReason,
) -> i64 {
    let position = client.context.shards.published(scope);
    (start.notice, start.min_position) = (StartNotice::Silent, Some(position));
    for subscription in &start.subscriptions {
        client.push_resync(subscription, reason, position);
    }
    position
}

/// Handles a task whose entries the log no longer keeps. Clients that do not know control frames
/// are disconnected.
pub(in crate::realtime) fn handle_expired(client: &ReplayClient, task: &mut ReplayTask) {
    let reason = ResyncReason::Expired;
    match &mut task.purpose {
        ReplayPurpose::Start(start) => {
            if let Some(scope) = start.scope() {
                task.position = give_up_replay(client, start, scope, reason);
            }
        }
        ReplayPurpose::DroppedEvents { shard } => {
            task.position = client.context.shards.position_of_shard(*shard);
            let subscriptions = client.subscriptions_of_shard(*shard);
            for subscription in &subscriptions {
                client.push_resync(subscription, reason, task.position);
            }
            if subscriptions
                .iter()
                .any(|subscription| !subscription.knows_control_frames)
            {
                client.connection.queue().close(CloseReason::Overload);
            }
        }
    }
}

/// The collections on which it depends what a subscription shows.
struct KnownCollections<'a> {
    collection: Option<&'a Arc<Collection>>,
    operation: Operation,
    dependencies: RuleDependencies,
    /// The collections to which expanded references lead.
    targets: Vec<Arc<Collection>>,
}

impl<'a> KnownCollections<'a> {
    fn of(client: &ReplayClient, subscription: &Subscription, access: &'a AccessSnapshot) -> Self {
        let collection = access.catalog.by_name(subscription.topic.collection());
        let dependencies = if access.caller.is_superadmin() {
            RuleDependencies::default()
        } else {
            RuleDependencies::of(&access.catalog, collection)
        };
        let viewpoint = subscription
            .selection
            .expand
            .as_ref()
            .and_then(|_| client.viewpoint(subscription, access));
        Self {
            collection,
            operation: subscription.selection.operation(),
            dependencies,
            targets: viewpoint
                .map(|(_, viewpoint)| viewpoint.expand_targets().into_iter().cloned().collect())
                .unwrap_or_default(),
        }
    }

    /// The reason for which a client that knows the collections from before a change may hold other
    /// records than those that are visible now.
    fn resync_reason(&self, change: &Change, caller: &Caller) -> Option<ResyncReason> {
        match (change.kind, self.collection) {
            (ChangeKind::Catalog, None) => Some(ResyncReason::Schema),
            (ChangeKind::Catalog, Some(collection)) => std::iter::once(collection)
                .chain(&self.targets)
                .find_map(|collection| catalog_reason(collection, change, caller)),
            (ChangeKind::Access, _) => (changes_rights_of(caller, change)
                && self.depends_on_rights(caller))
            .then_some(ResyncReason::Access),
            _ => self
                .dependencies
                .include(self.operation, change)
                .then_some(ResyncReason::Access),
        }
    }

    /// Returns `true` if the visible records depend on the caller's role, groups or e-mail address.
    fn depends_on_rights(&self, caller: &Caller) -> bool {
        self.collection
            .is_none_or(|collection| reads_rights(collection, self.operation, caller))
            || self
                .targets
                .iter()
                .any(|target| reads_rights(target, Operation::View, caller))
    }
}

/// The reason for which the clients of a start may hold other records than those that are visible
/// now, because of an entry of the segment. A snapshot shows these changes already.
pub(in crate::realtime) fn missed_resync_reason(
    client: &ReplayClient,
    start: &ReplayStart,
    segment: &LogSegment,
    from: i64,
    access: &AccessSnapshot,
) -> Option<ResyncReason> {
    if !matches!(start.notice, StartNotice::Replayed(_)) {
        return None;
    }
    start.subscriptions.iter().find_map(|subscription| {
        let known = KnownCollections::of(client, subscription, access);
        segment
            .changes_after(from)
            .iter()
            .find_map(|change| known.resync_reason(change, &access.caller))
    })
}

/// Resync frames for subscriptions that started with a snapshot, if a record that their rules read
/// changed in the segment and the snapshot does not show it.
pub(in crate::realtime) fn invalidation_frames(
    client: &ReplayClient,
    start: &ReplayStart,
    segment: &LogSegment,
    from: i64,
    until: i64,
    access: &AccessSnapshot,
) -> Vec<Bytes> {
    if start.notice != StartNotice::Live {
        return Vec::new();
    }
    let is_invalidated = |subscription: &&Arc<Subscription>| {
        let known = KnownCollections::of(client, subscription, access);
        segment.changes_after(from).iter().any(|change| {
            change.position <= until
                && start.is_missing(change.position)
                && known.dependencies.include(known.operation, change)
        })
    };
    start
        .subscriptions
        .iter()
        .filter(is_invalidated)
        .filter_map(|subscription| client.resync_frame(subscription, ResyncReason::Access, from))
        .collect()
}

/// Resync frames for subscriptions that see other records than at the last step, or other parts of
/// them: the collection has changed, or the caller's rights.
pub(in crate::realtime) fn difference_frames(
    client: &ReplayClient,
    start: &mut ReplayStart,
    now: AccessSnapshot,
    position: i64,
) -> Vec<Bytes> {
    let before = std::mem::replace(&mut start.access, now);
    let now = &start.access;
    if before.is_same(now) {
        return Vec::new();
    }
    let earlier_rights = AccessSnapshot {
        catalog: now.catalog.clone(),
        caller: before.caller,
    };
    let frame = |subscription: &Arc<Subscription>| {
        let reason = difference::resync_reason(
            &before.catalog,
            &now.catalog,
            subscription.topic.collection(),
            &subscription.selection,
            &now.caller,
        )
        .or_else(|| {
            let key = |access| {
                client
                    .viewpoint(subscription, access)
                    .map(|(_, viewpoint)| viewpoint.key())
            };
            (key(&earlier_rights) != key(now)).then_some(ResyncReason::Access)
        })?;
        client.resync_frame(subscription, reason, position)
    };
    start.subscriptions.iter().filter_map(frame).collect()
}

/// The reason for which a client that knows a collection from before a change of the catalog must
/// fetch everything again.
fn catalog_reason(
    collection: &Collection,
    change: &Change,
    caller: &Caller,
) -> Option<ResyncReason> {
    if collection.row.updated_at >= change.at {
        return Some(ResyncReason::Schema);
    }
    // The time at which the stored macros changed that its rules use is not known.
    let has_changed = collection.row.rules_updated_at >= change.at || collection.uses_macros;
    (!caller.is_superadmin() && has_changed).then_some(ResyncReason::Rules)
}

/// Returns `true` if a change of access is about the caller's rights, or about the caller's
/// account.
fn changes_rights_of(caller: &Caller, change: &Change) -> bool {
    let is_user = caller
        .principal()
        .is_some_and(|principal| principal.user_id_text == change.record_id);
    let is_account = caller
        .account()
        .is_some_and(|account| account.id_text == change.record_id);
    (is_user && access_log::changes_rights(change.record.as_deref())) || is_account
}

/// Returns `true` if the records that a caller sees of a collection depend on the caller's role,
/// groups or e-mail address.
fn reads_rights(collection: &Collection, operation: Operation, caller: &Caller) -> bool {
    let reads = Gate::of(collection.access.rule(operation), caller)
        .predicate()
        .is_some_and(|rule| {
            let reads = rule.reads();
            reads.role || reads.email || !reads.groups.is_empty()
        });
    reads || (collection.has_pii && !caller.is_superadmin())
}
