//! The end of the server: signals, the order to stop, and the time that what is under way may still take.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tells everyone to stop, and waits for them; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Lifecycle {
    /// Nothing has stopped yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when the server is told to stop: no new work, realtime clients are sent away.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Runs a background task that is waited for at the end; it must end soon after [`Lifecycle::stopping`].
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task);
    }

    /// Tells everyone to stop.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Waits for the background tasks, but not longer than `patience`. Returns whether all ended.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }

    /// Stops at the first SIGTERM or SIGINT; at the second the process ends at once.
    pub async fn stop_on_signal(self) {
        if signal().await.is_err() {
            tracing::warn!("signals cannot be received; stop the process by force");
            return;
        }
        tracing::info!("stopping: finishing what is under way; a second signal ends it at once");
        self.stop();
        if signal().await.is_ok() {
            std::process::exit(130);
        }
    }
}

#[cfg(unix)]
async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        result = tokio::signal::ctrl_c() => result,
    }
}

#[cfg(not(unix))]
async fn signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
