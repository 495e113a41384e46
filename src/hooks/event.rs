//! What hooks are given.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::HookEvent;
use crate::auth::Caller;
use crate::changes::Change;
use crate::id::AccountId;

/// The life of the server.
#[derive(Clone, Debug)]
pub struct AppEvent {
    /// The address it listens on, once it does.
    pub address: Option<std::net::SocketAddr>,
}

/// A record that is about to be written.
#[derive(Clone, Debug)]
pub struct RecordWrite {
    /// The collection's name.
    pub collection: String,
    /// The record's account.
    pub account_id: AccountId,
    /// The record; `None` when it is about to be created.
    pub record_id: Option<String>,
    /// Who writes.
    pub caller: Caller,
    /// The fields that were sent; what a hook puts here is validated and stored. Empty when
    /// deleting.
    pub data: Map<String, Json>,
}

/// A record that was written.
#[derive(Clone, Debug)]
pub struct RecordChanged {
    /// The collection's name.
    pub collection: String,
    /// The change as the log has it.
    pub change: Arc<Change>,
}

impl RecordChanged {
    /// The record afterwards; `None` if it was deleted.
    pub fn record(&self) -> Option<Map<String, Json>> {
        serde_json::from_str(self.change.record.as_deref()?).ok()
    }

    /// The record before; `None` if it was created.
    pub fn previous(&self) -> Option<Map<String, Json>> {
        serde_json::from_str(self.change.previous.as_deref()?).ok()
    }
}

/// Somebody signs in or out, registers, or resets a password.
#[derive(Clone, Debug)]
pub struct AuthEvent {
    /// The e-mail address.
    pub email: String,
    /// The account, once it is known.
    pub account_id: Option<AccountId>,
    /// The user's id, once it is known.
    pub user_id: Option<String>,
}

/// A realtime connection and what it does.
#[derive(Clone, Debug)]
pub struct RealtimeEvent {
    /// The connection's id.
    pub connection_id: String,
    /// Who is connected.
    pub caller: Caller,
    /// The collection, for subscribe and unsubscribe.
    pub collection: Option<String>,
    /// The message, for message events.
    pub message: Option<Json>,
}

impl HookEvent for AppEvent {}
impl HookEvent for AuthEvent {}
impl HookEvent for RecordWrite {
    fn collection(&self) -> Option<&str> {
        Some(&self.collection)
    }
}
impl HookEvent for RecordChanged {
    fn collection(&self) -> Option<&str> {
        Some(&self.collection)
    }
}
impl HookEvent for RealtimeEvent {
    fn collection(&self) -> Option<&str> {
        self.collection.as_deref()
    }
}
