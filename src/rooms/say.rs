//! Messages: from connections, over HTTP, and from the server itself.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use metrics::counter;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tokio::time::Instant;
use uuid::Uuid;

use super::definition::Act;
use super::error::RoomError;
use super::frame::{MessageFrame, encode};
use super::nodes::News;
use super::{Inner, RoomKey, Rooms};
use crate::auth::Caller;
use crate::error::{Error, Problem, Result};
use crate::id::AccountId;

/// The longest name of an event, in bytes.
const MAX_EVENT: usize = 64;

/// What is said in a room.
#[derive(Debug)]
pub struct Message {
    event: String,
    data: Box<RawValue>,
}

/// A message as it comes over HTTP.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub struct Words {
    /// What it is, in 1 to 64 bytes: `typing`.
    pub event: String,
    /// Anything that goes with it.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub data: Value,
    /// Whose room it is, by id, code or slug: for superadmins. Others publish in their own account.
    #[serde(default)]
    pub account: Option<String>,
}

impl Message {
    /// A message; an event has 1 to 64 bytes and no control characters.
    pub fn new(event: &str, data: &impl Serialize) -> Result<Self, RoomError> {
        if event.is_empty() || event.len() > MAX_EVENT || event.chars().any(char::is_control) {
            return Err(RoomError::Invalid(
                "`event` must be a text of 1 to 64 bytes",
            ));
        }
        let data = to_raw_value(data).map_err(|_| RoomError::Invalid("`data` must be JSON"))?;
        Ok(Self {
            event: event.to_owned(),
            data,
        })
    }

    pub(super) fn data(&self) -> &RawValue {
        &self.data
    }

    pub(super) fn encode(
        &self,
        room: &str,
        from: Option<&str>,
        user: Option<&str>,
        timestamp: DateTime<Utc>,
    ) -> Bytes {
        let (event, data) = (&self.event, &self.data);
        encode(&MessageFrame {
            kind: "room.message",
            room,
            event,
            data,
            from,
            user,
            timestamp,
        })
    }
}

impl Rooms {
    /// Publishes for a caller who need not be in the room. Whether somebody hears it is not known.
    pub fn publish_as(
        &self,
        caller: &Caller,
        account: AccountId,
        name: &str,
        words: &Words,
    ) -> Result<()> {
        let message =
            Message::new(&words.event, &words.data).map_err(|error| malformed("event", &error))?;
        check_size("`data`", &message.data, self.0.limits.max_message_bytes)
            .map_err(|error| malformed("data", &error))?;
        let (definition, parts) = self.0.definitions().find(name)?;
        if !definition.allows(Act::Publish, caller, &parts) {
            return Err(RoomError::Forbidden("You may not publish in this room").into());
        }
        let key = RoomKey {
            account,
            name: name.into(),
        };
        let frame = message.encode(name, None, Some(caller.actor()), self.0.clock.now());
        Ok(self.0.say(&key, definition.history, &frame, None, true)?)
    }

    /// Publishes for the server itself, which no rule and no pace stops. The room must be defined.
    pub fn publish(
        &self,
        account: AccountId,
        name: &str,
        event: &str,
        data: &impl Serialize,
    ) -> Result<()> {
        let message = Message::new(event, data)?;
        check_size("`data`", &message.data, self.0.limits.max_message_bytes)?;
        let (definition, _) = self.0.definitions().find(name)?;
        let key = RoomKey {
            account,
            name: name.into(),
        };
        let frame = message.encode(name, None, None, self.0.clock.now());
        Ok(self.0.say(&key, definition.history, &frame, None, false)?)
    }
}

impl Inner {
    /// Hands a message to whoever is in the room, here and on other nodes.
    pub(super) fn say(
        &self,
        key: &RoomKey,
        history: usize,
        frame: &Bytes,
        except: Option<Uuid>,
        paced: bool,
    ) -> Result<(), RoomError> {
        let per_second = f64::from(self.limits.max_messages_per_second);
        let told = self.inside(key, |room| {
            if paced && !room.allows_message(per_second, Instant::now()) {
                return Err(RoomError::TooFast);
            }
            Ok(room.say(frame, history, except))
        });
        counter!("snackbase_room_messages_total").increment(1);
        counter!("snackbase_room_deliveries_total")
            .increment(told.transpose()?.unwrap_or(0) as u64);
        self.nodes.tell(|| News::said(key, frame));
        Ok(())
    }

    /// The same for a message of another node.
    pub(super) fn repeat(&self, account: AccountId, name: &Arc<str>, frame: &Bytes) {
        let history = self
            .definitions()
            .find(name)
            .map_or(0, |(definition, _)| definition.history);
        let key = RoomKey {
            account,
            name: name.clone(),
        };
        let told = self.inside(&key, |room| room.say(frame, history, None));
        counter!("snackbase_room_deliveries_total").increment(told.unwrap_or(0) as u64);
    }
}

pub(super) fn check_size(
    what: &'static str,
    json: &RawValue,
    most: usize,
) -> Result<(), RoomError> {
    if json.get().len() > most {
        Err(RoomError::TooLarge { what, most })
    } else {
        Ok(())
    }
}

fn malformed(key: &str, error: &RoomError) -> Error {
    Error::malformed(Problem::body(
        key,
        "value_error",
        error.to_string(),
        Value::Null,
    ))
}
