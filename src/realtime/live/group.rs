//! Subscriptions of a topic with equal viewpoints: an event is evaluated and encoded once for all
//! of them.

use std::sync::Arc;

use bytes::Bytes;

use super::group_index::GroupId;
use super::member::LiveMember;
use crate::realtime::connection::frame_buffer::LogMark;
use crate::realtime::connection::outbound::{CloseReason, PushOutcome};
use crate::realtime::connection::state::ConnectionState;
use crate::realtime::subscription::OperationSet;
use crate::realtime::visibility::change_event::{ChangeEvent, EventJudgement};
use crate::realtime::visibility::evaluate::{Evaluation, EventCandidate};
use crate::realtime::visibility::viewpoint::{MatchKey, Viewpoint, ViewpointKey};
use crate::schema::{Catalog, Collection};

/// Upper limit of an event's tagged frames that are kept for other subscriptions with the same tag.
const MAX_KEPT_TAGGED_FRAMES: usize = 8;

/// See the module.
pub(in crate::realtime) struct SubscriptionGroup {
    pub(in crate::realtime) viewpoint: Viewpoint,
    pub(in crate::realtime) key: ViewpointKey,
    pub(in crate::realtime) match_key: MatchKey,
    pub(in crate::realtime) members: Vec<LiveMember>,
}

/// The receivers of an event.
#[derive(Default)]
pub(in crate::realtime) struct EventReceivers {
    /// The number of frames that were put into queues.
    pub(in crate::realtime) sent: usize,
    /// The number of connections whose events were dropped because they read too slowly.
    pub(in crate::realtime) overflowed: u64,
    /// The connections with many frames to send.
    pub(in crate::realtime) congested: Vec<Arc<ConnectionState>>,
}

impl SubscriptionGroup {
    pub(in crate::realtime) fn new(viewpoint: Viewpoint) -> Self {
        Self {
            key: viewpoint.key(),
            match_key: viewpoint.match_key(),
            viewpoint,
            members: Vec::new(),
        }
    }

    pub(in crate::realtime) fn candidate<'e>(
        &'e self,
        id: GroupId,
        event: &'e ChangeEvent,
    ) -> EventCandidate<'e, GroupId> {
        EventCandidate {
            key: id,
            viewpoint: &self.viewpoint,
            event,
        }
    }

    /// The operations that any of the members asked for that an event can be for.
    pub(in crate::realtime) fn operations_at(&self, position: i64) -> OperationSet {
        self.members
            .iter()
            .filter(|member| position > member.after)
            .fold(OperationSet::NONE, |operations, member| {
                operations.or(member.operations)
            })
    }

    /// Delivers an event to the members that it is for.
    pub(in crate::realtime) fn deliver(
        &self,
        candidate: &EventCandidate<'_, GroupId>,
        judgement: EventJudgement,
        evaluation: &Evaluation<GroupId>,
        mark: LogMark,
        receivers: &mut EventReceivers,
    ) {
        let mut frame = None;
        let mut tagged = TaggedFrames::default();
        for member in &self.members {
            let is_wanted = member
                .operations
                .want(judgement.operation, judgement.visibility_change);
            if mark.position <= member.after || !is_wanted {
                continue;
            }
            let frame = frame.get_or_insert_with(|| evaluation.encode(candidate, judgement));
            let frame = if member.is_tagged {
                tagged.get(member, frame)
            } else {
                frame.clone()
            };
            match member.connection.queue().push_event(frame, mark) {
                PushOutcome::Queued => receivers.sent += 1,
                PushOutcome::Congested => {
                    receivers.sent += 1;
                    receivers.congested.push(member.connection.clone());
                }
                PushOutcome::Overflowed => receivers.overflowed += 1,
                PushOutcome::Refused => {}
            }
        }
    }

    /// Returns `true` if a collection to which its expanded references lead has changed.
    pub(in crate::realtime) fn has_outdated_targets(&self, catalog: &Catalog) -> bool {
        let is_outdated = |target: &&Arc<Collection>| {
            catalog
                .by_id(target.id)
                .is_none_or(|current| !Arc::ptr_eq(current, target))
        };
        self.viewpoint.expand_targets().iter().any(is_outdated)
    }

    /// Closes the connections of the members that cannot be told to fetch everything again.
    pub(in crate::realtime) fn close_members_without_control_frames(&self) {
        for member in &self.members {
            if !member.subscription.knows_control_frames {
                member.connection.queue().close(CloseReason::Overload);
            }
        }
    }
}

/// The frames of an event with tags in them.
#[derive(Default)]
struct TaggedFrames<'m>(Vec<(&'m str, Bytes)>);

impl<'m> TaggedFrames<'m> {
    fn get(&mut self, member: &'m LiveMember, frame: &Bytes) -> Bytes {
        let tag = member.subscription.tag.as_deref().unwrap_or_default();
        if let Some((_, tagged)) = self.0.iter().find(|(known, _)| *known == tag) {
            return tagged.clone();
        }
        let tagged = member.connection.protocol().tag_frame(frame, tag);
        if self.0.len() < MAX_KEPT_TAGGED_FRAMES {
            self.0.push((tag, tagged.clone()));
        }
        tagged
    }
}
