//! Shared by the integration tests: a server for each test, with a database of its own, and clients
//! that wait for everything a bounded time.

mod answer;
mod app;
mod backend;
mod client;
mod form;
mod pocketbase;
mod postgres;
mod process;
pub mod raw;
mod sse;
mod ws;

use std::time::Duration;

pub use answer::Answer;
pub use app::{PASSWORD, SUPERADMIN, TestApp, closed, open};
pub use backend::{Backend, Database};
pub use client::{Client, User};
pub use form::{Form, address};
pub use pocketbase::PocketBase;
pub use process::{LogReader, Process};
pub use sse::Sse;
pub use ws::Ws;

/// The longest that anything is waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something, but not for ever.
#[track_caller]
pub fn soon<F: Future>(what: &str, future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        let output = tokio::time::timeout(PATIENCE, future).await;
        output.unwrap_or_else(|_| panic!("{caller}: waited for {what} in vain"))
    }
}

/// Asks again and again until the answer is yes.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    soon(what, async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Makes of each named function `async fn(Backend)` two tests: `sqlite::name` and `postgres::name`.
#[macro_export]
macro_rules! both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::harness::Backend::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(backend) = $crate::harness::Backend::postgres() {
                    super::$name(backend).await;
                }
            })*
        }
    };
}
