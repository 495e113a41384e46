//! Long values that entries leave out, found again.
//!
//! The entry of an update leaves out long values that did not change, so that a small change of a
//! large record stays small. What the value was at that time is said by the record's next entry
//! that has an earlier value of the field, or, if there is none, by the record itself.

use std::collections::HashMap;

use super::fields::{Fields, before_update};
use super::{Change, ChangeKind, LogRow};
use crate::db::{Db, DbError, Dialect, Ident, Sql, Stmt};
use crate::id::{AccountId, CollectionId};
use crate::schema::ddl::table_name;

/// A value that entries of a record leave out.
struct LongValue {
    /// JSON text.
    text: Option<String>,
    /// The position of the entry that changed it.
    until: i64,
}

/// Completes entries that are read one after another; a value that several leave out is read once.
#[derive(Default)]
pub(super) struct Completion {
    values: HashMap<(String, String), LongValue>,
}

impl Completion {
    /// The change of an entry, with the whole record; `None` for entries that are for the audit
    /// trail alone. A value that cannot be found is null: the collection is gone, or
    /// the field has had another name since.
    pub async fn complete(&mut self, db: &Db, row: &mut LogRow) -> Result<Option<Change>, DbError> {
        let Some(kind) = ChangeKind::parse(&row.operation) else {
            return Ok(None);
        };
        let mut values = Vec::new();
        for (is_json, name) in row.omitted.as_deref().map(omitted).into_iter().flatten() {
            values.push((name, self.value(db, row, name, is_json).await?));
        }
        let value = |field: &str| values.iter().find(|(name, _)| *name == field)?.1.as_deref();
        let filled =
            (!values.is_empty()).then(|| Fields::read(row.record.as_deref()).write_with(value));
        let record = filled.or_else(|| row.record.take());
        let previous = match (&record, row.previous.take()) {
            (Some(record), Some(difference)) => Some(before_update(record, &difference)),
            (_, previous) => previous,
        };
        Ok(Some(Change {
            position: row.position,
            account_id: row.account_id.as_deref().and_then(AccountId::parse),
            collection_id: row.collection_id.as_deref().and_then(CollectionId::parse),
            record_id: row.record_id.take().unwrap_or_default(),
            kind,
            at: row.at,
            actor: std::mem::take(&mut row.actor),
            record,
            previous,
            own: row.own,
        }))
    }

    async fn value(
        &mut self,
        db: &Db,
        row: &LogRow,
        name: &str,
        is_json: bool,
    ) -> Result<Option<String>, DbError> {
        let key = (row.record_id.clone().unwrap_or_default(), name.to_owned());
        if let Some(value) = self
            .values
            .get(&key)
            .filter(|value| row.position < value.until)
        {
            return Ok(value.text.clone());
        }
        let value = match find(db, row, name, is_json).await {
            Ok(value) => value,
            Err(DbError::SchemaChanged) => None,
            Err(error) => return Err(error),
        };
        let (until, text) = value.unwrap_or((row.position, None));
        self.values.insert(
            key,
            LongValue {
                text: text.clone(),
                until,
            },
        );
        Ok(text)
    }
}

/// The fields that an entry leaves out: `t:` and a text's name, `j:` and a JSON value's, a comma
/// after each.
fn omitted(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split(',')
        .filter_map(|item| item.split_once(':'))
        .map(|(kind, name)| (kind == "j", name))
}

/// The value that a field had at an entry, and the position of the entry that changed it.
async fn find(
    db: &Db,
    row: &LogRow,
    name: &str,
    is_json: bool,
) -> Result<Option<(i64, Option<String>)>, DbError> {
    let (Some(collection), Some(record)) = (row.collection_id.as_deref(), row.record_id.as_deref())
    else {
        return Ok(None);
    };
    let select = Stmt::fixed(
        "SELECT name FROM collections WHERE id = $1",
        vec![collection.into()],
    );
    let Some((collection_name,)) = db.row::<(String,)>(select).await? else {
        return Ok(None);
    };
    let (Some(table), Some(column)) = (table_name(&collection_name), Ident::of(name)) else {
        return Ok(None);
    };
    let mut sql = db.sql();
    sql.push("SELECT position, value FROM (SELECT position, ");
    push_previous(&mut sql, name);
    sql.push(" AS value FROM change_log WHERE record_id = ")
        .arg(record)
        .push(" AND position > ")
        .arg(row.position);
    sql.push(" AND omitted IS NOT NULL AND ");
    push_previous(&mut sql, name);
    sql.push(" IS NOT NULL ORDER BY position LIMIT 1) l UNION ALL SELECT ")
        .number(i64::MAX)
        .push(", ");
    push_stored(&mut sql, &column, is_json);
    sql.push(" FROM ")
        .ident(&table)
        .push(" t WHERE t.id = ")
        .arg(record);
    sql.push(" AND EXISTS (SELECT 1 FROM collections c WHERE c.id = ")
        .arg(collection);
    sql.push(" AND c.fields_renamed < ")
        .arg(row.position)
        .push(") ORDER BY position LIMIT 1");
    db.row(sql.build()).await
}

fn push_previous(sql: &mut Sql, name: &str) {
    match sql.dialect() {
        Dialect::Sqlite => sql
            .push("(previous -> ")
            .text_literal(&format!("$.\"{name}\""))
            .push(")"),
        Dialect::Postgres => sql
            .push("(previous::json -> ")
            .text_literal(name)
            .push(")::text"),
    };
}

fn push_stored(sql: &mut Sql, column: &Ident, is_json: bool) {
    let (before, after) = match (sql.dialect(), is_json) {
        (Dialect::Sqlite, true) => ("json(", ")"),
        (Dialect::Sqlite, false) => ("json_quote(", ")"),
        (Dialect::Postgres, true) => ("", "::text"),
        (Dialect::Postgres, false) => ("to_json(", ")::text"),
    };
    sql.push(before).column("t", column).push(after);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_omitted_values_say_whether_they_are_json() {
        assert_eq!(
            omitted("t:body,j:data,").collect::<Vec<_>>(),
            [(false, "body"), (true, "data")]
        );
        assert_eq!(omitted("").count(), 0);
    }
}
