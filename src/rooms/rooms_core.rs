//! The rooms in memory, and what all parts of the service need.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::cluster::{Cluster, ClusterMessage};
use super::definition::RoomDefinitions;
use super::history::HistoryMemory;
use super::room::{ConnName, MemberHome, Room};
use super::room_key::{RoomKey, lock};
use crate::clock::Clock;
use crate::config::RoomsConfig;
use crate::db::Db;

/// Number of locks over which rooms are spread.
const SHARD_COUNT: usize = 32;

/// See the module.
pub(super) struct RoomsCore {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) limits: RoomsConfig,
    definitions: RwLock<Arc<RoomDefinitions>>,
    shards: Vec<Mutex<RoomShard>>,
    memory: Arc<HistoryMemory>,
    hasher: RandomState,
    /// Notified when some room has work for later.
    pub(super) has_work: Notify,
    pub(super) cluster: Cluster,
}

#[derive(Default)]
struct RoomShard {
    rooms: HashMap<RoomKey, Room>,
    /// The rooms with work for later.
    busy: HashSet<RoomKey>,
}

impl RoomsCore {
    pub(super) fn new(db: Db, clock: Clock, limits: RoomsConfig) -> Self {
        Self {
            db,
            clock,
            limits,
            definitions: RwLock::default(),
            shards: (0..SHARD_COUNT).map(|_| Mutex::default()).collect(),
            memory: Arc::default(),
            hasher: RandomState::new(),
            has_work: Notify::new(),
            cluster: Cluster::new(),
        }
    }

    pub(super) fn definitions(&self) -> Arc<RoomDefinitions> {
        self.definitions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn replace_definitions(&self, definitions: RoomDefinitions) {
        *self
            .definitions
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(definitions);
    }

    /// The number of rooms with somebody in them.
    pub(super) fn room_count(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| lock(shard).rooms.len())
            .sum()
    }

    /// The time for which a member is kept whose connection was lost.
    pub(super) fn grace(&self) -> Duration {
        Duration::from_secs(self.limits.grace_seconds)
    }

    fn shard(&self, key: &RoomKey) -> MutexGuard<'_, RoomShard> {
        let shards = self.shards.len() as u64;
        let index = usize::try_from(self.hasher.hash_one(key) % shards).unwrap_or_default();
        lock(&self.shards[index])
    }

    /// Changes a room, which is made if it is empty.
    pub(super) fn enter<R>(&self, key: &RoomKey, change: impl FnOnce(&mut Room) -> R) -> R {
        let mut shard = self.shard(key);
        let room = shard
            .rooms
            .entry(key.clone())
            .or_insert_with(|| Room::new(key.name.clone(), self.memory.clone()));
        let result = change(room);
        self.settle(&mut shard, key);
        result
    }

    /// Changes a room, if there is somebody in it.
    pub(super) fn change<R>(
        &self,
        key: &RoomKey,
        change: impl FnOnce(&mut Room) -> R,
    ) -> Option<R> {
        let mut shard = self.shard(key);
        let result = change(shard.rooms.get_mut(key)?);
        self.settle(&mut shard, key);
        Some(result)
    }

    /// Removes an empty room, and remembers one that has work for later.
    fn settle(&self, shard: &mut RoomShard, key: &RoomKey) {
        let Some(room) = shard.rooms.get(key) else {
            return;
        };
        if room.is_empty() {
            shard.rooms.remove(key);
            shard.busy.remove(key);
        } else if !room.has_work() {
            shard.busy.remove(key);
        } else if shard.busy.insert(key.clone()) {
            self.has_work.notify_one();
        }
    }

    /// Does the work that is due in all rooms; returns whether there will be more.
    pub(super) fn work(&self, now: Instant) -> bool {
        let mut has_more = false;
        for shard in &self.shards {
            let mut shard = lock(shard);
            for key in shard.busy.iter().cloned().collect::<Vec<_>>() {
                if let Some(room) = shard.rooms.get_mut(&key) {
                    for conn in room.remove_expired(now) {
                        self.cluster.send(|| ClusterMessage::gone(&key, &conn));
                    }
                    room.send_presence_changes(now);
                }
                self.settle(&mut shard, &key);
            }
            has_more |= !shard.busy.is_empty();
        }
        has_more
    }

    /// All members of this node, for the others.
    pub(super) fn own_members(&self) -> ClusterMessage {
        let mut members = Vec::new();
        for shard in &self.shards {
            for (key, room) in &lock(shard).rooms {
                let own = room
                    .members()
                    .filter(|(_, member)| !matches!(member.home, MemberHome::Node(_)));
                members
                    .extend(own.map(|(conn, member)| (key.clone(), conn.clone(), member.clone())));
            }
        }
        ClusterMessage::members(&members)
    }

    /// Removes members from all rooms.
    pub(super) fn remove_members(
        &self,
        is_gone: impl Fn(MemberHome, &(RoomKey, ConnName)) -> bool,
    ) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let mut gone = Vec::new();
            for (key, room) in &shard.rooms {
                for (conn, member) in room.members() {
                    let place = (key.clone(), conn.clone());
                    if is_gone(member.home, &place) {
                        gone.push(place);
                    }
                }
            }
            for (key, conn) in gone {
                if let Some(room) = shard.rooms.get_mut(&key) {
                    room.remove(&conn);
                }
                self.settle(&mut shard, &key);
            }
        }
    }
}
