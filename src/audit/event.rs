//! What happened besides changes of records: signing in and out, administration, exports. An event
//! is written in the transaction that it tells of, as an entry of the change log; from there it
//! gets into the trail.

use std::fmt::Display;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::sensitive::hide;
use crate::auth::Caller;
use crate::db::{Stmt, Value};
use crate::id::{ANONYMOUS, AccountId, SYSTEM_ACCOUNT};
use crate::request_facts::RequestFacts;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Operation {
    /// Something new.
    Create,
    /// Something is different.
    Update,
    /// Something is gone.
    Delete,
    /// A user signed in.
    Login,
    /// Somebody was not let in.
    LoginFailed,
    /// A user signed out.
    Logout,
    /// Data left the server in a file.
    Export,
    /// A secret was shown.
    Reveal,
}

impl Operation {
    /// The name in the trail.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Login => "LOGIN",
            Self::LoginFailed => "LOGIN_FAILED",
            Self::Logout => "LOGOUT",
            Self::Export => "EXPORT",
            Self::Reveal => "REVEAL",
        }
    }
}

/// An event, as the change log holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    #[serde(skip, default = "system")]
    account: AccountId,
    #[serde(skip)]
    actor: String,
    pub(super) operation: Operation,
    pub(super) table_name: String,
    #[serde(skip)]
    record_id: String,
    pub(super) user_email: Option<String>,
    pub(super) auth_method: Option<String>,
    pub(super) ip_address: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) old_values: Map<String, Json>,
    pub(super) new_values: Map<String, Json>,
}

fn system() -> AccountId {
    SYSTEM_ACCOUNT
}

impl Event {
    /// Something happened to a row of a table. Unless it is said otherwise, the server did it, to
    /// the system account.
    pub fn new(operation: Operation, table: &str, record_id: impl Display) -> Self {
        Self {
            account: SYSTEM_ACCOUNT,
            actor: "system".to_owned(),
            operation,
            table_name: table.to_owned(),
            record_id: record_id.to_string(),
            user_email: None,
            auth_method: None,
            ip_address: None,
            user_agent: None,
            request_id: None,
            old_values: Map::new(),
            new_values: Map::new(),
        }
    }

    /// Something was created: an object with its values.
    pub fn create(table: &str, record_id: impl Display, new: Json) -> Self {
        Self::new(Operation::Create, table, record_id).with(new)
    }

    /// Something was changed: two objects, of which the values that differ are kept.
    pub fn update(table: &str, record_id: impl Display, old: &Json, new: &Json) -> Self {
        let mut event = Self::new(Operation::Update, table, record_id);
        if let (Json::Object(old), Json::Object(new)) = (old, new) {
            for (key, value) in new
                .iter()
                .filter(|(key, value)| old.get(*key) != Some(value))
            {
                event
                    .old_values
                    .insert(key.clone(), old.get(key).cloned().unwrap_or_default());
                event.new_values.insert(key.clone(), value.clone());
            }
        }
        event
    }

    /// Something was deleted: an object with the values that it had.
    pub fn delete(table: &str, record_id: impl Display, old: Json) -> Self {
        let mut event = Self::new(Operation::Delete, table, record_id);
        if let Json::Object(old) = old {
            event.old_values = old;
        }
        event
    }

    /// Details: an object.
    #[must_use]
    pub fn with(mut self, details: Json) -> Self {
        if let Json::Object(details) = details {
            self.new_values.extend(details);
        }
        self
    }

    /// Whose trail it belongs to.
    #[must_use]
    pub fn of(mut self, account: AccountId) -> Self {
        self.account = account;
        self
    }

    /// Who did it.
    #[must_use]
    pub fn by(self, caller: &Caller) -> Self {
        let Some(principal) = caller.principal() else {
            return self.by_nobody();
        };
        self.by_user(
            &principal.user_id_text,
            &principal.email,
            principal.token_type.method(),
        )
    }

    /// A user did it who has just shown who it is: with a `password`, or a `token`. An empty
    /// address is looked up.
    #[must_use]
    pub fn by_user(mut self, user: impl Display, email: &str, method: &str) -> Self {
        self.actor = user.to_string();
        self.user_email = Some(email.to_owned()).filter(|email| !email.is_empty());
        self.auth_method = Some(method.to_owned());
        self
    }

    /// Somebody unknown did it.
    #[must_use]
    pub fn by_nobody(mut self) -> Self {
        ANONYMOUS.clone_into(&mut self.actor);
        self
    }

    /// The statement that writes it, for the transaction that it tells of. Secrets are hidden
    /// before.
    pub fn entry(mut self, at: DateTime<Utc>) -> Stmt {
        if let Some(request) = RequestFacts::current() {
            self.ip_address = request
                .address()
                .map(|address| address.to_canonical().to_string());
            self.user_agent = request.user_agent().map(str::to_owned);
            self.request_id = Some(request.correlation_id().to_owned());
        }
        hide(&mut self.old_values);
        hide(&mut self.new_values);
        let insert = "INSERT INTO change_log (account_id, record_id, operation, at, actor, record) \
                      VALUES ($1, $2, 'audit', $3, $4, $5)";
        // A map with text keys can always be written. PostgreSQL stores no NUL; JSON escapes it.
        let body = serde_json::to_string(&self).unwrap_or_default();
        let args = vec![
            self.account.into(),
            self.record_id.replace('\0', "").into(),
            at.into(),
            Value::Text(self.actor),
            Value::Text(body),
        ];
        Stmt::fixed(insert, args)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_update_keeps_what_differs() {
        let (old, new) = (
            json!({"a": 1, "b": "x", "c": null}),
            json!({"a": 1, "b": "y", "d": 2}),
        );
        let event = Event::update("users", "1", &old, &new);
        assert_eq!(Json::Object(event.old_values), json!({"b": "x", "d": null}));
        assert_eq!(Json::Object(event.new_values), json!({"b": "y", "d": 2}));
    }
}
