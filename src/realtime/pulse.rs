//! Heartbeats, pings, checkpoints and expiry, for all connections together: no connection needs a
//! timer of its own.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use metrics::gauge;
use tokio::time::MissedTickBehavior;

use super::connection::Outlet;
use super::queue::Close;
use super::{Hub, Inner, millis};

/// How often connections are looked at: expired credentials are noticed this late.
const LOOK: Duration = Duration::from_millis(500);
/// How many looks there are between two that tidy up.
const TIDY: u32 = 10;
/// How many pings may go unanswered.
const UNANSWERED: u8 = 3;

pub(super) async fn beat(hub: Weak<Inner>) {
    let Some(options) = hub.upgrade().map(|hub| hub.options.clone()) else {
        return;
    };
    let pause =
        (options.heartbeat.min(options.checkpoint) / 4).clamp(Duration::from_millis(1), LOOK);
    let patience = u32::try_from(options.stall.as_millis() / pause.as_millis())
        .unwrap_or(u32::MAX)
        .max(2);
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = 0;
    loop {
        ticks.tick().await;
        let Some(hub) = hub.upgrade().map(Hub) else {
            return;
        };
        look(&hub, patience);
        looks = (looks + 1) % TIDY;
        if looks == 0 {
            hub.0.history.tidy();
        }
    }
}

/// Looks after every connection. Those that leave unread what waits for them for more looks than
/// `patience` are ended.
fn look(hub: &Hub, patience: u32) {
    let now = hub.0.clock.now();
    let age = hub.age();
    let (heartbeat, checkpoint) = (
        millis(hub.options().heartbeat),
        millis(hub.options().checkpoint),
    );
    let mut frames = Frames {
        at: now,
        encoded: Vec::new(),
    };
    let (mut waiting, mut lagging) = (Vec::new(), 0_u32);
    for outlet in hub.connections().by_id.values() {
        let queue = outlet.queue();
        lagging += u32::from(queue.is_lagging());
        if outlet.has_expired(now) {
            queue.close(Close::Expired);
            continue;
        }
        if queue.look() > patience {
            queue.close(Close::Overload);
            continue;
        }
        if outlet.wants_checkpoints() && outlet.next_checkpoint.load(Ordering::Relaxed) <= age {
            outlet
                .next_checkpoint
                .store(age + checkpoint, Ordering::Relaxed);
            waiting.push(outlet.clone());
        }
        if outlet.next_beat.load(Ordering::Relaxed) <= age {
            outlet.next_beat.store(age + heartbeat, Ordering::Relaxed);
            if outlet.unanswered.fetch_add(1, Ordering::Relaxed) >= UNANSWERED {
                queue.close(Close::Unanswered);
            } else {
                queue.push(frames.of(outlet));
                queue.ping();
            }
        }
    }
    gauge!("snackbase_realtime_lagging_connections").set(lagging);
    hub.checkpoint(waiting);
}

/// Heartbeats of one look, one for each dialect.
struct Frames {
    at: DateTime<Utc>,
    encoded: Vec<(&'static str, Bytes)>,
}

impl Frames {
    fn of(&mut self, outlet: &Arc<Outlet>) -> Bytes {
        let dialect = outlet.dialect();
        if let Some((_, frame)) = self
            .encoded
            .iter()
            .find(|(name, _)| *name == dialect.name())
        {
            return frame.clone();
        }
        let frame = dialect.heartbeat(self.at);
        self.encoded.push((dialect.name(), frame.clone()));
        frame
    }
}
