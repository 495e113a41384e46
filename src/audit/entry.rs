//! Entries of the trail: how they are stored, chained, and expanded to one row for each column.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::{Serialize, ser};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::sensitive::{HIDDEN, Masks, is_secret, masked};
use crate::changes::Fields;
use crate::db::canonical_time;
use crate::id::ANONYMOUS;

/// An entry, as it is stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) row_count: i32,
    pub(super) account_id: String,
    pub(super) seq: i64,
    pub(super) operation: String,
    pub(super) table_name: String,
    pub(super) record_id: String,
    pub(super) old_values: Option<String>,
    pub(super) new_values: Option<String>,
    pub(super) actor: String,
    pub(super) user_email: Option<String>,
    pub(super) auth_method: Option<String>,
    pub(super) ip_address: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) occurred_at: DateTime<Utc>,
    pub(super) previous_hash: Option<String>,
    pub(super) checksum: String,
}

impl Entry {
    /// The bytes of what it says about values: all that can be large.
    pub(super) fn size(&self) -> usize {
        [&self.old_values, &self.new_values]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum()
    }
}

impl TrailRow {
    /// The bytes of its values.
    pub(super) fn size(&self) -> usize {
        [&self.old_value, &self.new_value]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum()
    }
}

/// The columns of [`Entry`], in the order in which they are written.
pub(super) const COLUMNS: &str = "id, row_count, account_id, seq, operation, table_name, record_id, old_values, \
                                  new_values, actor, user_email, auth_method, ip_address, user_agent, request_id, \
                                  occurred_at, previous_hash, checksum";

/// What the checksum is made of: everything but the checksum, keys in the order of the alphabet.
#[derive(Serialize)]
struct Sealed<'e> {
    account_id: &'e str,
    actor: &'e str,
    auth_method: Option<&'e str>,
    id: i64,
    ip_address: Option<&'e str>,
    new_values: Option<&'e str>,
    #[serde(serialize_with = "time")]
    occurred_at: DateTime<Utc>,
    old_values: Option<&'e str>,
    operation: &'e str,
    previous_hash: Option<&'e str>,
    record_id: &'e str,
    request_id: Option<&'e str>,
    row_count: i32,
    seq: i64,
    table_name: &'e str,
    user_agent: Option<&'e str>,
    user_email: Option<&'e str>,
}

fn time<S: ser::Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&canonical_time(*time))
}

impl Entry {
    /// The checksum that the entry must have: SHA-256 of it as JSON, in hexadecimal digits.
    pub(super) fn seal(&self) -> String {
        let sealed = Sealed {
            account_id: &self.account_id,
            actor: &self.actor,
            auth_method: self.auth_method.as_deref(),
            id: self.id,
            ip_address: self.ip_address.as_deref(),
            new_values: self.new_values.as_deref(),
            occurred_at: self.occurred_at,
            old_values: self.old_values.as_deref(),
            operation: &self.operation,
            previous_hash: self.previous_hash.as_deref(),
            record_id: &self.record_id,
            request_id: self.request_id.as_deref(),
            row_count: self.row_count,
            seq: self.seq,
            table_name: &self.table_name,
            user_agent: self.user_agent.as_deref(),
            user_email: self.user_email.as_deref(),
        };
        // Texts, numbers and nulls can always be written.
        hex(&Sha256::digest(
            serde_json::to_vec(&sealed).unwrap_or_default(),
        ))
    }

    /// One row for each column; a single one without a column where there is none. With `masks`,
    /// personal data is masked.
    pub(super) fn rows(&self, masks: Option<&Masks>) -> Vec<TrailRow> {
        let old = Fields::read(self.old_values.as_deref());
        let new = Fields::read(self.new_values.as_deref());
        let own = new.0.iter().map(|(name, _)| name);
        let gone = old
            .0
            .iter()
            .map(|(name, _)| name)
            .filter(|name| new.get(name).is_none());
        let mut names: Vec<&str> = own.chain(gone).map(String::as_str).collect();
        if names.is_empty() {
            names.push("");
        }
        let row = |(index, name): (usize, &str)| {
            let shown = |fields: &Fields<'_>| {
                let value = fields.get(name).and_then(plain)?;
                Some(match masks {
                    Some(masks) => masks.apply(&self.table_name, name, &value).into_owned(),
                    None => value,
                })
            };
            let person = |text: &str| {
                if masks.is_some() {
                    masked("email", text).into_owned()
                } else {
                    text.to_owned()
                }
            };
            let known = ![ANONYMOUS, "system"].contains(&self.actor.as_str());
            TrailRow {
                id: self.id + i64::try_from(index).unwrap_or_default(),
                account_id: self.account_id.clone(),
                operation: self.operation.clone(),
                table_name: self.table_name.clone(),
                record_id: self.record_id.clone(),
                column_name: name.to_owned(),
                old_value: shown(&old),
                new_value: shown(&new),
                user_id: known.then(|| self.actor.clone()),
                user_email: self.user_email.as_deref().map(person),
                user_name: person(self.user_email.as_deref().unwrap_or(&self.actor)),
                ip_address: self.ip_address.clone(),
                user_agent: self.user_agent.clone(),
                request_id: self.request_id.clone(),
                occurred_at: self.occurred_at,
                checksum: self.checksum.clone(),
                previous_hash: self.previous_hash.clone(),
                auth_method: self.auth_method.clone(),
            }
        };
        names.into_iter().enumerate().map(row).collect()
    }
}

