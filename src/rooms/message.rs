//! Messages of rooms.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::error::RoomError;
use super::frame::{MessageFrame, encode};

/// The longest name of an event, in bytes.
const MAX_EVENT_BYTES: usize = 64;

/// A message to a room.
#[derive(Debug)]
pub struct RoomMessage {
    event: String,
    data: Box<RawValue>,
}

impl RoomMessage {
    /// A message.
    ///
    /// # Errors
    ///
    /// [`RoomError::Invalid`] unless the event has 1 to 64 bytes and no control characters.
    pub fn new(event: &str, data: &impl Serialize) -> Result<Self, RoomError> {
        if event.is_empty() || event.len() > MAX_EVENT_BYTES || event.chars().any(char::is_control)
        {
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

    /// Refuses data that is too large.
    pub(super) fn check_size(&self, max_bytes: usize) -> Result<(), RoomError> {
        check_size("`data`", &self.data, max_bytes)
    }

    /// Encodes the frame for a room: `from` a member and a user, or from the server.
    pub(super) fn encode(
        &self,
        room: &str,
        from: Option<&str>,
        user: Option<&str>,
        timestamp: DateTime<Utc>,
    ) -> Bytes {
        encode(&MessageFrame {
            kind: "room.message",
            room,
            event: &self.event,
            data: &self.data,
            from,
            user,
            timestamp,
        })
    }
}

/// Refuses JSON that is too large.
pub(super) fn check_size(
    what: &'static str,
    json: &RawValue,
    max_bytes: usize,
) -> Result<(), RoomError> {
    if json.get().len() > max_bytes {
        Err(RoomError::TooLarge { what, max_bytes })
    } else {
        Ok(())
    }
}
