//! One room of one account: who is there, what was said last, and who is told.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;
use uuid::Uuid;

use super::frame::{Departed, DiffFrame, MemberFrame, StateFrame, encode};
use super::history::{History, Memory};
use super::outbox::Outbox;

/// Changes of who is there are told at most this often.
const BETWEEN_DIFFS: Duration = Duration::from_secs(1);
/// How many seconds' worth of messages may come at once.
const BURST: f64 = 2.0;

/// Identifies a member in a room.
pub(super) type Conn = Arc<str>;

/// Where a member's connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// A connection of this process.
    Here(Uuid),
    /// The connection was lost; it may come back until then.
    Lost(Instant),
    /// Another node.
    Node(Uuid),
}

/// Somebody who is in the room.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub user: Arc<str>,
    pub meta: Arc<RawValue>,
    pub since: DateTime<Utc>,
    /// Not to be seen, and does not see.
    pub hidden: bool,
    pub home: Home,
}

/// A connection of this process that is in the room.
struct Listener {
    outbox: Arc<Outbox>,
    hidden: bool,
    /// The changes that it has been told of.
    told: u64,
}

/// See the module.
pub(super) struct Room {
    name: Arc<str>,
    listeners: HashMap<Uuid, Listener>,
    members: BTreeMap<Conn, Member>,
    /// Whose presence changed since the last diff, and whom the others knew by that name.
    changed: BTreeMap<Conn, Option<Arc<str>>>,
    /// How many changes there were.
    changes: u64,
    told_at: Option<Instant>,
    history: History,
    allowance: f64,
    allowed_at: Option<Instant>,
}

impl Room {
    pub(super) fn new(name: Arc<str>, memory: Arc<Memory>) -> Self {
        Self {
            name,
            listeners: HashMap::new(),
            members: BTreeMap::new(),
            changed: BTreeMap::new(),
            changes: 0,
            told_at: None,
            history: History::new(memory),
            allowance: 0.0,
            allowed_at: None,
        }
    }

    /// Whether nobody is there, on whatever node.
    pub(super) fn is_empty(&self) -> bool {
        self.listeners.is_empty() && self.members.is_empty()
    }

    /// Whether there is something to do later: to tell, or to wait for.
    pub(super) fn is_busy(&self) -> bool {
        !self.changed.is_empty()
            || self
                .members
                .values()
                .any(|member| matches!(member.home, Home::Lost(_)))
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn member(&self, conn: &str) -> Option<&Member> {
        self.members.get(conn)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&Conn, &Member)> {
        self.members.iter()
    }

    /// A member of this user whose connection was lost.
    pub(super) fn lost_member_of(&self, user: &str) -> Option<Conn> {
        let lost = |member: &Member| matches!(member.home, Home::Lost(_)) && *member.user == *user;
        self.members
            .iter()
            .find(|(_, member)| lost(member))
            .map(|(conn, _)| conn.clone())
    }

    /// Lets a connection hear what happens from here on.
    pub(super) fn listen(&mut self, connection: Uuid, outbox: Arc<Outbox>, hidden: bool) {
        self.listeners.insert(
            connection,
            Listener {
                outbox,
                hidden,
                told: self.changes,
            },
        );
    }

    pub(super) fn stop_listening(&mut self, connection: Uuid) {
        self.listeners.remove(&connection);
    }

    /// Puts a member in, or in the place of the one of that name.
    pub(super) fn put(&mut self, conn: Conn, member: Member) {
        let same = |before: &Member| {
            (before.hidden && member.hidden)
                || before.hidden == member.hidden
                    && before.meta.get() == member.meta.get()
                    && before.user == member.user
        };
        if !self.members.get(&conn).is_some_and(same) {
            self.note(&conn);
        }
        self.members.insert(conn, member);
    }

    /// Takes a member out.
    pub(super) fn remove(&mut self, conn: &Conn) -> Option<Member> {
        self.note(conn);
        self.members.remove(conn)
    }

    /// Keeps a member whose connection was lost, until then.
    pub(super) fn lose(&mut self, conn: &Conn, until: Instant) {
        if let Some(member) = self.members.get_mut(conn) {
            member.home = Home::Lost(until);
        }
    }

    /// Takes out those that did not come back, and returns them.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Conn> {
        let late = |member: &Member| matches!(member.home, Home::Lost(until) if until <= now);
        let late: Vec<Conn> = self
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

    /// Remembers what the others know of a member before it changes.
    fn note(&mut self, conn: &Conn) {
        self.changes += 1;
        if !self.changed.contains_key(conn) {
            let known = self
                .members
                .get(conn)
                .filter(|member| !member.hidden)
                .map(|member| member.user.clone());
            self.changed.insert(conn.clone(), known);
        }
    }

    /// Tells what changed in who is there, unless that was done a moment ago.
    pub(super) fn tell_changes(&mut self, now: Instant) {
        if self.changed.is_empty()
            || self
                .told_at
                .is_some_and(|at| now.duration_since(at) < BETWEEN_DIFFS)
        {
            return;
        }
        let changed = std::mem::take(&mut self.changed);
        let (mut joins, mut leaves, mut updates) = (Vec::new(), Vec::new(), Vec::new());
        for (conn, known) in &changed {
            let member = self.members.get(conn).filter(|member| !member.hidden);
            match (known, member) {
                (None, Some(member)) => joins.push(shown(conn, member)),
                (Some(user), None) => leaves.push(Departed { conn, user }),
                (Some(_), Some(member)) => updates.push(shown(conn, member)),
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
            if !listener.hidden && listener.told < self.changes {
                listener.outbox.diff(&self.name, &frame);
            }
            listener.told = self.changes;
        }
        self.told_at = Some(now);
    }

    /// Who is there and what was said last, for one of the connections.
    pub(super) fn state(&self, own: &Conn, history: usize, reference: Option<&Value>) -> Bytes {
        let may_see = self.members.get(own).is_some_and(|member| !member.hidden);
        let shown_ones = self
            .members
            .iter()
            .filter(|(_, member)| may_see && !member.hidden);
        // What is remembered was encoded here or by another node: it is JSON.
        let messages = self
            .history
            .last(history)
            .filter_map(|frame| serde_json::from_slice(frame).ok());
        encode(&StateFrame {
            kind: "room.state",
            room: &self.name,
            own,
            members: shown_ones
                .map(|(conn, member)| shown(conn, member))
                .collect(),
            messages: messages.collect(),
            reference,
        })
    }

    /// Whether there may be one more message now.
    pub(super) fn allows_message(&mut self, per_second: f64, now: Instant) -> bool {
        let most = per_second * BURST;
        let earned = self
            .allowed_at
            .map_or(most, |at| now.duration_since(at).as_secs_f64() * per_second);
        self.allowed_at = Some(now);
        self.allowance = (self.allowance + earned).min(most);
        if self.allowance < 1.0 {
            return false;
        }
        self.allowance -= 1.0;
        true
    }

    /// Hands a message to everybody who is connected here, but for `except`, and remembers it.
    pub(super) fn say(&mut self, frame: &Bytes, remembered: usize, except: Option<Uuid>) -> usize {
        let others = self.listeners.iter().filter(|(id, _)| Some(**id) != except);
        let told = others
            .map(|(_, listener)| listener.outbox.message(&self.name, frame))
            .count();
        self.history.add(frame, remembered);
        told
    }
}

fn shown<'a>(conn: &'a Conn, member: &'a Member) -> MemberFrame<'a> {
    MemberFrame {
        conn,
        user: &member.user,
        meta: &member.meta,
        since: member.since,
    }
}
