//! Takes the change log over into the trail: each change becomes an entry at the end of its
//! account's chain.
//!
//! The change log is written in the transaction of the change, so nothing that was committed is
//! missed, and nothing that was not is told of. How far it was taken over stands in `audit_state`,
//! and moves in the transaction that stores the entries: of several processes on one database, one
//! moves it, and the others read again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::entry::{COLUMNS, Entry};
use super::event::{Event, Operation};
use super::origin::{ChangeKey, Origin};
use super::{Audit, SWITCH, SWITCH_TABLE};
use crate::changes::{ChangeKind, Fields};
use crate::db::{Batch, CommitError, Db, DbError, Stmt, Value};
use crate::id::{ANONYMOUS, CollectionId, RecordId, SYSTEM_ACCOUNT};

/// The most changes taken over at once …
const CHUNK: i64 = 256;
/// … and the most text in them, unless a single one has more, in bytes.
const CHUNK_TEXT: i64 = 4 << 20;
/// After a change, so that a few more can come along.
const GATHER: Duration = Duration::from_millis(50);
/// The safety net, should a wake-up be lost.
const POLL: Duration = Duration::from_secs(1);
/// After another process was faster, and after an error.
const BACK_OFF: Duration = Duration::from_secs(1);
/// While fewer changes than this wait, writers come first: the trail takes a fifth of the time,
/// otherwise a half.
const BACKLOG: i64 = 100_000;
/// Users and chains that are remembered.
const REMEMBERED: usize = 10_000;

/// What the sealer did.
enum Step {
    /// There was nothing to do.
    Idle,
    /// It took some changes over, and so many positions are left.
    Sealed(i64),
    /// Another process did.
    Lost,
}

#[derive(Clone, Copy, sqlx::FromRow)]
struct State {
    position: i64,
    next_id: i64,
    enabled: bool,
}

/// The end of a chain.
#[derive(Clone)]
struct Head {
    entries: i64,
    checksum: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    account_id: Option<String>,
    collection_id: Option<String>,
    record_id: Option<String>,
    operation: String,
    at: DateTime<Utc>,
    actor: String,
    record: Option<String>,
    previous: Option<String>,
    origin: Option<String>,
}

impl Row {
    /// The record that was changed, and when.
    fn change_key(&self) -> Option<ChangeKey> {
        ChangeKind::parse(&self.operation)?;
        let record = Uuid::try_parse(self.record_id.as_deref()?).ok()?;
        Some(ChangeKey::new(RecordId(record), self.at))
    }
}

/// Writes entries.
pub(super) struct Sealer {
    audit: Audit,
    /// Where it stopped: if the trail goes on elsewhere, another process was there.
    reached: Option<i64>,
    heads: HashMap<String, Head>,
    /// The addresses of users.
    emails: HashMap<String, Option<String>>,
    /// The tables of collections, also of dropped ones whose last changes are still to come.
    tables: HashMap<CollectionId, String>,
}

impl Sealer {
    pub(super) fn new(audit: Audit) -> Self {
        let (heads, emails, tables) = Default::default();
        Self {
            audit,
            reached: None,
            heads,
            emails,
            tables,
        }
    }

