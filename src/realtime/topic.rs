//! One collection of one account: its subscriptions, in groups of those that see the same.

mod index;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use super::connection::Outlet;
use super::expanding::{Errand, Expanded};
use super::frame::{self, Crossing, Notice, Resync};
use super::inquiry::{Asked, Inquiry, Sources, Verdict};
use super::lens::{Lens, LensKey, Place, QuestionKey, Subject};
use super::queue::{Close, Mark, Pushed};
use super::shard::Allowance;
use super::subscription::{Member, Selection, SubscriptionId};
use crate::access::FieldView;
use crate::auth::Caller;
use crate::changes::{Change, Cursor};
use crate::schema::{Catalog, Collection, Operation};
use index::Index;

/// How many of an event's tagged frames are kept for other subscriptions with the same tag.
const TAGGED: usize = 8;

/// What handing out an event took.
#[derive(Default)]
pub(super) struct Delivery {
    /// Frames handed to connections.
    pub(super) sent: usize,
    /// Connections whose events were dropped because they read too slowly.
    pub(super) overflowed: u64,
    /// Those that have much to send.
    pub(super) congested: Vec<Arc<Outlet>>,
    /// Groups for which there were no steps left to judge it.
    pub(super) unjudged: HashSet<GroupId>,
}

/// See the module. Groups are made for one state of the collection; when its rules or fields
/// change, they are made anew.
#[derive(Default)]
pub(super) struct Topic {
    /// The collections as they were when it was looked at last.
    catalog: Arc<Catalog>,
    collection: Option<Arc<Collection>>,
    groups: HashMap<GroupId, Group>,
    by_lens: HashMap<LensKey, GroupId>,
    homes: HashMap<SubscriptionId, GroupId>,
    index: Index,
    /// Subscriptions of a collection that does not exist.
    waiting: HashMap<SubscriptionId, Member>,
    next: GroupId,
    /// What the rules read besides the collection's own records.
    sources: Sources,
    /// How many groups need the database to judge an event.
    asking: usize,
    /// How many groups see references expanded.
    expanding: usize,
    /// The last change of what the list rule and the view rule read of which nobody has been told
    /// yet.
    shaken: Shaken,
    /// Groups for which an event was not judged, and its position.
    unjudged: HashMap<GroupId, i64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Shaken {
    list: Option<i64>,
    view: Option<i64>,
    /// The last event that was not shown to those who see references expanded.
    unexpanded: Option<i64>,
}

impl Shaken {
    fn of(&mut self, operation: Operation) -> &mut Option<i64> {
        if operation == Operation::View {
            &mut self.view
        } else {
            &mut self.list
        }
    }
}

pub(super) type GroupId = u32;

/// What was found out about an event before it is handed out.
#[derive(Default)]
pub(super) struct Findings {
    /// The answers to what groups had to [ask](Topic::inquire).
    pub(super) verdicts: HashMap<GroupId, Verdict>,
    /// What groups have [sent for](Topic::send_for).
    pub(super) expanded: Arc<Expanded>,
    /// The groups that did not get it.
    pub(super) withheld: HashSet<GroupId>,
}

/// The groups that must ask about an event, and what they ask.
pub(super) type Questions = HashMap<GroupId, Asked>;

struct Group {
    lens: Lens,
    key: LensKey,
    place: Place,
    members: Vec<Member>,
}

impl Topic {
    pub(super) fn is_empty(&self) -> bool {
        self.homes.is_empty() && self.waiting.is_empty()
    }

    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// How many subscriptions see the same as this one, itself among them.
    pub(super) fn group_size(&self, id: SubscriptionId) -> Option<usize> {
        self.homes
            .get(&id)
            .and_then(|home| self.groups.get(home))
            .map(|group| group.members.len())
    }

    /// Makes the groups for the collection as it is now. Subscribers that understand it are told if
    /// they may see other records now, or more or less of them.
    pub(super) fn refresh(&mut self, catalog: &Arc<Catalog>, name: &str, cursor: &Cursor) {
        if Arc::ptr_eq(&self.catalog, catalog) {
            return;
        }
        let before = std::mem::replace(&mut self.catalog, catalog.clone());
        let collection = catalog.by_name(name);
        let same = match (&self.collection, collection) {
            (Some(known), Some(current)) => Arc::ptr_eq(known, current),
            (None, None) => true,
            _ => false,
        };
        let leads_elsewhere = || {
            self.groups
                .values()
                .any(|group| group.leads_elsewhere(catalog))
        };
        if same && (self.expanding == 0 || !leads_elsewhere()) {
            return;
        }
        self.collection = collection.cloned();
        (
            self.by_lens,
            self.homes,
            self.index,
            self.asking,
            self.expanding,
        ) = Default::default();
        self.sources = Sources::of(catalog, collection);
        let members = self.groups.drain().flat_map(|(_, group)| group.members);
        let members: Vec<Member> = members
            .chain(self.waiting.drain().map(|(_, member)| member))
            .collect();
        for member in members {
            let selection = &member.subscription.selection;
            if let Some(reason) = difference(&before, catalog, name, selection, &member.caller) {
                tell(&member, reason, cursor);
            }
            self.add(member);
        }
    }

