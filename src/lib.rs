//! SnackBase: a whole backend in one binary.
pub mod clock;
pub mod db;
pub mod error;
pub mod expr;
pub mod id;
pub mod secret;
