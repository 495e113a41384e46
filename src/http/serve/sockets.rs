//! The open sockets: as many as the process may have files, and none for one address at the expense
//! of the others.
//!
//! A socket is idle while no request is under way on it: before the first, and between two. Where
//! there is no room for another socket, the one that has been idle for longest makes it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::auth::bucket::network;
use crate::config::Config;

/// While a request is under way.
const BUSY: u64 = u64::MAX;

/// The part of an address that counts; one for all, where addresses are not told apart.
type Network = [u8; 8];

/// Upper limits of the number of sockets.
#[derive(Clone, Copy, Debug)]
pub(super) struct SocketLimits {
    /// In all.
    pub total: usize,
    /// Of one address.
    pub per_address: usize,
    /// Of one address, while no request is under way on them.
    pub idle_per_address: usize,
}

impl SocketLimits {
    /// The configured limits, in a process that may open so many files.
    pub(super) fn new(config: &Config, open_files: usize) -> Self {
        // The database, the log and the like need some, too.
        let total = open_files - (open_files / 4).min(512);
        let limits = &config.limits;
        if config.server.trust_proxy {
            // All sockets are the proxy's.
            return Self {
                total,
                per_address: usize::MAX,
                idle_per_address: usize::MAX,
            };
        }
        Self {
            total,
            per_address: limits.connections_per_address(total),
            idle_per_address: match limits.max_idle_connections_per_address {
                0 => usize::MAX,
                limit => limit,
            },
        }
    }
}

/// The table of open sockets; cheap to clone.
#[derive(Clone)]
pub(super) struct Sockets(Arc<SocketTable>);

struct SocketTable {
    limits: SocketLimits,
    started: Instant,
    open: Mutex<OpenSockets>,
}

#[derive(Default)]
struct OpenSockets {
    count: usize,
    by_network: HashMap<Network, Vec<Arc<SocketState>>>,
}

/// An open socket.
pub(super) struct SocketState {
    network: Network,
    started: Instant,
    /// Time at which it became idle, in nanoseconds of the table's life; or [`BUSY`].
    idle_since: AtomicU64,
    evicted: AtomicBool,
    eviction: Notify,
}

impl Sockets {
    /// No sockets yet.
    pub(super) fn new(limits: SocketLimits) -> Self {
        Self(Arc::new(SocketTable {
            limits,
            started: Instant::now(),
            open: Mutex::default(),
        }))
    }

    /// Registers a socket from an address; `None` if there is no room and none to be made.
    pub(super) fn admit(&self, address: IpAddr) -> Option<SocketGuard> {
        let (limits, network) = (self.0.limits, network(address));
        let mut open = self.lock();
        let own = open.by_network.get(&network).map_or(&[][..], Vec::as_slice);
        // Few addresses ever get there: counting is for those.
        let has_too_many_idle = own.len() >= limits.idle_per_address
            && own.iter().filter(|socket| socket.is_idle()).count() >= limits.idle_per_address;
        let is_full = own.len() >= limits.per_address;
        if has_too_many_idle || is_full {
            let makes_room = evict_from(own);
            if is_full && !makes_room {
                return None;
            }
        }
        if open.count >= limits.total {
            // The address with the most sockets gives one up first.
            let mut all: Vec<_> = open.by_network.values().collect();
            all.sort_unstable_by_key(|sockets| std::cmp::Reverse(sockets.len()));
            if !all.into_iter().any(|sockets| evict_from(sockets)) {
                return None;
            }
        }
        let socket = Arc::new(SocketState {
            network,
            started: self.0.started,
            idle_since: AtomicU64::new(0),
            evicted: AtomicBool::new(false),
            eviction: Notify::new(),
        });
        socket.rest();
        open.by_network
            .entry(network)
            .or_default()
            .push(socket.clone());
        open.count += 1;
        Some(SocketGuard {
            table: self.0.clone(),
            socket,
        })
    }

    fn lock(&self) -> MutexGuard<'_, OpenSockets> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the socket that has been idle for longest to close; false if none is idle.
fn evict_from(sockets: &[Arc<SocketState>]) -> bool {
    let idle = sockets.iter().filter(|socket| socket.is_idle());
    let Some(oldest) = idle
        .min_by_key(|socket| socket.idle_since.load(Ordering::Relaxed))
        .cloned()
    else {
        return false;
    };
    oldest.evicted.store(true, Ordering::Relaxed);
    oldest.eviction.notify_one();
    true
}

impl SocketState {
    fn is_idle(&self) -> bool {
        self.idle_since.load(Ordering::Relaxed) != BUSY && !self.evicted.load(Ordering::Relaxed)
    }

    fn rest(&self) {
        let age = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(BUSY - 1);
        self.idle_since.store(age, Ordering::Relaxed);
    }

    /// Waits until the socket must close to make room for others, and no request is under way on
    /// it.
    pub(super) async fn evicted(&self) {
        self.eviction.notified().await;
        while self.idle_since.load(Ordering::Relaxed) == BUSY {
            self.eviction.notified().await;
        }
    }

