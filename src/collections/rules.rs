//! Rules and field lists: what is sent, checked against the fields, and tried out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use crate::db::{ColumnKind, Db, Fragment, Ident, Stmt, Value};
use crate::error::{Error, Problem, Result};
use crate::expr::{self, Column, Columns, Predicate, StoredMacro, TextFormat};
use crate::id::CollectionId;
use crate::schema::catalog::CollectionRow;
use crate::schema::macros::RuleScope;
use crate::schema::{
    ALWAYS_SHOWN, Body, Field, FieldType, Library, Operation, SYSTEM_FIELDS, system_format,
};
use crate::spelling::hint;

/// Rules and field lists, as far as they are named: an absent key changes nothing, null locks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RulesPatch {
    /// Who may list: null locks, the empty text opens, anything else is an expression.
    #[serde(default, deserialize_with = "present")]
    pub list_rule: Option<Json>,
    /// Who may read one.
    #[serde(default, deserialize_with = "present")]
    pub view_rule: Option<Json>,
    /// Who may create.
    #[serde(default, deserialize_with = "present")]
    pub create_rule: Option<Json>,
    /// Who may update.
    #[serde(default, deserialize_with = "present")]
    pub update_rule: Option<Json>,
    /// Who may delete.
    #[serde(default, deserialize_with = "present")]
    pub delete_rule: Option<Json>,
    /// Fields in lists: `*`, or a JSON array of names, as such or in a string.
    #[serde(default, deserialize_with = "present")]
    pub list_fields: Option<Json>,
    /// Fields of single records.
    #[serde(default, deserialize_with = "present")]
    pub view_fields: Option<Json>,
    /// Fields that may be sent on create.
    #[serde(default, deserialize_with = "present")]
    pub create_fields: Option<Json>,
    /// Fields that may be sent on update.
    #[serde(default, deserialize_with = "present")]
    pub update_fields: Option<Json>,
}

/// Tells a key that is null from one that is absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// The keys that `PUT …/rules` knows, or ignores because its own answers have them.
pub const KNOWN_KEYS: [&str; 13] = [
    "list_rule",
    "view_rule",
    "create_rule",
    "update_rule",
    "delete_rule",
    "list_fields",
    "view_fields",
    "create_fields",
    "update_fields",
    "id",
    "collection_id",
    "created_at",
    "updated_at",
];

