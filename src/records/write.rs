//! Creating, changing and deleting one record.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::draft::{Draft, check_access, read_values};
use super::file_changes::{FileBasis, MAX_ATTEMPTS, changes_files};
use super::{Records, record_id, record_not_found};
use crate::access::RecordScope;
use crate::audit::ChangeKey;
use crate::auth::Caller;
use crate::db::{
    Batch, CommitError, DbError, Doc, Ident, SEALED, Sql, Stmt, Value, canonical_time,
};
use crate::error::{Error, FieldError, Result};
use crate::expr::Sent;
use crate::hooks::{Chain, RecordWrite};
use crate::id::{AccountId, RecordId, SYSTEM_ACCOUNT};
use crate::schema::{Body, Collection, Field, Operation, ddl};

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A new record: what is missing gets its default, or null.
    Create,
    /// Required fields must be there; missing ones with a default get it, others keep their value.
    Put,
    /// Only what is sent changes.
    Patch,
}

/// The argument of an update's statement that is the first of its values.
pub(super) const FIRST_VALUE: usize = 2;

/// A write that is ready to be committed.
pub(super) struct Prepared<'c> {
    pub stmt: Stmt,
    pub draft: Draft<'c>,
    pub account: Option<AccountId>,
    /// What the trail will know the change by.
    pub change: ChangeKey,
    /// Whether the write fails if others have changed the record's files in between.
    pub may_be_outrun: bool,
}

