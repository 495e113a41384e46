//! Publishing in rooms: from connections, over HTTP, and from the server.

use bytes::Bytes;
use metrics::counter;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::cluster::ClusterMessage;
use super::definition::RoomAction;
use super::error::RoomError;
use super::message::RoomMessage;
use super::room_key::RoomKey;
use super::rooms_core::RoomsCore;
use crate::auth::Caller;
use crate::error::{Error, Problem, Result};
use crate::id::AccountId;

/// Publishes for a caller who need not be in the room. The number of receivers is not known.
pub(super) fn publish_for_caller(
    core: &RoomsCore,
    caller: &Caller,
    account: AccountId,
    name: &str,
    (event, data): (&str, &impl Serialize),
) -> Result<()> {
    let message = RoomMessage::new(event, data).map_err(|error| malformed("event", &error))?;
    message
        .check_size(core.limits.max_message_bytes)
        .map_err(|error| malformed("data", &error))?;
    let (definition, parts) = core.definitions().find(name)?;
    if !definition.allows(RoomAction::Publish, caller, &parts) {
        return Err(RoomError::Forbidden("You may not publish in this room").into());
    }
    let key = RoomKey {
        account,
        name: name.into(),
    };
    let frame = message.encode(name, None, Some(caller.actor()), core.clock.now());
    take_message_token(core, &key)?;
    deliver(core, &key, definition.history, &frame, None);
    Ok(())
}

/// Publishes for the server itself, which no rule and no rate limit stops. The room must be defined.
pub(super) fn publish_for_server(
    core: &RoomsCore,
    account: AccountId,
    name: &str,
    event: &str,
    data: &impl Serialize,
) -> Result<()> {
    let message = RoomMessage::new(event, data)?;
    message.check_size(core.limits.max_message_bytes)?;
    let (definition, _) = core.definitions().find(name)?;
    let key = RoomKey {
        account,
        name: name.into(),
    };
    let frame = message.encode(name, None, None, core.clock.now());
    deliver(core, &key, definition.history, &frame, None);
    Ok(())
}

/// Takes a token for one message in a room.
///
/// # Errors
///
/// [`RoomError::TooFast`] if there are too many messages in it.
pub(super) fn take_message_token(core: &RoomsCore, key: &RoomKey) -> Result<(), RoomError> {
    let per_second = core.limits.max_messages_per_second;
    let taken = core.change(key, |room| {
        room.take_message_token(per_second, Instant::now())
    });
    match taken {
        Some(false) => Err(RoomError::TooFast),
        // An empty room has no limit.
        Some(true) | None => Ok(()),
    }
}

/// Delivers a message to the participants here, but for the connection `except`, and on other nodes.
/// The room keeps the last `history` messages.
pub(super) fn deliver(
    core: &RoomsCore,
    key: &RoomKey,
    history: usize,
    frame: &Bytes,
    except: Option<Uuid>,
) {
    counter!("snackbase_room_messages_total").increment(1);
    deliver_here(core, key, history, frame, except);
    core.cluster.send(|| ClusterMessage::said(key, frame));
}

/// Delivers a message of another node to the participants here.
pub(super) fn deliver_remote(core: &RoomsCore, key: &RoomKey, frame: &Bytes) {
    let history = core
        .definitions()
        .find(&key.name)
        .map_or(0, |(definition, _)| definition.history);
    deliver_here(core, key, history, frame, None);
}

fn deliver_here(
    core: &RoomsCore,
    key: &RoomKey,
    history: usize,
    frame: &Bytes,
    except: Option<Uuid>,
) {
    let receivers = core.change(key, |room| room.deliver(frame, history, except));
    counter!("snackbase_room_deliveries_total").increment(receivers.unwrap_or(0) as u64);
}

fn malformed(key: &str, error: &RoomError) -> Error {
    Error::malformed(Problem::body(
        key,
        "value_error",
        error.to_string(),
        Value::Null,
    ))
}
