//! Heartbeats, pings and expiry, for all connections together: no connection needs a timer of its own.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::time::MissedTickBehavior;

use super::connection::Outlet;
use super::queue::Close;
use super::{Hub, Inner, millis};

/// How often connections are looked at: expired credentials are noticed this late.
const LOOK: Duration = Duration::from_millis(500);
/// How many pings may go unanswered.
const UNANSWERED: u8 = 3;

pub(super) async fn beat(hub: Weak<Inner>) {
    let Some(heartbeat) = hub.upgrade().map(|hub| hub.options.heartbeat) else { return };
    let mut ticks = tokio::time::interval((heartbeat / 4).clamp(Duration::from_millis(1), LOOK));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(hub) = hub.upgrade().map(Hub) else { return };
        look(&hub);
    }
}

fn look(hub: &Hub) {
    let now = hub.0.clock.now();
    let (age, heartbeat) = (hub.age(), millis(hub.options().heartbeat));
    let mut frames = Frames { at: now, encoded: Vec::new() };
    for outlet in hub.connections().by_id.values() {
        if outlet.has_expired(now) {
            outlet.queue().close(Close::Expired);
        } else if outlet.next_beat.load(Ordering::Relaxed) <= age {
            outlet.next_beat.store(age + heartbeat, Ordering::Relaxed);
            if outlet.unanswered.fetch_add(1, Ordering::Relaxed) >= UNANSWERED {
                outlet.queue().close(Close::Unanswered);
            } else {
                outlet.queue().push(frames.of(outlet));
                outlet.queue().ping();
            }
        }
    }
}

/// Heartbeats of one look, one for each dialect.
struct Frames {
    at: DateTime<Utc>,
    encoded: Vec<(&'static str, Bytes)>,
}

impl Frames {
    fn of(&mut self, outlet: &Arc<Outlet>) -> Bytes {
        let dialect = outlet.dialect();
        if let Some((_, frame)) = self.encoded.iter().find(|(name, _)| *name == dialect.name()) {
            return frame.clone();
        }
        let frame = dialect.heartbeat(self.at);
        self.encoded.push((dialect.name(), frame.clone()));
        frame
    }
}
