//! The end of the server: signals, the order to stop, and the time that what is under way may still
//! take.

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

    /// Runs a background task that is waited for at the end; it must end soon after
    /// [`Lifecycle::stopping`].
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
        tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_ok()
    }

    /// Stops at the first SIGTERM or SIGINT; at the second the process ends at once. Signals are
    /// caught from the call on, not only when the future is polled: whoever is told that the server
    /// runs may end it at once.
    pub fn stop_on_signal(self) -> impl Future<Output = ()> + Send + 'static {
        let signals = Signals::catch();
        async move {
            let Ok(mut signals) = signals else {
                tracing::warn!("signals cannot be received; stop the process by force");
                return;
            };
            signals.next().await;
            tracing::info!(
                "stopping: finishing what is under way; a second signal ends it at once"
            );
            self.stop();
            signals.next().await;
            std::process::exit(130);
        }
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn catch() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn catch() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