impl Records {
    /// Creates a record and returns it.
    pub(super) async fn try_create(
        &self,
        caller: &Caller,
        collection: &str,
        body: Body,
    ) -> Result<Doc> {
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::Create)?;
        let prepared = self.prepare_create(&scope, body, true).await?;
        let batch = Batch::new()
            .require(prepared.stmt.clone())
            .under(self.locks(&scope));
        match self
            .commit_noted(caller, batch, std::slice::from_ref(&prepared))
            .await
        {
            Ok(docs) => Ok(self.answer(&scope, docs).await),
            Err(error) => Err(self.explain(&scope, error, &prepared).await),
        }
    }

    /// Changes a record and returns it.
    pub(super) async fn try_update(
        &self,
        caller: &Caller,
        collection: &str,
        id: &str,
        body: Body,
        mode: Mode,
    ) -> Result<Doc> {
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::Update)?;
        let id = record_id(id)?;
        let sent = scope.rule.map(|_| body.clone());
        let mut body = body;
        let attempts = if changes_files(&body) {
            MAX_ATTEMPTS
        } else {
            1
        };
        for left in (0..attempts).rev() {
            let body = if left == 0 {
                std::mem::take(&mut body)
            } else {
                body.clone()
            };
            let prepared = match self.prepare_update(&scope, id, body, mode).await {
                Ok(prepared) => prepared,
                Err(error) => return Err(self.hidden_or(&scope, id, sent.as_ref(), error).await),
            };
            let batch = Batch::new()
                .require(prepared.stmt.clone())
                .under(self.locks(&scope));
            match self
                .commit_noted(caller, batch, std::slice::from_ref(&prepared))
                .await
            {
                Ok(docs) => return Ok(self.answer(&scope, docs).await),
                Err(CommitError {
                    source: DbError::Gone,
                    ..
                }) if prepared.may_be_outrun && left > 0 => {}
                Err(error) => return Err(self.explain(&scope, error, &prepared).await),
            }
        }
        Err(Error::DefinitionChanged)
    }

    /// Deletes a record.
    pub(super) async fn try_delete(
        &self,
        caller: &Caller,
        collection: &str,
        id: &str,
    ) -> Result<()> {
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::Delete)?;
        let id = record_id(id)?;
        let stmt = self.prepare_delete(&scope, id).await?;
        let batch = Batch::new().require(stmt).under(self.locks(&scope));
        let batch = batch.acting(caller.actor(), self.clock.now(), self.origins.text(caller));
        self.db
            .commit(batch)
            .await
            .map(|_| ())
            .map_err(|error| delete_error(error.source))
    }

    /// Commits writes and tells the trail where they come from. Refused writes leave nothing
    /// behind.
    pub(super) async fn commit_noted(
        &self,
        caller: &Caller,
        batch: Batch,
        writes: &[Prepared<'_>],
    ) -> std::result::Result<Vec<Option<Doc>>, CommitError> {
        // Before the commit: the trail may take the change over at once.
        self.origins
            .note(caller, writes.iter().map(|write| write.change));
        let committed = self.db.commit(batch).await;
        if committed.is_err() {
            self.origins.forget(writes.iter().map(|write| write.change));
        }
        committed
    }

    /// Checks a body and writes the statement that stores it. `single` takes an `account_id` from a
    /// superadmin.
    pub(super) async fn prepare_create<'c>(
        &self,
        scope: &RecordScope<'c>,
        mut body: Body,
        single: bool,
    ) -> Result<Prepared<'c>> {
        let chosen = if scope.caller.is_superadmin() && single {
            body.shift_remove("account_id")
        } else {
            None
        };
        let account = match (scope.account, chosen) {
            (Some(account), _) => account,
            (None, Some(chosen)) => self.existing_account(&chosen).await?,
            (None, None) => SYSTEM_ACCOUNT,
        };
        self.apply_file_changes(scope, None, &mut body).await?;
        check_access(scope, &body, None)?;
        self.guesses.check(scope, &body)?;
        let mut body = self
            .before(&self.hooks.record_before_create, scope, account, None, body)
            .await?;
        self.resolve_files(scope, account, None, &mut body).await?;
        let mut draft = read_values(scope, &body, Mode::Create, &Body::new())?;
        let (id, now) = (RecordId::new(), self.clock.now());
        let record = scope
            .rule
            .map(|rule| (rule, prospective(scope, account, id, now, &draft)));
        // A rule about other records is asked in the statement that inserts.
        if let Some((rule, record)) = record.as_ref().filter(|(rule, _)| !rule.relational())
            && rule.eval(record, &scope.caller.attributes(), Some(draft.sent(true))) != Some(true)
        {
            return Err(not_satisfied());
        }
        draft.seal(&self.vault, account, scope.collection.id, id)?;
        let relational = record.as_ref().filter(|(rule, _)| rule.relational());
        let stmt = self.insert(scope, account, id, now, &draft, &|sql| {
            if let Some((rule, record)) = relational {
                sql.push(" AND (");
                rule.write_sql_about(
                    sql,
                    record,
                    &scope.caller.attributes(),
                    Some(draft.sent(true)),
                );
                sql.push(")");
            }
        });
        Ok(Prepared {
            stmt,
            draft,
            account: Some(account),
            change: ChangeKey::new(id, now),
            may_be_outrun: false,
        })
    }

    /// Checks a body and writes the statement that applies it, if the rule lets it.
    pub(super) async fn prepare_update<'c>(
        &self,
        scope: &RecordScope<'c>,
        id: RecordId,
        mut body: Body,
        mode: Mode,
    ) -> Result<Prepared<'c>> {
        let basis: FileBasis = self.apply_file_changes(scope, Some(id), &mut body).await?;
        check_access(scope, &body, None)?;
        self.guesses.check(scope, &body)?;
        let unchanged = self.unmask(scope, id, &mut body).await?;
        let account = match scope.account {
            Some(account) => account,
            None => self
                .account_of(scope, id)
                .await?
                .ok_or_else(record_not_found)?,
        };
        let mut body = self
            .before(
                &self.hooks.record_before_update,
                scope,
                account,
                Some(id),
                body,
            )
            .await?;
        self.resolve_files(scope, account, Some(id), &mut body)
            .await?;
        let mut draft = read_values(scope, &body, mode, &unchanged)?;
        draft.seal(&self.vault, account, scope.collection.id, id)?;
        let now = self.clock.now();
        let mut sql = self.db.sql();
        sql.push("UPDATE ")
            .fragment(scope.collection.source())
            .push(" AS r SET \"updated_at\" = ")
            .arg(now);
        sql.push(", \"updated_by\" = ").arg(scope.caller.actor());
        for (field, value) in &draft.values {
            sql.push(", ")
                .ident(&field.column)
                .push(" = ")
                .arg(value.clone());
        }
        sql.push(" WHERE r.id = ").arg(id);
        scope.write_conditions(&mut sql, Some(draft.sent(false)));
        self.write_references(&mut sql, account, &draft);
        Self::write_files(&mut sql, account, &draft);
        basis.write_conditions(&mut sql);
        sql.change_origin(|| self.origins.text(scope.caller));
        sql.push(" RETURNING ")
            .fragment(scope.collection.returning_document());
        Ok(Prepared {
            stmt: sql.build(),
            draft,
            account: Some(account),
            change: ChangeKey::new(id, now),
            may_be_outrun: !basis.is_empty(),
        })
    }

    /// Writes the statement that deletes a record, if the rule lets it.
    pub(super) async fn prepare_delete(
        &self,
        scope: &RecordScope<'_>,
        id: RecordId,
    ) -> Result<Stmt> {
        let chain = &self.hooks.record_before_delete;
        if !chain.is_empty() {
            let account = match scope.account {
                Some(account) => Some(account),
                None => self.account_of(scope, id).await?,
            };
            let account = account.ok_or_else(record_not_found)?;
            self.before(chain, scope, account, Some(id), Body::new())
                .await?;
        }
        let mut sql = self.db.sql();
        sql.push("DELETE FROM ")
            .fragment(scope.collection.source())
            .push(" AS r WHERE r.id = ")
            .arg(id);
        scope.write_conditions(&mut sql, None);
        sql.push(" RETURNING id");
        Ok(sql.build())
    }

    fn insert(
        &self,
        scope: &RecordScope<'_>,
        account: AccountId,
        id: RecordId,
        now: DateTime<Utc>,
        draft: &Draft<'_>,
        write_rule: &dyn Fn(&mut Sql),
    ) -> Stmt {
        let actor = scope.caller.actor();
        let mut sql = self.db.sql();
        sql.push("INSERT INTO ").fragment(scope.collection.source());
        sql.push(" (\"id\", \"account_id\", \"created_at\", \"created_by\", \"updated_at\", \"updated_by\"");
        for (field, _) in &draft.values {
            sql.push(", ").ident(&field.column);
        }
        sql.push(") ").row(id, |sql| {
            sql.push("SELECT ")
                .arg(id)
                .push(", ")
                .arg(account)
                .push(", ");
            sql.arg(now)
                .push(", ")
                .arg(actor)
                .push(", ")
                .arg(now)
                .push(", ")
                .arg(actor);
            for (_, value) in &draft.values {
                sql.push(", ").arg(value.clone());
            }
            sql.push(" WHERE 1 = 1");
            self.write_references(sql, account, draft);
            Self::write_files(sql, account, draft);
            write_rule(sql);
            sql.change_origin(|| self.origins.text(scope.caller));
        });
        sql.push(" RETURNING ")
            .fragment(scope.collection.returning_document());
        sql.build()
    }

    /// Appends `AND …` for every reference: it must exist in the account.
    fn write_references(&self, sql: &mut Sql, account: AccountId, draft: &Draft<'_>) {
        for (field, id) in draft.references() {
            if let Some(table) = self.target_table(field.target.as_deref()) {
                sql.push(" AND EXISTS (SELECT 1 FROM ")
                    .ident(&table)
                    .push(" t WHERE t.id = ")
                    .arg(id);
                sql.push(" AND t.account_id = ").arg(account).push(")");
            }
        }
    }

    fn target_table(&self, target: Option<&str>) -> Option<Ident> {
        self.catalog
            .current()
            .by_name_ignoring_case(target?)
            .map(|collection| collection.table.clone())
    }

    async fn before(
        &self,
        chain: &Chain<RecordWrite>,
        scope: &RecordScope<'_>,
        account: AccountId,
        id: Option<RecordId>,
        body: Body,
    ) -> Result<Body> {
        if chain.is_empty() {
            return Ok(body);
        }
        let event = RecordWrite {
            collection: scope.collection.name.clone(),
            account_id: account,
            record_id: id.map(|id| id.to_string()),
            caller: scope.caller.clone(),
            data: body,
        };
        Ok(chain.run(event).await?.data)
    }

    async fn existing_account(&self, chosen: &Json) -> Result<AccountId> {
        let invalid = || {
            Error::invalid(
                "account_id",
                "invalid_reference",
                "This account does not exist",
            )
        };
        let id = chosen
            .as_str()
            .and_then(AccountId::parse)
            .ok_or_else(invalid)?;
        let found = self
            .db
            .count(Stmt::fixed(
                "SELECT count(*) FROM accounts WHERE id = $1",
                vec![id.into()],
            ))
            .await?;
        if found == 1 { Ok(id) } else { Err(invalid()) }
    }

    async fn account_of(&self, scope: &RecordScope<'_>, id: RecordId) -> Result<Option<AccountId>> {
        let mut sql = self.db.sql();
        sql.push("SELECT r.account_id FROM ")
            .fragment(scope.collection.source())
            .push(" r WHERE r.id = ")
            .arg(id);
        Ok(self
            .db
            .doc(sql.build())
            .await?
            .as_deref()
            .and_then(AccountId::parse))
    }

    /// Puts the stored values in place of masks that come back unchanged, and returns them: they
    /// are no new values.
    async fn unmask(&self, scope: &RecordScope<'_>, id: RecordId, body: &mut Body) -> Result<Body> {
        let mut unchanged = Body::new();
        for field in scope
            .collection
            .fields
            .iter()
            .filter(|field| field.encrypted)
        {
            if let Some(sent) = body.get(&field.name).filter(|sent| **sent == SEALED) {
                unchanged.insert(field.name.clone(), sent.clone());
            }
        }
        let sent = scope
            .collection
            .fields
            .iter()
            .any(|field| field.mask.is_some() && body.contains_key(&field.name));
        if !sent || !scope.view().is_masked() {
            return Ok(unchanged);
        }
        let mut sql = self.db.sql();
        sql.push("SELECT ")
            .fragment(scope.collection.full_document());
        sql.push(" FROM ")
            .fragment(scope.collection.source())
            .push(" r WHERE r.id = ")
            .arg(id);
        if let Some(account) = scope.account {
            sql.push(" AND r.account_id = ").arg(account);
        }
        let Some(doc) = self.db.doc(sql.build()).await? else {
            return Err(record_not_found());
        };
        let stored: Body = serde_json::from_str(&doc).map_err(Error::internal)?;
        for field in &scope.collection.fields {
            if let (Some(mask), Some(sent), Some(stored)) =
                (field.mask, body.get(&field.name), stored.get(&field.name))
                && *sent == mask.apply(stored)
            {
                body.insert(field.name.clone(), stored.clone());
                unchanged.insert(field.name.clone(), stored.clone());
            }
        }
        Ok(unchanged)
    }

    /// A problem with a body is told only to callers who may change the record by the rule, which
    /// sees what was sent. To others the record does not exist.
    pub(super) async fn hidden_or(
        &self,
        scope: &RecordScope<'_>,
        id: RecordId,
        sent: Option<&Body>,
        error: Error,
    ) -> Error {
        let mut sql = self.db.sql();
        sql.push("SELECT r.id FROM ")
            .fragment(scope.collection.source())
            .push(" r WHERE r.id = ")
            .arg(id);
        scope.write_conditions(
            &mut sql,
            sent.map(|values| Sent {
                values,
                is_new: false,
            }),
        );
        match self.db.doc(sql.build()).await {
            Ok(Some(_)) => error,
            Ok(None) => record_not_found(),
            Err(error) => error.into(),
        }
    }

    /// Says why a write was not stored.
    pub(super) async fn explain(
        &self,
        scope: &RecordScope<'_>,
        error: CommitError,
        write: &Prepared<'_>,
    ) -> Error {
        match error.source {
            DbError::Unique { hint } => match unique_field(scope.collection, &hint) {
                Some(field) => self
                    .guesses
                    .refusal(scope, field, 1)
                    .unwrap_or_else(|| taken(Some(field))),
                None => taken(None),
            },
            DbError::TooLongForIndex { index } => too_long(scope.collection, &index, &write.draft),
            DbError::Gone | DbError::ForeignKey => match self.missing(write).await {
                Ok(Some(problem)) => Error::Invalid {
                    fields: vec![problem],
                },
                Ok(None) if scope.operation == Operation::Create => not_satisfied(),
                Ok(None) => record_not_found(),
                Err(error) => error,
            },
            DbError::NotNull { column } => {
                let message = format!("Field '{column}' is required");
                Error::invalid(column, "required_missing", message)
            }
            DbError::Quota(quota) => self.quota_exceeded(quota),
            DbError::RecordTooLarge => too_large(self.record_max, &write.draft),
            DbError::Check(message) => Error::refused("Validation error", message),
            other => other.into(),
        }
    }

    /// What a write names that is not there.
    async fn missing(&self, write: &Prepared<'_>) -> Result<Option<FieldError>> {
        match (self.missing_reference(write).await?, write.account) {
            (None, Some(account)) => self.missing_file(account, &write.draft).await,
            (found, _) => Ok(found),
        }
    }

    async fn missing_reference(&self, write: &Prepared<'_>) -> Result<Option<FieldError>, DbError> {
        let Some(account) = write.account else {
            return Ok(None);
        };
        for (field, id) in write.draft.references() {
            let target = field.target.as_deref().unwrap_or_default();
            let found = match self.target_table(Some(target)) {
                None => false,
                Some(table) => {
                    let mut sql = self.db.sql();
                    sql.push("SELECT t.id FROM ")
                        .ident(&table)
                        .push(" t WHERE t.id = ")
                        .arg(id);
                    sql.push(" AND t.account_id = ").arg(account);
                    self.db.doc(sql.build()).await?.is_some()
                }
            };
            if !found {
                let message = format!("Field '{}' refers to no record of '{target}'", field.name);
                return Ok(Some(FieldError::new(
                    &field.name,
                    "invalid_reference",
                    message,
                )));
            }
        }
        Ok(None)
    }
}

