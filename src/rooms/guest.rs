//! A connection and the rooms it is in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use metrics::gauge;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::definition::{Act, Definition};
use super::error::RoomError;
use super::frame;
use super::nodes::News;
use super::outbox::{Item, Kept, Outbox};
use super::pattern::Parts;
use super::room::{Conn, Home, Member};
use super::say::{Message, check_size};
use super::{Inner, RoomKey, Rooms, lock};
use crate::auth::KeyScope;
use crate::id::{AccountId, UserId};
use crate::realtime::{Close, Line};

/// What a connection shows of itself if it says nothing.
const NOTHING: &str = "{}";

/// How to join.
#[derive(Debug, Default)]
pub struct Join {
    /// What the others see.
    pub presence: Option<Box<RawValue>>,
    /// How many of the last messages to get.
    pub history: usize,
    /// Comes back with the answer.
    pub reference: Option<Value>,
}

/// A connection that can be in rooms; its protocol holds it. When it is dropped, the connection is
/// lost.
pub struct Guest {
    visitor: Arc<Visitor>,
    rooms: Rooms,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest")
            .field("id", &self.visitor.line.id())
            .finish_non_exhaustive()
    }
}

/// The same as the service sees it.
pub(super) struct Visitor {
    line: Line,
    outbox: Arc<Outbox>,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    /// The connection has ended and can join nothing any more.
    gone: bool,
    by_name: HashMap<Arc<str>, Seat>,
}

/// The connection's place in one room.
struct Seat {
    key: RoomKey,
    conn: Conn,
    definition: Arc<Definition>,
    parts: Parts,
    hidden: bool,
}

impl Rooms {
    /// Lets a connection join rooms.
    pub fn admit(&self, line: Line) -> Guest {
        let outbox = Arc::new(Outbox::new(self.0.outbox));
        let visitor = Arc::new(Visitor {
            line,
            outbox,
            seats: Mutex::default(),
        });
        self.0.visitors().insert(visitor.line.id(), visitor.clone());
        Guest {
            visitor,
            rooms: self.clone(),
        }
    }
}

impl Guest {
    /// Joins a room, or, if it is in it, shows something else of itself and is told again who is
    /// there.
    pub fn join(&self, account: AccountId, name: &str, join: Join) -> Result<(), RoomError> {
        let (visitor, inner) = (&self.visitor, &*self.rooms.0);
        if let Some(presence) = &join.presence {
            check_presence(presence, inner.limits.max_presence_bytes)?;
        }
        let mut seats = visitor.seats();
        if seats.gone || visitor.line.ending().is_some() {
            return Err(RoomError::Ending);
        }
        let here = seats.by_name.get(name);
        if here.is_some_and(|seat| seat.key.account != account) {
            return Err(RoomError::Elsewhere);
        }
        let caller = visitor.line.caller();
        let (definition, parts) = inner.definitions().find(name)?;
        if !definition.allows(Act::Join, &caller, &parts) {
            return Err(RoomError::Forbidden("You may not join this room"));
        }
        let hidden = !definition.allows(Act::Presence, &caller, &parts);
        if hidden && join.presence.is_some() {
            return Err(RoomError::Forbidden("You may not be present in this room"));
        }
        if here.is_none() && seats.by_name.len() >= inner.limits.max_per_connection {
            return Err(RoomError::TooManyRooms(inner.limits.max_per_connection));
        }
        let own = here.map(|seat| seat.conn.clone());
        let name: Arc<str> = here.map_or_else(|| name.into(), |seat| seat.key.name.clone());
        let key = RoomKey { account, name };
        let conn = visitor.enter(inner, &key, own, hidden, join)?;
        let seat = Seat {
            key: key.clone(),
            conn,
            definition,
            parts,
            hidden,
        };
        if seats.by_name.insert(key.name, seat).is_none() {
            gauge!("snackbase_room_members").increment(1.0);
        }
        Ok(())
    }

