//! Registering, signing in and out, and the life of tokens.

mod passwords;
mod register;
mod session;
mod setup;
mod users;
mod verification;