/// One column of an entry. The rows of an entry share its checksum.
#[derive(Clone, Debug)]
pub struct TrailRow {
    /// The row's id; it never changes.
    pub id: i64,
    /// Whose trail it belongs to.
    pub account_id: String,
    /// `CREATE`, `UPDATE`, `DELETE`, `LOGIN`, `LOGIN_FAILED`, `LOGOUT`, `EXPORT` or `REVEAL`.
    pub operation: String,
    /// What it happened to: a system table, or `col_` and the collection's name.
    pub table_name: String,
    /// The row of that table.
    pub record_id: String,
    /// The column; empty if the entry has none.
    pub column_name: String,
    /// The value before.
    pub old_value: Option<String>,
    /// The value afterwards.
    pub new_value: Option<String>,
    /// Who did it; null for visitors and for the server itself.
    pub user_id: Option<String>,
    /// The user's address at that time.
    pub user_email: Option<String>,
    /// The user's address, `anonymous` or `system`.
    pub user_name: String,
    /// Where the request came from.
    pub ip_address: Option<String>,
    /// What the client said it was.
    pub user_agent: Option<String>,
    /// The request's `X-Correlation-ID`.
    pub request_id: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// The entry's checksum: SHA-256 in hexadecimal digits.
    pub checksum: String,
    /// The checksum of the account's entry before.
    pub previous_hash: Option<String>,
    /// The way in which the user had signed in, where it is known: `jwt`, `api_key`, `password` or
    /// `token`.
    pub auth_method: Option<String>,
}

impl Fields<'_> {
    /// How many rows an entry stands for that has these fields before and those afterwards.
    pub(super) fn rows(old: &Self, new: &Self) -> i32 {
        let gone = old
            .0
            .iter()
            .filter(|(name, _)| new.get(name).is_none())
            .count();
        i32::try_from((gone + new.0.len()).max(1)).unwrap_or(i32::MAX)
    }

    /// Leaves a field out.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(own, _)| own != name);
    }

    /// Leaves what is different in the other one.
    pub(super) fn retain_changes(&mut self, other: &Fields<'_>) {
        self.0.retain(|(name, value)| {
            other
                .get(name)
                .is_none_or(|there| there.get() != value.get())
        });
    }

    /// Leaves what the other one has, too.
    pub(super) fn retain_common(&mut self, other: &Fields<'_>) {
        self.0.retain(|(name, _)| other.get(name).is_some());
    }

    /// As a document, with secrets hidden, and a digest in place of values that have more than so
    /// many bytes.
    pub(super) fn write(&self, value_bytes: usize) -> String {
        let mut text = String::from("{");
        for (index, (name, value)) in self.0.iter().enumerate() {
            let shown = match value.get() {
                "null" => "null",
                _ if is_secret(name) => &format!("\"{HIDDEN}\""),
                long if long.len() > value_bytes => &format!("\"{}\"", digest(value)),
                short => short,
            };
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(
                text,
                "{comma}{}:{shown}",
                serde_json::Value::from(name.as_str())
            );
        }
        text.push('}');
        text
    }
}

/// What stands for a value that is too long to be kept.
fn digest(value: &RawValue) -> String {
    let text = plain(value).unwrap_or_default();
    format!(
        "{} bytes, SHA-256 {}",
        text.len(),
        hex(&Sha256::digest(&text))
    )
}

fn hex(digest: &[u8]) -> String {
    digest
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// A value as text: a text without its quotes, anything else as JSON, null as nothing.
fn plain(value: &RawValue) -> Option<String> {
    match value.get() {
        "null" => None,
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        other => Some(other.to_owned()),
    }
}
