//! The parts of the hub that connections and background tasks share.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::options::HubOptions;
use super::registry::ConnectionRegistry;
use super::runtime::HubRuntime;
use crate::auth::Caller;
use crate::clock::Clock;
use crate::error::Error;
use crate::realtime::connection::outbound::CloseReason;
use crate::realtime::connection::snapshot_budget::SnapshotBudget;
use crate::realtime::connection::state::ConnectionState;
use crate::realtime::live::command::ShardCommand;
use crate::realtime::live::handles::ShardHandles;
use crate::realtime::replay::context::ReplayContext;

/// See the module.
pub(in crate::realtime) struct HubInner {
    pub(in crate::realtime) runtime: HubRuntime,
    pub(in crate::realtime) options: HubOptions,
    pub(in crate::realtime) clock: Clock,
    pub(in crate::realtime) replay: Arc<ReplayContext>,
    pub(in crate::realtime) snapshots: SnapshotBudget,
    pub(in crate::realtime) connections: ConnectionRegistry,
    pub(in crate::realtime) started: Instant,
}

impl HubInner {
    pub(in crate::realtime) fn shards(&self) -> &ShardHandles {
        &self.replay.shards
    }

    /// The time since the hub started, in milliseconds.
    pub(in crate::realtime) fn age_millis(&self) -> u64 {
        millis(self.started.elapsed())
    }

    /// Checks the credential of a connection again, and applies the present rights to its
    /// subscriptions, or ends it.
    pub(in crate::realtime) async fn recheck(&self, connection: &ConnectionState) {
        let reason = match connection.check_credential().await {
            Ok(caller) if caller.has_identity_of(&connection.caller()) => {
                return self.update_caller(connection, &caller);
            }
            _ if connection.has_expired(self.clock.now()) => CloseReason::Expired,
            Err(Error::Unavailable(_) | Error::Internal(_) | Error::RateLimited { .. }) => {
                CloseReason::Overload
            }
            Ok(_) | Err(_) => CloseReason::Revoked,
        };
        connection.queue().close(reason);
    }

    fn update_caller(&self, connection: &ConnectionState, caller: &Caller) {
        connection.update_caller(caller, |subscription| {
            let command = ShardCommand::UpdateCaller {
                subscription: subscription.clone(),
                caller: caller.clone(),
            };
            self.shards().send(subscription.scope, command);
        });
    }
}

/// A duration in milliseconds.
pub(in crate::realtime) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
