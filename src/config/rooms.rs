//! `[rooms]`.

use serde::Deserialize;

/// How much rooms may hold and carry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoomsConfig {
    /// Rooms that one connection may be in.
    pub max_per_connection: usize,
    /// Members of one room.
    pub max_members: usize,
    /// The largest data of a message, in bytes of JSON.
    pub max_message_bytes: usize,
    /// The most that a member may show of itself, in bytes of JSON.
    pub max_presence_bytes: usize,
    /// Messages a second in one room.
    pub max_messages_per_second: u32,
    /// How long a lost connection stays a member, in seconds.
    pub grace_seconds: u64,
}

impl Default for RoomsConfig {
    fn default() -> Self {
        Self {
            max_per_connection: 50,
            max_members: 1000,
            max_message_bytes: 16 * 1024,
            max_presence_bytes: 1024,
            max_messages_per_second: 1000,
            grace_seconds: 10,
        }
    }
}

impl RoomsConfig {
    pub(super) fn check(&self, problems: &mut super::Problems) {
        problems.range(
            "rooms.max_per_connection",
            self.max_per_connection,
            0..=10_000,
        );
        problems.range("rooms.max_members", self.max_members, 1..=100_000);
        problems.range(
            "rooms.max_message_bytes",
            self.max_message_bytes,
            16..=1 << 20,
        );
        problems.range(
            "rooms.max_presence_bytes",
            self.max_presence_bytes,
            16..=64 << 10,
        );
        problems.range(
            "rooms.max_messages_per_second",
            self.max_messages_per_second,
            1..=1_000_000,
        );
        problems.range("rooms.grace_seconds", self.grace_seconds, 0..=600);
    }
}
