//! One collection of one scope: its live subscriptions, in groups of equal viewpoints.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::group::{EventReceivers, SubscriptionGroup};
use super::group_index::{GroupId, GroupIndex};
use super::member::LiveMember;
use crate::auth::Caller;
use crate::changes::{Change, Cursor};
use crate::realtime::connection::frame_buffer::LogMark;
use crate::realtime::protocol::ResyncReason;
use crate::realtime::subscription::SubscriptionId;
use crate::realtime::visibility::change_event::ChangeEvent;
use crate::realtime::visibility::dependencies::RuleDependencies;
use crate::realtime::visibility::difference::resync_reason;
use crate::realtime::visibility::evaluate::{Evaluation, RuleQuestions};
use crate::realtime::visibility::expand::ExpandBatch;
use crate::realtime::visibility::step_budget::StepBudget;
use crate::realtime::visibility::viewpoint::{Viewpoint, ViewpointKey};
use crate::schema::{Catalog, Collection, Operation};

/// See the module. Groups belong to one state of the collection; when its rules or fields change,
/// the groups are made again.
#[derive(Default)]
pub(in crate::realtime) struct CollectionTopic {
    /// The collections as they were at the last refresh.
    catalog: Arc<Catalog>,
    collection: Option<Arc<Collection>>,
    groups: HashMap<GroupId, SubscriptionGroup>,
    by_viewpoint: HashMap<ViewpointKey, GroupId>,
    by_subscription: HashMap<SubscriptionId, GroupId>,
    index: GroupIndex,
    /// Subscriptions while the collection does not exist.
    waiting: HashMap<SubscriptionId, LiveMember>,
    last_group: GroupId,
    /// The records of other collections that the rules read.
    dependencies: RuleDependencies,
    /// The number of groups that ask the database about an event.
    asking: usize,
    /// The number of groups that expand references.
    expanding: usize,
    invalidations: TopicInvalidations,
}

/// The last changes because of which members must fetch everything again, and have not been told
/// so.
#[derive(Debug, Default)]
struct TopicInvalidations {
    /// The position of a change of records that the list rule reads.
    list: Option<i64>,
    /// The position of a change of records that the view rule reads.
    view: Option<i64>,
    /// The position of an event whose references could not be expanded.
    unexpanded: Option<i64>,
    /// Groups for which an event was not judged, and its position.
    unjudged: HashMap<GroupId, i64>,
}

impl TopicInvalidations {
    fn of_rule(&mut self, operation: Operation) -> &mut Option<i64> {
        if operation == Operation::View {
            &mut self.view
        } else {
            &mut self.list
        }
    }

    fn is_empty(&self) -> bool {
        self.list.is_none()
            && self.view.is_none()
            && self.unexpanded.is_none()
            && self.unjudged.is_empty()
    }

    /// The position of the last invalidation of a group.
    fn last_of(&mut self, id: GroupId, viewpoint: &Viewpoint) -> Option<i64> {
        let by_rule = if viewpoint.asks() {
            *self.of_rule(viewpoint.operation())
        } else {
            None
        };
        let by_references = self.unexpanded.filter(|_| viewpoint.expands());
        by_rule
            .max(by_references)
            .max(self.unjudged.get(&id).copied())
    }
}

/// The delivery of one event.
#[derive(Default)]
pub(in crate::realtime) struct TopicDelivery {
    pub(in crate::realtime) receivers: EventReceivers,
    /// Groups for which no steps were left to judge it.
    pub(in crate::realtime) unjudged: HashSet<GroupId>,
}

impl CollectionTopic {
    pub(in crate::realtime) fn is_empty(&self) -> bool {
        self.by_subscription.is_empty() && self.waiting.is_empty()
    }

    pub(in crate::realtime) fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The number of subscriptions that see the same as this one, itself included.
    pub(in crate::realtime) fn group_size(&self, id: SubscriptionId) -> Option<usize> {
        self.group_of(id).map(|group| group.members.len())
    }

    fn group_of(&self, id: SubscriptionId) -> Option<&SubscriptionGroup> {
        self.groups.get(self.by_subscription.get(&id)?)
    }

    /// Makes the groups for the present state of the collection. Members are told if they may see
    /// other records now, or other parts of them.
    pub(in crate::realtime) fn refresh(
        &mut self,
        catalog: &Arc<Catalog>,
        name: &str,
        cursor: &Cursor,
    ) {
        if Arc::ptr_eq(&self.catalog, catalog) {
            return;
        }
        let before = std::mem::replace(&mut self.catalog, catalog.clone());
        let collection = catalog.by_name(name);
        let is_same = match (&self.collection, collection) {
            (Some(known), Some(current)) => Arc::ptr_eq(known, current),
            (None, None) => true,
            _ => false,
        };
        if is_same && !self.has_outdated_targets(catalog) {
            return;
        }
        self.collection = collection.cloned();
        (
            self.by_viewpoint,
            self.by_subscription,
            self.index,
            self.asking,
            self.expanding,
        ) = Default::default();
        self.dependencies = RuleDependencies::of(catalog, collection);
        let grouped = self.groups.drain().flat_map(|(_, group)| group.members);
        let waiting = self.waiting.drain().map(|(_, member)| member);
        let members: Vec<LiveMember> = grouped.chain(waiting).collect();
        for member in members {
            let selection = &member.subscription.selection;
            if let Some(reason) = resync_reason(&before, catalog, name, selection, &member.caller) {
                member.send_resync(reason, cursor);
            }
            self.add(member);
        }
    }

