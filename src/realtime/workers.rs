//! Threads of their own for handing out events.
//!
//! One event wakes as many tasks as it has receivers. On the threads that answer requests, a write
//! would wait behind all of them; here the operating system shares the machine between both.

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

/// Runs what may take long without an await, while other tasks of this thread go on elsewhere.
pub(super) fn apart<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// The threads; they end with this.
pub(super) struct Workers {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Workers {
    /// Starts a thread for each processor. If that fails, the threads that answer requests do this
    /// work, too.
    pub fn start() -> Self {
        let runtime = Builder::new_multi_thread()
            .thread_name("realtime")
            .enable_all()
            .build();
        let runtime = runtime
            .inspect_err(|error| tracing::warn!(%error, "no threads for realtime"))
            .ok();
        let handle = runtime
            .as_ref()
            .map_or_else(Handle::current, |runtime| runtime.handle().clone());
        Self { runtime, handle }
    }

    /// Runs a task on them.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // This may be one of its own tasks, which cannot wait for itself.
            runtime.shutdown_background();
        }
    }
}