/// Checked columns and their values.
pub(super) struct Resolved(Vec<(&'static str, Value)>);

impl RulesPatch {
    /// Everything that a collection has.
    pub(super) fn complete(row: &CollectionRow) -> Self {
        let rule = |rule: &Option<String>| Some(rule.as_deref().map_or(Json::Null, Json::from));
        let list = |list: &String| Some(Json::from(list.as_str()));
        Self {
            list_rule: rule(&row.list_rule),
            view_rule: rule(&row.view_rule),
            create_rule: rule(&row.create_rule),
            update_rule: rule(&row.update_rule),
            delete_rule: rule(&row.delete_rule),
            list_fields: list(&row.list_fields),
            view_fields: list(&row.view_fields),
            create_fields: list(&row.create_fields),
            update_fields: list(&row.update_fields),
        }
    }

    /// Reads a patch and refuses keys that it does not know.
    pub fn parse(body: Body) -> Result<Self> {
        let unknown: Vec<Problem> = body
            .keys()
            .filter(|key| !KNOWN_KEYS.contains(&key.as_str()))
            .map(|key| {
                Problem::body(
                    key,
                    "extra_forbidden",
                    "Extra inputs are not permitted",
                    body[key].clone(),
                )
            })
            .collect();
        if !unknown.is_empty() {
            return Err(Error::Malformed { problems: unknown });
        }
        serde_json::from_value(Json::Object(body)).map_err(Error::internal)
    }

    /// Checks what is named against the fields.
    pub(super) fn resolve(&self, scope: &RuleScope<'_>) -> Result<Resolved> {
        let mut resolved = Vec::new();
        for (key, operation, rule) in [
            ("list_rule", Operation::List, &self.list_rule),
            ("view_rule", Operation::View, &self.view_rule),
            ("create_rule", Operation::Create, &self.create_rule),
            ("update_rule", Operation::Update, &self.update_rule),
            ("delete_rule", Operation::Delete, &self.delete_rule),
        ] {
            match rule {
                None => {}
                Some(Json::Null) => resolved.push((key, Value::Null(crate::db::Kind::Text))),
                Some(Json::String(source)) => {
                    check_rule(key, source, operation, scope)?;
                    resolved.push((key, source.as_str().into()));
                }
                Some(other) => {
                    let message = "Input should be a valid string";
                    return Err(Error::malformed(Problem::body(
                        key,
                        "string_type",
                        message,
                        other.clone(),
                    )));
                }
            }
        }
        for (key, list) in [
            ("list_fields", &self.list_fields),
            ("view_fields", &self.view_fields),
            ("create_fields", &self.create_fields),
            ("update_fields", &self.update_fields),
        ] {
            if let Some(list) = list {
                resolved.push((key, field_list(key, list, scope.fields)?.into()));
            }
        }
        Ok(Resolved(resolved))
    }
}

impl Resolved {
    /// The statements that store the values.
    pub(super) fn statements(&self, id: CollectionId, now: DateTime<Utc>) -> Vec<Stmt> {
        let statement = |(key, value): &(&'static str, Value)| {
            let text = match *key {
                "list_rule" => {
                    "UPDATE collections SET list_rule = $1, rules_updated_at = $2 WHERE id = $3"
                }
                "view_rule" => {
                    "UPDATE collections SET view_rule = $1, rules_updated_at = $2 WHERE id = $3"
                }
                "create_rule" => {
                    "UPDATE collections SET create_rule = $1, rules_updated_at = $2 WHERE id = $3"
                }
                "update_rule" => {
                    "UPDATE collections SET update_rule = $1, rules_updated_at = $2 WHERE id = $3"
                }
                "delete_rule" => {
                    "UPDATE collections SET delete_rule = $1, rules_updated_at = $2 WHERE id = $3"
                }
                "list_fields" => {
                    "UPDATE collections SET list_fields = $1, rules_updated_at = $2 WHERE id = $3"
                }
                "view_fields" => {
                    "UPDATE collections SET view_fields = $1, rules_updated_at = $2 WHERE id = $3"
                }
                "create_fields" => {
                    "UPDATE collections SET create_fields = $1, rules_updated_at = $2 WHERE id = $3"
                }
                _ => {
                    "UPDATE collections SET update_fields = $1, rules_updated_at = $2 WHERE id = $3"
                }
            };
            Stmt::fixed(text, vec![value.clone(), now.into(), id.into()])
        };
        self.0.iter().map(statement).collect()
    }
}

fn check_rule(key: &str, source: &str, operation: Operation, scope: &RuleScope<'_>) -> Result<()> {
    if source.is_empty() {
        return Ok(());
    }
    Predicate::compile(source, scope, operation.purpose())
        .map(|_| ())
        .map_err(|problems| {
            let reasons: Vec<String> = problems.iter().map(describe).collect();
            Error::refused(
                "Invalid rule",
                format!("Invalid {key}: {}", reasons.join("; ")),
            )
        })
}

fn describe(problem: &expr::Problem) -> String {
    format!("{} (at position {})", problem.message, problem.position)
}

/// The stored form of a field list, whose names must be those of fields.
fn field_list(key: &str, list: &Json, fields: &[Field]) -> Result<String> {
    let problem = || {
        let message = "Input should be \"*\" or a JSON array of field names";
        Error::malformed(Problem::body(key, "value_error", message, list.clone()))
    };
    match list {
        Json::String(text) if text == "*" => Ok(text.clone()),
        Json::String(text) => {
            let names: Vec<String> = serde_json::from_str(text).map_err(|_| problem())?;
            check_names(key, names.iter().map(String::as_str), fields)?;
            Ok(text.clone())
        }
        Json::Array(names) if names.iter().all(Json::is_string) => {
            check_names(key, names.iter().filter_map(Json::as_str), fields)?;
            Ok(list.to_string())
        }
        _ => Err(problem()),
    }
}

fn check_names<'n>(
    key: &str,
    mut names: impl Iterator<Item = &'n str>,
    fields: &[Field],
) -> Result<()> {
    let known = || {
        fields
            .iter()
            .map(|field| field.name.as_str())
            .chain(ALWAYS_SHOWN)
    };
    match names.find(|name| known().all(|known| known != *name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!("unknown field '{name}' in {key}{}", hint(name, known()));
            Err(Error::invalid(key, "unknown_field", message))
        }
    }
}

/// A field's name, and how its values are compared.
type Known = (String, ColumnKind, TextFormat);

/// Columns that are known by name and perhaps by type only: what a rule is tried against before
/// anything is stored.
struct Loose<'a> {
    fields: Vec<Known>,
    library: RuleScope<'a>,
}

impl Columns for Loose<'_> {
    fn column(&self, name: &str) -> Option<Column> {
        let (kind, format) = if SYSTEM_FIELDS.contains(&name) {
            let kind = if name.ends_with("_at") {
                ColumnKind::Timestamp
            } else {
                ColumnKind::Text
            };
            (kind, system_format(name))
        } else {
            let (_, kind, format) = self.fields.iter().find(|(field, ..)| field == name)?;
            (*kind, *format)
        };
        Some(Column::stored(Ident::of(name)?, kind).with_format(format))
    }

    fn stored_macro(&self, name: &str) -> Option<&StoredMacro> {
        self.library.stored_macro(name)
    }

    fn collection(&self, name: &str) -> Option<(Fragment, &dyn Columns)> {
        self.library.collection(name)
    }
}

