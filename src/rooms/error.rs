//! Why something was not done in a room.

use crate::error::Error;

/// What a client of a room is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomError {
    /// No pattern matches the name.
    #[error("This room is not defined")]
    Undefined,
    /// A rule says no.
    #[error("{0}")]
    Forbidden(&'static str),
    /// It has to join first.
    #[error("Join the room first")]
    NotJoined,
    /// The connection is in the room of that name in another account.
    #[error("This connection is in the room of that name of another account: leave it first")]
    Elsewhere,
    /// The connection is in as many rooms as it may be in.
    #[error("Max rooms reached ({0})")]
    TooManyRooms(usize),
    /// The room has as many members as it may have.
    #[error("The room is full ({0} members)")]
    Full(usize),
    /// Something is larger than allowed.
    #[error("{what} has more than {most} bytes")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The most bytes of its JSON.
        most: usize,
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