    fn has_outdated_targets(&self, catalog: &Catalog) -> bool {
        self.expanding > 0
            && self
                .groups
                .values()
                .any(|group| group.has_outdated_targets(catalog))
    }

    /// Adds a subscription. One whose filter no longer fits ends, if its client knows control
    /// frames.
    pub(in crate::realtime) fn add(&mut self, member: LiveMember) {
        let Some(collection) = &self.collection else {
            self.waiting.insert(member.id(), member);
            return;
        };
        let viewpoint = Viewpoint::new(
            &self.catalog,
            collection,
            &member.caller,
            member.connection.protocol(),
            &member.subscription.selection,
        );
        if let Some(problem) = viewpoint
            .filter_problem()
            .filter(|_| member.subscription.knows_control_frames)
        {
            member
                .connection
                .end_unusable(&member.subscription, problem);
            return;
        }
        let id = match self.by_viewpoint.get(&viewpoint.key()) {
            Some(id) => *id,
            None => self.add_group(SubscriptionGroup::new(viewpoint)),
        };
        self.by_subscription.insert(member.id(), id);
        if let Some(group) = self.groups.get_mut(&id) {
            group.members.push(member);
        }
    }

    fn add_group(&mut self, group: SubscriptionGroup) -> GroupId {
        self.last_group += 1;
        self.asking += usize::from(group.viewpoint.asks());
        self.expanding += usize::from(group.viewpoint.expands());
        self.index.add(&group.match_key, self.last_group);
        self.by_viewpoint.insert(group.key.clone(), self.last_group);
        self.groups.insert(self.last_group, group);
        self.last_group
    }

    pub(in crate::realtime) fn remove(&mut self, id: SubscriptionId) -> Option<LiveMember> {
        let Some(group_id) = self.by_subscription.remove(&id) else {
            return self.waiting.remove(&id);
        };
        let group = self.groups.get_mut(&group_id)?;
        let at = group.members.iter().position(|member| member.id() == id)?;
        let member = group.members.swap_remove(at);
        if group.members.is_empty() {
            self.by_viewpoint.remove(&group.key);
            self.index.remove(&group.match_key, group_id);
            self.asking -= usize::from(group.viewpoint.asks());
            self.expanding -= usize::from(group.viewpoint.expands());
            self.groups.remove(&group_id);
        }
        Some(member)
    }

    /// Gives a subscriber other rights; it is told if it sees something else now.
    pub(in crate::realtime) fn update_caller(
        &mut self,
        id: SubscriptionId,
        caller: Caller,
        cursor: &Cursor,
    ) {
        let before = self.group_of(id).map(|group| group.key.clone());
        let Some(member) = self.remove(id) else {
            return;
        };
        self.add(LiveMember { caller, ..member });
        let Some((before, group)) = before.zip(self.group_of(id)) else {
            return;
        };
        if before != group.key
            && let Some(member) = group.members.last()
        {
            member.send_resync(ResyncReason::Access, cursor);
        }
    }

    /// Notes a change of another collection, or of another record, that a rule of this one reads.
    pub(in crate::realtime) fn note_dependency(&mut self, change: &Change) {
        if self.asking == 0 || self.dependencies.is_empty() {
            return;
        }
        for operation in [Operation::List, Operation::View] {
            if self.dependencies.include(operation, change) {
                *self.invalidations.of_rule(operation) = Some(change.position);
            }
        }
    }

    /// Tells the members that were invalidated to fetch everything again. They will see all changes
    /// up to the position `seen`.
    pub(in crate::realtime) fn send_invalidations(&mut self, cursor: &Cursor, seen: i64) {
        if self.invalidations.is_empty() {
            return;
        }
        let mut invalidations = std::mem::take(&mut self.invalidations);
        for (id, group) in &mut self.groups {
            let Some(position) = invalidations.last_of(*id, &group.viewpoint) else {
                continue;
            };
            for member in &mut group.members {
                if member.after.max(member.resynced_at) < position {
                    member.send_resync(ResyncReason::Access, cursor);
                    member.resynced_at = seen;
                }
            }
        }
    }