    /// Shows something else of the connection to the others.
    pub fn show(
        &self,
        name: &str,
        presence: &RawValue,
        reference: Option<&Value>,
    ) -> Result<(), RoomError> {
        let (visitor, inner) = (&self.visitor, &*self.rooms.0);
        check_presence(presence, inner.limits.max_presence_bytes)?;
        let seats = visitor.seats();
        let seat = seats.by_name.get(name).ok_or(RoomError::NotJoined)?;
        if seat.hidden {
            return Err(RoomError::Forbidden("You may not be present in this room"));
        }
        inner.inside(&seat.key, |room| {
            if let Some(member) = room.member(&seat.conn).cloned() {
                let member = Member {
                    meta: presence.to_owned().into(),
                    ..member
                };
                inner
                    .nodes
                    .tell(|| News::put(&seat.key, &seat.conn, &member));
                room.put(seat.conn.clone(), member);
            }
        });
        visitor.acknowledge(reference);
        Ok(())
    }

    /// Sends a message to the room, to the connection itself only if it wants the echo.
    pub fn publish(
        &self,
        name: &str,
        message: &Message,
        echo: bool,
        reference: Option<&Value>,
    ) -> Result<(), RoomError> {
        let (visitor, inner) = (&self.visitor, &*self.rooms.0);
        check_size("`data`", message.data(), inner.limits.max_message_bytes)?;
        let seats = visitor.seats();
        let seat = seats.by_name.get(name).ok_or(RoomError::NotJoined)?;
        let caller = visitor.line.caller();
        if caller
            .principal()
            .is_some_and(|principal| principal.require(KeyScope::RecordsWrite).is_err())
        {
            return Err(RoomError::Forbidden(
                "This API key is restricted: it has no scope records:write",
            ));
        }
        if !seat.definition.allows(Act::Publish, &caller, &seat.parts) {
            return Err(RoomError::Forbidden("You may not publish in this room"));
        }
        let frame = message.encode(
            &seat.key.name,
            Some(&seat.conn),
            Some(caller.actor()),
            inner.clock.now(),
        );
        let except = (!echo).then(|| visitor.line.id());
        inner.say(&seat.key, seat.definition.history, &frame, except, true)?;
        visitor.acknowledge(reference);
        Ok(())
    }

    /// Leaves a room. Whoever is not in it has left it already.
    pub fn leave(&self, name: &str, reference: Option<&Value>) {
        let mut seats = self.visitor.seats();
        if let Some(seat) = seats.by_name.remove(name) {
            self.visitor.vacate(&self.rooms.0, &seat, false);
        }
        self.visitor.acknowledge(reference);
    }

    /// Waits until there is something to send, and takes it.
    pub async fn take(&self) -> Vec<Bytes> {
        let items = self.visitor.outbox.take().await;
        items
            .into_iter()
            .filter_map(|item| self.visitor.render(&self.rooms.0, item))
            .collect()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let inner = &self.rooms.0;
        inner.visitors().remove(&self.visitor.line.id());
        // Whoever lost the right to be here is not waited for.
        let may_return = self.visitor.line.ending() != Some(Close::Revoked);
        self.visitor.depart(inner, may_return);
    }
}

