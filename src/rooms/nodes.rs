//! Rooms over several nodes on one PostgreSQL.
//!
//! Each node owns the members that are connected to it. It tells the others when one comes, changes
//! or goes, and passes on messages, in notifications ([`super::wire`]); they are sent many at a
//! time, by a connection that writes nothing. A node that has just started, or missed something,
//! asks for what the others own. Whoever has not been heard of for three beats is gone with its
//! members.

use std::collections::{HashMap, HashSet};
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
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

use super::room::{Conn, Home, Member};
use super::wire::{Chunk, Reader, Writer};
use super::{Inner, RoomKey, lock};
use crate::db::{Db, DbError, Postgres};
use crate::id::AccountId;

const CHANNEL: &str = "snackbase_rooms";
/// How often a node is heard of at least.
const BEAT: Duration = Duration::from_secs(2);
/// After three missed beats, and what a beat may be late.
const SILENCE: Duration = Duration::from_secs(7);
/// How much may wait to be sent; if there is more, messages are lost, and members are sent as a
/// whole.
const QUEUE: usize = 4096;
/// How many bytes of it.
const QUEUE_BYTES: usize = 32 << 20;
/// How much is sent at once.
const BATCH: usize = 512;
/// At most so often.
const PAUSE: Duration = Duration::from_millis(5);
const RETRY: Duration = Duration::from_millis(500);

/// What nodes tell each other.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum News {
    /// I am new, or was away: what do you have?
    Hello,
    /// I am here.
    Beat,
    /// I missed something of this node.
    Want(Uuid),
    /// All of my members.
    Members(Vec<Notice>),
    /// A member of mine came or changed.
    Put(Notice),
    /// A member of mine went.
    Gone {
        account: Uuid,
        room: Arc<str>,
        conn: Conn,
    },
    /// A message.
    Said {
        account: Uuid,
        room: Arc<str>,
        frame: Box<RawValue>,
    },
}

/// A member as nodes tell of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Notice {
    account: Uuid,
    room: Arc<str>,
    conn: Conn,
    user: Arc<str>,
    meta: Arc<RawValue>,
    since: DateTime<Utc>,
    hidden: bool,
}

impl Notice {
    fn new(key: &RoomKey, conn: &Conn, member: &Member) -> Self {
        Self {
            account: key.account.0,
            room: key.name.clone(),
            conn: conn.clone(),
            user: member.user.clone(),
            meta: member.meta.clone(),
            since: member.since,
            hidden: member.hidden,
        }
    }

    fn key(&self) -> RoomKey {
        RoomKey {
            account: AccountId(self.account),
            name: self.room.clone(),
        }
    }
}

impl News {
    pub(super) fn put(key: &RoomKey, conn: &Conn, member: &Member) -> Self {
        Self::Put(Notice::new(key, conn, member))
    }

    pub(super) fn gone(key: &RoomKey, conn: &Conn) -> Self {
        Self::Gone {
            account: key.account.0,
            room: key.name.clone(),
            conn: conn.clone(),
        }
    }

    pub(super) fn said(key: &RoomKey, frame: &Bytes) -> Self {
        // What was encoded here is JSON.
        let frame = serde_json::from_slice(frame).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self::Said {
            account: key.account.0,
            room: key.name.clone(),
            frame,
        }
    }

    /// What it takes of the queue, in bytes; what is always short takes nothing.
    fn size(&self) -> usize {
        match self {
            Self::Put(notice) => notice.meta.get().len(),
            Self::Said { frame, .. } => frame.get().len(),
            Self::Hello | Self::Beat | Self::Want(_) | Self::Members(_) | Self::Gone { .. } => 0,
        }
    }
}

/// This node among the others.
pub(super) struct Nodes {
    id: Uuid,
    queue: mpsc::Sender<News>,
    sending: Mutex<Option<mpsc::Receiver<News>>>,
    /// Bytes of what waits in the queue.
    waiting: AtomicUsize,
    /// The others are to be told of all members of this node.
    owes: Notify,
    others: Mutex<HashMap<Uuid, Other>>,
    /// Whether there are others.
    shared: AtomicBool,
}

/// Another node.
struct Other {
    reader: Reader,
    heard: Instant,
}

impl Nodes {
    pub(super) fn new() -> Self {
        let (queue, sending) = mpsc::channel(QUEUE);
        Self {
            id: crate::id::new_id(),
            queue,
            sending: Mutex::new(Some(sending)),
            waiting: AtomicUsize::new(0),
            owes: Notify::new(),
            others: Mutex::default(),
            shared: AtomicBool::new(false),
        }
    }

    /// Tells the other nodes, if there are any. Never waits.
    pub(super) fn tell(&self, news: impl FnOnce() -> News) {
        if self.shared.load(Ordering::Relaxed) {
            self.send(news());
        }
    }

    fn send(&self, news: News) {
        let size = news.size();
        let waiting = self.waiting.fetch_add(size, Ordering::Relaxed);
        if waiting + size > QUEUE_BYTES || self.queue.try_send(news).is_err() {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            counter!("snackbase_room_news_lost_total").increment(1);
            self.owes.notify_one();
        }
    }
}

/// Talks with other nodes; never ends. Where the database is not shared there are none.
pub(super) async fn run(inner: &Inner) {
    let sending = lock(&inner.nodes.sending).take();
    match (&inner.db, sending) {
        (Db::Postgres(db), Some(sending)) => {
            tokio::select! {
                () = speak(inner, db, sending) => {}
                () = listen(inner, db) => {}
            }
        }
        _ => std::future::pending().await,
    }
}

