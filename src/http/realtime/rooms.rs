//! What WebSocket clients say and hear in rooms.

use bytes::Bytes;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::ws::refused;
use super::{Session, message};
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::rooms::{Guest, Join, Message, RoomError};

/// The longest reference that is sent back, in bytes.
const MAX_REFERENCE: usize = 128;

/// Waits for frames from the connection's rooms.
pub(super) async fn frames(session: &Session) -> Vec<Bytes> {
    match session.guest.get() {
        Some(guest) => guest.take().await,
        None => std::future::pending().await,
    }
}

/// A command about a room.
struct Command<'a> {
    message: &'a Map<String, Value>,
    room: &'a str,
    reference: Option<&'a Value>,
}

impl<'a> Command<'a> {
    fn read(message: &'a Map<String, Value>) -> Result<Self, Value> {
        let reference = message.get("ref").filter(|reference| match reference {
            Value::String(text) => text.len() <= MAX_REFERENCE,
            other => other.is_number(),
        });
        match message.get("room").and_then(Value::as_str) {
            None | Some("") => Err(refusal("Missing room", "missing_room", None, reference)),
            Some(room) => Ok(Self {
                message,
                room,
                reference,
            }),
        }
    }

    fn refuse(&self, error: &RoomError) -> Value {
        refusal(
            &error.to_string(),
            error.code(),
            Some(self.room),
            self.reference,
        )
    }

    fn presence(&self) -> Result<Option<Box<RawValue>>, RoomError> {
        let presence = self
            .message
            .get("presence")
            .filter(|presence| !presence.is_null());
        let presence = presence.map(to_raw_value).transpose();
        presence.map_err(|_| RoomError::Invalid("`presence` must be an object"))
    }
}

fn refusal(message: &str, code: &str, room: Option<&str>, reference: Option<&Value>) -> Value {
    let mut frame = json!({"error": message, "code": code});
    if let Some(room) = room {
        frame["room"] = room.into();
    }
    if let Some(reference) = reference {
        frame["ref"] = reference.clone();
    }
    frame
}

/// Carries out a command about a room, or says why not; `None` if it is none.
pub(super) async fn obey(
    session: &Session,
    message: &Map<String, Value>,
) -> Option<Result<(), Value>> {
    match message::action(message) {
        "join" | "presence" | "publish" if session.only_listens => {
            let error = Error::Forbidden(
                "Whoever listens in a user's place does not appear in rooms".into(),
            );
            let mut frame = refused(&error, None, None);
            if let Some(room) = message.get("room").and_then(Value::as_str) {
                frame["room"] = room.into();
            }
            Some(Err(frame))
        }
        "join" => Some(join(session, message).await),
        "presence" => Some(show(session, message)),
        "publish" => Some(publish(session, message)),
        "leave" => Some(leave(session, message)),
        _ => None,
    }
}

/// The connection among those in rooms; makes it one of them.
fn guest(session: &Session) -> &Guest {
    session
        .guest
        .get_or_init(|| session.app.rooms.admit(session.connection.line()))
}

async fn join(session: &Session, message: &Map<String, Value>) -> Result<(), Value> {
    let command = Command::read(message)?;
    let account = account(session, message.get("account").and_then(Value::as_str)).await;
    let account = account.map_err(|error| {
        let mut frame = refused(&error, None, None);
        frame["room"] = command.room.into();
        frame
    })?;
    let history = message
        .get("history")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let join = command.presence().map(|presence| Join {
        presence,
        history: usize::try_from(history).unwrap_or(usize::MAX),
        reference: command.reference.cloned(),
    });
    join.and_then(|join| guest(session).join(account, command.room, join))
        .map_err(|error| command.refuse(&error))
}

/// Whose rooms they are: the caller's account's, or, for superadmins, those of the one that they
/// name.
async fn account(session: &Session, named: Option<&str>) -> Result<AccountId> {
    let missing = || Error::Unauthenticated("Missing token".into());
    match named {
        None => session.connection.caller().account_id().ok_or_else(missing),
        Some(name) => match session.scope(Some(name)).await? {
            crate::realtime::Scope::Account(account) => Ok(account),
            crate::realtime::Scope::Everything => {
                Err(Error::Forbidden("A room is of one account".into()))
            }
        },
    }
}

fn show(session: &Session, message: &Map<String, Value>) -> Result<(), Value> {
    let command = Command::read(message)?;
    let shown = command.presence().and_then(|presence| {
        let presence = presence.ok_or(RoomError::Invalid("`presence` must be an object"))?;
        let guest = session.guest.get().ok_or(RoomError::NotJoined)?;
        guest.show(command.room, &presence, command.reference)
    });
    shown.map_err(|error| command.refuse(&error))
}

fn publish(session: &Session, message: &Map<String, Value>) -> Result<(), Value> {
    let command = Command::read(message)?;
    let event = message
        .get("event")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let words = Message::new(event, &message.get("data").unwrap_or(&Value::Null));
    let echo = message.get("echo").and_then(Value::as_bool).unwrap_or(true);
    let published = words.and_then(|words| {
        let guest = session.guest.get().ok_or(RoomError::NotJoined)?;
        guest.publish(command.room, &words, echo, command.reference)
    });
    published.map_err(|error| command.refuse(&error))
}

fn leave(session: &Session, message: &Map<String, Value>) -> Result<(), Value> {
    let command = Command::read(message)?;
    guest(session).leave(command.room, command.reference);
    Ok(())
}
