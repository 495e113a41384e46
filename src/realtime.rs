//! Realtime: subscribers are told of what was committed.
//!
//! # What it promises
//!
//! - **Order.** The events of one account come in the order of the log, the same for all
//!   subscribers. They pass through one task, a shard; subscriptions to all accounts have a shard of
//!   their own.
//! - **At least once, without gaps.** From the acknowledgement of a subscription on, every event
//!   that is committed later is delivered. A client that comes back with the last cursor that it
//!   was told is sent everything after it. On one connection nothing comes twice; a client that was
//!   cut off may be sent again what it was told after its cursor.
//! - **Never back.** The cursor of a checkpoint is never below a position that the connection was
//!   told of before, by whatever frame.
//! - **Never more than a list shows.** Rules, field lists and masks are those of the moment at which
//!   an event is delivered (`visibility`).
//! - **Resync instead of silence.** A client that cannot be told what happened (its cursor is too
//!   old or foreign; rules, fields or rights changed; the database did not answer) gets a `resync`,
//!   after which it must fetch everything again. One that does not know control frames is
//!   disconnected instead.
//! - **Bounded memory.** A connection has a bounded queue, and a publisher never waits for one
//!   reader alone. If most receivers fall behind, the machine is too slow: then events wait in the
//!   log. Following the log never waits for deliveries, so changes of rights take effect at once,
//!   and one account's rules delay only the accounts that share its shard.
//!
//! # States of a subscription
//!
//! ```text
//!                          subscribe
//!         ┌───────────────────┼─────────────────────────┐
//!         │ now               │ after a cursor          │ with a snapshot
//!         │                   ▼                         ▼
//!         │            ┌─────────────┐   sent    ┌─────────────┐
//!         │            │   verify    │           │  snapshot   │
//!         │            │ the cursor  │           │ is sent     │
//!         │            └──────┬──────┘           └──────┬──────┘
//!         │   foreign, too    │ good                    │
//!         │   old: resync     ▼                         │
//!         │            ┌─────────────┐◄─────────────────┘
//!         │            │   replay    │  segments of the log, at the client's pace
//!         │            │   the log   │◄──────────────┐
//!         │            └──────┬──────┘               │
//!         │                   │ end of the log       │ behind: too much has
//!         │                   ▼                      │ happened since
//!         │            ┌─────────────┐               │
//!         │            │  join, in   ├───────────────┤
//!         │            │  the shard  │               │
//!         │            └──────┬──────┘               │
//!         │                   │ caught up:           │
//!         │                   │ `live`, `replayed`   │
//!         ▼                   ▼                      │
//!      ┌─────────────────────────┐   overflow: the   │
//!      │          live           ├───────────────────┘
//!      │ the shard queues events │   queue drops its events
//!      └───────────┬─────────────┘
//!                  │ unsubscribe, disconnect, unusable filter
//!                  ▼
//!                ended
//! ```
//!
//! # Where things are
//!
//! Lower lines know nothing of the ones above.
//!
//! | | |
//! |---|---|
//! | `hub` | takes changes from the log; connections, limits, keepalive, listing |
//! | `replay` | reads the log for one connection |
//! | `live` | shards, topics, groups: delivers events as they come |
//! | `visibility` | what a change is for a subscriber: one pipeline for live, catch-up and replay |
//! | `connection` | a connection's rights, subscriptions and queue |
//! | `subscription` | requests and subscriptions |
//! | `protocol` | the interface to the wire protocols |
//!
//! Nothing here may call services or HTTP. A wire protocol implements [`Protocol`] and lives in
//! `http::realtime`. A new kind of topic is a variant of [`Topic`].

mod connection;
mod hub;
mod live;
mod protocol;
mod replay;
mod subscription;
#[cfg(test)]
mod tests;
mod visibility;

pub use connection::frame_buffer::{QueueLimits, RoomSignals};
pub use connection::outbound::{CloseReason, OutboundQueue, PushOutcome, QueueSignals};
pub use connection::snapshot_budget::SnapshotReservation;
pub use connection::state::{ConnectRequest, ConnectionHandle, CredentialCheck};
pub use hub::Hub;
pub use hub::connection::{Connection, SubscribeError};
pub use hub::listing::{ConnectionFilter, ConnectionInfo, SubscriptionInfo};
pub use protocol::{
    ControlFrame, EventOperation, FrameSubject, Protocol, RecordEvent, ResyncReason,
    VisibilityChange,
};
pub use subscription::{
    AccountScope, OperationSet, RecordSelection, SnapshotStart, StartAt, Subscribe, Topic,
};
