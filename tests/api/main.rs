//! The server's promises, tested over HTTP, WebSocket and server-sent events, on SQLite and on
//! PostgreSQL.
//!
//! Every test has a server and a database of its own. PostgreSQL is the server in
//! `SNACKBASE_TEST_POSTGRES_URL`, or a throw-away one of this process; `tests/with-postgres.sh
//! cargo nextest run` shares one between processes.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]
#![expect(clippy::too_many_lines, reason = "a story is told in one go")]

mod audit;
mod auth;
mod bad_input;
mod collections;
mod contract;
mod disk;
mod early;
mod files;
#[path = "../harness/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "the tests of processes use the rest"
)]
mod harness;
mod hooks;
mod isolation;
mod kept;
mod limits;
mod operation;
mod people;
mod quotas;
mod realtime;
mod records;
mod rooms;
mod rules;
mod snapshots;
mod surface;
mod vectors;
