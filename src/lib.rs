//! SnackBase: a whole backend in one binary.
pub mod changes;
pub mod clock;
pub mod db;
pub mod error;
pub mod expr;
pub mod hooks;
pub mod id;
pub mod schema;
pub mod secret;
