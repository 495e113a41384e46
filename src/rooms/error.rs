//! The errors of rooms.

use crate::error::Error;

/// The reason for which a command in a room was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomError {
    /// No pattern matches the name.
    #[error("This room is not defined")]
    Undefined,
    /// A rule does not allow it.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The connection has not joined the room.
    #[error("Join the room first")]
    NotJoined,
    /// The connection is in the room of that name in another account.
    #[error("This connection is in the room of that name of another account: leave it first")]
    Elsewhere,
    /// The connection is in this number of rooms, the limit.
    #[error("Max rooms reached ({0})")]
    TooManyRooms(usize),
    /// The room has this number of members, the limit.
    #[error("The room is full ({0} members)")]
    Full(usize),
    /// A value is too large.
    #[error("{what} has more than {max_bytes} bytes")]
    TooLarge {
        /// The name of the value.
        what: &'static str,
        /// Upper limit of its JSON, in bytes.
        max_bytes: usize,
    },
    /// There are too many messages in the room.
    #[error("Too many messages in this room")]
    TooFast,
    /// The message does not have the right shape.
    #[error("{0}")]
    Invalid(&'static str),
    /// The connection is ending.
    #[error("The connection is ending")]
    Ending,
}

impl RoomError {
    /// A slug for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined_room",
            Self::Forbidden(_) => "forbidden",
            Self::NotJoined => "not_joined",
            Self::Elsewhere => "joined_elsewhere",
            Self::TooManyRooms(_) => "max_rooms",
            Self::Full(_) => "room_full",
            Self::TooLarge { .. } => "too_large",
            Self::TooFast => "rate_limited",
            Self::Invalid(_) => "invalid_message",
            Self::Ending => "unavailable",
        }
    }
}

impl From<RoomError> for Error {
    fn from(error: RoomError) -> Self {
        match error {
            RoomError::Undefined => Self::not_found(error.to_string()),
            RoomError::Forbidden(_) => Self::Forbidden(error.to_string()),
            RoomError::TooFast => Self::RateLimited { retry_after: 1 },
            RoomError::Ending => Self::Unavailable(error.to_string()),
            other => Self::refused("Bad request", other.to_string()),
        }
    }
}
