//! The topics of a shard, by scope and name.

use std::collections::HashMap;
use std::sync::Arc;

use metrics::gauge;

use super::member::LiveMember;
use super::topic::CollectionTopic;
use crate::changes::{Change, Cursor};
use crate::realtime::protocol::ResyncReason;
use crate::realtime::subscription::{AccountScope, Subscription, Topic};
use crate::schema::{Catalog, Collection};

/// See the module. A topic exists as long as it has subscriptions.
pub(in crate::realtime) struct ShardTopics {
    by_scope: HashMap<AccountScope, ScopeTopics>,
    /// `true` if the shard serves subscriptions to all accounts, or those to one account each.
    serves_everything: bool,
}

/// The topics of one scope. Each kind of topic has a map.
#[derive(Default)]
struct ScopeTopics {
    collections: HashMap<Arc<str>, CollectionTopic>,
}

impl ScopeTopics {
    fn is_empty(&self) -> bool {
        self.collections.is_empty()
    }
}

impl ShardTopics {
    pub(in crate::realtime) fn new(serves_everything: bool) -> Self {
        Self {
            by_scope: HashMap::new(),
            serves_everything,
        }
    }

    /// Returns `true` if the shard has subscriptions of a scope.
    pub(in crate::realtime) fn has_scope(&self, scope: AccountScope) -> bool {
        self.by_scope.contains_key(&scope)
    }

    /// The topics whose subscribers a change of a record can concern, directly or by their rules;
    /// `None` if there are none.
    pub(in crate::realtime) fn of_account(
        &mut self,
        change: &Change,
    ) -> Option<impl Iterator<Item = &mut CollectionTopic>> {
        Some(self.scope_of(change)?.collections.values_mut())
    }

    /// The topic of the collection of a change, in the state of a catalog.
    pub(in crate::realtime) fn of_collection<'c>(
        &mut self,
        change: &Change,
        catalog: &'c Arc<Catalog>,
        cursor: &Cursor,
    ) -> Option<(&mut CollectionTopic, &'c Arc<Collection>)> {
        let collection = catalog.by_id(change.collection_id?)?;
        let topic = self
            .scope_of(change)?
            .collections
            .get_mut(collection.name.as_str())?;
        count_groups(topic, |topic| {
            topic.refresh(catalog, &collection.name, cursor);
        });
        Some((topic, collection))
    }

    fn scope_of(&mut self, change: &Change) -> Option<&mut ScopeTopics> {
        let scope = if self.serves_everything {
            AccountScope::Everything
        } else {
            AccountScope::Account(change.account_id?)
        };
        self.by_scope.get_mut(&scope)
    }

    /// Adds a subscription to its topic, in the state of a catalog.
    pub(in crate::realtime) fn add(
        &mut self,
        member: LiveMember,
        catalog: &Arc<Catalog>,
        cursor: &Cursor,
    ) {
        let subscription = member.subscription.clone();
        let topics = self.by_scope.entry(subscription.scope).or_default();
        let Topic::Collection(name) = &subscription.topic;
        let topic = topics.collections.entry(name.clone()).or_default();
        count_groups(topic, |topic| {
            topic.refresh(catalog, name, cursor);
            topic.add(member);
        });
        if topic.is_empty() {
            self.remove_empty();
        }
    }

    /// Changes the topic of a subscription, if there is one.
    pub(in crate::realtime) fn change(
        &mut self,
        subscription: &Subscription,
        change: impl FnOnce(&mut CollectionTopic),
    ) {
        let Some(topics) = self.by_scope.get_mut(&subscription.scope) else {
            return;
        };
        let Topic::Collection(name) = &subscription.topic;
        let Some(topic) = topics.collections.get_mut(name) else {
            return;
        };
        count_groups(topic, change);
        if topic.is_empty() {
            topics.collections.remove(name);
        }
        if topics.is_empty() {
            self.by_scope.remove(&subscription.scope);
        }
    }

    /// Removes a subscription.
    pub(in crate::realtime) fn remove(&mut self, subscription: &Subscription) {
        self.change(subscription, |topic| {
            topic.remove(subscription.id);
        });
    }

    /// Applies changes of collections to all topics.
    pub(in crate::realtime) fn refresh(&mut self, catalog: &Arc<Catalog>, cursor: &Cursor) {
        for topics in self.by_scope.values_mut() {
            for (name, topic) in &mut topics.collections {
                count_groups(topic, |topic| topic.refresh(catalog, name, cursor));
            }
        }
        self.remove_empty();
    }

    /// Removes topics whose subscriptions have ended by themselves.
    fn remove_empty(&mut self) {
        self.by_scope.retain(|_, topics| {
            topics.collections.retain(|_, topic| !topic.is_empty());
            !topics.is_empty()
        });
    }

    /// Tells all subscribers to fetch everything again.
    pub(in crate::realtime) fn resync_all(&self, reason: ResyncReason, cursor: &Cursor) {
        let topics = self.by_scope.values();
        for topic in topics.flat_map(|topics| topics.collections.values()) {
            topic.resync_all(reason, cursor);
        }
    }

    /// The number of subscriptions that see the same as this one, itself included.
    pub(in crate::realtime) fn group_size(&self, subscription: &Subscription) -> Option<usize> {
        let Topic::Collection(name) = &subscription.topic;
        self.by_scope
            .get(&subscription.scope)?
            .collections
            .get(name)?
            .group_size(subscription.id)
    }
}

/// Changes a topic and counts the groups in the metrics.
fn count_groups(topic: &mut CollectionTopic, change: impl FnOnce(&mut CollectionTopic)) {
    let before = topic.group_count();
    change(topic);
    let after = topic.group_count();
    if before != after {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge takes nothing but doubles"
        )]
        gauge!("snackbase_realtime_groups").increment(after as f64 - before as f64);
    }
}
