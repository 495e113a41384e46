//! The messages that nodes exchange about rooms, and the queue of those that this node sends.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use metrics::counter;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use uuid::Uuid;

use super::framing::{ChunkReader, TextChunk};
use super::room::{ConnName, MemberHome, RoomMember};
use super::room_key::{RoomKey, lock};
use crate::id::AccountId;

/// Upper limit of the messages that wait to be sent. If there are more, messages of rooms are lost,
/// and members are sent as a whole.
const MAX_WAITING_MESSAGES: usize = 4096;
/// Upper limit of their bytes.
const MAX_WAITING_BYTES: usize = 32 << 20;
/// Time without a sign of life after which a node is gone: three missed beats, and the time that a
/// beat may be late.
const PEER_TIMEOUT: Duration = Duration::from_secs(7);

/// A message from one node to the others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ClusterMessage {
    /// The node has just started, or was away: the others answer with their members.
    Hello,
    /// The node is alive.
    Beat,
    /// The sender missed a message of this node.
    Want(Uuid),
    /// All members of the node.
    Members(Vec<MemberAnnouncement>),
    /// A member of the node came or changed.
    Put(MemberAnnouncement),
    /// A member of the node went.
    Gone {
        account: Uuid,
        room: Arc<str>,
        conn: ConnName,
    },
    /// A message was published in a room.
    Said {
        account: Uuid,
        room: Arc<str>,
        frame: Box<RawValue>,
    },
}

/// A member as nodes tell of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MemberAnnouncement {
    account: Uuid,
    room: Arc<str>,
    pub(super) conn: ConnName,
    pub(super) user: Arc<str>,
    meta: Arc<RawValue>,
    since: DateTime<Utc>,
    hidden: bool,
}

impl MemberAnnouncement {
    fn new(key: &RoomKey, conn: &ConnName, member: &RoomMember) -> Self {
        Self {
            account: key.account.0,
            room: key.name.clone(),
            conn: conn.clone(),
            user: member.user.clone(),
            meta: member.meta.clone(),
            since: member.since,
            hidden: member.is_hidden,
        }
    }

    pub(super) fn key(&self) -> RoomKey {
        RoomKey {
            account: AccountId(self.account),
            name: self.room.clone(),
        }
    }

    /// The member, as one of another node.
    pub(super) fn into_member(self, node: Uuid) -> RoomMember {
        RoomMember {
            user: self.user,
            meta: self.meta,
            since: self.since,
            is_hidden: self.hidden,
            home: MemberHome::Node(node),
        }
    }
}

impl ClusterMessage {
    pub(super) fn members(members: &[(RoomKey, ConnName, RoomMember)]) -> Self {
        let announcements = members
            .iter()
            .map(|(key, conn, member)| MemberAnnouncement::new(key, conn, member));
        Self::Members(announcements.collect())
    }

    pub(super) fn put(key: &RoomKey, conn: &ConnName, member: &RoomMember) -> Self {
        Self::Put(MemberAnnouncement::new(key, conn, member))
    }

    pub(super) fn gone(key: &RoomKey, conn: &ConnName) -> Self {
        Self::Gone {
            account: key.account.0,
            room: key.name.clone(),
            conn: conn.clone(),
        }
    }

    pub(super) fn said(key: &RoomKey, frame: &Bytes) -> Self {
        // Frames that were encoded here are JSON.
        let frame = serde_json::from_slice(frame).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self::Said {
            account: key.account.0,
            room: key.name.clone(),
            frame,
        }
    }

    /// The bytes that it takes in the queue; a message that is always short takes none.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Put(member) => member.meta.get().len(),
            Self::Said { frame, .. } => frame.get().len(),
            Self::Hello | Self::Beat | Self::Want(_) | Self::Members(_) | Self::Gone { .. } => 0,
        }
    }
}

/// This node among the others.
pub(super) struct Cluster {
    id: Uuid,
    queue: mpsc::Sender<ClusterMessage>,
    receiver: Mutex<Option<mpsc::Receiver<ClusterMessage>>>,
    /// The bytes of the messages in the queue.
    waiting_bytes: AtomicUsize,
    /// Notified when the others must be told of all members of this node.
    pub(super) owes_members: Notify,
    peers: Mutex<HashMap<Uuid, PeerNode>>,
    has_peers: AtomicBool,
}

/// Another node.
struct PeerNode {
    reader: ChunkReader,
    last_heard: Instant,
}

/// A chunk of another node, after it was put together with the earlier ones.
pub(super) struct PeerText {
    /// `true` if a chunk before it is missing.
    pub(super) has_gap: bool,
    /// The text, if the chunk was its last one.
    pub(super) text: Option<String>,
}

impl Cluster {
    pub(super) fn new() -> Self {
        let (queue, receiver) = mpsc::channel(MAX_WAITING_MESSAGES);
        Self {
            id: crate::id::new_id(),
            queue,
            receiver: Mutex::new(Some(receiver)),
            waiting_bytes: AtomicUsize::new(0),
            owes_members: Notify::new(),
            peers: Mutex::default(),
            has_peers: AtomicBool::new(false),
        }
    }

    /// The id of this node.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// The messages to send; the first call gets them.
    pub(super) fn take_receiver(&self) -> Option<mpsc::Receiver<ClusterMessage>> {
        lock(&self.receiver).take()
    }

    /// Sends a message to the other nodes, if there are any. Never waits.
    pub(super) fn send(&self, message: impl FnOnce() -> ClusterMessage) {
        if self.has_peers.load(Ordering::Relaxed) {
            self.send_to_all(message());
        }
    }

    /// Sends a message whether there are other nodes or not. Never waits.
    pub(super) fn send_to_all(&self, message: ClusterMessage) {
        let size = message.size();
        let waiting = self.waiting_bytes.fetch_add(size, Ordering::Relaxed);
        if waiting + size > MAX_WAITING_BYTES || self.queue.try_send(message).is_err() {
            self.waiting_bytes.fetch_sub(size, Ordering::Relaxed);
            counter!("snackbase_room_news_lost_total").increment(1);
            self.owes_members.notify_one();
        }
    }

    /// Notes that messages have been taken out of the queue.
    pub(super) fn note_taken(&self, messages: &[ClusterMessage]) {
        let bytes = messages.iter().map(ClusterMessage::size).sum();
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Takes a chunk of another node.
    pub(super) fn receive(&self, chunk: &TextChunk<'_>) -> PeerText {
        let mut peers = lock(&self.peers);
        let peer = peers.entry(chunk.node).or_insert_with(|| PeerNode {
            reader: ChunkReader::default(),
            last_heard: Instant::now(),
        });
        peer.last_heard = Instant::now();
        self.has_peers.store(true, Ordering::Relaxed);
        let (has_gap, text) = peer.reader.take(chunk);
        PeerText { has_gap, text }
    }

    /// Forgets the nodes that are gone, and returns them.
    pub(super) fn remove_silent_peers(&self, now: Instant) -> Vec<Uuid> {
        let mut silent = Vec::new();
        let mut peers = lock(&self.peers);
        peers.retain(|node, peer| {
            let is_alive = now.duration_since(peer.last_heard) < PEER_TIMEOUT;
            if !is_alive {
                silent.push(*node);
            }
            is_alive
        });
        self.has_peers.store(!peers.is_empty(), Ordering::Relaxed);
        silent
    }
}
