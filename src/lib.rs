//! SnackBase: a whole backend in one binary.
pub mod db;
