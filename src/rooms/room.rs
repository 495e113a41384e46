//! One room of one account: its members, its last messages, and the connections that listen.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;
use uuid::Uuid;

use super::frame::{DepartedMember, DiffFrame, MemberFrame, StateFrame, encode};
use super::history::{HistoryMemory, RoomHistory};
use crate::realtime::ConnectionHandle;
use crate::token_bucket::TokenBucket;

/// Shortest time between two frames about changes of the members.
const MIN_DIFF_INTERVAL: Duration = Duration::from_secs(1);
/// Seconds' worth of messages that may come at once.
const BURST_SECONDS: f64 = 2.0;

/// The name of a member in a room.
pub(super) type ConnName = Arc<str>;

/// The place of a member's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberHome {
    /// A connection of this process.
    Here(Uuid),
    /// The connection was lost; it may come back until this time.
    Lost(Instant),
    /// Another node.
    Node(Uuid),
}

/// A member of a room.
#[derive(Clone, Debug)]
pub(super) struct RoomMember {
    pub user: Arc<str>,
    pub meta: Arc<RawValue>,
    pub since: DateTime<Utc>,
    /// `true` if the member is not seen, and does not see the others.
    pub is_hidden: bool,
    pub home: MemberHome,
}

/// A connection of this process that is in the room.
struct RoomListener {
    connection: ConnectionHandle,
    is_hidden: bool,
    /// The number of member changes that it was told of.
    told: u64,
}

/// See the module.
pub(super) struct Room {
    name: Arc<str>,
    listeners: HashMap<Uuid, RoomListener>,
    members: BTreeMap<ConnName, RoomMember>,
    /// The members that changed since the last frame about that, with the user that the others knew
    /// by that name.
    changed: BTreeMap<ConnName, Option<Arc<str>>>,
    /// The number of member changes so far.
    changes: u64,
    told_at: Option<Instant>,
    history: RoomHistory,
    /// Limits the messages; made with the first of them.
    bucket: Option<TokenBucket>,
}

impl Room {
    pub(super) fn new(name: Arc<str>, memory: Arc<HistoryMemory>) -> Self {
        Self {
            name,
            listeners: HashMap::new(),
            members: BTreeMap::new(),
            changed: BTreeMap::new(),
            changes: 0,
            told_at: None,
            history: RoomHistory::new(memory),
            bucket: None,
        }
    }

    /// Returns `true` if the room has no members, on any node.
    pub(super) fn is_empty(&self) -> bool {
        self.listeners.is_empty() && self.members.is_empty()
    }

    /// Returns `true` if there is work for later: changes to tell, or lost members to wait for.
    pub(super) fn has_work(&self) -> bool {
        !self.changed.is_empty()
            || self
                .members
                .values()
                .any(|member| matches!(member.home, MemberHome::Lost(_)))
    }

    pub(super) fn member_count(&self) -> usize {
        self.members.len()
    }

    pub(super) fn member(&self, conn: &str) -> Option<&RoomMember> {
        self.members.get(conn)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&ConnName, &RoomMember)> {
        self.members.iter()
    }

    /// A member of this user whose connection was lost.
    pub(super) fn lost_member_of(&self, user: &str) -> Option<ConnName> {
        let lost = |member: &RoomMember| {
            matches!(member.home, MemberHome::Lost(_)) && *member.user == *user
        };
        self.members
            .iter()
            .find(|(_, member)| lost(member))
            .map(|(conn, _)| conn.clone())
    }

    /// Sends frames to a connection from now on.
    pub(super) fn add_listener(&mut self, connection: ConnectionHandle, is_hidden: bool) {
        self.listeners.insert(
            connection.id(),
            RoomListener {
                connection,
                is_hidden,
                told: self.changes,
            },
        );
    }

    pub(super) fn remove_listener(&mut self, connection: Uuid) {
        self.listeners.remove(&connection);
    }

    /// Adds a member, or replaces the one of that name.
    pub(super) fn put(&mut self, conn: ConnName, member: RoomMember) {
        let same = |before: &RoomMember| {
            (before.is_hidden && member.is_hidden)
                || before.is_hidden == member.is_hidden
                    && before.meta.get() == member.meta.get()
                    && before.user == member.user
        };
        if !self.members.get(&conn).is_some_and(same) {
            self.note_change(&conn);
        }
        self.members.insert(conn, member);
    }

    /// Removes a member.
    pub(super) fn remove(&mut self, conn: &ConnName) -> Option<RoomMember> {
        self.note_change(conn);
        self.members.remove(conn)
    }

