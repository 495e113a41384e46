//! The handlers, a file for each kind of resource: take the request apart, call the service, shape
//! the answer.

pub mod accounts;
pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod collections;
pub mod dashboard;
pub mod groups;
pub mod health;
pub mod invitations;
pub mod macros;
pub mod operation;
pub mod pages;
pub mod records;
pub mod roles;
pub mod rooms;
pub mod rules;
pub mod sessions;
pub mod setup;
pub mod users;
