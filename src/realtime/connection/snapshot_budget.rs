//! The memory that snapshots take while they wait to be read by their clients: bytes by account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::id::AccountId;

/// Upper limit, in bytes, of the snapshots that wait for the connections of an account when one of
/// them asks for another one.
const MAX_WAITING_BYTES: usize = 16 << 20;

/// The bytes that wait for each account's connections; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(in crate::realtime) struct SnapshotBudget(Arc<Mutex<HashMap<Option<AccountId>, usize>>>);

/// The bytes of one snapshot, counted until this is dropped.
#[derive(Debug)]
pub struct SnapshotReservation {
    budget: SnapshotBudget,
    account: Option<AccountId>,
    bytes: usize,
}

impl SnapshotBudget {
    /// Counts a snapshot with no bytes yet; `None` if too many bytes wait for the account.
    pub(in crate::realtime) fn reserve(
        &self,
        account: Option<AccountId>,
    ) -> Option<SnapshotReservation> {
        let waiting = self.accounts().get(&account).copied().unwrap_or_default();
        (waiting <= MAX_WAITING_BYTES).then(|| SnapshotReservation {
            budget: self.clone(),
            account,
            bytes: 0,
        })
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<Option<AccountId>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SnapshotReservation {
    /// Counts bytes of the snapshot.
    pub fn grow(&mut self, bytes: usize) {
        *self.budget.accounts().entry(self.account).or_default() += bytes;
        self.bytes += bytes;
    }
}

impl Drop for SnapshotReservation {
    fn drop(&mut self) {
        let mut accounts = self.budget.accounts();
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
    fn an_account_gets_no_further_snapshot_while_many_bytes_wait_for_it() {
        let budget = SnapshotBudget::default();
        let (one, other) = (Some(AccountId::new()), Some(AccountId::new()));
        let mut first = budget.reserve(one).unwrap();
        first.grow(MAX_WAITING_BYTES);
        let mut second = budget.reserve(one).unwrap();
        second.grow(1);
        assert!(budget.reserve(one).is_none());
        assert!(budget.reserve(other).is_some());
        drop(second);
        assert!(budget.reserve(one).is_some());
        drop(first);
        assert!(budget.accounts().is_empty());
    }
}
