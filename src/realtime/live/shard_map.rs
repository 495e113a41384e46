//! The distribution of accounts over shards.

use std::hash::{BuildHasher, RandomState};

use crate::changes::Change;
use crate::id::AccountId;
use crate::realtime::subscription::AccountScope;

/// Maps accounts to shards by hash. The last shard serves subscriptions to all accounts.
#[derive(Clone)]
pub(in crate::realtime) struct ShardMap {
    state: RandomState,
    account_shards: u32,
}

impl ShardMap {
    /// A map to this number of shards, at least one, and the one for all accounts.
    pub(in crate::realtime) fn new(account_shards: u32) -> Self {
        Self {
            state: RandomState::new(),
            account_shards: account_shards.max(1),
        }
    }

    /// The number of the shard that serves a scope.
    pub(in crate::realtime) fn shard_of(&self, scope: AccountScope) -> u32 {
        match scope {
            AccountScope::Account(account) => self.account_shard(account),
            AccountScope::Everything => self.account_shards,
        }
    }

    fn account_shard(&self, account: AccountId) -> u32 {
        let shards = u64::from(self.account_shards);
        u32::try_from(self.state.hash_one(account) % shards).unwrap_or_default()
    }

    /// The shares of all shards, by number.
    pub(in crate::realtime) fn shares(&self) -> impl Iterator<Item = ShardShare> {
        (0..=self.account_shards).map(|number| ShardShare {
            number,
            map: self.clone(),
        })
    }
}

/// The changes that one shard delivers.
#[derive(Clone)]
pub(in crate::realtime) struct ShardShare {
    /// The number of the shard.
    pub(in crate::realtime) number: u32,
    map: ShardMap,
}

impl ShardShare {
    /// Returns `true` if the shard serves subscriptions to all accounts, or those to one account
    /// each.
    pub(in crate::realtime) fn is_everything(&self) -> bool {
        self.number == self.map.account_shards
    }

    /// Returns `true` if a change can be for subscriptions of the shard.
    pub(in crate::realtime) fn includes(&self, change: &Change) -> bool {
        let is_own = |account: AccountId| self.map.account_shard(account) == self.number;
        change.is_of_record() && (self.is_everything() || change.account_id.is_some_and(is_own))
    }
}
