//! Promises that need processes: what survives a crash, what several servers on one database see, a
//! program that embeds the server, and random worlds in which servers come and go.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]
#![expect(clippy::too_many_lines, reason = "a story is told in one go")]

mod access;
mod backup;
mod direct;
mod durability;
mod embedding;
mod files;
#[path = "../harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the other tests use the rest")]
mod harness;
mod nodes;
mod output;
mod pressure;
mod rooms;
mod signals;
mod simulation;