async fn speak(inner: &Inner, db: &Postgres, mut sending: mpsc::Receiver<News>) {
    let mut writer = Writer::new(inner.nodes.id);
    let mut beats = tokio::time::interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            Some(news) = sending.recv() => batch.push(news),
            () = inner.nodes.owes.notified() => batch.push(inner.own_members()),
            _ = beats.tick() => {
                inner.forget_the_silent(Instant::now());
                batch.push(News::Beat);
            }
        }
        while batch.len() < BATCH
            && let Ok(news) = sending.try_recv()
        {
            batch.push(news);
        }
        inner
            .nodes
            .waiting
            .fetch_sub(batch.iter().map(News::size).sum(), Ordering::Relaxed);
        let text = serde_json::to_string(&batch).unwrap_or_default();
        if let Err(error) = db.notify_all(CHANNEL, &writer.cut(&text)).await {
            tracing::warn!(%error, "other nodes could not be told of rooms; they will ask");
            tokio::time::sleep(RETRY).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen(inner: &Inner, db: &Postgres) {
    loop {
        let listening = async {
            let mut listener = db.listener().await?;
            listener.listen(CHANNEL).await?;
            inner.nodes.send(News::Hello);
            loop {
                match listener.try_recv().await? {
                    Some(notification) => inner.hear(notification.payload()),
                    // The connection was lost and made anew: something may have been missed.
                    None => inner.nodes.send(News::Hello),
                }
            }
        };
        let result: Result<(), DbError> = listening.await;
        if let Err(error) = result {
            tracing::warn!(%error, "listening for the rooms of other nodes failed; trying again");
        }
        tokio::time::sleep(RETRY).await;
    }
}

impl Inner {
    fn hear(&self, payload: &str) {
        let Some(chunk) = Chunk::parse(payload).filter(|chunk| chunk.node != self.nodes.id) else {
            return;
        };
        let node = chunk.node;
        let (gap, text) = {
            let mut others = lock(&self.nodes.others);
            let other = others.entry(node).or_insert_with(|| Other {
                reader: Reader::default(),
                heard: Instant::now(),
            });
            other.heard = Instant::now();
            self.nodes.shared.store(true, Ordering::Relaxed);
            other.reader.take(&chunk)
        };
        if gap {
            self.nodes.send(News::Want(node));
        }
        let news: Vec<News> = text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        for news in news {
            self.learn(node, news);
        }
    }

    fn learn(&self, node: Uuid, news: News) {
        match news {
            News::Beat => {}
            News::Hello => self.nodes.owes.notify_one(),
            News::Want(wanted) => {
                if wanted == self.nodes.id {
                    self.nodes.owes.notify_one();
                }
            }
            News::Members(notices) => {
                let still: HashSet<(RoomKey, Conn)> = notices
                    .iter()
                    .map(|notice| (notice.key(), notice.conn.clone()))
                    .collect();
                self.forget(|home, place| home == Home::Node(node) && !still.contains(place));
                for notice in notices {
                    self.put(node, notice);
                }
            }
            News::Put(notice) => self.put(node, notice),
            News::Gone {
                account,
                room,
                conn,
            } => {
                let key = RoomKey {
                    account: AccountId(account),
                    name: room,
                };
                self.inside(&key, |room| {
                    if room
                        .member(&conn)
                        .is_some_and(|member| member.home == Home::Node(node))
                    {
                        room.remove(&conn);
                    }
                });
            }
            News::Said {
                account,
                room,
                frame,
            } => {
                let text: Box<str> = frame.into();
                self.repeat(AccountId(account), &room, &Bytes::from(String::from(text)));
            }
        }
    }

    fn put(&self, node: Uuid, notice: Notice) {
        let key = notice.key();
        self.enter(&key, |room| {
            // A user who lost the connection here has come back there.
            if let Some(lost) = room.lost_member_of(&notice.user) {
                room.remove(&lost);
                self.nodes.tell(|| News::gone(&key, &lost));
            }
            let Notice {
                conn,
                user,
                meta,
                since,
                hidden,
                ..
            } = notice;
            room.put(
                conn,
                Member {
                    user,
                    meta,
                    since,
                    hidden,
                    home: Home::Node(node),
                },
            );
        });
    }

    fn own_members(&self) -> News {
        let mut notices = Vec::new();
        for shard in &self.shards {
            for (key, room) in &lock(shard).rooms {
                let own = room
                    .members()
                    .filter(|(_, member)| !matches!(member.home, Home::Node(_)));
                notices.extend(own.map(|(conn, member)| Notice::new(key, conn, member)));
            }
        }
        News::Members(notices)
    }

    fn forget_the_silent(&self, now: Instant) {
        let mut silent = Vec::new();
        {
            let mut others = lock(&self.nodes.others);
            others.retain(|node, other| {
                let is_there = now.duration_since(other.heard) < SILENCE;
                if !is_there {
                    silent.push(*node);
                }
                is_there
            });
            self.nodes
                .shared
                .store(!others.is_empty(), Ordering::Relaxed);
        }
        if !silent.is_empty() {
            self.forget(|home, _| matches!(home, Home::Node(node) if silent.contains(&node)));
        }
    }

    /// Takes members out of all rooms.
    fn forget(&self, gone: impl Fn(Home, &(RoomKey, Conn)) -> bool) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let mut places = Vec::new();
            for (key, room) in &shard.rooms {
                let places_here = room
                    .members()
                    .map(|(conn, member)| (member.home, (key.clone(), conn.clone())));
                places.extend(
                    places_here
                        .filter(|(home, place)| gone(*home, place))
                        .map(|(_, place)| place),
                );
            }
            for (key, conn) in places {
                if let Some(room) = shard.rooms.get_mut(&key) {
                    room.remove(&conn);
                }
                self.settle(&mut shard, &key);
            }
        }
    }
}