    /// Adds a subscription. One whose filter is of no use any more ends, if its client understands
    /// that.
    pub(super) fn add(&mut self, member: Member) {
        let Some(collection) = &self.collection else {
            self.waiting.insert(member.id(), member);
            return;
        };
        let (dialect, selection) = (member.outlet.dialect(), &member.subscription.selection);
        let lens = Lens::new(
            &self.catalog,
            collection,
            &member.caller,
            dialect,
            selection,
        );
        if let Some(defect) = lens.defect().filter(|_| member.subscription.notices) {
            member.outlet.end_unusable(&member.subscription, defect);
            return;
        }
        let key = lens.key();
        let group = *self.by_lens.entry(key.clone()).or_insert_with(|| {
            self.next += 1;
            let place = lens.place();
            self.asking += usize::from(lens.asks());
            self.expanding += usize::from(lens.expands());
            self.index.add(&place, self.next);
            self.groups.insert(
                self.next,
                Group {
                    lens,
                    key,
                    place,
                    members: Vec::new(),
                },
            );
            self.next
        });
        self.homes.insert(member.id(), group);
        if let Some(group) = self.groups.get_mut(&group) {
            group.members.push(member);
        }
    }

    pub(super) fn remove(&mut self, id: SubscriptionId) -> Option<Member> {
        let Some(home) = self.homes.remove(&id) else {
            return self.waiting.remove(&id);
        };
        let group = self.groups.get_mut(&home)?;
        let at = group.members.iter().position(|member| member.id() == id)?;
        let member = group.members.swap_remove(at);
        if group.members.is_empty() {
            self.by_lens.remove(&group.key);
            self.index.remove(&group.place, home);
            self.asking -= usize::from(group.lens.asks());
            self.expanding -= usize::from(group.lens.expands());
            self.groups.remove(&home);
        }
        Some(member)
    }

    /// Gives a subscriber other rights; it is told if it sees otherwise now.
    pub(super) fn recast(&mut self, id: SubscriptionId, caller: Caller, cursor: &Cursor) {
        let before = self.key_of(id).cloned();
        let Some(member) = self.remove(id) else {
            return;
        };
        self.add(Member { caller, ..member });
        let group = self.homes.get(&id).and_then(|home| self.groups.get(home));
        let Some((before, group)) = before.zip(group) else {
            return;
        };
        if before != group.key
            && let Some(member) = group.members.last()
        {
            tell(member, Resync::Access, cursor);
        }
    }

    fn key_of(&self, id: SubscriptionId) -> Option<&LensKey> {
        self.homes
            .get(&id)
            .and_then(|home| self.groups.get(home))
            .map(|group| &group.key)
    }

    /// Notes a change of another collection, or another record, that a rule of this one reads.
    pub(super) fn note(&mut self, change: &Change) {
        if self.asking == 0 || self.sources.are_none() {
            return;
        }
        for operation in [Operation::List, Operation::View] {
            if self.sources.concern(operation, change) {
                *self.shaken.of(operation) = Some(change.position);
            }
        }
    }

    /// Tells those who may see other records now because of what was noted. Whoever fetches
    /// everything because of that sees what has happened up to the position `seen`.
    pub(super) fn tell_shaken(&mut self, cursor: &Cursor, seen: i64) {
        let (mut shaken, unjudged) = (
            std::mem::take(&mut self.shaken),
            std::mem::take(&mut self.unjudged),
        );
        let is_nothing =
            shaken.list.is_none() && shaken.view.is_none() && shaken.unexpanded.is_none();
        if is_nothing && unjudged.is_empty() {
            return;
        }
        for (id, group) in &mut self.groups {
            let by_rule = group
                .lens
                .asks()
                .then(|| *shaken.of(group.lens.operation()))
                .flatten();
            let by_references = group.lens.expands().then_some(shaken.unexpanded).flatten();
            let unjudged = unjudged.get(id).copied();
            let Some(position) = by_rule.max(by_references).max(unjudged) else {
                continue;
            };
            for member in group
                .members
                .iter_mut()
                .filter(|member| member.after.max(member.told) < position)
            {
                tell(member, Resync::Access, cursor);
                member.told = seen;
            }
        }
    }

