//! A share of the reading connections for each account, so that none can occupy all of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::DbError;
use crate::id::AccountId;

/// The shares of all accounts; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct ReadShares(Arc<ActiveAccounts>);

#[derive(Debug)]
struct ActiveAccounts {
    /// Reads of one account that may run at the same time.
    each: usize,
    /// Accounts that read or wait now.
    active: Mutex<HashMap<AccountId, Arc<Semaphore>>>,
}

/// The right of an account to run one read; given back when it is dropped.
#[derive(Debug)]
pub(super) struct ReadShare {
    shares: ReadShares,
    account: AccountId,
    permit: Option<OwnedSemaphorePermit>,
}

impl ReadShares {
    /// Shares of `connections` connections: each account may use all but one of them.
    pub fn of(connections: usize) -> Self {
        let each = connections.saturating_sub(1).max(1);
        Self(Arc::new(ActiveAccounts {
            each,
            active: Mutex::default(),
        }))
    }

    /// Waits until the account may run one more read.
    pub async fn take(&self, account: AccountId) -> Result<ReadShare, DbError> {
        let turns = {
            let mut active = self.active();
            active
                .entry(account)
                .or_insert_with(|| Arc::new(Semaphore::new(self.0.each)))
                .clone()
        };
        // Made before the waiting, so that the account is forgotten also if the caller stops
        // waiting.
        let mut share = ReadShare {
            shares: self.clone(),
            account,
            permit: None,
        };
        share.permit = Some(turns.acquire_owned().await.map_err(|_| DbError::Closed)?);
        Ok(share)
    }

    fn active(&self) -> MutexGuard<'_, HashMap<AccountId, Arc<Semaphore>>> {
        self.0.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ReadShare {
    fn drop(&mut self) {
        self.permit = None;
        if let Entry::Occupied(turns) = self.shares.active().entry(self.account)
            && Arc::strong_count(turns.get()) == 1
        {
            turns.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn one_account_leaves_a_connection_to_the_others() {
        let shares = ReadShares::of(3);
        let (greedy, other) = (AccountId::new(), AccountId::new());
        let held = [
            shares.take(greedy).await.unwrap(),
            shares.take(greedy).await.unwrap(),
        ];
        assert!(
            timeout(Duration::from_millis(10), shares.take(greedy))
                .await
                .is_err()
        );
        shares.take(other).await.unwrap();
        drop(held);
        shares.take(greedy).await.unwrap();
        assert!(shares.active().is_empty());
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_nothing_behind() {
        let shares = ReadShares::of(1);
        let account = AccountId::new();
        let held = shares.take(account).await.unwrap();
        assert!(
            timeout(Duration::from_millis(10), shares.take(account))
                .await
                .is_err()
        );
        drop(held);
        assert!(shares.active().is_empty());
    }
}