    /// Takes over whatever comes, until the database is closed.
    pub(super) async fn run(mut self) {
        let mut settled = self.audit.0.changes.stable_positions();
        loop {
            let until = *settled.borrow_and_update();
            let started = Instant::now();
            match self.step(until).await {
                Ok(Step::Sealed(_)) if self.audit.is_awaited() => {}
                Ok(Step::Sealed(left)) => {
                    let share = if left < BACKLOG { 4 } else { 1 };
                    tokio::time::sleep(started.elapsed() * share).await;
                }
                Ok(Step::Idle) => {
                    tokio::select! {
                        changed = settled.changed() => {
                            if changed.is_err() {
                                return;
                            }
                        }
                        () = self.audit.0.wake.notified() => continue,
                        () = tokio::time::sleep(POLL) => {}
                    }
                    tokio::select! {
                        () = tokio::time::sleep(GATHER) => {}
                        () = self.audit.0.wake.notified() => {}
                    }
                }
                Ok(Step::Lost) => tokio::time::sleep(BACK_OFF).await,
                Err(DbError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "changes could not be taken over into the audit trail; trying again");
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// Takes over the next changes, up to a position.
    async fn step(&mut self, until: i64) -> Result<Step, DbError> {
        let db = self.audit.0.db.clone();
        // Ids go on behind whatever is there, even if it got there in another way.
        let select = "SELECT position, enabled, CASE WHEN next_id > last THEN next_id ELSE last + 1 END AS next_id \
                      FROM audit_state, (SELECT coalesce(max(id), 0) AS last FROM audit_log) l WHERE audit_state.id = 1";
        let Some(before) = db.row::<State>(Stmt::fixed(select, Vec::new())).await? else {
            return Err(DbError::Gone);
        };
        if before.position >= until {
            return Ok(Step::Idle);
        }
        // Unless everything goes well, what is remembered may be wrong.
        let reached = self.reached.take();
        if reached != Some(before.position)
            || self.heads.len() > REMEMBERED
            || self.emails.len() > REMEMBERED
        {
            self.heads.clear();
            self.emails.clear();
        }
        let rows = read(&db, before.position, until).await?;
        self.learn_tables();
        let mut after = State {
            position: until,
            ..before
        };
        if let Some(last) = rows.last().filter(|last| last.position < until) {
            after.position = last.position;
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(rows.len());
        let changes: Vec<ChangeKey> = rows.iter().filter_map(Row::change_key).collect();
        for row in rows {
            let Some(mut entry) = self.entry(row).await? else {
                continue;
            };
            let switched = switched(&entry);
            if after.enabled || switched == Some(true) {
                self.chain(&mut entry, &mut after.next_id).await?;
                entries.push(entry);
            }
            after.enabled = switched.unwrap_or(after.enabled);
        }
        match db.commit(self.batch(before, after, entries)).await {
            Ok(_) => {
                self.audit.0.origins.forget(changes);
                self.reached = Some(after.position);
                self.audit.0.sealed.send_replace(after.position);
                Ok(Step::Sealed(until - after.position))
            }
            Err(CommitError {
                source: DbError::Gone | DbError::Busy | DbError::SerializationFailure,
                ..
            }) => Ok(Step::Lost),
            Err(error) => Err(error.source),
        }
    }

    fn learn_tables(&mut self) {
        for collection in self.audit.0.catalog.current().iter() {
            self.tables
                .insert(collection.id, collection.table.as_str().to_owned());
        }
    }

    /// The entry of a change, without its place in the chain; none for what tells other nodes
    /// something.
    async fn entry(&mut self, row: Row) -> Result<Option<Entry>, DbError> {
        let entry = match ChangeKind::parse(&row.operation) {
            Some(ChangeKind::Create) => Some(self.change(Operation::Create, row)),
            Some(ChangeKind::Update) => Some(self.change(Operation::Update, row)),
            Some(ChangeKind::Delete) => Some(self.change(Operation::Delete, row)),
            Some(ChangeKind::Catalog | ChangeKind::Access) => None,
            None => self.event(row),
        };
        let Some(mut entry) = entry else {
            return Ok(None);
        };
        if entry.user_email.is_none() {
            entry.user_email = self.email(&entry.actor).await?;
        }
        Ok(Some(entry))
    }

    /// The entry of a record.
    fn change(&self, operation: Operation, row: Row) -> Entry {
        let (mut old, mut new) = (
            Fields::read(row.previous.as_deref()),
            Fields::read(row.record.as_deref()),
        );
        for fields in [&mut old, &mut new] {
            // Documents name the account, records do not.
            fields.remove("account_name");
        }
        if operation == Operation::Update {
            // The log has the earlier values of what changed; of computed values, and in entries of
            // older versions, of all.
            old.retain_changes(&new);
            new.retain_common(&old);
        }
        let collection = row.collection_id.as_deref().unwrap_or_default();
        let noted = || {
            row.change_key()
                .and_then(|key| self.audit.0.origins.noted(&key))
        };
        let told = row
            .origin
            .as_deref()
            .and_then(|origin| serde_json::from_str(origin).ok());
        let Origin {
            auth_method,
            ip_address,
            user_agent,
            request_id,
        } = told.or_else(noted).unwrap_or_default();
        let table = CollectionId::parse(collection)
            .and_then(|id| self.tables.get(&id))
            .cloned();
        Entry {
            row_count: Fields::rows(&old, &new),
            table_name: table.unwrap_or_else(|| format!("collection {collection}")),
            old_values: row
                .previous
                .is_some()
                .then(|| old.write(self.audit.0.value_bytes)),
            new_values: row
                .record
                .is_some()
                .then(|| new.write(self.audit.0.value_bytes)),
            auth_method,
            ip_address,
            user_agent,
            request_id,
            ..Entry::unchained(operation, row.account_id, row.record_id, row.actor, row.at)
        }
    }

    fn event(&mut self, row: Row) -> Option<Entry> {
        let event: Event = serde_json::from_str(row.record.as_deref()?).ok()?;
        let values = |values: &serde_json::Map<_, _>| {
            (!values.is_empty()).then(|| serde_json::to_string(values).unwrap_or_default())
        };
        let (old, new) = (values(&event.old_values), values(&event.new_values));
        let entry = Entry {
            row_count: Fields::rows(&Fields::read(old.as_deref()), &Fields::read(new.as_deref())),
            table_name: event.table_name,
            old_values: old,
            new_values: new,
            user_email: event.user_email,
            auth_method: event.auth_method,
            ip_address: event.ip_address,
            user_agent: event.user_agent,
            request_id: event.request_id,
            ..Entry::unchained(
                event.operation,
                row.account_id,
                row.record_id,
                row.actor,
                row.at,
            )
        };
        // A user may have another address from now on.
        self.emails.remove(&entry.record_id);
        Some(entry)
    }

    async fn email(&mut self, actor: &str) -> Result<Option<String>, DbError> {
        if [ANONYMOUS, "system"].contains(&actor) {
            return Ok(None);
        }
        if let Some(email) = self.emails.get(actor) {
            return Ok(email.clone());
        }
        let select = Stmt::fixed("SELECT email FROM users WHERE id = $1", vec![actor.into()]);
        let email = self
            .audit
            .0
            .db
            .row::<(String,)>(select)
            .await?
            .map(|(email,)| email);
        self.emails.insert(actor.to_owned(), email.clone());
        Ok(email)
    }

    /// Puts an entry at the end of its account's chain.
    async fn chain(&mut self, entry: &mut Entry, next_id: &mut i64) -> Result<(), DbError> {
        let account = entry.account_id.clone();
        let head = match self.heads.get(&account) {
            Some(head) => head.clone(),
            None => self.head(&account).await?,
        };
        entry.id = *next_id;
        entry.seq = head.entries + 1;
        entry.previous_hash = head.checksum;
        entry.checksum = entry.seal();
        *next_id += i64::from(entry.row_count);
        self.heads.insert(
            account,
            Head {
                entries: entry.seq,
                checksum: Some(entry.checksum.clone()),
            },
        );
        Ok(())
    }

    async fn head(&self, account: &str) -> Result<Head, DbError> {
        let db = &self.audit.0.db;
        let select = "SELECT checksum FROM audit_chains WHERE account_id = $1";
        let checksum: Option<(String,)> = db.row(Stmt::fixed(select, vec![account.into()])).await?;
        // Behind whatever is there, even if it got there in another way: the checksum is that of
        // the last one of ours.
        let last = "SELECT coalesce(max(seq), 0) FROM audit_log WHERE account_id = $1";
        let entries = db.count(Stmt::fixed(last, vec![account.into()])).await?;
        Ok(Head {
            entries,
            checksum: checksum.map(|(checksum,)| checksum),
        })
    }

    fn batch(&self, before: State, after: State, entries: Vec<Entry>) -> Batch {
        // First, so that another process waits here, and then finds that it lost.
        let update = "UPDATE audit_state SET position = $1, next_id = $2, enabled = $3 WHERE id = 1 AND position = $4";
        let args = vec![
            after.position.into(),
            after.next_id.into(),
            after.enabled.into(),
            before.position.into(),
        ];
        let mut batch = Batch::new().require(Stmt::fixed(update, args));
        let mut chains: Vec<String> = entries
            .iter()
            .map(|entry| entry.account_id.clone())
            .collect();
        chains.sort_unstable();
        chains.dedup();
        let db = &self.audit.0.db;
        for some in in_powers_of_two(entries) {
            let mut sql = db.sql();
            sql.push("INSERT INTO audit_log (")
                .push(COLUMNS)
                .push(") VALUES ");
            sql.list(", ", some, |sql, entry| {
                sql.push("(").list(", ", entry.values(), |sql, value| {
                    sql.arg(value);
                });
                sql.push(")");
            });
            batch = batch.with(sql.build());
        }
        for some in in_powers_of_two(chains) {
            let mut sql = db.sql();
            sql.push("INSERT INTO audit_chains (account_id, entries, checksum) VALUES ");
            sql.list(", ", some, |sql, account| {
                if let Some(head) = self.heads.get(&account) {
                    sql.push("(")
                        .arg(account)
                        .push(", ")
                        .arg(head.entries)
                        .push(", ");
                    sql.arg(Value::text_or_null(head.checksum.clone()))
                        .push(")");
                }
            });
            sql.push(
                " ON CONFLICT (account_id) DO UPDATE SET entries = excluded.entries, checksum = excluded.checksum",
            );
            batch = batch.with(sql.build());
        }
        batch
    }
}

/// Whether an entry says that from now on changes are kept, or that they are not.
fn switched(entry: &Entry) -> Option<bool> {
    if entry.table_name != SWITCH_TABLE || entry.record_id != SWITCH {
        return None;
    }
    Some(
        entry
            .new_values
            .as_deref()
            .is_some_and(|values| values.contains("true")),
    )
}

/// The next changes after a position, not more than fit into a chunk.
async fn read(db: &Db, position: i64, until: i64) -> Result<Vec<Row>, DbError> {
    let sizes = "SELECT position, \
                 CAST(coalesce(octet_length(record), 0) + coalesce(octet_length(previous), 0) AS BIGINT) FROM change_log \
                 WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3";
    let sizes = Stmt::fixed(sizes, vec![position.into(), until.into(), CHUNK.into()]);
    let sizes: Vec<(i64, i64)> = db.rows(sizes).await?;
    let (mut last, mut text) = (position, 0);
    for (position, size) in sizes {
        text += size;
        if text > CHUNK_TEXT && text > size {
            break;
        }
        last = position;
    }
    let select = "SELECT position, account_id, collection_id, record_id, operation, at, actor, record, previous, origin \
                  FROM change_log WHERE position > $1 AND position <= $2 ORDER BY position";
    db.rows(Stmt::fixed(select, vec![position.into(), last.into()]))
        .await
}

/// Cuts a list into pieces whose lengths are powers of two, so that few statements are prepared.
fn in_powers_of_two<T>(mut items: Vec<T>) -> Vec<Vec<T>> {
    let mut pieces = Vec::new();
    while !items.is_empty() {
        let rest = items.split_off(1 << items.len().min(128).ilog2());
        pieces.push(std::mem::replace(&mut items, rest));
    }
    pieces
}

impl Entry {
    fn unchained(
        operation: Operation,
        account_id: Option<String>,
        record_id: Option<String>,
        actor: String,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id: 0,
            row_count: 1,
            account_id: account_id.unwrap_or_else(|| SYSTEM_ACCOUNT.to_string()),
            seq: 0,
            operation: operation.name().to_owned(),
            table_name: String::new(),
            record_id: record_id.unwrap_or_default(),
            old_values: None,
            new_values: None,
            actor,
            user_email: None,
            auth_method: None,
            ip_address: None,
            user_agent: None,
            request_id: None,
            occurred_at,
            previous_hash: None,
            checksum: String::new(),
        }
    }

    /// The values of [`COLUMNS`].
    fn values(self) -> [Value; 18] {
        [
            self.id.into(),
            i64::from(self.row_count).into(),
            self.account_id.into(),
            self.seq.into(),
            self.operation.into(),
            self.table_name.into(),
            self.record_id.into(),
            Value::text_or_null(self.old_values),
            Value::text_or_null(self.new_values),
            self.actor.into(),
            Value::text_or_null(self.user_email),
            Value::text_or_null(self.auth_method),
            Value::text_or_null(self.ip_address),
            Value::text_or_null(self.user_agent),
            Value::text_or_null(self.request_id),
            self.occurred_at.into(),
            Value::text_or_null(self.previous_hash),
            self.checksum.into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_all_items_in_order_and_lengths_that_are_powers_of_two() {
        for length in [0, 1, 7, 128, 300] {
            let pieces = in_powers_of_two((0..length).collect::<Vec<_>>());
            assert!(
                pieces
                    .iter()
                    .all(|piece| piece.len().is_power_of_two() && piece.len() <= 128)
            );
            assert_eq!(pieces.concat(), (0..length).collect::<Vec<_>>());
        }
    }
}
