//! Requests that are under way for each client behind a trusted proxy. All sockets are the proxy's
//! there, so that clients can be told apart only once the head of a request names them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::bucket::network;
use crate::config::Config;

/// The part of an address that counts.
type Network = [u8; 8];

/// The number of requests under way, by client; cheap to clone.
#[derive(Clone)]
pub(super) struct ClientLoad(Arc<LoadTable>);

struct LoadTable {
    max_requests: usize,
    requests: Mutex<HashMap<Network, usize>>,
}

impl ClientLoad {
    /// Counts behind a trusted proxy, and nowhere else.
    pub(super) fn new(config: &Config) -> Option<Self> {
        let max_requests = config
            .limits
            .connections_per_address(crate::open_files::limit());
        config.server.trust_proxy.then(|| {
            Self(Arc::new(LoadTable {
                max_requests,
                requests: Mutex::default(),
            }))
        })
    }

    /// Counts a request until the guard is dropped; `None` if the client has too many under way.
    pub(super) fn begin(&self, address: Option<IpAddr>) -> Option<LoadGuard> {
        let network = address.map(network).unwrap_or_default();
        let mut requests = self.0.lock();
        let count = requests.entry(network).or_default();
        if *count >= self.0.max_requests {
            return None;
        }
        *count += 1;
        Some(LoadGuard {
            table: self.0.clone(),
            network,
        })
    }
}

impl LoadTable {
    fn lock(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way.
pub(super) struct LoadGuard {
    table: Arc<LoadTable>,
    network: Network,
}

impl Drop for LoadGuard {
    fn drop(&mut self) {
        let mut requests = self.table.lock();
        if let Some(count) = requests.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                requests.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_so_many_requests_under_way_and_nothing_is_left_of_it_afterwards() {
        let mut config = Config::default();
        config.limits.max_connections_per_address = 2;
        assert!(
            ClientLoad::new(&config).is_none(),
            "sockets are counted without a proxy"
        );
        config.server.trust_proxy = true;
        let load = ClientLoad::new(&config).unwrap();
        let (one, other) = (Some([192, 0, 2, 1].into()), Some([192, 0, 2, 2].into()));
        let guards: Vec<_> = (0..2).map(|_| load.begin(one).unwrap()).collect();
        assert!(load.begin(one).is_none() && load.begin(other).is_some());
        drop(guards);
        assert!(load.begin(one).is_some());
        assert!(load.0.lock().is_empty());
    }
}
