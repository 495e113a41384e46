//! Locks for what rules read: a check of other records and the write that it allows are one step.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use uuid::Uuid;

/// A lock on the records that one account has in one collection. It keeps apart writes whose rules
/// read other records; reads and other writes do not ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordLock {
    /// The same number in every process.
    pub(super) key: i64,
    pub(super) mode: LockMode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LockMode {
    Exclusive,
    Shared,
}

impl RecordLock {
    /// A lock for a batch that writes to the collection.
    pub fn exclusive(account: Uuid, collection: Uuid) -> Self {
        Self {
            key: key(account, collection),
            mode: LockMode::Exclusive,
        }
    }

    /// A lock for a batch whose rules only read the collection.
    pub fn shared(account: Uuid, collection: Uuid) -> Self {
        Self {
            key: key(account, collection),
            mode: LockMode::Shared,
        }
    }
}

impl RecordLock {
    /// A lock for batches of this process that run the same statement.
    pub(super) fn of_statement(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self {
            key: i64::from_ne_bytes(hasher.finish().to_ne_bytes()),
            mode: LockMode::Exclusive,
        }
    }
}

/// FNV-1a over both ids. Two that clash by chance wait for each other, no more.
fn key(account: Uuid, collection: Uuid) -> i64 {
    let bytes = account.as_bytes().iter().chain(collection.as_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::from_ne_bytes(hash.to_ne_bytes())
}

/// How many batches of different collections can wait apart from each other.
const WAITING_ROOMS: usize = 256;

/// Where batches of this process wait for each other before they take a connection: those that wait
/// inside the database would use up the pool.
#[derive(Debug)]
pub(super) struct WaitingRooms(Vec<RwLock<()>>);

/// A place in a waiting room.
pub(super) enum Turn<'a> {
    Exclusive { _guard: RwLockWriteGuard<'a, ()> },
    Shared { _guard: RwLockReadGuard<'a, ()> },
}

impl Default for WaitingRooms {
    fn default() -> Self {
        Self((0..WAITING_ROOMS).map(|_| RwLock::new(())).collect())
    }
}

impl WaitingRooms {
    /// Waits until no other batch of this process stands in the way.
    pub async fn wait(&self, locks: &[RecordLock]) -> Vec<Turn<'_>> {
        // In ascending order and each once, so that nobody waits in a circle.
        let mut rooms: BTreeMap<usize, LockMode> = BTreeMap::new();
        for lock in locks {
            let room = usize::from(lock.key.to_le_bytes()[0]) % WAITING_ROOMS;
            let mode = rooms.entry(room).or_insert(lock.mode);
            *mode = lock.mode.min(*mode);
        }
        let mut turns = Vec::with_capacity(rooms.len());
        for (room, mode) in rooms {
            turns.push(match mode {
                LockMode::Exclusive => Turn::Exclusive {
                    _guard: self.0[room].write().await,
                },
                LockMode::Shared => Turn::Shared {
                    _guard: self.0[room].read().await,
                },
            });
        }
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Batch;

    #[test]
    fn a_batch_takes_each_lock_once_and_the_stronger_one() {
        let (account, a, b) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let shared = RecordLock::shared(account, a);
        let locks = vec![
            shared,
            RecordLock::exclusive(account, b),
            RecordLock::exclusive(account, a),
            shared,
        ];
        let batch = Batch::new().under(locks);
        assert_eq!(batch.locks.len(), 2);
        assert!(
            batch
                .locks
                .iter()
                .all(|lock| lock.mode == LockMode::Exclusive)
        );
        assert!(batch.locks.is_sorted_by_key(|lock| lock.key));
    }

    #[tokio::test]
    async fn a_room_lets_readers_in_together_and_writers_alone() {
        let rooms = WaitingRooms::default();
        let (account, collection) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (read, write) = (
            [RecordLock::shared(account, collection)],
            [RecordLock::exclusive(account, collection)],
        );
        let first = rooms.wait(&read).await;
        let second = rooms.wait(&read).await;
        let brief = std::time::Duration::from_millis(1);
        assert!(
            tokio::time::timeout(brief, rooms.wait(&write))
                .await
                .is_err()
        );
        drop((first, second));
        let _alone = rooms.wait(&write).await;
        assert!(
            tokio::time::timeout(brief, rooms.wait(&read))
                .await
                .is_err()
        );
    }
}
