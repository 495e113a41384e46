//! One collection of one account: its subscriptions, in groups of those that see the same.

use std::collections::HashMap;
use std::sync::Arc;

use super::connection::Outlet;
use super::lens::{Lens, LensKey, Subject};
use super::queue::Pushed;
use super::subscription::{Member, SubscriptionId};
use crate::changes::{Change, Cursor};
use crate::schema::Collection;

/// What handing out an event took.
#[derive(Default)]
pub(super) struct Delivery {
    /// Frames handed to connections.
    pub(super) sent: usize,
    /// Connections that were given up because they read too slowly.
    pub(super) overflowed: u64,
    /// Those that have much to send.
    pub(super) congested: Vec<Arc<Outlet>>,
}

/// See the module. Groups are made for one state of the collection; when its rules or fields change, they are made anew.
#[derive(Default)]
pub(super) struct Topic {
    collection: Option<Arc<Collection>>,
    groups: HashMap<GroupId, Group>,
    by_lens: HashMap<LensKey, GroupId>,
    homes: HashMap<SubscriptionId, GroupId>,
    /// Subscriptions of a collection that does not exist.
    waiting: HashMap<SubscriptionId, Member>,
    next: GroupId,
}

type GroupId = u32;

struct Group {
    lens: Lens,
    key: LensKey,
    members: Vec<Member>,
}

impl Topic {
    pub(super) fn is_empty(&self) -> bool {
        self.homes.is_empty() && self.waiting.is_empty()
    }

    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Makes the groups for the collection as it is now.
    pub(super) fn refresh(&mut self, collection: Option<&Arc<Collection>>) {
        let same = match (&self.collection, collection) {
            (Some(known), Some(current)) => Arc::ptr_eq(known, current),
            (None, None) => true,
            _ => false,
        };
        if same {
            return;
        }
        self.collection = collection.cloned();
        self.by_lens.clear();
        self.homes.clear();
        let members = self.groups.drain().flat_map(|(_, group)| group.members);
        let members: Vec<Member> = members.chain(self.waiting.drain().map(|(_, member)| member)).collect();
        for member in members {
            self.add(member);
        }
    }

    pub(super) fn add(&mut self, member: Member) {
        let Some(collection) = &self.collection else {
            self.waiting.insert(member.id, member);
            return;
        };
        let lens = Lens::new(collection, &member.caller, member.outlet.dialect());
        let key = lens.key();
        let group = *self.by_lens.entry(key.clone()).or_insert_with(|| {
            self.next += 1;
            self.groups.insert(self.next, Group { lens, key, members: Vec::new() });
            self.next
        });
        self.homes.insert(member.id, group);
        if let Some(group) = self.groups.get_mut(&group) {
            group.members.push(member);
        }
    }

    pub(super) fn remove(&mut self, id: SubscriptionId) -> Option<Member> {
        let Some(home) = self.homes.remove(&id) else { return self.waiting.remove(&id) };
        let group = self.groups.get_mut(&home)?;
        let at = group.members.iter().position(|member| member.id == id)?;
        let member = group.members.swap_remove(at);
        if group.members.is_empty() {
            self.by_lens.remove(&group.key);
            self.groups.remove(&home);
        }
        Some(member)
    }

    /// Hands out an event of the collection that the groups were made for.
    pub(super) fn deliver(&self, change: &Change, cursor: Cursor) -> Delivery {
        let mut delivery = Delivery::default();
        let Some(collection) = &self.collection else { return delivery };
        let subject = Subject::new(change, collection, cursor);
        for group in self.groups.values() {
            let Some((operation, crossing)) = group.lens.judge(&subject) else { continue };
            let mut frame = None;
            for member in &group.members {
                if change.position <= member.after || !member.operations.want(operation, crossing) {
                    continue;
                }
                let frame = frame.get_or_insert_with(|| group.lens.frame(&subject, operation, crossing));
                match member.outlet.queue().push(frame.clone()) {
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