impl Visitor {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        lock(&self.seats)
    }

    pub(super) fn user(&self) -> Option<UserId> {
        self.line
            .caller()
            .principal()
            .map(|principal| principal.user_id)
    }

    pub(super) fn account(&self) -> Option<AccountId> {
        self.line.caller().account_id()
    }

    /// Goes in, or stays in as `own`, and answers with who is there. Returns the member's name in
    /// this room.
    fn enter(
        &self,
        inner: &Inner,
        key: &RoomKey,
        own: Option<Conn>,
        hidden: bool,
        join: Join,
    ) -> Result<Conn, RoomError> {
        let caller = self.line.caller();
        inner.enter(key, |room| {
            let returning = own.or_else(|| room.lost_member_of(caller.actor()));
            if returning.is_none() && room.len() >= inner.limits.max_members {
                return Err(RoomError::Full(inner.limits.max_members));
            }
            let conn = returning.unwrap_or_else(|| self.line.id().to_string().into());
            let before = room.member(&conn).cloned();
            let since = before
                .as_ref()
                .map_or_else(|| inner.clock.now(), |member| member.since);
            let meta = match (join.presence, before) {
                (Some(presence), _) => presence.into(),
                (None, Some(before)) => before.meta,
                (None, None) => nothing(),
            };
            let home = Home::Here(self.line.id());
            let member = Member {
                user: caller.actor().into(),
                meta,
                since,
                hidden,
                home,
            };
            inner.nodes.tell(|| News::put(key, &conn, &member));
            room.put(conn.clone(), member);
            room.listen(self.line.id(), self.outbox.clone(), hidden);
            self.answer(room.state(&conn, join.history, join.reference.as_ref()));
            Ok(conn)
        })
    }

    /// Gives up a place; the others keep seeing it for a while if it may come back.
    fn vacate(&self, inner: &Inner, seat: &Seat, may_return: bool) {
        inner.inside(&seat.key, |room| {
            room.stop_listening(self.line.id());
            if may_return && !inner.grace().is_zero() {
                room.lose(&seat.conn, Instant::now() + inner.grace());
            } else if room.remove(&seat.conn).is_some() {
                inner.nodes.tell(|| News::gone(&seat.key, &seat.conn));
            }
        });
        self.outbox.forget(&seat.key.name);
        gauge!("snackbase_room_members").decrement(1.0);
    }

    fn depart(&self, inner: &Inner, may_return: bool) {
        let mut seats = self.seats();
        seats.gone = true;
        for (_, seat) in seats.by_name.drain() {
            self.vacate(inner, &seat, may_return);
        }
    }

    /// Applies the rights and rules of now.
    pub(super) fn recheck(&self, inner: &Inner) {
        if self.line.ending() == Some(Close::Revoked) {
            return self.depart(inner, false);
        }
        let (caller, definitions) = (self.line.caller(), inner.definitions());
        self.seats().by_name.retain(|name, seat| {
            let reason = match definitions.find(name) {
                Ok((definition, parts)) if definition.allows(Act::Join, &caller, &parts) => {
                    let hidden = !definition.allows(Act::Presence, &caller, &parts);
                    (seat.definition, seat.parts) = (definition, parts);
                    if seat.hidden != hidden {
                        seat.hidden = hidden;
                        self.hide(inner, seat);
                    }
                    return true;
                }
                Ok(_) => "access",
                Err(_) => "undefined",
            };
            self.vacate(inner, seat, false);
            self.answer(frame::left(name, reason));
            false
        });
    }

    /// Is seen and sees from now on, or not any more.
    fn hide(&self, inner: &Inner, seat: &Seat) {
        inner.inside(&seat.key, |room| {
            let Some(member) = room.member(&seat.conn).cloned() else {
                return;
            };
            let member = Member {
                hidden: seat.hidden,
                ..member
            };
            inner
                .nodes
                .tell(|| News::put(&seat.key, &seat.conn, &member));
            room.put(seat.conn.clone(), member);
            room.listen(self.line.id(), self.outbox.clone(), seat.hidden);
            self.answer(room.state(&seat.conn, 0, None));
        });
    }

    fn render(&self, inner: &Inner, item: Item) -> Option<Bytes> {
        match item {
            Item::Answer(frame) | Item::Message(_, frame) | Item::Diff(_, frame) => Some(frame),
            Item::Lost(room, count) => Some(frame::lost(&room, count)),
            Item::State(name) => {
                let seats = self.seats();
                let seat = seats.by_name.get(&name)?;
                inner.inside(&seat.key, |room| room.state(&seat.conn, 0, None))
            }
        }
    }

    fn acknowledge(&self, reference: Option<&Value>) {
        if let Some(reference) = reference {
            self.answer(frame::ack(reference));
        }
    }

    fn answer(&self, frame: Bytes) {
        if self.outbox.answer(frame) == Kept::Full {
            self.line.close(Close::Overload);
        }
    }
}

fn check_presence(presence: &RawValue, most: usize) -> Result<(), RoomError> {
    if !presence.get().starts_with('{') {
        return Err(RoomError::Invalid("`presence` must be an object"));
    }
    check_size("`presence`", presence, most)
}

fn nothing() -> Arc<RawValue> {
    RawValue::from_string(NOTHING.to_owned())
        .unwrap_or_else(|_| RawValue::NULL.to_owned())
        .into()
}
