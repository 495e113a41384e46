//! The plain values of encrypted fields: read by keys made for it, and encrypted anew when the key
//! changes.

use serde_json::{Value as Json, json};

use super::vault::Place;
use super::{Records, record_id, record_not_found};
use crate::access::RecordScope;
use crate::audit::{self, Event};
use crate::auth::{Caller, KeyScope};
use crate::db::{Batch, ColumnKind, Ident, JsonEntry, Sql, Stmt};
use crate::error::{Error, Problem, Result};
use crate::id::{AccountId, RecordId};
use crate::schema::{Body, Collection, Field, FieldType, Operation};

/// Fields that one request reveals.
const MAX_FIELDS: usize = 20;
/// Records that are encrypted anew in one transaction.
const RESEALED_AT_ONCE: i64 = 200;

impl Records {
    /// The plain values of a record's encrypted fields: of those that are named, or of all.
    pub async fn secrets(
        &self,
        caller: &Caller,
        collection: &str,
        id: &str,
        names: Option<&[String]>,
    ) -> Result<Body> {
        match caller.principal() {
            Some(principal) => principal.require(KeyScope::SecretsRead)?,
            None => return Err(Error::Unauthenticated("This needs an API key".into())),
        }
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::View)?;
        let id = record_id(id)?;
        let fields = chosen(&scope, names)?;
        let mut sql = self.db.sql();
        sql.push("SELECT ").json_object(&stored_values(&fields));
        sql.push(" FROM ")
            .fragment(collection.source())
            .push(" r WHERE r.id = ")
            .arg(id);
        scope.write_conditions(&mut sql, None);
        let doc = self
            .db
            .reads(scope.reader())
            .doc(sql.build())
            .await?
            .ok_or_else(record_not_found)?;
        let row: Body = serde_json::from_str(&doc).map_err(Error::internal)?;
        let account = account_of(&row)?;
        let mut plain = Body::new();
        for field in &fields {
            let value = match row.get(&field.name).and_then(Json::as_str) {
                None => Json::Null,
                Some(stored) => {
                    let place = Place {
                        account,
                        collection: collection.id,
                        record: id,
                        field: &field.name,
                    };
                    let text = self.vault.open(place, stored)?;
                    if field.kind == FieldType::Json {
                        serde_json::from_str(&text).map_err(Error::internal)?
                    } else {
                        Json::String(text)
                    }
                }
            };
            plain.insert(field.name.clone(), value);
        }
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        // What cannot be noted is not told.
        let event = Event::new(audit::Operation::Reveal, collection.table.as_str(), id)
            .with(json!({"fields": names}));
        self.db
            .execute(event.of(account).by(caller).entry(self.clock.now()))
            .await?;
        Ok(plain)
    }

    /// Encrypts everything anew that was encrypted with an older key, and returns how many records
    /// that were.
    pub async fn reseal(&self) -> Result<usize> {
        let mut count = 0;
        for collection in self.catalog.current().iter() {
            let fields: Vec<&Field> = collection
                .fields
                .iter()
                .filter(|field| field.encrypted)
                .collect();
            let mut after = String::new();
            while !fields.is_empty() {
                let mut sql = self.db.sql();
                sql.push("SELECT ")
                    .json_object(&stored_values(&fields))
                    .push(" FROM ")
                    .fragment(collection.source());
                sql.push(" r WHERE r.id > ")
                    .arg(after.as_str())
                    .push(" ORDER BY r.id LIMIT ")
                    .number(RESEALED_AT_ONCE);
                let docs = self.db.docs(sql.build()).await?;
                let Some(last) = docs.last() else { break };
                let parse = |doc: &str| serde_json::from_str::<Body>(doc).map_err(Error::internal);
                after = id_of(&parse(last)?)?.to_string();
                let mut batch = Batch::new().acting("system", self.clock.now(), None);
                for doc in &docs {
                    if let Some(stmt) = self.resealed(collection, &fields, &parse(doc)?)? {
                        batch = batch.with(stmt);
                        count += 1;
                    }
                }
                self.db.commit(batch).await?;
            }
        }
        Ok(count)
    }

    /// The statement that encrypts a record's values anew, unless they are changed meanwhile.
    fn resealed(
        &self,
        collection: &Collection,
        fields: &[&Field],
        row: &Body,
    ) -> Result<Option<Stmt>> {
        let (account, record) = (account_of(row)?, id_of(row)?);
        let mut changes: Vec<(&Ident, &str, String)> = Vec::new();
        for field in fields {
            let Some(stored) = row.get(&field.name).and_then(Json::as_str) else {
                continue;
            };
            if !self.vault.is_current(stored) {
                let place = Place {
                    account,
                    collection: collection.id,
                    record,
                    field: &field.name,
                };
                let sealed = self.vault.seal(place, &self.vault.open(place, stored)?)?;
                changes.push((&field.column, stored, sealed));
            }
        }
        if changes.is_empty() {
            return Ok(None);
        }
        let mut sql = self.db.sql();
        sql.push("UPDATE ")
            .fragment(collection.source())
            .push(" SET ")
            .list(", ", &changes, |sql, (column, _, new)| {
                sql.ident(column).push(" = ").arg(new.as_str());
            });
        sql.push(" WHERE id = ").arg(record);
        for (column, stored, _) in &changes {
            sql.push(" AND ").ident(column).push(" = ").arg(*stored);
        }
        Ok(Some(sql.build()))
    }
}

/// The encrypted fields that are meant, and that the caller may see.
fn chosen<'c>(scope: &RecordScope<'c>, names: Option<&[String]>) -> Result<Vec<&'c Field>> {
    let view = scope.view();
    let refuse = |message: String| {
        Err(Error::malformed(Problem::query(
            "fields",
            "value_error",
            message,
            Json::Null,
        )))
    };
    let visible = |field: &&Field| field.encrypted && view.shows(&field.name);
    let mut fields: Vec<&Field> = Vec::new();
    match names {
        None => fields.extend(scope.collection.fields.iter().filter(visible)),
        Some(names) => {
            for name in names {
                match scope.collection.field(name).filter(visible) {
                    Some(field) if fields.iter().any(|other| other.name == field.name) => {}
                    Some(field) => fields.push(field),
                    None => return refuse(format!("'{name}' is no encrypted field")),
                }
            }
        }
    }
    if fields.len() > MAX_FIELDS {
        return refuse(format!(
            "At most {MAX_FIELDS} fields are revealed at once: name them"
        ));
    }
    Ok(fields)
}

/// The columns as they are stored, with the record's id and account.
fn stored_values<'f>(fields: &[&'f Field]) -> Vec<JsonEntry<'f>> {
    let entry = |key: &'f str, column: Ident| {
        let value = Box::new(move |sql: &mut Sql| {
            sql.column("r", &column);
        });
        JsonEntry {
            key,
            kind: ColumnKind::Text,
            value,
        }
    };
    let mut entries = vec![
        entry("id", Ident::fixed("id")),
        entry("account_id", Ident::fixed("account_id")),
    ];
    entries.extend(
        fields
            .iter()
            .map(|field| entry(&field.name, field.column.clone())),
    );
    entries
}

fn id_of(row: &Body) -> Result<RecordId> {
    let id = row
        .get("id")
        .and_then(Json::as_str)
        .and_then(RecordId::parse);
    id.ok_or_else(|| Error::internal("a record has no id"))
}

fn account_of(row: &Body) -> Result<AccountId> {
    let account = row
        .get("account_id")
        .and_then(Json::as_str)
        .and_then(AccountId::parse);
    account.ok_or_else(|| Error::internal("a record has no account"))
}