/// Names the largest value that was sent: what is stored besides may not be seen by the caller.
fn too_large(limit: usize, draft: &Draft<'_>) -> Error {
    let field = draft.largest().map(|field| field.name.clone());
    let sent = field
        .as_deref()
        .map(|name| format!("; the largest value sent is that of '{name}'"));
    let message = format!(
        "the record would be larger than {limit} bytes{}",
        sent.unwrap_or_default()
    );
    Error::RecordTooLarge { message, field }
}

fn not_satisfied() -> Error {
    Error::refused(
        "Rule not satisfied",
        "The record does not satisfy collection rules",
    )
}

/// The unique field that the database speaks of.
pub(super) fn unique_field<'c>(collection: &'c Collection, hint: &str) -> Option<&'c Field> {
    let is_it = |field: &&Field| {
        field.column.as_str() == hint || ddl::unique_name(&collection.table, field).as_str() == hint
    };
    collection
        .fields
        .iter()
        .filter(|field| field.unique)
        .find(is_it)
}

fn taken(field: Option<&Field>) -> Error {
    let name = field.map(|field| field.name.as_str());
    let message = match name {
        Some(name) => format!("Another record has this value of '{name}' already"),
        None => "Another record has this value already".to_owned(),
    };
    Error::conflict(message, name)
}

