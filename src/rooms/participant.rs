//! A connection in rooms.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use metrics::gauge;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;
use uuid::Uuid;

use super::cluster::ClusterMessage;
use super::definition::{RoomAction, RoomDefinition};
use super::error::RoomError;
use super::frame;
use super::message::{RoomMessage, check_size};
use super::pattern::RoomNameParts;
use super::publish::{deliver, take_message_token};
use super::room::{ConnName, MemberHome, RoomMember};
use super::room_key::{RoomKey, lock};
use super::rooms_core::RoomsCore;
use crate::auth::KeyScope;
use crate::id::{AccountId, UserId};
use crate::realtime::{CloseReason, ConnectionHandle, RoomSignals};

/// The presence of a connection that sends none.
const EMPTY_PRESENCE: &str = "{}";
/// The refusal of a presence that the presence rule does not allow.
const PRESENCE_FORBIDDEN: RoomError = RoomError::Forbidden("You may not be present in this room");

/// A request to join a room.
#[derive(Debug, Default)]
pub struct RoomJoin {
    /// The presence that the others see.
    pub presence: Option<Box<RawValue>>,
    /// The number of the last messages to get.
    pub history: usize,
    /// The client's reference, which the answer repeats.
    pub reference: Option<Value>,
}

/// A connection that can be in rooms; its protocol holds it. When it is dropped, the connection is
/// lost.
pub struct Participant {
    state: Arc<ParticipantState>,
    core: Arc<RoomsCore>,
    all: Arc<ParticipantRegistry>,
}

impl std::fmt::Debug for Participant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Participant")
            .field("id", &self.state.connection.id())
            .finish_non_exhaustive()
    }
}

/// The participants of this process.
#[derive(Default)]
pub(super) struct ParticipantRegistry(Mutex<HashMap<Uuid, Arc<ParticipantState>>>);

impl ParticipantRegistry {
    /// Applies the present rights and rules to the participants that a predicate accepts.
    pub(super) fn recheck(&self, core: &RoomsCore, accept: impl Fn(&ParticipantState) -> bool) {
        let accepted: Vec<Arc<ParticipantState>> = lock(&self.0)
            .values()
            .filter(|participant| accept(participant))
            .cloned()
            .collect();
        for participant in accepted {
            participant.recheck(core);
        }
    }
}

/// A participant as the service sees it.
pub(super) struct ParticipantState {
    connection: ConnectionHandle,
    memberships: Mutex<RoomMemberships>,
}

#[derive(Default)]
struct RoomMemberships {
    /// Set when the connection has ended and can join no more rooms.
    has_ended: bool,
    by_name: HashMap<Arc<str>, RoomMembership>,
}

/// The connection's membership in one room.
struct RoomMembership {
    key: RoomKey,
    conn: ConnName,
    definition: Arc<RoomDefinition>,
    parts: RoomNameParts,
    is_hidden: bool,
}

impl Participant {
    pub(super) fn new(
        connection: ConnectionHandle,
        core: Arc<RoomsCore>,
        all: Arc<ParticipantRegistry>,
    ) -> Self {
        let state = Arc::new(ParticipantState {
            connection,
            memberships: Mutex::default(),
        });
        lock(&all.0).insert(state.connection.id(), state.clone());
        Self { state, core, all }
    }

    /// Joins a room; a member that joins again changes its presence and is sent the members again.
    ///
    /// # Errors
    ///
    /// See [`RoomError`]; nothing changes then.
    pub fn join(&self, account: AccountId, name: &str, join: RoomJoin) -> Result<(), RoomError> {
        let (state, core) = (&self.state, &*self.core);
        if let Some(presence) = &join.presence {
            check_presence(presence, core.limits.max_presence_bytes)?;
        }
        let mut memberships = state.memberships();
        if memberships.has_ended || state.connection.close_reason().is_some() {
            return Err(RoomError::Ending);
        }
        let known = memberships.by_name.get(name);
        if known.is_some_and(|membership| membership.key.account != account) {
            return Err(RoomError::Elsewhere);
        }
        let caller = state.connection.caller();
        let (definition, parts) = core.definitions().find(name)?;
        if !definition.allows(RoomAction::Join, &caller, &parts) {
            return Err(RoomError::Forbidden("You may not join this room"));
        }
        let is_hidden = !definition.allows(RoomAction::Presence, &caller, &parts);
        if is_hidden && join.presence.is_some() {
            return Err(PRESENCE_FORBIDDEN);
        }
        let limit = core.limits.max_per_connection;
        if known.is_none() && memberships.by_name.len() >= limit {
            return Err(RoomError::TooManyRooms(limit));
        }
        let conn = known.map(|membership| membership.conn.clone());
        let name = known.map_or_else(|| name.into(), |membership| membership.key.name.clone());
        let key = RoomKey { account, name };
        let conn = state.enter(core, &key, conn, is_hidden, join)?;
        let membership = RoomMembership {
            key: key.clone(),
            conn,
            definition,
            parts,
            is_hidden,
        };
        if memberships.by_name.insert(key.name, membership).is_none() {
            gauge!("snackbase_room_members").increment(1.0);
        }
        Ok(())
    }