    /// Whether anything must be read before an event can be handed out.
    pub(super) fn needs_answers(&self) -> bool {
        self.asking > 0 || self.expanding > 0
    }

    /// Asks what must be known about an event before it can be handed out.
    pub(super) fn inquire(
        &mut self,
        subject: &Subject,
        inquiry: &mut Inquiry,
        allowance: &mut Allowance,
    ) -> Questions {
        let mut known: HashMap<QuestionKey, Asked> = HashMap::new();
        let (mut questions, mut unjudged) = (Questions::new(), HashSet::new());
        if self.asking == 0 {
            return questions;
        }
        for id in self.index.find(subject) {
            let Some(group) = self.groups.get(&id).filter(|group| group.lens.asks()) else {
                continue;
            };
            let question = group.key.question();
            let asked = known.get(&question).copied();
            let Some(asked) =
                asked.or_else(|| group.within(allowance, || group.lens.ask(subject, inquiry)))
            else {
                unjudged.insert(id);
                continue;
            };
            known.insert(question, asked);
            questions.insert(id, asked);
        }
        self.leave_unjudged(&unjudged, subject.change.position);
        questions
    }

    /// Those who cannot be told what an event means for them begin anew: they are told so with what
    /// was noted.
    pub(super) fn give_up(&mut self, questions: &Questions, position: i64) {
        for group in questions.keys().filter_map(|id| self.groups.get(id)) {
            *self.shaken.of(group.lens.operation()) = Some(position);
            group.close_those_without_notices();
        }
    }

    /// Sends for what must be read before an event can be handed out; says for which groups.
    pub(super) fn send_for(
        &self,
        subject: &Subject,
        verdicts: &HashMap<GroupId, Verdict>,
        errand: &mut Errand,
        allowance: &mut Allowance,
    ) -> HashSet<GroupId> {
        let mut groups = HashSet::new();
        if self.expanding == 0 {
            return groups;
        }
        let position = subject.change.position;
        for id in self.index.find(subject) {
            let Some(group) = self.groups.get(&id).filter(|group| group.lens.expands()) else {
                continue;
            };
            // Without steps for it now, it is not handed out either.
            let judged = group.within(allowance, || group.judge(id, subject, verdicts));
            let Some((operation, crossing)) = judged.flatten() else {
                continue;
            };
            let is_told = |member: &Member| {
                position > member.after && member.operations.want(operation, crossing)
            };
            if group.members.iter().any(is_told) && group.lens.send_for(subject, operation, errand)
            {
                groups.insert(id);
            }
        }
        groups
    }

    /// Those who cannot be shown an event begin anew, too.
    pub(super) fn withhold(&mut self, groups: &HashSet<GroupId>, position: i64) {
        if groups.is_empty() {
            return;
        }
        self.shaken.unexpanded = Some(position);
        groups
            .iter()
            .filter_map(|id| self.groups.get(id))
            .for_each(Group::close_those_without_notices);
    }

    /// Those for whom an event is too expensive to be judged begin anew as well.
    pub(super) fn leave_unjudged(&mut self, groups: &HashSet<GroupId>, position: i64) {
        self.unjudged
            .extend(groups.iter().map(|id| (*id, position)));
        groups
            .iter()
            .filter_map(|id| self.groups.get(id))
            .for_each(Group::close_those_without_notices);
    }

    /// Nobody can be told what has happened: all begin anew.
    pub(super) fn give_up_all(&self, reason: Resync, cursor: &Cursor) {
        for group in self.groups.values() {
            group
                .members
                .iter()
                .for_each(|member| tell(member, reason, cursor));
            group.close_those_without_notices();
        }
    }

