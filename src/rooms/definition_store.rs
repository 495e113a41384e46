//! Definitions of rooms in the database.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use super::definition::{RoomDefinition, RoomDefinitionRow, RoomDefinitions};
use super::definition_input::RoomChange;
use super::pattern::RoomPattern;
use crate::audit::Event;
use crate::auth::Caller;
use crate::changes::catalog_entry;
use crate::clock::Clock;
use crate::db::{Db, DbError, Stmt, Value};
use crate::error::{Error, Problem, Result};

/// The name of the table in the audit trail.
const TABLE: &str = "rooms";
/// Upper limit of the definitions: every join goes through them.
const MAX_DEFINITIONS: i64 = 1000;

/// See the module.
pub(super) struct DefinitionStore<'c> {
    pub(super) db: &'c Db,
    pub(super) clock: &'c Clock,
}

impl DefinitionStore<'_> {
    /// One definition.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none with this id.
    pub(super) async fn find(&self, id: &str) -> Result<RoomDefinitionRow> {
        let missing = || Error::not_found("Room definition not found");
        // No other text is an id, and a NUL is an error to PostgreSQL.
        let id = uuid::Uuid::try_parse(id)
            .map_err(|_| missing())?
            .to_string();
        let select = "SELECT id, pattern, join_rule, publish_rule, presence_rule, history, created_at, updated_at \
                      FROM rooms WHERE id = $1";
        self.db
            .row(Stmt::fixed(select, vec![id.into()]))
            .await?
            .ok_or_else(missing)
    }

    /// Adds a definition. Rules that are not given are locked.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for bad input, [`Error::Conflict`] if there is a pattern like this, or too
    /// many definitions.
    pub(super) async fn create(
        &self,
        caller: &Caller,
        input: &RoomChange,
    ) -> Result<RoomDefinitionRow> {
        if input.pattern.is_none() {
            return Err(Error::malformed(Problem::missing("pattern")));
        }
        let count = Stmt::fixed("SELECT count(*) FROM rooms", Vec::new());
        if self.db.count(count).await? >= MAX_DEFINITIONS {
            return Err(Error::conflict(
                format!("There are {MAX_DEFINITIONS} definitions already"),
                None,
            ));
        }
        let now = self.clock.now();
        let row = RoomDefinitionRow {
            id: crate::id::new_id().to_string(),
            pattern: String::new(),
            join_rule: None,
            publish_rule: None,
            presence_rule: None,
            history: 0,
            created_at: now,
            updated_at: now,
        };
        let (row, pattern) = input.apply(row)?;
        let insert = "INSERT INTO rooms (id, pattern, shape, join_rule, publish_rule, presence_rule, history, created_at, \
                      updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)";
        let insert = Stmt::fixed(insert, arguments(&row, &pattern, now));
        let event = Event::create(TABLE, &row.id, audited_values(&row));
        self.write(caller, now, insert, event).await?;
        Ok(row)
    }

    /// Changes a definition.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), and [`Error::NotFound`].
    pub(super) async fn update(
        &self,
        caller: &Caller,
        id: &str,
        input: &RoomChange,
    ) -> Result<RoomDefinitionRow> {
        let before = self.find(id).await?;
        let (mut row, pattern) = input.apply(before.clone())?;
        row.updated_at = self.clock.now();
        let update = "UPDATE rooms SET pattern = $2, shape = $3, join_rule = $4, publish_rule = $5, presence_rule = $6, \
                      history = $7, updated_at = $8 WHERE id = $1";
        let update = Stmt::fixed(update, arguments(&row, &pattern, row.updated_at));
        let (old, new) = (audited_values(&before), audited_values(&row));
        let event = Event::update(TABLE, &row.id, &old, &new);
        self.write(caller, row.updated_at, update, event).await?;
        Ok(row)
    }

    /// Deletes a definition.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none with this id.
    pub(super) async fn delete(&self, caller: &Caller, id: &str) -> Result<()> {
        let row = self.find(id).await?;
        let event = Event::delete(TABLE, &row.id, audited_values(&row));
        let delete = Stmt::fixed("DELETE FROM rooms WHERE id = $1", vec![row.id.into()]);
        self.write(caller, self.clock.now(), delete, event).await
    }

    /// Writes a definition, the event for the audit trail, and the entry that tells every node.
    async fn write(
        &self,
        caller: &Caller,
        now: DateTime<Utc>,
        stmt: Stmt,
        event: Event,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let touched = tx.execute(stmt).await.map_err(|error| match error {
            DbError::Unique { .. } => Error::conflict(
                "Another definition has a pattern like this",
                Some("pattern"),
            ),
            other => other.into(),
        })?;
        if touched == 0 {
            return Err(Error::not_found("Room definition not found"));
        }
        tx.execute(event.by(caller).entry(now)).await?;
        tx.execute(catalog_entry(now, caller.actor())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Reads all definitions; `None` if they are the same as `before`.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub(super) async fn load_if_changed(
        &self,
        before: &RoomDefinitions,
    ) -> Result<Option<RoomDefinitions>> {
        let select = "SELECT id, pattern, join_rule, publish_rule, presence_rule, history, created_at, updated_at \
                      FROM rooms";
        let rows: Vec<RoomDefinitionRow> = self.db.rows(Stmt::fixed(select, Vec::new())).await?;
        let is_same = rows.len() == before.iter().count()
            && rows
                .iter()
                .all(|row| before.iter().any(|definition| definition.row == *row));
        if is_same {
            return Ok(None);
        }
        let definitions = rows.into_iter().filter_map(resolve).map(Arc::new).collect();
        Ok(Some(RoomDefinitions::new(definitions)))
    }
}

/// The values of a definition in the audit trail.
fn audited_values(row: &RoomDefinitionRow) -> Json {
    json!({
        "pattern": row.pattern, "join_rule": row.join_rule, "publish_rule": row.publish_rule,
        "presence_rule": row.presence_rule, "history": row.history,
    })
}

fn resolve(row: RoomDefinitionRow) -> Option<RoomDefinition> {
    let pattern = row.pattern.clone();
    let definition = RoomDefinition::resolve(row);
    if definition.is_none() {
        tracing::error!(
            pattern,
            "a stored definition of rooms cannot be read and is left out"
        );
    }
    definition
}

/// The columns from `id` to the time of the change.
fn arguments(row: &RoomDefinitionRow, pattern: &RoomPattern, at: DateTime<Utc>) -> Vec<Value> {
    vec![
        row.id.as_str().into(),
        row.pattern.as_str().into(),
        pattern.shape().into(),
        Value::text_or_null(row.join_rule.as_deref()),
        Value::text_or_null(row.publish_rule.as_deref()),
        Value::text_or_null(row.presence_rule.as_deref()),
        row.history.into(),
        at.into(),
    ]
}
