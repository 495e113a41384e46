//! The handlers, a file for each kind of resource: take the request apart, call the service, shape the answer.

pub mod accounts;
pub mod auth;
pub mod collections;
pub mod health;
pub mod pages;
pub mod records;
pub mod rooms;
pub mod rules;
pub mod setup;
pub mod users;