    /// Notes that a request is under way, until the guard goes.
    pub(super) fn begin(self: &Arc<Self>) -> RequestGuard {
        self.idle_since.store(BUSY, Ordering::Relaxed);
        RequestGuard {
            socket: self.clone(),
            goes_on: false,
        }
    }
}

/// Keeps a socket registered.
pub(super) struct SocketGuard {
    table: Arc<SocketTable>,
    socket: Arc<SocketState>,
}

impl SocketGuard {
    /// The registered socket.
    pub(super) fn socket(&self) -> &Arc<SocketState> {
        &self.socket
    }
}

impl Drop for SocketGuard {
    fn drop(&mut self) {
        let mut open = self
            .table
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.count -= 1;
        let Some(sockets) = open.by_network.get_mut(&self.socket.network) else {
            return;
        };
        if let Some(index) = sockets
            .iter()
            .position(|socket| Arc::ptr_eq(socket, &self.socket))
        {
            sockets.swap_remove(index);
        }
        if sockets.is_empty() {
            open.by_network.remove(&self.socket.network);
        }
    }
}

/// A request that is under way.
pub(super) struct RequestGuard {
    socket: Arc<SocketState>,
    goes_on: bool,
}

impl RequestGuard {
    /// The socket speaks another protocol from now on, and is never idle again.
    pub(super) fn keep_busy(mut self) {
        self.goes_on = true;
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        if !self.goes_on {
            self.socket.rest();
            if self.socket.evicted.load(Ordering::Relaxed) {
                self.socket.eviction.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SocketLimits = SocketLimits {
        total: 6,
        per_address: 4,
        idle_per_address: 3,
    };

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn is_evicted(guard: &SocketGuard) -> bool {
        guard.socket.evicted.load(Ordering::Relaxed)
    }

    #[test]
    fn the_socket_that_was_idle_for_longest_makes_room_for_another_of_its_address() {
        let sockets = Sockets::new(LIMITS);
        let stranger = sockets.admit(address(9)).unwrap();
        let guards: Vec<_> = (0..3).map(|_| sockets.admit(address(1)).unwrap()).collect();
        assert!(!guards.iter().any(is_evicted));
        for (guard, since) in guards.iter().zip([3, 1, 2]) {
            guard.socket.idle_since.store(since, Ordering::Relaxed);
        }
        let _fourth = sockets.admit(address(1)).unwrap();
        assert_eq!(
            guards.iter().map(is_evicted).collect::<Vec<_>>(),
            [false, true, false]
        );
        assert!(!is_evicted(&stranger));
    }

    #[test]
    fn busy_sockets_stay_and_beyond_the_limit_of_the_address_others_are_refused() {
        let sockets = Sockets::new(LIMITS);
        let admit_busy = |_| {
            let guard = sockets.admit(address(1)).unwrap();
            let request = guard.socket().begin();
            (guard, request)
        };
        let (guards, requests): (Vec<_>, Vec<_>) = (0..4).map(admit_busy).unzip();
        assert!(sockets.admit(address(1)).is_none());
        assert!(
            sockets.admit(address(2)).is_some(),
            "another address has room"
        );
        drop(requests);
        assert!(sockets.admit(address(1)).is_some());
        assert_eq!(guards.iter().filter(|guard| is_evicted(guard)).count(), 1);
    }

    #[test]
    fn in_all_the_address_with_the_most_sockets_gives_one_up() {
        let sockets = Sockets::new(SocketLimits {
            per_address: 9,
            idle_per_address: 9,
            ..LIMITS
        });
        let many: Vec<_> = (0..4).map(|_| sockets.admit(address(1)).unwrap()).collect();
        let few: Vec<_> = (0..2).map(|_| sockets.admit(address(2)).unwrap()).collect();
        let _another = sockets.admit(address(3)).unwrap();
        assert_eq!(many.iter().filter(|guard| is_evicted(guard)).count(), 1);
        assert!(!few.iter().any(is_evicted));
    }

    #[test]
    fn nothing_is_left_of_sockets_that_are_closed() {
        let sockets = Sockets::new(LIMITS);
        let guards: Vec<_> = (0..3)
            .map(|last| sockets.admit(address(last)).unwrap())
            .collect();
        drop(guards);
        assert!(sockets.lock().by_network.is_empty() && sockets.lock().count == 0);
    }

    #[tokio::test]
    async fn a_socket_that_must_close_finishes_its_request_first() {
        let sockets = Sockets::new(LIMITS);
        let guard = sockets.admit(address(1)).unwrap();
        let evicted = guard.socket().evicted();
        let mut evicted = std::pin::pin!(evicted);
        let request = guard.socket().begin();
        guard.socket().evicted.store(true, Ordering::Relaxed);
        guard.socket().eviction.notify_one();
        assert!(futures_util::poll!(evicted.as_mut()).is_pending());
        drop(request);
        assert!(futures_util::poll!(evicted.as_mut()).is_ready());
    }

    #[test]
    fn limits_follow_from_what_the_process_may_open() {
        let mut config = Config::default();
        let limits = SocketLimits::new(&config, 256);
        assert_eq!(
            (limits.total, limits.per_address, limits.idle_per_address),
            (192, 96, 256)
        );
        let limits = SocketLimits::new(&config, 100_000);
        assert_eq!((limits.total, limits.per_address), (99_488, 10_000));
        config.limits.max_connections_per_address = 20_000;
        assert_eq!(SocketLimits::new(&config, 100_000).per_address, 20_000);
        assert_eq!(SocketLimits::new(&config, 256).per_address, 96);
        config.server.trust_proxy = true;
        assert_eq!(SocketLimits::new(&config, 256).per_address, usize::MAX);
    }
}
