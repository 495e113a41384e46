//! Snapshots that wait to be read by their clients: how many bytes of them each account has in
//! memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::id::AccountId;

/// Bytes of snapshots that may wait for the connections of an account when one of them asks for one
/// more.
const MAX_WAITING_BYTES: usize = 16 << 20;

/// What waits for each account's connections; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct WaitingSnapshots(Arc<Mutex<HashMap<Option<AccountId>, usize>>>);

/// A snapshot that waits, until this is dropped.
#[derive(Debug)]
pub struct WaitingSnapshot {
    all: WaitingSnapshots,
    account: Option<AccountId>,
    bytes: usize,
}

impl WaitingSnapshots {
    /// Counts a snapshot with no bytes yet; `None` if too much waits for the account already.
    pub(super) fn add(&self, account: Option<AccountId>) -> Option<WaitingSnapshot> {
        let waiting = self.accounts().get(&account).copied().unwrap_or_default();
        (waiting <= MAX_WAITING_BYTES).then(|| WaitingSnapshot {
            all: self.clone(),
            account,
            bytes: 0,
        })
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<Option<AccountId>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitingSnapshot {
    /// Counts bytes of it.
    pub fn grow(&mut self, bytes: usize) {
        *self.all.accounts().entry(self.account).or_default() += bytes;
        self.bytes += bytes;
    }
}

impl Drop for WaitingSnapshot {
    fn drop(&mut self) {
        let mut accounts = self.all.accounts();
        let left = accounts
            .get(&self.account)
            .copied()
            .unwrap_or_default()
            .saturating_sub(self.bytes);
        if left == 0 {
            accounts.remove(&self.account);
        } else {
            accounts.insert(self.account, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_gets_no_further_snapshot_while_much_waits_for_it() {
        let all = WaitingSnapshots::default();
        let (one, other) = (Some(AccountId::new()), Some(AccountId::new()));
        let mut first = all.add(one).unwrap();
        first.grow(MAX_WAITING_BYTES);
        let mut second = all.add(one).unwrap();
        second.grow(1);
        assert!(all.add(one).is_none());
        assert!(all.add(other).is_some());
        drop(second);
        assert!(all.add(one).is_some());
        drop(first);
        assert!(all.accounts().is_empty());
    }
}