    /// Hands out an event of the collection that the groups were made for.
    pub(super) fn deliver(
        &self,
        subject: &Subject,
        findings: &Findings,
        lane: u32,
        allowance: &mut Allowance,
    ) -> Delivery {
        let mut delivery = Delivery::default();
        let position = subject.change.position;
        let mark = Mark { lane, position };
        for (id, group) in self
            .index
            .find(subject)
            .filter_map(|id| Some((id, self.groups.get(&id)?)))
        {
            let Some(judged) =
                group.within(allowance, || group.judge(id, subject, &findings.verdicts))
            else {
                delivery.unjudged.insert(id);
                continue;
            };
            let Some((operation, crossing)) = judged.filter(|_| !findings.withheld.contains(&id))
            else {
                continue;
            };
            let mut frame = None;
            let mut tagged = Tagged::default();
            for member in &group.members {
                if position <= member.after || !member.operations.want(operation, crossing) {
                    continue;
                }
                let frame = frame.get_or_insert_with(|| {
                    group
                        .lens
                        .frame(subject, operation, crossing, &findings.expanded)
                });
                let frame = if member.tagged {
                    tagged.of(member, frame)
                } else {
                    frame.clone()
                };
                match member.outlet.queue().push_event(frame, mark) {
                    Pushed::Queued => delivery.sent += 1,
                    Pushed::Congested => {
                        delivery.sent += 1;
                        delivery.congested.push(member.outlet.clone());
                    }
                    Pushed::Overflowed => delivery.overflowed += 1,
                    Pushed::Refused => {}
                }
            }
        }
        delivery
    }
}

impl Group {
    /// Runs what may have to evaluate expressions; `None` if there are no steps left for that.
    fn within<T>(&self, allowance: &mut Allowance, judge: impl FnOnce() -> T) -> Option<T> {
        if self.lens.evaluates() {
            allowance.run(judge)
        } else {
            Some(judge())
        }
    }

    fn judge(
        &self,
        id: GroupId,
        subject: &Subject,
        verdicts: &HashMap<GroupId, Verdict>,
    ) -> Option<(frame::Operation, Option<Crossing>)> {
        let verdict = if self.lens.asks() {
            verdicts.get(&id).copied()
        } else {
            None
        };
        self.lens.judge(subject, verdict.unwrap_or_default())
    }

    /// Whether a collection to which its expanded references lead has become another.
    fn leads_elsewhere(&self, catalog: &Catalog) -> bool {
        let is_other = |target: &&Arc<Collection>| {
            catalog
                .by_id(target.id)
                .is_none_or(|current| !Arc::ptr_eq(current, target))
        };
        self.lens.targets().iter().any(is_other)
    }

    fn close_those_without_notices(&self) {
        for member in self
            .members
            .iter()
            .filter(|member| !member.subscription.notices)
        {
            member.outlet.queue().close(Close::Overload);
        }
    }
}

/// The frames of an event with tags in them.
#[derive(Default)]
struct Tagged<'m>(Vec<(&'m str, Bytes)>);

impl<'m> Tagged<'m> {
    fn of(&mut self, member: &'m Member, frame: &Bytes) -> Bytes {
        let tag = member.subscription.tag.as_deref().unwrap_or_default();
        if let Some((_, tagged)) = self.0.iter().find(|(known, _)| *known == tag) {
            return tagged.clone();
        }
        let tagged = member.outlet.dialect().tag(frame, tag);
        if self.0.len() < TAGGED {
            self.0.push((tag, tagged.clone()));
        }
        tagged
    }
}

pub(super) fn tell(member: &Member, reason: Resync, cursor: &Cursor) {
    if let Some(frame) = member
        .subscription
        .notice(&member.outlet, &Notice::Resync { reason, cursor })
    {
        member.outlet.queue().push(frame);
    }
}

/// Why somebody who knows records of a collection, and what they refer to, as collections were
/// before, must fetch them again.
pub(super) fn difference(
    before: &Catalog,
    now: &Catalog,
    name: &str,
    selection: &Selection,
    caller: &Caller,
) -> Option<Resync> {
    if std::ptr::eq(before, now) {
        return None;
    }
    // Of a collection that did not exist nothing is known.
    let collection = before.by_name(name)?;
    let operation = selection.operation();
    changed(collection, now.by_name(name), operation, caller).or_else(|| {
        selection.expand.as_ref()?;
        let view = FieldView::of(caller, collection, operation);
        let expansion = selection.expansion(before, caller, &view)?;
        let mut targets = expansion.targets().into_iter();
        targets.find_map(|target| changed(target, now.by_id(target.id), Operation::View, caller))
    })
}

fn changed(
    before: &Arc<Collection>,
    now: Option<&Arc<Collection>>,
    operation: Operation,
    caller: &Caller,
) -> Option<Resync> {
    let Some(now) = now else {
        return Some(Resync::Schema);
    };
    if Arc::ptr_eq(before, now) {
        return None;
    }
    let (was, is) = (&before.row, &now.row);
    if was.id != is.id || was.schema != is.schema {
        return Some(Resync::Schema);
    }
    let same_rule = was.rule(operation) == is.rule(operation);
    let same_fields = before.access.fields(operation) == now.access.fields(operation);
    let same_sources = before.dependencies == now.dependencies;
    let same = caller.is_superadmin() || (same_rule && same_fields && same_sources);
    (!same).then_some(Resync::Rules)
}
