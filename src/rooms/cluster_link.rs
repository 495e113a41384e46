//! The exchange with other nodes on one PostgreSQL.
//!
//! Each node owns the members that are connected to it. It tells the others when one comes, changes
//! or goes, and passes on messages, in notifications ([`super::framing`]); they are sent many at a
//! time, by a connection that writes nothing. A node that has just started, or missed a message,
//! asks for the members of the others. A node that has not been heard of for three beats is gone
//! with its members.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

use super::cluster::{ClusterMessage, MemberAnnouncement};
use super::framing::{ChunkWriter, TextChunk};
use super::publish::deliver_remote;
use super::room::{ConnName, MemberHome};
use super::room_key::RoomKey;
use super::rooms_core::RoomsCore;
use crate::db::{DbError, Postgres};
use crate::id::AccountId;

/// The channel of the notifications.
const CHANNEL: &str = "snackbase_rooms";
/// Interval of the signs of life of a node.
const BEAT_INTERVAL: Duration = Duration::from_secs(2);
/// Upper limit of the messages that are sent at once.
const MAX_BATCH_MESSAGES: usize = 512;
/// Shortest time between two batches.
const BATCH_INTERVAL: Duration = Duration::from_millis(5);
/// Pause after a failure.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Exchanges messages with other nodes; never ends. There are none if the database is not shared.
pub(super) async fn run(core: &RoomsCore) {
    match (core.db.shared(), core.cluster.take_receiver()) {
        (Some(db), Some(messages)) => {
            tokio::select! {
                () = send_messages(core, db, messages) => {}
                () = receive_messages(core, db) => {}
            }
        }
        _ => std::future::pending().await,
    }
}

async fn send_messages(
    core: &RoomsCore,
    db: &Postgres,
    mut messages: mpsc::Receiver<ClusterMessage>,
) {
    let mut writer = ChunkWriter::new(core.cluster.id());
    let mut beats = tokio::time::interval(BEAT_INTERVAL);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            Some(message) = messages.recv() => batch.push(message),
            () = core.cluster.owes_members.notified() => batch.push(core.own_members()),
            _ = beats.tick() => {
                remove_silent_nodes(core, Instant::now());
                batch.push(ClusterMessage::Beat);
            }
        }
        while batch.len() < MAX_BATCH_MESSAGES
            && let Ok(message) = messages.try_recv()
        {
            batch.push(message);
        }
        core.cluster.note_taken(&batch);
        let text = serde_json::to_string(&batch).unwrap_or_default();
        if let Err(error) = db.notify_all(CHANNEL, &writer.cut(&text)).await {
            tracing::warn!(%error, "other nodes could not be told of rooms; they will ask");
            tokio::time::sleep(RETRY_DELAY).await;
        }
        tokio::time::sleep(BATCH_INTERVAL).await;
    }
}

async fn receive_messages(core: &RoomsCore, db: &Postgres) {
    loop {
        let listening = async {
            let mut listener = db.listener().await?;
            listener.listen(CHANNEL).await?;
            core.cluster.send_to_all(ClusterMessage::Hello);
            loop {
                match listener.try_recv().await? {
                    Some(notification) => handle_payload(core, notification.payload()),
                    // The connection was lost and opened again: messages may have been missed.
                    None => core.cluster.send_to_all(ClusterMessage::Hello),
                }
            }
        };
        let result: Result<(), DbError> = listening.await;
        if let Err(error) = result {
            tracing::warn!(%error, "listening for rooms of other nodes failed; trying again");
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

/// Handles one notification.
fn handle_payload(core: &RoomsCore, payload: &str) {
    let Some(chunk) = TextChunk::parse(payload).filter(|chunk| chunk.node != core.cluster.id())
    else {
        return;
    };
    let received = core.cluster.receive(&chunk);
    if received.has_gap {
        core.cluster.send_to_all(ClusterMessage::Want(chunk.node));
    }
    let messages: Vec<ClusterMessage> = received
        .text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    for message in messages {
        handle_message(core, chunk.node, message);
    }
}

/// Handles a message of another node.
fn handle_message(core: &RoomsCore, node: Uuid, message: ClusterMessage) {
    match message {
        ClusterMessage::Beat => {}
        ClusterMessage::Hello => core.cluster.owes_members.notify_one(),
        ClusterMessage::Want(wanted) => {
            if wanted == core.cluster.id() {
                core.cluster.owes_members.notify_one();
            }
        }
        ClusterMessage::Members(members) => {
            let present: HashSet<(RoomKey, ConnName)> = members
                .iter()
                .map(|member| (member.key(), member.conn.clone()))
                .collect();
            core.remove_members(|home, place| {
                home == MemberHome::Node(node) && !present.contains(place)
            });
            for member in members {
                put_member(core, node, member);
            }
        }
        ClusterMessage::Put(member) => put_member(core, node, member),
        ClusterMessage::Gone {
            account,
            room,
            conn,
        } => {
            let key = RoomKey {
                account: AccountId(account),
                name: room,
            };
            core.change(&key, |room| {
                if room
                    .member(&conn)
                    .is_some_and(|member| member.home == MemberHome::Node(node))
                {
                    room.remove(&conn);
                }
            });
        }
        ClusterMessage::Said {
            account,
            room,
            frame,
        } => {
            let text: Box<str> = frame.into();
            let key = RoomKey {
                account: AccountId(account),
                name: room,
            };
            deliver_remote(core, &key, &Bytes::from(String::from(text)));
        }
    }
}

fn put_member(core: &RoomsCore, node: Uuid, announcement: MemberAnnouncement) {
    let key = announcement.key();
    core.enter(&key, |room| {
        // A user who lost the connection here has come back there.
        if let Some(lost) = room.lost_member_of(&announcement.user) {
            room.remove(&lost);
            core.cluster.send(|| ClusterMessage::gone(&key, &lost));
        }
        let conn = announcement.conn.clone();
        room.put(conn, announcement.into_member(node));
    });
}

fn remove_silent_nodes(core: &RoomsCore, now: Instant) {
    let silent = core.cluster.remove_silent_peers(now);
    if !silent.is_empty() {
        core.remove_members(
            |home, _| matches!(home, MemberHome::Node(node) if silent.contains(&node)),
        );
    }
}
