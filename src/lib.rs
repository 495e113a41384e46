//! SnackBase: a whole backend in one binary.
//!
//! # The idea: commit, log, everyone
//!
//! Every change of a record is written together with an entry of the change log, in one
//! transaction. Whoever must react (realtime subscribers, hooks, other nodes) reads the log after
//! the commit. Nothing reacts to a write that was not committed, nothing that was committed is
//! forgotten, and everyone sees the same order.
//!
//! # The layers
//!
//! A module uses modules on lower lines only; `tests/architecture.rs` holds it to that.
//!
//! | | |
//! |---|---|
//! | 12 | [`cli`] |
//! | 11 | [`http`]: endpoints, extractors, wire protocols |
//! | 10 | [`app`]: wiring |
//! | 9 | [`dashboard`]: read models
//! | 8 | [`records`], [`collections`], [`accounts`], [`rooms`]: services |
//! | 7 | [`files`]: storage, registry, thumbnails |
//! | 6 | [`hooks`], [`realtime`], [`mail`], [`audit`] |
//! | 5 | [`access`]: which records and fields a caller sees, also through references |
//! | 4 | [`auth`], [`changes`] |
//! | 3 | [`schema`]: collections, tables, catalog; [`telemetry`], [`traffic`] |
//! | 2 | [`expr`]: rules and filters; [`error`], [`config`] |
//! | 1 | [`db`]: the only place that knows SQL drivers; [`request_facts`] |
//! | 0 | [`id`], [`clock`], [`secret`], [`email`], [`slug`], [`spelling`], [`lifecycle`], [`metrics`], [`disk`], [`open_files`], [`token_bucket`] |
//!
//! # Embedding
//!
//! A program of its own registers [`hooks`] and serves:
//!
//! ```no_run
//! use snackbase::{Snackbase, hooks::Abort};
//!
//! # async fn example() -> Result<(), snackbase::error::Error> {
//! Snackbase::builder()
//!     .hooks(|hooks| {
//!         hooks.on_record_before_create(async |event| {
//!             if event.data.get("title").is_some_and(|title| title == "") {
//!                 return Err(Abort::new("A title must not be empty"));
//!             }
//!             Ok(event)
//!         })
//!     })
//!     .serve()
//!     .await
//! # }
//! ```

pub mod access;
pub mod accounts;
pub mod app;
pub mod audit;
pub mod auth;
mod builder;
pub mod changes;
pub mod cli;
pub mod clock;
pub mod collections;
pub mod config;
pub mod dashboard;
pub mod db;
pub mod disk;
pub mod email;
pub mod error;
pub mod expr;
pub mod files;
pub mod hooks;
pub mod http;
pub mod id;
pub mod lifecycle;
pub mod mail;
pub mod metrics;
pub mod open_files;
pub mod realtime;
pub mod records;
pub mod request_facts;
pub mod rooms;
pub mod schema;
pub mod secret;
pub mod slug;
pub mod spelling;
pub mod telemetry;
pub mod token_bucket;
pub mod traffic;

pub use builder::{Builder, Snackbase};
