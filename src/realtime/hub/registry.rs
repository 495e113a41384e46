//! The open connections of this process, and their limits.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::gauge;
use uuid::Uuid;

use super::options::HubOptions;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::realtime::connection::outbound::CloseReason;
use crate::realtime::connection::state::ConnectionState;

/// Seconds after which a client should try again that was refused because there are too many
/// connections.
const RETRY_AFTER_SECONDS: u64 = 5;

/// See the module.
#[derive(Default)]
pub(in crate::realtime) struct ConnectionRegistry(Mutex<OpenConnections>);

#[derive(Default)]
struct OpenConnections {
    by_id: HashMap<Uuid, Arc<ConnectionState>>,
    per_user: HashMap<UserId, usize>,
    per_address: HashMap<IpAddr, usize>,
    is_closed: bool,
}

impl ConnectionRegistry {
    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the server stops, [`Error::RateLimited`] if the user or the address
    /// has too many connections.
    pub(in crate::realtime) fn add(
        &self,
        connection: &Arc<ConnectionState>,
        options: &HubOptions,
    ) -> Result<()> {
        let mut open = self.lock();
        if open.is_closed {
            return Err(Error::Unavailable("The server is stopping".into()));
        }
        let of_user = count_of(&open.per_user, connection.holder());
        let of_address = count_of(&open.per_address, connection.address);
        if of_user >= options.connections_per_user || of_address >= options.connections_per_address
        {
            return Err(Error::RateLimited {
                retry_after: RETRY_AFTER_SECONDS,
            });
        }
        if let Some(user) = connection.holder() {
            open.per_user.insert(user, of_user + 1);
        }
        if let Some(address) = connection.address {
            open.per_address.insert(address, of_address + 1);
        }
        open.by_id.insert(connection.id, connection.clone());
        drop(open);
        gauge!("snackbase_realtime_connections").increment(1.0);
        Ok(())
    }

    pub(in crate::realtime) fn remove(&self, connection: &ConnectionState) {
        let mut open = self.lock();
        open.by_id.remove(&connection.id);
        if let Some(user) = connection.holder() {
            decrement(&mut open.per_user, &user);
        }
        if let Some(address) = connection.address {
            decrement(&mut open.per_address, &address);
        }
        drop(open);
        gauge!("snackbase_realtime_connections").decrement(1.0);
    }

    pub(in crate::realtime) fn count(&self) -> usize {
        self.lock().by_id.len()
    }

    pub(in crate::realtime) fn find(&self, id: Uuid) -> Option<Arc<ConnectionState>> {
        self.lock().by_id.get(&id).cloned()
    }

    /// The connections that a predicate accepts.
    pub(in crate::realtime) fn select(
        &self,
        accept: impl Fn(&ConnectionState) -> bool,
    ) -> Vec<Arc<ConnectionState>> {
        // The predicate may take locks of connections.
        let all: Vec<Arc<ConnectionState>> = self.lock().by_id.values().cloned().collect();
        all.into_iter()
            .filter(|connection| accept(connection))
            .collect()
    }

    /// Ends all connections and adds no more of them.
    pub(in crate::realtime) fn close(&self) {
        let mut open = self.lock();
        open.is_closed = true;
        for connection in open.by_id.values() {
            connection.queue().close(CloseReason::GoingAway);
        }
    }
}

fn count_of<K: Eq + Hash>(counts: &HashMap<K, usize>, key: Option<K>) -> usize {
    key.and_then(|key| counts.get(&key))
        .copied()
        .unwrap_or_default()
}

fn decrement<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
