//! Rooms: presence and messages that are not data, such as typing and cursors.
//!
//! An administrator defines patterns of names, each with rules (`definition`). A connection joins
//! the rooms of its account as a participant, is seen there, and exchanges messages. Nothing of it
//! is in the change log: a message reaches the participants that are there and read fast enough; the
//! others are told the number of messages that they missed.
//!
//! A room is in the memory of every node as long as somebody is in it on any of them. Each node owns
//! the members that are connected to it, and tells the others of them and of messages (`cluster`).
//! Frames for a connection go through its [outbound queue](crate::realtime::OutboundQueue).
//!
//! Locks are taken in this order: the memberships of a participant, then a shard of the rooms, then
//! an outbound queue.
//!
//! | | |
//! |---|---|
//! | `service` | the service that others use |
//! | `participant` | a connection in rooms |
//! | `cluster_link` | the exchange with other nodes |
//! | `publish` | messages, from connections, over HTTP and from the server |
//! | `definition_store` | definitions in the database |
//! | `rooms_core` | the rooms in memory, by shard |
//! | `room` | one room: members, history, listeners |
//! | `cluster`, `definition`, `framing`, `history`, `pattern` | their parts |

mod cluster;
mod cluster_link;
mod definition;
mod definition_input;
mod definition_store;
mod error;
mod frame;
mod framing;
mod handle;
mod history;
mod message;
mod participant;
mod pattern;
mod publish;
mod room;
mod room_key;
mod rooms_core;
mod service;

pub use definition::{RoomAction, RoomDefinition, RoomDefinitionRow, RoomDefinitions};
pub use definition_input::{MAX_HISTORY_MESSAGES, RoomChange};
pub use error::RoomError;
pub use handle::RoomsHandle;
pub use message::RoomMessage;
pub use participant::{Participant, RoomJoin};
pub use pattern::{RoomNameParts, RoomPattern};
pub use service::Rooms;