    /// Changes the presence that the others see.
    ///
    /// # Errors
    ///
    /// See [`RoomError`].
    pub fn set_presence(
        &self,
        name: &str,
        presence: &RawValue,
        reference: Option<&Value>,
    ) -> Result<(), RoomError> {
        let (state, core) = (&self.state, &*self.core);
        check_presence(presence, core.limits.max_presence_bytes)?;
        let memberships = state.memberships();
        let membership = memberships.by_name.get(name).ok_or(RoomError::NotJoined)?;
        if membership.is_hidden {
            return Err(PRESENCE_FORBIDDEN);
        }
        membership.change_member(core, |member| member.meta = presence.to_owned().into());
        state.acknowledge(reference);
        Ok(())
    }

    /// Sends a message to the room, to the connection itself only if it wants the echo.
    ///
    /// # Errors
    ///
    /// See [`RoomError`].
    pub fn publish(
        &self,
        name: &str,
        message: &RoomMessage,
        wants_echo: bool,
        reference: Option<&Value>,
    ) -> Result<(), RoomError> {
        let (state, core) = (&self.state, &*self.core);
        message.check_size(core.limits.max_message_bytes)?;
        let memberships = state.memberships();
        let membership = memberships.by_name.get(name).ok_or(RoomError::NotJoined)?;
        let caller = state.connection.caller();
        if caller
            .principal()
            .is_some_and(|principal| principal.require(KeyScope::RecordsWrite).is_err())
        {
            return Err(RoomError::Forbidden(
                "This API key is restricted: it has no scope records:write",
            ));
        }
        let RoomMembership {
            key,
            conn,
            definition,
            parts,
            ..
        } = membership;
        if !definition.allows(RoomAction::Publish, &caller, parts) {
            return Err(RoomError::Forbidden("You may not publish in this room"));
        }
        let frame = message.encode(
            &key.name,
            Some(conn),
            Some(caller.actor()),
            core.clock.now(),
        );
        let except = (!wants_echo).then(|| state.connection.id());
        take_message_token(core, key)?;
        deliver(core, key, definition.history, &frame, except);
        state.acknowledge(reference);
        Ok(())
    }

    /// Leaves a room; it is acknowledged even if the connection is not in it.
    pub fn leave(&self, name: &str, reference: Option<&Value>) {
        let mut memberships = self.state.memberships();
        if let Some(membership) = memberships.by_name.remove(name) {
            self.state.vacate(&self.core, &membership, false);
        }
        self.state.acknowledge(reference);
    }

    /// Completes the frames that were taken out of the connection's queue: the numbers of lost
    /// messages come first, the present members of a room last.
    pub fn complete_frames(&self, frames: &mut Vec<Bytes>, signals: RoomSignals) {
        let RoomSignals { lost, state_of } = signals;
        let lost = lost.iter().map(|(room, count)| frame::lost(room, *count));
        frames.splice(0..0, lost);
        frames.extend(state_of.and_then(|room| self.state.encode_state(&self.core, &room)));
    }
}

impl Drop for Participant {
    fn drop(&mut self) {
        lock(&self.all.0).remove(&self.state.connection.id());
        // A client that lost the right to be here is not waited for.
        let may_return = self.state.connection.close_reason() != Some(CloseReason::Revoked);
        self.state.leave_all(&self.core, may_return);
    }
}

impl RoomMembership {
    /// Changes the member here and on other nodes.
    fn change_member(&self, core: &RoomsCore, change: impl FnOnce(&mut RoomMember)) {
        core.change(&self.key, |room| {
            if let Some(mut member) = room.member(&self.conn).cloned() {
                change(&mut member);
                core.cluster
                    .send(|| ClusterMessage::put(&self.key, &self.conn, &member));
                room.put(self.conn.clone(), member);
            }
        });
    }
}

