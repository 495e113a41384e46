//! Stored macros: queries that rules use by name.

use std::time::Instant;

use serde_json::Value as Json;

use super::{Collections, SchemaChange};
use crate::auth::Caller;
use crate::db::{AccountName, DbError, Ident, Projected, Stmt, Value};
use crate::error::{Error, Problem, Result};
use crate::expr::{self, Predicate, StoredMacro, is_built_in, macros_used};
use crate::id::AccountId;
use crate::schema::{Library, MacroRow, Operation};

/// The most parameters of a macro.
const MAX_PARAMETERS: usize = 20;

/// A macro.
#[derive(Clone, Debug)]
pub struct Macro {
    /// Its id.
    pub id: i64,
    /// Its name: rules write `@name(…)`.
    pub name: String,
    /// What it is for; null for all but superadmins.
    pub description: Option<String>,
    /// The query: `SELECT value [FROM collection [WHERE condition]]`. Empty for all but
    /// superadmins: it names collections.
    pub sql_query: String,
    /// The names of its parameters: `:name` or `$1` in the query.
    pub parameters: Vec<String>,
    /// When it was made.
    pub created_at: String,
    /// When it changed last.
    pub updated_at: String,
    /// The id of who made it.
    pub created_by: String,
}

impl From<&MacroRow> for Macro {
    fn from(row: &MacroRow) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            description: row.description.clone(),
            sql_query: row.sql_query.clone(),
            parameters: row.parameter_names(),
            created_at: crate::clock::canonical_time(row.created_at),
            updated_at: crate::clock::canonical_time(row.updated_at),
            created_by: row.created_by.clone(),
        }
    }
}

impl Macro {
    /// The same without what superadmins alone see.
    fn seen_by(self, caller: &Caller) -> Self {
        if caller.is_superadmin() {
            self
        } else {
            Self {
                description: None,
                sql_query: String::new(),
                ..self
            }
        }
    }
}

/// A macro to make, or what of one is changed.
#[derive(Clone, Debug, Default)]
pub struct MacroChange {
    /// 1 to 64 letters, digits and underscores, not beginning with a digit.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// `SELECT value [FROM collection [WHERE condition]]`.
    pub sql_query: Option<String>,
    /// The names of its parameters.
    pub parameters: Option<Vec<String>>,
}

/// What a macro is tried with.
#[derive(Clone, Debug, Default)]
pub struct MacroTrial {
    /// The values of its parameters: texts, numbers, booleans or null.
    pub parameters: Vec<Json>,
    /// The account whose records it reads; without it, the caller's.
    pub account_id: Option<String>,
}

/// What a macro yields.
#[derive(Clone, Debug)]
pub struct MacroOutcome {
    /// The value as text, or null.
    pub result: Option<String>,
    /// Milliseconds.
    pub execution_time: f64,
    /// Always 0: a macro only reads.
    pub rows_affected: u64,
}

impl Collections {
    /// The stored macros, by name, as they are in the database now.
    pub async fn macros(&self, caller: &Caller) -> Result<Vec<Macro>> {
        let catalog = self.catalog.latest().await?;
        Ok(catalog
            .library()
            .rows()
            .iter()
            .map(|row| Macro::from(row).seen_by(caller))
            .collect())
    }

    /// A macro by its id, as it is in the database now.
    pub async fn get_macro(&self, caller: &Caller, id: i64) -> Result<Macro> {
        self.catalog.reload().await?;
        Ok(self.find_macro(id)?.seen_by(caller))
    }

    fn find_macro(&self, id: i64) -> Result<Macro> {
        find(self.catalog.current().library(), id).map(Macro::from)
    }

    /// Makes a macro.
    pub async fn create_macro(&self, caller: &Caller, input: MacroChange) -> Result<Macro> {
        let missing = [
            ("name", input.name.is_none()),
            ("sql_query", input.sql_query.is_none()),
        ];
        let problems: Vec<Problem> = missing
            .into_iter()
            .filter(|(_, missing)| *missing)
            .map(|(key, _)| Problem::missing(key))
            .collect();
        if !problems.is_empty() {
            return Err(Error::Malformed { problems });
        }
        let mut change = self.change().await?;
        let now = change.now;
        let row = MacroRow {
            id: 0,
            name: input.name.unwrap_or_default(),
            description: input.description,
            sql_query: input.sql_query.unwrap_or_default(),
            parameters: names_as_json(&input.parameters.unwrap_or_default()),
            created_at: now,
            updated_at: now,
            created_by: caller.actor().to_owned(),
        };
        check(&row, change.catalog.library())?;
        let insert = "INSERT INTO macros (name, description, sql_query, parameters, created_at, updated_at, created_by) \
                      VALUES ($1, $2, $3, $4, $5, $5, $6)";
        let mut args = stored(&row);
        args.extend([now.into(), caller.actor().into()]);
        change
            .tx
            .execute(Stmt::fixed(insert, args))
            .await
            .map_err(|error| taken(error, &row.name))?;
        self.finish(change, caller).await?;
        let catalog = self.catalog.current();
        let made = catalog
            .library()
            .rows()
            .iter()
            .find(|made| made.name == row.name);
        made.map(Macro::from)
            .ok_or_else(|| Error::not_found("The macro was deleted meanwhile"))
    }

