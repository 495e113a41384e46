//! Heartbeats, pings, checkpoints and expiry, for all connections together: no connection needs a
//! timer of its own.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use metrics::gauge;
use tokio::time::MissedTickBehavior;

use super::inner::{HubInner, millis};
use crate::realtime::connection::outbound::CloseReason;
use crate::realtime::connection::state::ConnectionState;

/// Upper limit of the interval between two checks of all connections: expired credentials are
/// noticed this late.
const MAX_CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// Number of checks after which the log cache is tidied.
const CHECKS_PER_TIDYING: u32 = 10;
/// Upper limit of the pings in a row that a peer may leave unanswered.
const MAX_UNANSWERED_PINGS: u8 = 3;

/// Looks after all connections, until the hub is dropped.
pub(in crate::realtime) async fn keep_alive(hub: Weak<HubInner>) {
    let Some(options) = hub.upgrade().map(|hub| hub.options.clone()) else {
        return;
    };
    let interval = (options.heartbeat.min(options.checkpoint) / 4)
        .clamp(Duration::from_millis(1), MAX_CHECK_INTERVAL);
    let max_unread_checks = u32::try_from(options.stall.as_millis() / interval.as_millis())
        .unwrap_or(u32::MAX)
        .max(2);
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut checks = 0;
    loop {
        ticks.tick().await;
        let Some(hub) = hub.upgrade() else {
            return;
        };
        check_connections(&hub, max_unread_checks);
        checks = (checks + 1) % CHECKS_PER_TIDYING;
        if checks == 0 {
            hub.replay.log_cache.tidy();
        }
    }
}

/// Checks all connections. The ones that leave frames unread for more checks than
/// `max_unread_checks` are closed.
fn check_connections(hub: &HubInner, max_unread_checks: u32) {
    let (now, age) = (hub.clock.now(), hub.age_millis());
    let heartbeat = millis(hub.options.heartbeat);
    let checkpoint = millis(hub.options.checkpoint);
    let mut frames = HeartbeatFrames {
        at: now,
        encoded: Vec::new(),
    };
    let (mut due_checkpoints, mut behind) = (Vec::new(), 0_u32);
    for connection in hub.connections.select(|_| true) {
        let queue = connection.queue();
        behind += u32::from(queue.is_behind());
        if connection.has_expired(now) {
            queue.close(CloseReason::Expired);
            continue;
        }
        if queue.count_unread() > max_unread_checks {
            queue.close(CloseReason::Overload);
            continue;
        }
        if connection.next_heartbeat.load(Ordering::Relaxed) <= age {
            connection
                .next_heartbeat
                .store(age + heartbeat, Ordering::Relaxed);
            if connection.unanswered_pings.fetch_add(1, Ordering::Relaxed) >= MAX_UNANSWERED_PINGS {
                queue.close(CloseReason::Unanswered);
            } else {
                queue.push(frames.get(&connection));
                queue.ping();
            }
        }
        if connection.wants_checkpoints()
            && connection.next_checkpoint.load(Ordering::Relaxed) <= age
        {
            connection
                .next_checkpoint
                .store(age + checkpoint, Ordering::Relaxed);
            due_checkpoints.push(connection);
        }
    }
    gauge!("snackbase_realtime_lagging_connections").set(behind);
    hub.shards().send_checkpoints(due_checkpoints);
}

/// The heartbeat frames of one check, one for each protocol.
struct HeartbeatFrames {
    at: DateTime<Utc>,
    encoded: Vec<(&'static str, Bytes)>,
}

impl HeartbeatFrames {
    fn get(&mut self, connection: &Arc<ConnectionState>) -> Bytes {
        let protocol = connection.protocol();
        if let Some((_, frame)) = self
            .encoded
            .iter()
            .find(|(name, _)| *name == protocol.name())
        {
            return frame.clone();
        }
        let frame = protocol.heartbeat_frame(self.at);
        self.encoded.push((protocol.name(), frame.clone()));
        frame
    }
}
