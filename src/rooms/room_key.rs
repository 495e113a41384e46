//! The identity of a room, and the way in which its parts are locked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::id::AccountId;

/// An account and a name: names are unique in an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RoomKey {
    pub(super) account: AccountId,
    pub(super) name: Arc<str>,
}

/// Locks a mutex, poisoned or not.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
