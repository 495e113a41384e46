//! The limits and intervals of the hub.

use std::time::Duration;

use crate::config::RealtimeConfig;
use crate::realtime::connection::frame_buffer::QueueLimits;

/// See the module.
#[derive(Clone, Debug)]
pub(in crate::realtime) struct HubOptions {
    /// Number of tasks that deliver events.
    pub(in crate::realtime) shards: usize,
    /// Upper limit of the events that wait in memory for each of them.
    pub(in crate::realtime) backlog: usize,
    /// Upper limits of the frames that wait for each connection.
    pub(in crate::realtime) queue: QueueLimits,
    /// Upper limit of the subscriptions of one connection.
    pub(in crate::realtime) subscriptions: usize,
    /// Upper limit of the connections of one user.
    pub(in crate::realtime) connections_per_user: usize,
    /// Upper limit of the connections from one address.
    pub(in crate::realtime) connections_per_address: usize,
    /// Interval of heartbeats on a connection.
    pub(in crate::realtime) heartbeat: Duration,
    /// Interval of checkpoints on a connection.
    pub(in crate::realtime) checkpoint: Duration,
    /// Upper limit of the time for which a client may leave frames unread.
    pub(in crate::realtime) stall: Duration,
}

impl HubOptions {
    pub(in crate::realtime) fn new(config: &RealtimeConfig) -> Self {
        Self {
            backlog: config.backlog_events,
            shards: std::thread::available_parallelism().map_or(1, usize::from),
            queue: QueueLimits {
                frames: config.queue_frames,
                bytes: config.queue_bytes,
            },
            subscriptions: config.max_subscriptions,
            connections_per_user: limit_or_none(config.max_connections_per_user),
            connections_per_address: limit_or_none(config.max_connections_per_address),
            heartbeat: Duration::from_secs(config.heartbeat_seconds),
            checkpoint: Duration::from_secs(config.checkpoint_seconds),
            stall: Duration::from_secs(config.stall_seconds),
        }
    }
}

/// A configured limit, where 0 means that there is none.
fn limit_or_none(limit: usize) -> usize {
    if limit == 0 { usize::MAX } else { limit }
}
