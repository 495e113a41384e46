//! SnackBase: a whole backend in one binary.
pub mod auth;
pub mod clock;
pub mod config;
pub mod db;
pub mod error;
pub mod expr;
pub mod id;
pub mod secret;