/// Checks a rule against fields given as names or definitions; returns what is wrong.
pub fn validate_rule(
    source: &str,
    operation: Operation,
    fields: &[Json],
    library: &Library,
) -> Vec<expr::Problem> {
    if source.is_empty() {
        return Vec::new();
    }
    let columns = Loose {
        fields: fields.iter().filter_map(known).collect(),
        library: library.for_fields(&[]),
    };
    Predicate::compile(source, &columns, operation.purpose())
        .err()
        .unwrap_or_default()
}

/// A field given as a name or as a definition.
fn known(field: &Json) -> Option<Known> {
    match field {
        Json::String(name) => Some((name.clone(), ColumnKind::Text, TextFormat::Plain)),
        Json::Object(definition) => {
            let text = |key: &str| definition.get(key).and_then(Json::as_str);
            let kind = match text("type") {
                Some(kind) if kind.eq_ignore_ascii_case("computed") => text("return_type"),
                kind => kind,
            };
            let kind = kind.and_then(FieldType::parse);
            let name = definition.get("name").and_then(Json::as_str)?;
            let format = kind.map_or(TextFormat::Plain, FieldType::format);
            Some((
                name.to_owned(),
                kind.map_or(ColumnKind::Text, FieldType::column),
                format,
            ))
        }
        _ => None,
    }
}

/// What a rule is tried with.
#[derive(Clone, Debug, Default)]
pub struct RuleTrial {
    /// The caller: `id`, `email`, `role`, `account_id`, `groups`.
    pub auth: Body,
    /// The record.
    pub record: Body,
    /// The request's body.
    pub data: Body,
    /// The collection's fields, as definitions; without them types are read off the record's
    /// values.
    pub fields: Vec<Json>,
}

/// What is sent the way a write would read it, as far as the fields' types are known and take it.
fn read_data(data: &Body, fields: &[Json]) -> Body {
    let kind_of = |name: &str| {
        let definition = fields.iter().find(|field| field["name"] == name)?;
        FieldType::parse(definition["type"].as_str()?)
    };
    let read = |(name, value): (&String, &Json)| {
        let read = kind_of(name)
            .filter(|_| !value.is_null())
            .and_then(|kind| kind.accept(name, value).ok());
        (
            name.clone(),
            read.map_or_else(|| value.clone(), |read| read.shown()),
        )
    };
    data.iter().map(read).collect()
}

/// Whether a rule lets an invented caller at an invented record.
pub async fn test_rule(
    db: &Db,
    library: &Library,
    source: &str,
    context: &RuleTrial,
) -> Result<bool> {
    if source.is_empty() {
        return Ok(true);
    }
    let kind = |value: &Json| match value {
        Json::Number(_) => ColumnKind::Number,
        Json::Bool(_) => ColumnKind::Boolean,
        Json::Array(_) | Json::Object(_) => ColumnKind::Json,
        Json::String(_) | Json::Null => ColumnKind::Text,
    };
    let values = read_data(&context.data, &context.fields);
    let sent = expr::Sent {
        values: &values,
        is_new: false,
    };
    let fields = context
        .record
        .iter()
        .chain(&context.data)
        .map(|(name, value)| (name.clone(), kind(value), TextFormat::Plain));
    let fields: Vec<_> = if context.fields.is_empty() {
        fields.collect()
    } else {
        context.fields.iter().filter_map(known).collect()
    };
    let columns = Loose {
        fields,
        library: library.for_fields(&[]),
    };
    let predicate =
        Predicate::compile(source, &columns, Operation::Update.purpose()).map_err(|problems| {
            let reasons: Vec<String> = problems.iter().map(describe).collect();
            Error::refused(
                "Invalid rule",
                format!("Invalid rule: {}", reasons.join("; ")),
            )
        })?;
    let text = |key: &str| context.auth.get(key).and_then(Json::as_str);
    let groups: Vec<String> = match context.auth.get("groups") {
        Some(Json::Array(groups)) => groups
            .iter()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    let auth = expr::Auth {
        id: text("id"),
        email: text("email"),
        role: text("role"),
        account_id: text("account_id"),
        groups: &groups,
    };
    if !predicate.relational() {
        return Ok(predicate.eval(&context.record, &auth, Some(sent)) == Some(true));
    }
    // What it reads of other records is really there.
    let mut sql = db.sql();
    sql.push("SELECT 'yes' WHERE ");
    predicate.write_sql_about(&mut sql, &context.record, &auth, Some(sent));
    Ok(db.reads(None).doc(sql.build()).await?.is_some())
}
