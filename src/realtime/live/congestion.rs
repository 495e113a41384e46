//! Waiting for connections that read, but not as fast as events come.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::group::EventReceivers;
use crate::realtime::connection::state::ConnectionState;

/// Congested connections are waited for if they are at least this part of an event's receivers:
/// then the machine cannot keep up, and not some slow readers.
const CONGESTED_PART: usize = 8;
/// Interval at which they are checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(1);
/// Upper limit of the time without progress of any of them, after which the others go on.
const PROGRESS_TIMEOUT: Duration = Duration::from_millis(100);
/// Upper limit of the time for which they are waited for in all.
const WAIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Lets the receivers of an event catch up if many of them are congested, and returns whether it
/// waited. Events stay in the log for that time. Connections that take nothing are given up on:
/// they delay nobody from then on, and their queues overflow.
pub(in crate::realtime) async fn wait_for_congested(receivers: EventReceivers) -> bool {
    let EventReceivers {
        sent, congested, ..
    } = receivers;
    if congested.len() * CONGESTED_PART <= sent {
        return false;
    }
    wait_until_few_remain(congested, sent / CONGESTED_PART).await;
    true
}

async fn wait_until_few_remain(mut congested: Vec<Arc<ConnectionState>>, few: usize) {
    let start = Instant::now();
    let mut last_progress = start;
    while congested.len() > few {
        tokio::time::sleep(CHECK_INTERVAL).await;
        let before = congested.len();
        congested.retain(|connection| connection.queue().is_congested());
        if congested.len() < before {
            last_progress = Instant::now();
        }
        if last_progress.elapsed() >= PROGRESS_TIMEOUT || start.elapsed() >= WAIT_TIMEOUT {
            for connection in &congested {
                connection.queue().give_up_waiting();
            }
            return;
        }
    }
}