    /// Keeps a member whose connection was lost until a time.
    pub(super) fn mark_lost(&mut self, conn: &ConnName, until: Instant) {
        if let Some(member) = self.members.get_mut(conn) {
            member.home = MemberHome::Lost(until);
        }
    }

    /// Removes the members that did not come back in time, and returns them.
    pub(super) fn remove_expired(&mut self, now: Instant) -> Vec<ConnName> {
        let late =
            |member: &RoomMember| matches!(member.home, MemberHome::Lost(until) if until <= now);
        let late: Vec<ConnName> = self
            .members
            .iter()
            .filter(|(_, member)| late(member))
            .map(|(conn, _)| conn.clone())
            .collect();
        for conn in &late {
            self.remove(conn);
        }
        late
    }

    /// Remembers the user that the others know as a member, before it changes.
    fn note_change(&mut self, conn: &ConnName) {
        self.changes += 1;
        if !self.changed.contains_key(conn) {
            let known = self
                .members
                .get(conn)
                .filter(|member| !member.is_hidden)
                .map(|member| member.user.clone());
            self.changed.insert(conn.clone(), known);
        }
    }

    /// Sends the changes of the members, unless that was done a moment ago.
    pub(super) fn send_presence_changes(&mut self, now: Instant) {
        if self.changed.is_empty()
            || self
                .told_at
                .is_some_and(|at| now.duration_since(at) < MIN_DIFF_INTERVAL)
        {
            return;
        }
        let changed = std::mem::take(&mut self.changed);
        let (mut joins, mut leaves, mut updates) = (Vec::new(), Vec::new(), Vec::new());
        for (conn, known) in &changed {
            let member = self.members.get(conn).filter(|member| !member.is_hidden);
            match (known, member) {
                (None, Some(member)) => joins.push(member_frame(conn, member)),
                (Some(user), None) => leaves.push(DepartedMember { conn, user }),
                (Some(_), Some(member)) => updates.push(member_frame(conn, member)),
                (None, None) => {}
            }
        }
        if joins.is_empty() && leaves.is_empty() && updates.is_empty() {
            return;
        }
        let frame = encode(&DiffFrame {
            kind: "room.diff",
            room: &self.name,
            joins,
            leaves,
            updates,
        });
        for listener in self.listeners.values_mut() {
            if !listener.is_hidden && listener.told < self.changes {
                listener
                    .connection
                    .queue()
                    .push_presence_change(&self.name, &frame);
            }
            listener.told = self.changes;
        }
        self.told_at = Some(now);
    }

    /// Encodes the members and the last messages, for one of the members.
    pub(super) fn encode_state(
        &self,
        own: &ConnName,
        history: usize,
        reference: Option<&Value>,
    ) -> Bytes {
        let may_see = self
            .members
            .get(own)
            .is_some_and(|member| !member.is_hidden);
        let visible = self
            .members
            .iter()
            .filter(|(_, member)| may_see && !member.is_hidden);
        // Messages were encoded here or by another node: they are JSON.
        let messages = self
            .history
            .last(history)
            .filter_map(|frame| serde_json::from_slice(frame).ok());
        encode(&StateFrame {
            kind: "room.state",
            room: &self.name,
            own,
            members: visible
                .map(|(conn, member)| member_frame(conn, member))
                .collect(),
            messages: messages.collect(),
            reference,
        })
    }

    /// Takes a token for one message; `false` if there are too many messages.
    pub(super) fn take_message_token(&mut self, per_second: u32, now: Instant) -> bool {
        self.bucket
            .get_or_insert_with(|| TokenBucket::new(per_second, BURST_SECONDS, now))
            .take(now)
    }

    /// Delivers a message to all connections here, but for `except`, and keeps it among the last
    /// `kept` messages. Returns the number of receivers.
    pub(super) fn deliver(&mut self, frame: &Bytes, kept: usize, except: Option<Uuid>) -> usize {
        let mut receivers = 0;
        for (id, listener) in &self.listeners {
            if Some(*id) != except {
                let queue = listener.connection.queue();
                queue.push_room_message(&self.name, frame);
                receivers += 1;
            }
        }
        self.history.add(frame, kept);
        receivers
    }
}

fn member_frame<'a>(conn: &'a ConnName, member: &'a RoomMember) -> MemberFrame<'a> {
    MemberFrame {
        conn,
        user: &member.user,
        meta: &member.meta,
        since: member.since,
    }
}