    /// Changes a macro; what is null or absent stays.
    pub async fn update_macro(
        &self,
        caller: &Caller,
        id: i64,
        input: MacroChange,
    ) -> Result<Macro> {
        let mut change = self.change().await?;
        let library = change.catalog.library();
        let before = find(library, id)?.clone();
        let row = MacroRow {
            name: input.name.unwrap_or_else(|| before.name.clone()),
            description: input.description.or_else(|| before.description.clone()),
            sql_query: input.sql_query.unwrap_or_else(|| before.sql_query.clone()),
            parameters: input
                .parameters
                .map_or_else(|| before.parameters.clone(), |names| names_as_json(&names)),
            ..before.clone()
        };
        let parsed = check(&row, library)?;
        if row.name != before.name {
            refuse_used(&change, &before.name, "renamed")?;
        }
        refuse_broken(&change, &library.with(&row.name, parsed), &row.name)?;
        let update = "UPDATE macros SET name = $1, description = $2, sql_query = $3, parameters = $4, updated_at = $5 \
                      WHERE id = $6";
        let mut args = stored(&row);
        args.extend([change.now.into(), id.into()]);
        change
            .tx
            .execute(Stmt::fixed(update, args))
            .await
            .map_err(|error| taken(error, &row.name))?;
        self.finish(change, caller).await?;
        self.find_macro(id)
    }

    /// Deletes a macro that no rule uses.
    pub async fn delete_macro(&self, caller: &Caller, id: i64) -> Result<()> {
        let mut change = self.change().await?;
        let name = find(change.catalog.library(), id)?.name.clone();
        refuse_used(&change, &name, "deleted")?;
        change
            .tx
            .execute(Stmt::fixed(
                "DELETE FROM macros WHERE id = $1",
                vec![id.into()],
            ))
            .await?;
        self.finish(change, caller).await
    }

    /// What a macro yields for the caller.
    pub async fn test_macro(
        &self,
        caller: &Caller,
        id: i64,
        request: &MacroTrial,
    ) -> Result<MacroOutcome> {
        let catalog = self.catalog.latest().await?;
        let library = catalog.library();
        let row = find(library, id)?;
        let parsed = StoredMacro::parse(&row.sql_query, &row.parameter_names())
            .map_err(|p| wrong_query(row, &[p]))?;
        if request.parameters.len() != parsed.arity() {
            let message = format!(
                "@{} takes {} parameters, not {}",
                row.name,
                parsed.arity(),
                request.parameters.len()
            );
            return Err(Error::malformed(Problem::body(
                "parameters",
                "value_error",
                message,
                Json::Null,
            )));
        }
        let value = parsed
            .with(
                &row.sql_query,
                &request.parameters,
                &library.for_fields(&[]),
            )
            .map_err(|problems| wrong_query(row, &problems))?;
        let mut auth = caller.attributes();
        let account = match &request.account_id {
            Some(text) => Some(AccountId::parse(text).map(|id| id.to_string()).ok_or_else(
                || {
                    let message = "Input should be the id of an account";
                    Error::malformed(Problem::body(
                        "account_id",
                        "value_error",
                        message,
                        text.as_str().into(),
                    ))
                },
            )?),
            None => None,
        };
        auth.account_id = account.as_deref().or(auth.account_id);
        let began = Instant::now();
        let result = match value.for_caller(&auth) {
            None => Json::Null,
            Some(value) => {
                let column = Ident::fixed("result");
                let key = Projected {
                    key: "result",
                    column: &column,
                    kind: value.kind(),
                    computed: Some(&value),
                };
                let mut sql = self.db.sql();
                sql.push("SELECT ").document("", &[key], AccountName::Null);
                let doc = self
                    .db
                    .reads(None)
                    .doc(sql.build())
                    .await?
                    .unwrap_or_default();
                let mut doc: Json = serde_json::from_str(&doc).map_err(Error::internal)?;
                doc["result"].take()
            }
        };
        Ok(MacroOutcome {
            result: match result {
                Json::Null => None,
                Json::String(text) => Some(text),
                other => Some(other.to_string()),
            },
            execution_time: began.elapsed().as_secs_f64() * 1000.0,
            rows_affected: 0,
        })
    }
}