    /// Returns `true` if the database is needed before an event can be delivered.
    pub(in crate::realtime) fn needs_database(&self) -> bool {
        self.asking > 0 || self.expanding > 0
    }

    /// Adds the questions of all groups about an event.
    pub(in crate::realtime) fn ask(
        &mut self,
        event: &ChangeEvent,
        questions: &mut RuleQuestions<GroupId>,
        budget: &mut StepBudget,
    ) {
        if self.asking == 0 {
            return;
        }
        let mut unjudged = HashSet::new();
        for (id, group) in self.matching_groups(event) {
            if questions.add(&group.candidate(id, event), budget).is_err() {
                unjudged.insert(id);
            }
        }
        self.note_unjudged(&unjudged, event.position());
    }

    /// Gives up an event about which the database did not answer: the groups that asked must fetch
    /// everything again.
    pub(in crate::realtime) fn note_unanswered(&mut self, event: &ChangeEvent) {
        let mut operations = Vec::new();
        for (_, group) in self.matching_groups(event) {
            if group.viewpoint.asks() {
                operations.push(group.viewpoint.operation());
                group.close_members_without_control_frames();
            }
        }
        for operation in operations {
            *self.invalidations.of_rule(operation) = Some(event.position());
        }
    }

    /// Adds the references that groups need to show an event; returns these groups.
    pub(in crate::realtime) fn request_expansions(
        &self,
        event: &ChangeEvent,
        evaluation: &Evaluation<GroupId>,
        batch: &mut ExpandBatch,
        budget: &mut StepBudget,
    ) -> HashSet<GroupId> {
        let mut requesting = HashSet::new();
        if self.expanding == 0 {
            return requesting;
        }
        for (id, group) in self.matching_groups(event) {
            if !group.viewpoint.expands() {
                continue;
            }
            // Without steps for it now, it is not delivered either.
            let judged = evaluation.judge(&group.candidate(id, event), budget);
            let Ok(Some(judgement)) = judged else {
                continue;
            };
            let is_wanted = group
                .operations_at(event.position())
                .want(judgement.operation, judgement.visibility_change);
            if is_wanted && group.viewpoint.request_expansion(event, judgement, batch) {
                requesting.insert(id);
            }
        }
        requesting
    }

    /// Gives up an event for groups whose references could not be read: they must fetch everything
    /// again.
    pub(in crate::realtime) fn note_unexpanded(
        &mut self,
        groups: &HashSet<GroupId>,
        position: i64,
    ) {
        if groups.is_empty() {
            return;
        }
        self.invalidations.unexpanded = Some(position);
        self.close_members_without_control_frames(groups);
    }

    /// Gives up an event for groups for which it is too expensive to be judged: they must fetch
    /// everything again.
    pub(in crate::realtime) fn note_unjudged(&mut self, groups: &HashSet<GroupId>, position: i64) {
        let unjudged = groups.iter().map(|id| (*id, position));
        self.invalidations.unjudged.extend(unjudged);
        self.close_members_without_control_frames(groups);
    }

    fn close_members_without_control_frames(&self, groups: &HashSet<GroupId>) {
        groups
            .iter()
            .filter_map(|id| self.groups.get(id))
            .for_each(SubscriptionGroup::close_members_without_control_frames);
    }

    /// Gives up all events up to now: all members must fetch everything again.
    pub(in crate::realtime) fn resync_all(&self, reason: ResyncReason, cursor: &Cursor) {
        for group in self.groups.values() {
            for member in &group.members {
                member.send_resync(reason, cursor);
            }
            group.close_members_without_control_frames();
        }
    }

    /// Delivers an event of the collection for which the groups were made, but not to the groups in
    /// `unexpanded`.
    pub(in crate::realtime) fn deliver(
        &self,
        event: &ChangeEvent,
        evaluation: &Evaluation<GroupId>,
        unexpanded: &HashSet<GroupId>,
        shard: u32,
        budget: &mut StepBudget,
    ) -> TopicDelivery {
        let mut delivery = TopicDelivery::default();
        let mark = LogMark {
            shard,
            position: event.position(),
        };
        for (id, group) in self.matching_groups(event) {
            let candidate = group.candidate(id, event);
            match evaluation.judge(&candidate, budget) {
                Err(_) => {
                    delivery.unjudged.insert(id);
                }
                Ok(Some(judgement)) if !unexpanded.contains(&id) => group.deliver(
                    &candidate,
                    judgement,
                    evaluation,
                    mark,
                    &mut delivery.receivers,
                ),
                Ok(_) => {}
            }
        }
        delivery
    }

    /// The groups that an event can concern.
    fn matching_groups(
        &self,
        event: &ChangeEvent,
    ) -> impl Iterator<Item = (GroupId, &SubscriptionGroup)> {
        self.index
            .find(event)
            .filter_map(|id| Some((id, self.groups.get(&id)?)))
    }
}
