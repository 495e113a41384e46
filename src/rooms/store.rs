//! Defining rooms: what an administrator sends, and what is stored.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use super::Rooms;
use super::definition::{Definition, DefinitionRow, Definitions, compile};
use super::pattern::Pattern;
use crate::audit::Event;
use crate::auth::Caller;
use crate::changes::catalog_entry;
use crate::clock;
use crate::db::{DbError, Stmt, Value};
use crate::error::{Error, FieldError, Problem, Result};
use std::sync::Arc;

/// Where the audit trail says that a definition changed.
const TABLE: &str = "rooms";
/// The most messages that a room may remember.
pub const MAX_HISTORY: i64 = 500;
/// The most definitions: every join goes through them.
const MAX_DEFINITIONS: i64 = 1000;

/// A definition as it is sent. An absent key changes nothing; null locks a rule.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomInput {
    /// Segments with `:` between them, each literal text or a part in braces: `doc:{id}`.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Who may join: null locks, the empty text opens to the account's users, anything else is an
    /// expression.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub join_rule: Option<Json>,
    /// Who may publish.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub publish_rule: Option<Json>,
    /// Who is seen in the room, and sees the others.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub presence_rule: Option<Json>,
    /// How many messages a room remembers, 0 to 500.
    #[serde(default)]
    pub history: Option<i64>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// A definition as it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoomView {
    /// Its id.
    pub id: String,
    /// The pattern.
    pub pattern: String,
    /// Who may join.
    pub join_rule: Option<String>,
    /// Who may publish.
    pub publish_rule: Option<String>,
    /// Who is seen in the room, and sees the others.
    pub presence_rule: Option<String>,
    /// How many messages a room remembers.
    pub history: i64,
    /// When it was defined.
    #[serde(serialize_with = "clock::serialize")]
    #[schema(value_type = String)]
    pub created_at: DateTime<Utc>,
    /// When it changed last.
    #[serde(serialize_with = "clock::serialize")]
    #[schema(value_type = String)]
    pub updated_at: DateTime<Utc>,
}

/// Every definition.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoomList {
    /// The definitions, those that match first come first.
    pub items: Vec<RoomView>,
    /// How many there are.
    pub total: usize,
}

impl From<DefinitionRow> for RoomView {
    fn from(row: DefinitionRow) -> Self {
        let DefinitionRow {
            id,
            pattern,
            join_rule,
            publish_rule,
            presence_rule,
            history,
            created_at,
            updated_at,
        } = row;
        Self {
            id,
            pattern,
            join_rule,
            publish_rule,
            presence_rule,
            history,
            created_at,
            updated_at,
        }
    }
}

impl Rooms {
    /// Every definition.
    pub fn defined(&self) -> RoomList {
        let items: Vec<RoomView> = self
            .0
            .definitions()
            .iter()
            .map(|definition| definition.row.clone().into())
            .collect();
        RoomList {
            total: items.len(),
            items,
        }
    }

    /// One definition.
    pub async fn definition(&self, id: &str) -> Result<RoomView> {
        self.row(id).await.map(RoomView::from)
    }

