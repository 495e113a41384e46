//! Connections as the hub and its shards see them: the caller and its rights, the subscriptions,
//! and the queue of frames to send.

pub mod frame_buffer;
pub mod outbound;
pub(in crate::realtime) mod snapshot_budget;
pub(in crate::realtime) mod state;