/// A value that does not fit into an index: PostgreSQL takes about 2,700 bytes after compression.
fn too_long(collection: &Collection, index: &str, draft: &Draft<'_>) -> Error {
    let named = collection
        .fields
        .iter()
        .find(|field| ddl::has_index(&collection.table, field, index));
    let length = |value: &Value| {
        if let Value::Text(text) = value {
            text.len()
        } else {
            0
        }
    };
    let indexed = draft
        .values
        .iter()
        .filter(|(field, _)| field.unique || field.indexed);
    let longest = || {
        indexed
            .max_by_key(|(_, value)| length(value))
            .map(|(field, _)| *field)
    };
    let name = named.or_else(longest);
    let name = name.map_or("record", |field| field.name.as_str());
    let message =
        format!("Field '{name}' has an index, so a value takes at most about 2,700 bytes");
    Error::invalid(name, "too_long", message)
}

pub(super) fn delete_error(error: DbError) -> Error {
    match error {
        DbError::ForeignKey => Error::conflict("Other records refer to this record", None),
        DbError::Gone => record_not_found(),
        other => other.into(),
    }
}

/// The complete record that would be stored, for the create rule.
fn prospective(
    scope: &RecordScope<'_>,
    account: AccountId,
    id: RecordId,
    now: DateTime<Utc>,
    draft: &Draft<'_>,
) -> Body {
    let (now, actor) = (canonical_time(now), scope.caller.actor());
    let mut record = Body::new();
    for (key, value) in [
        ("id", id.to_string()),
        ("account_id", account.to_string()),
        ("created_at", now.clone()),
        ("created_by", actor.to_owned()),
        ("updated_at", now),
        ("updated_by", actor.to_owned()),
    ] {
        record.insert(key.into(), Json::String(value));
    }
    draft.fill(&mut record);
    record
}
