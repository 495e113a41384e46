//! The commands of WebSocket clients about rooms.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::message;
use super::refusal::refusal_frame;
use crate::error::{Error, Result};
use crate::http::realtime::session::{Session, missing_token};
use crate::id::AccountId;
use crate::rooms::{RoomError, RoomJoin, RoomMessage};

/// The longest reference that is sent back, in bytes.
const MAX_REFERENCE_BYTES: usize = 128;
/// The refusal of a presence that is not an object.
const INVALID_PRESENCE: RoomError = RoomError::Invalid("`presence` must be an object");

/// A command about a room.
struct RoomCommand<'a> {
    message: &'a Map<String, Value>,
    room: &'a str,
    reference: Option<&'a Value>,
}

impl<'a> RoomCommand<'a> {
    fn read(message: &'a Map<String, Value>) -> Result<Self, Value> {
        let reference = message.get("ref").filter(|reference| match reference {
            Value::String(text) => text.len() <= MAX_REFERENCE_BYTES,
            other => other.is_number(),
        });
        match message.get("room").and_then(Value::as_str) {
            None | Some("") => Err(room_refusal(
                "Missing room",
                "missing_room",
                None,
                reference,
            )),
            Some(room) => Ok(Self {
                message,
                room,
                reference,
            }),
        }
    }

    fn refuse(&self, error: &RoomError) -> Value {
        room_refusal(
            &error.to_string(),
            error.code(),
            Some(self.room),
            self.reference,
        )
    }

    fn presence(&self) -> Result<Option<Box<RawValue>>, RoomError> {
        self.message
            .get("presence")
            .filter(|presence| !presence.is_null())
            .map(to_raw_value)
            .transpose()
            .map_err(|_| INVALID_PRESENCE)
    }
}

fn room_refusal(message: &str, code: &str, room: Option<&str>, reference: Option<&Value>) -> Value {
    let mut frame = json!({"error": message, "code": code});
    if let Some(room) = room {
        frame["room"] = room.into();
    }
    if let Some(reference) = reference {
        frame["ref"] = reference.clone();
    }
    frame
}

/// Carries out a command about a room, or returns the frame of its refusal; `None` if the message is
/// another command.
pub(super) async fn handle_command(
    session: &Session,
    message: &Map<String, Value>,
) -> Option<Result<(), Value>> {
    match message::action(message) {
        "join" | "presence" | "publish" if session.is_listener => {
            Some(Err(refuse_listener(message)))
        }
        "join" => Some(join(session, message).await),
        "presence" => Some(set_presence(session, message)),
        "publish" => Some(publish(session, message)),
        "leave" => Some(leave(session, message)),
        _ => None,
    }
}

fn refuse_listener(message: &Map<String, Value>) -> Value {
    let error =
        Error::Forbidden("A superadmin who listens in a user's place cannot be in rooms".into());
    let mut frame = refusal_frame(&error, None, None);
    if let Some(room) = message.get("room").and_then(Value::as_str) {
        frame["room"] = room.into();
    }
    frame
}

async fn join(session: &Session, message: &Map<String, Value>) -> Result<(), Value> {
    let command = RoomCommand::read(message)?;
    let account = resolve_account(session, message.get("account").and_then(Value::as_str)).await;
    let account = account.map_err(|error| {
        let mut frame = refusal_frame(&error, None, None);
        frame["room"] = command.room.into();
        frame
    })?;
    let history = message
        .get("history")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let join = command.presence().map(|presence| RoomJoin {
        presence,
        history: usize::try_from(history).unwrap_or(usize::MAX),
        reference: command.reference.cloned(),
    });
    join.and_then(|join| session.make_participant().join(account, command.room, join))
        .map_err(|error| command.refuse(&error))
}

/// The account whose rooms are meant: the caller's, or, for superadmins, the one that they name.
async fn resolve_account(session: &Session, named: Option<&str>) -> Result<AccountId> {
    match named {
        None => session
            .connection
            .caller()
            .account_id()
            .ok_or_else(missing_token),
        Some(name) => session
            .resolve_scope(Some(name))
            .await?
            .account()
            .ok_or_else(|| Error::Forbidden("A room is of one account".into())),
    }
}

fn set_presence(session: &Session, message: &Map<String, Value>) -> Result<(), Value> {
    let command = RoomCommand::read(message)?;
    let outcome = command.presence().and_then(|presence| {
        let presence = presence.ok_or(INVALID_PRESENCE)?;
        let participant = session.participant().ok_or(RoomError::NotJoined)?;
        participant.set_presence(command.room, &presence, command.reference)
    });
    outcome.map_err(|error| command.refuse(&error))
}

fn publish(session: &Session, message: &Map<String, Value>) -> Result<(), Value> {
    let command = RoomCommand::read(message)?;
    let event = message
        .get("event")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let data = message.get("data").unwrap_or(&Value::Null);
    let wants_echo = message.get("echo").and_then(Value::as_bool).unwrap_or(true);
    let outcome = RoomMessage::new(event, data).and_then(|message| {
        let participant = session.participant().ok_or(RoomError::NotJoined)?;
        participant.publish(command.room, &message, wants_echo, command.reference)
    });
    outcome.map_err(|error| command.refuse(&error))
}

fn leave(session: &Session, message: &Map<String, Value>) -> Result<(), Value> {
    let command = RoomCommand::read(message)?;
    session
        .make_participant()
        .leave(command.room, command.reference);
    Ok(())
}
