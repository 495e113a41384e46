//! The threads that deliver events.
//!
//! One event wakes as many tasks as it has receivers. On the threads that answer requests, a write
//! would wait behind all of them; here the operating system shares the machine between both.

use tokio::runtime::{Builder, Handle, Runtime};

/// The threads; they end when this is dropped.
pub(in crate::realtime) struct HubRuntime {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl HubRuntime {
    /// Starts a thread for each processor. If that fails, the threads that answer requests do this
    /// work, too.
    pub(in crate::realtime) fn start() -> Self {
        let runtime = Builder::new_multi_thread()
            .thread_name("realtime")
            .enable_all()
            .build()
            .inspect_err(|error| tracing::warn!(%error, "no threads for realtime"))
            .ok();
        let handle = runtime
            .as_ref()
            .map_or_else(Handle::current, |runtime| runtime.handle().clone());
        Self { runtime, handle }
    }

    /// Runs a task on the threads.
    pub(in crate::realtime) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }
}

impl Drop for HubRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // This may be one of its own tasks, which cannot wait for itself.
            runtime.shutdown_background();
        }
    }
}