impl ParticipantState {
    fn memberships(&self) -> MutexGuard<'_, RoomMemberships> {
        lock(&self.memberships)
    }

    pub(super) fn user(&self) -> Option<UserId> {
        self.connection
            .caller()
            .principal()
            .map(|principal| principal.user_id)
    }

    pub(super) fn account(&self) -> Option<AccountId> {
        self.connection.caller().account_id()
    }

    /// Becomes a member of a room, or stays the member `known`, and is sent the members. Returns the
    /// name of the member in this room.
    fn enter(
        &self,
        core: &RoomsCore,
        key: &RoomKey,
        known: Option<ConnName>,
        is_hidden: bool,
        join: RoomJoin,
    ) -> Result<ConnName, RoomError> {
        let (id, caller) = (self.connection.id(), self.connection.caller());
        core.enter(key, |room| {
            let returning = known.or_else(|| room.lost_member_of(caller.actor()));
            if returning.is_none() && room.member_count() >= core.limits.max_members {
                return Err(RoomError::Full(core.limits.max_members));
            }
            let conn = returning.unwrap_or_else(|| id.to_string().into());
            let before = room.member(&conn).cloned();
            let since = before
                .as_ref()
                .map_or_else(|| core.clock.now(), |member| member.since);
            let meta = match (join.presence, before) {
                (Some(presence), _) => presence.into(),
                (None, Some(before)) => before.meta,
                (None, None) => empty_presence(),
            };
            let member = RoomMember {
                user: caller.actor().into(),
                meta,
                since,
                is_hidden,
                home: MemberHome::Here(id),
            };
            core.cluster
                .send(|| ClusterMessage::put(key, &conn, &member));
            room.put(conn.clone(), member);
            room.add_listener(self.connection.clone(), is_hidden);
            self.answer(room.encode_state(&conn, join.history, join.reference.as_ref()));
            Ok(conn)
        })
    }

    /// Gives up a membership. If the connection may return, the others see the member for a while.
    fn vacate(&self, core: &RoomsCore, membership: &RoomMembership, may_return: bool) {
        let RoomMembership { key, conn, .. } = membership;
        core.change(key, |room| {
            room.remove_listener(self.connection.id());
            if may_return && !core.grace().is_zero() {
                room.mark_lost(conn, Instant::now() + core.grace());
            } else if room.remove(conn).is_some() {
                core.cluster.send(|| ClusterMessage::gone(key, conn));
            }
        });
        self.connection.queue().remove_room(&key.name);
        gauge!("snackbase_room_members").decrement(1.0);
    }

    fn leave_all(&self, core: &RoomsCore, may_return: bool) {
        let mut memberships = self.memberships();
        memberships.has_ended = true;
        for (_, membership) in memberships.by_name.drain() {
            self.vacate(core, &membership, may_return);
        }
    }

    /// Applies the present rights and rules.
    fn recheck(&self, core: &RoomsCore) {
        if self.connection.close_reason() == Some(CloseReason::Revoked) {
            return self.leave_all(core, false);
        }
        let (caller, definitions) = (self.connection.caller(), core.definitions());
        self.memberships().by_name.retain(|name, membership| {
            let reason = match definitions.find(name) {
                Ok((definition, parts)) if definition.allows(RoomAction::Join, &caller, &parts) => {
                    let is_hidden = !definition.allows(RoomAction::Presence, &caller, &parts);
                    (membership.definition, membership.parts) = (definition, parts);
                    if membership.is_hidden != is_hidden {
                        membership.is_hidden = is_hidden;
                        self.apply_visibility(core, membership);
                    }
                    return true;
                }
                Ok(_) => "access",
                Err(_) => "undefined",
            };
            self.vacate(core, membership, false);
            self.answer(frame::left(name, reason));
            false
        });
    }

    /// Shows or hides the member, and lets it see the others or not.
    fn apply_visibility(&self, core: &RoomsCore, membership: &RoomMembership) {
        let RoomMembership {
            key,
            conn,
            is_hidden,
            ..
        } = membership;
        membership.change_member(core, |member| member.is_hidden = *is_hidden);
        core.change(key, |room| {
            if room.member(conn).is_some() {
                room.add_listener(self.connection.clone(), *is_hidden);
                self.answer(room.encode_state(conn, 0, None));
            }
        });
    }

    /// Encodes the present members of a room; `None` if the connection has left it.
    fn encode_state(&self, core: &RoomsCore, name: &str) -> Option<Bytes> {
        let memberships = self.memberships();
        let membership = memberships.by_name.get(name)?;
        core.change(&membership.key, |room| {
            room.encode_state(&membership.conn, 0, None)
        })
    }

    fn acknowledge(&self, reference: Option<&Value>) {
        if let Some(reference) = reference {
            self.answer(frame::ack(reference));
        }
    }

    fn answer(&self, frame: Bytes) {
        self.connection.queue().push_room_answer(frame);
    }
}

fn check_presence(presence: &RawValue, max_bytes: usize) -> Result<(), RoomError> {
    if !presence.get().starts_with('{') {
        return Err(RoomError::Invalid("`presence` must be an object"));
    }
    check_size("`presence`", presence, max_bytes)
}

fn empty_presence() -> Arc<RawValue> {
    RawValue::from_string(EMPTY_PRESENCE.to_owned())
        .unwrap_or_else(|_| RawValue::NULL.to_owned())
        .into()
}
