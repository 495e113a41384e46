//! Which shard hands out whose events.

use std::hash::{BuildHasher, RandomState};

use crate::changes::Change;
use crate::id::AccountId;

/// How accounts are spread over shards.
#[derive(Clone)]
pub(super) struct Spread {
    state: RandomState,
    shards: u32,
}

impl Spread {
    pub(super) fn over(shards: u32) -> Self {
        Self {
            state: RandomState::new(),
            shards: shards.max(1),
        }
    }

    /// The number of the shard of an account.
    pub(super) fn of(&self, account: AccountId) -> u32 {
        u32::try_from(self.state.hash_one(account) % u64::from(self.shards)).unwrap_or_default()
    }

    /// The number of the shard that serves subscriptions of every account.
    pub(super) fn everything(&self) -> u32 {
        self.shards
    }

    /// All shards.
    pub(super) fn lanes(&self) -> impl Iterator<Item = Lane> {
        (0..=self.shards).map(|number| Lane {
            number,
            spread: self.clone(),
        })
    }
}

/// Which shard it is.
#[derive(Clone)]
pub(super) struct Lane {
    /// Its number.
    pub(super) number: u32,
    spread: Spread,
}

impl Lane {
    /// Whether it serves subscriptions of every account, or those of one account each.
    pub(super) fn is_of_everything(&self) -> bool {
        self.number == self.spread.everything()
    }

    /// Whether a change can be for its subscriptions.
    pub(super) fn takes(&self, change: &Change) -> bool {
        let is_own = |account: AccountId| self.spread.of(account) == self.number;
        change.is_of_record() && (self.is_of_everything() || change.account_id.is_some_and(is_own))
    }
}