fn find(library: &Library, id: i64) -> Result<&MacroRow> {
    library
        .rows()
        .iter()
        .find(|row| row.id == id)
        .ok_or_else(|| Error::not_found(format!("Macro {id} not found")))
}

fn names_as_json(names: &[String]) -> String {
    Json::from(names.to_vec()).to_string()
}

/// The columns that an input decides about.
fn stored(row: &MacroRow) -> Vec<Value> {
    let MacroRow {
        name,
        description,
        sql_query,
        parameters,
        ..
    } = row;
    vec![
        name.into(),
        Value::text_or_null(description.clone()),
        sql_query.into(),
        parameters.into(),
    ]
}

fn taken(error: DbError, name: &str) -> Error {
    match error {
        DbError::Unique { .. } => {
            Error::conflict(format!("Macro '{name}' already exists"), Some("name"))
        }
        other => other.into(),
    }
}

/// Checks everything about a macro that does not depend on the rules that use it.
fn check(row: &MacroRow, library: &Library) -> Result<StoredMacro> {
    let names = row.parameter_names();
    let mut problems = Vec::new();
    let mut wrong = |key: &str, message: &str| {
        problems.push(Problem::body(key, "value_error", message, Json::Null));
    };
    if !is_name(&row.name) {
        wrong(
            "name",
            "A macro's name has 1 to 64 letters, digits and _, and does not begin with a digit",
        );
    } else if is_built_in(&row.name) {
        wrong("name", "This name has a meaning already");
    }
    if row
        .description
        .as_ref()
        .is_some_and(|text| text.contains('\0') || text.len() > 10_000)
    {
        wrong(
            "description",
            "A description has at most 10,000 bytes and no NUL",
        );
    }
    let distinct: std::collections::HashSet<&String> = names.iter().collect();
    if names.len() > MAX_PARAMETERS
        || distinct.len() < names.len()
        || !names.iter().all(|name| is_name(name))
    {
        wrong(
            "parameters",
            "Parameters are at most 20 different names of letters, digits and _",
        );
    }
    if !problems.is_empty() {
        return Err(Error::Malformed { problems });
    }
    let parsed = StoredMacro::parse(&row.sql_query, &names)
        .map_err(|problem| wrong_query(row, &[problem]))?;
    parsed
        .check(&row.sql_query, &library.for_fields(&[]))
        .map_err(|problems| wrong_query(row, &problems))?;
    Ok(parsed)
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn wrong_query(row: &MacroRow, problems: &[expr::Problem]) -> Error {
    let problem = |problem: &expr::Problem| {
        let message = format!("{} (at position {})", problem.message, problem.position);
        Problem::body(
            "sql_query",
            "value_error",
            message,
            row.sql_query.as_str().into(),
        )
    };
    Error::Malformed {
        problems: problems.iter().map(problem).collect(),
    }
}

/// The rules that use a macro, as `collection.rule`.
fn users(change: &SchemaChange, name: &str) -> Vec<(String, Operation)> {
    let collections = change.catalog.iter();
    let mut users: Vec<(String, Operation)> = collections
        .flat_map(|collection| Operation::ALL.map(|operation| (collection, operation)))
        .filter(|(collection, operation)| {
            collection
                .row
                .rule(*operation)
                .is_some_and(|rule| macros_used(rule).contains(name))
        })
        .map(|(collection, operation)| (collection.name.clone(), operation))
        .collect();
    users.sort_by(|one, other| one.0.cmp(&other.0));
    users
}

fn refuse_used(change: &SchemaChange, name: &str, what: &str) -> Result<()> {
    let users: Vec<String> = users(change, name)
        .into_iter()
        .map(|(name, operation)| format!("{name}.{}_rule", operation.name()))
        .collect();
    if users.is_empty() {
        return Ok(());
    }
    Err(Error::conflict(
        format!(
            "@{name} cannot be {what}: it is used by {}",
            users.join(", ")
        ),
        None,
    ))
}

/// Refuses a macro with which rules that use it would not compile any more.
fn refuse_broken(change: &SchemaChange, library: &Library, name: &str) -> Result<()> {
    for (user, operation) in users(change, name) {
        let Some(collection) = change.catalog.by_name(&user) else {
            continue;
        };
        let rule = collection.row.rule(operation).unwrap_or_default();
        let compiled = Predicate::compile(
            rule,
            &library.for_fields(&collection.fields),
            operation.purpose(),
        );
        if let Err(problems) = compiled {
            let reasons: Vec<&str> = problems
                .iter()
                .map(|problem| problem.message.as_str())
                .collect();
            let message = format!(
                "{user}.{}_rule would not work any more: {}",
                operation.name(),
                reasons.join("; ")
            );
            return Err(Error::conflict(message, Some("sql_query")));
        }
    }
    Ok(())
}
