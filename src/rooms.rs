//! Rooms: what is not data, such as who is there, typing and cursors.
//!
//! An administrator defines patterns of names, each with rules ([`definition`]). A connection joins
//! the rooms of its account, is seen there, and exchanges messages. Nothing of it is in the change
//! log: a message reaches whoever is there and reads fast enough; the others are told how many they
//! missed.
//!
//! A room lives in the memory of every node, as long as somebody is in it on any of them. Each node
//! owns the members that are connected to it, and tells the others of them and of messages
//! ([`nodes`]).
//!
//! Locks are taken in this order: the seats of a connection, then a shard of the rooms, then an
//! outbox.

pub mod definition;
pub mod error;
mod frame;
mod guest;
mod handle;
mod history;
mod nodes;
mod outbox;
pub mod pattern;
mod room;
mod say;
mod store;
mod wire;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use definition::{Act, Definition, DefinitionRow, Definitions};
pub use error::RoomError;
pub use guest::{Guest, Join};
pub use handle::RoomsHandle;
pub use say::{Message, Words};
pub use store::{MAX_HISTORY, RoomInput, RoomList, RoomView};

use crate::clock::Clock;
use crate::config::{RealtimeConfig, RoomsConfig};
use crate::db::Db;
use crate::error::Result;
use crate::id::{AccountId, UserId};
use crate::realtime::queue::Limits;
use guest::Visitor;
use history::Memory;
use nodes::{News, Nodes};
use room::Room;

/// Rooms are spread over so many locks.
const SHARDS: usize = 32;
/// How often rooms are looked at in which something changed.
const LOOK: Duration = Duration::from_millis(100);

/// The rooms service; cheap to clone.
#[derive(Clone)]
pub struct Rooms(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    limits: RoomsConfig,
    /// What may wait for a connection.
    outbox: Limits,
    definitions: RwLock<Arc<Definitions>>,
    loading: tokio::sync::Mutex<()>,
    shards: Vec<Mutex<Shard>>,
    memory: Arc<Memory>,
    spread: RandomState,
    visitors: Mutex<HashMap<Uuid, Arc<Visitor>>>,
    /// There is something to do later in some room.
    busy: Notify,
    nodes: Nodes,
}

/// Which room: names are for one account each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct RoomKey {
    account: AccountId,
    name: Arc<str>,
}

#[derive(Default)]
struct Shard {
    rooms: HashMap<RoomKey, Room>,
    busy: HashSet<RoomKey>,
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rooms")
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}

impl Rooms {
    /// Reads the definitions. Nothing runs before [`Rooms::keep`].
    pub async fn load(
        db: Db,
        clock: Clock,
        limits: RoomsConfig,
        realtime: &RealtimeConfig,
    ) -> Result<Self> {
        let rooms = Self(Arc::new(Inner {
            nodes: Nodes::new(),
            db,
            clock,
            limits,
            outbox: Limits {
                frames: realtime.queue_frames,
                bytes: realtime.queue_bytes,
            },
            definitions: RwLock::default(),
            loading: tokio::sync::Mutex::default(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            memory: Arc::default(),
            spread: RandomState::new(),
            visitors: Mutex::default(),
            busy: Notify::new(),
        }));
        rooms.reload().await?;
        Ok(rooms)
    }

    /// Tells of changes, lets go of those who do not come back, and talks with other nodes, until
    /// cancelled.
    pub async fn keep(self, stop: CancellationToken) {
        let looking = async {
            loop {
                self.0.busy.notified().await;
                loop {
                    tokio::time::sleep(LOOK).await;
                    if !self.0.look(Instant::now()) {
                        break;
                    }
                }
            }
        };
        tokio::select! {
            () = looking => {}
            () = nodes::run(&self.0) => {}
            () = stop.cancelled() => {}
        }
    }

    /// Applies a change of somebody's rights. The hub must have applied it before.
    pub fn access_changed(&self, user: UserId) {
        self.recheck(|visitor| visitor.user() == Some(user));
    }

    /// Applies a change of an account, in the same way.
    pub fn account_changed(&self, account: AccountId) {
        self.recheck(|visitor| visitor.account() == Some(account));
    }

    fn recheck(&self, concerned: impl Fn(&Visitor) -> bool) {
        let visitors: Vec<_> = self
            .0
            .visitors()
            .values()
            .filter(|visitor| concerned(visitor))
            .cloned()
            .collect();
        for visitor in visitors {
            visitor.recheck(&self.0);
        }
    }

    /// How many rooms there are with somebody in them.
    pub fn occupied(&self) -> usize {
        self.0
            .shards
            .iter()
            .map(|shard| lock(shard).rooms.len())
            .sum()
    }
}

impl Inner {
    fn definitions(&self) -> Arc<Definitions> {
        self.definitions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn replace_definitions(&self, definitions: Definitions) {
        *self
            .definitions
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(definitions);
    }

    fn visitors(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Visitor>>> {
        lock(&self.visitors)
    }

    fn shard(&self, key: &RoomKey) -> MutexGuard<'_, Shard> {
        let shards = self.shards.len() as u64;
        let index = usize::try_from(self.spread.hash_one(key) % shards).unwrap_or_default();
        lock(&self.shards[index])
    }

    /// Does something in a room that is there because somebody comes in.
    fn enter<R>(&self, key: &RoomKey, act: impl FnOnce(&mut Room) -> R) -> R {
        let mut shard = self.shard(key);
        let room = shard
            .rooms
            .entry(key.clone())
            .or_insert_with(|| Room::new(key.name.clone(), self.memory.clone()));
        let result = act(room);
        self.settle(&mut shard, key);
        result
    }

    /// Does something in a room, if there is somebody in it.
    fn inside<R>(&self, key: &RoomKey, act: impl FnOnce(&mut Room) -> R) -> Option<R> {
        let mut shard = self.shard(key);
        let result = act(shard.rooms.get_mut(key)?);
        self.settle(&mut shard, key);
        Some(result)
    }

    /// Forgets a room that nobody is in, and remembers one that has something to do later.
    fn settle(&self, shard: &mut Shard, key: &RoomKey) {
        let Some(room) = shard.rooms.get(key) else {
            return;
        };
        if room.is_empty() {
            shard.rooms.remove(key);
            shard.busy.remove(key);
        } else if !room.is_busy() {
            shard.busy.remove(key);
        } else if shard.busy.insert(key.clone()) {
            self.busy.notify_one();
        }
    }

    /// Does what is due; returns whether more will be.
    fn look(&self, now: Instant) -> bool {
        let mut more = false;
        for shard in &self.shards {
            let mut shard = lock(shard);
            for key in shard.busy.iter().cloned().collect::<Vec<_>>() {
                if let Some(room) = shard.rooms.get_mut(&key) {
                    for conn in room.expire(now) {
                        self.nodes.tell(|| News::gone(&key, &conn));
                    }
                    room.tell_changes(now);
                }
                self.settle(&mut shard, &key);
            }
            more |= !shard.busy.is_empty();
        }
        more
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(self.limits.grace_seconds)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