    /// Defines rooms. Rules that are not given are locked.
    pub async fn define(&self, caller: &Caller, input: &RoomInput) -> Result<RoomView> {
        if input.pattern.is_none() {
            return Err(Error::malformed(Problem::missing("pattern")));
        }
        let now = self.0.clock.now();
        let count = "SELECT count(*) FROM rooms";
        if self.0.db.count(Stmt::fixed(count, Vec::new())).await? >= MAX_DEFINITIONS {
            return Err(Error::conflict(
                format!("There are {MAX_DEFINITIONS} definitions already"),
                None,
            ));
        }
        let row = DefinitionRow {
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
        let event = Event::create(TABLE, &row.id, values(&row));
        self.write(
            caller,
            now,
            Stmt::fixed(insert, arguments(&row, &pattern, now)),
            event,
        )
        .await?;
        Ok(row.into())
    }

    /// Changes a definition. Whoever may not be in a room any more leaves it at once.
    pub async fn redefine(&self, caller: &Caller, id: &str, input: &RoomInput) -> Result<RoomView> {
        let before = self.row(id).await?;
        let (mut row, pattern) = input.apply(before.clone())?;
        row.updated_at = self.0.clock.now();
        let update = "UPDATE rooms SET pattern = $2, shape = $3, join_rule = $4, publish_rule = $5, presence_rule = $6, \
                      history = $7, updated_at = $8 WHERE id = $1";
        let event = Event::update(TABLE, &row.id, &values(&before), &values(&row));
        let update = Stmt::fixed(update, arguments(&row, &pattern, row.updated_at));
        self.write(caller, row.updated_at, update, event).await?;
        Ok(row.into())
    }

    /// Deletes a definition; everybody leaves the rooms that nothing defines any more.
    pub async fn undefine(&self, caller: &Caller, id: &str) -> Result<()> {
        let row = self.row(id).await?;
        let event = Event::delete(TABLE, &row.id, values(&row));
        let delete = Stmt::fixed("DELETE FROM rooms WHERE id = $1", vec![row.id.into()]);
        self.write(caller, self.0.clock.now(), delete, event).await
    }

    async fn row(&self, id: &str) -> Result<DefinitionRow> {
        let missing = || Error::not_found("Room definition not found");
        // Nothing else is an id, and a NUL is an error to PostgreSQL.
        let id = uuid::Uuid::try_parse(id)
            .map_err(|_| missing())?
            .to_string();
        let select = "SELECT id, pattern, join_rule, publish_rule, presence_rule, history, created_at, updated_at \
                      FROM rooms WHERE id = $1";
        self.0
            .db
            .row(Stmt::fixed(select, vec![id.into()]))
            .await?
            .ok_or_else(missing)
    }

    /// Writes, tells the audit trail and every node, and applies it here.
    async fn write(
        &self,
        caller: &Caller,
        now: DateTime<Utc>,
        stmt: Stmt,
        event: Event,
    ) -> Result<()> {
        let mut tx = self.0.db.begin().await?;
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
        self.reload().await
    }

    /// Reads the definitions again and applies them to whoever is in a room.
    pub async fn reload(&self) -> Result<()> {
        // An async lock: reloads follow one another, so that an older state never replaces a newer
        // one.
        let _order = self.0.loading.lock().await;
        let select = "SELECT id, pattern, join_rule, publish_rule, presence_rule, history, created_at, updated_at \
                      FROM rooms";
        let rows: Vec<DefinitionRow> = self.0.db.rows(Stmt::fixed(select, Vec::new())).await?;
        let before = self.0.definitions();
        let same = rows.len() == before.iter().count()
            && rows
                .iter()
                .all(|row| before.iter().any(|definition| definition.row == *row));
        if same {
            return Ok(());
        }
        let definitions = rows.into_iter().filter_map(resolve).map(Arc::new).collect();
        self.0.replace_definitions(Definitions::new(definitions));
        self.recheck(|_| true);
        Ok(())
    }
}

/// What the audit trail tells of a definition.
fn values(row: &DefinitionRow) -> Json {
    json!({
        "pattern": row.pattern, "join_rule": row.join_rule, "publish_rule": row.publish_rule,
        "presence_rule": row.presence_rule, "history": row.history,
    })
}

fn resolve(row: DefinitionRow) -> Option<Definition> {
    let pattern = row.pattern.clone();
    let definition = Definition::resolve(row);
    if definition.is_none() {
        tracing::error!(
            pattern,
            "a stored definition of rooms cannot be read and is left out"
        );
    }
    definition
}

/// The columns from `id` to the time of the change.
fn arguments(row: &DefinitionRow, pattern: &Pattern, at: DateTime<Utc>) -> Vec<Value> {
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

impl RoomInput {
    /// What becomes of a definition, if everything is right. Rules are checked against the pattern
    /// that will be.
    fn apply(&self, mut row: DefinitionRow) -> Result<(DefinitionRow, Pattern)> {
        if let Some(pattern) = &self.pattern {
            row.pattern.clone_from(pattern);
        }
        let pattern = Pattern::parse(&row.pattern)
            .map_err(|problem| Error::invalid("pattern", "pattern_invalid", problem))?;
        let mut problems = Vec::new();
        if let Some(history) = self.history {
            if !(0..=MAX_HISTORY).contains(&history) {
                let message = format!("A room remembers 0 to {MAX_HISTORY} messages");
                problems.push(FieldError::new("history", "out_of_range", message));
            }
            row.history = history;
        }
        for (name, sent, stored) in [
            ("join_rule", &self.join_rule, &mut row.join_rule),
            ("publish_rule", &self.publish_rule, &mut row.publish_rule),
            ("presence_rule", &self.presence_rule, &mut row.presence_rule),
        ] {
            match sent {
                None => {}
                Some(Json::Null) => *stored = None,
                Some(Json::String(source)) => *stored = Some(source.clone()),
                Some(other) => {
                    let message = "Input should be a valid string";
                    return Err(Error::malformed(Problem::body(
                        name,
                        "string_type",
                        message,
                        other.clone(),
                    )));
                }
            }
            // Also those that were stored before: the pattern may have changed.
            if let Some(source) = stored.as_deref().filter(|source| !source.is_empty()) {
                let found = compile(source, &pattern).err().unwrap_or_default();
                problems.extend(found.iter().map(|problem| {
                    let message = format!("{} (at position {})", problem.message, problem.position);
                    FieldError::new(name, "rule_invalid", message)
                }));
            }
        }
        if problems.is_empty() {
            Ok((row, pattern))
        } else {
            Err(Error::Invalid {
                fields: problems,
                index: None,
            })
        }
    }
}
