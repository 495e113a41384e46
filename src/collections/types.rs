//! The collections as types of other languages: TypeScript, and schemas of the API document.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::schema::{Collection, Field, FieldType};

/// Before the interfaces of the collections.
const PRELUDE: &str = "\
// The records of this server's collections. Made by `snackbase types typescript`; do not edit.

/** What every record has; only the server writes it. */
export interface SystemFields {
  id: string;
  account_id: string;
  account_name?: string | null;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
}

/** The description of an uploaded file. */
export interface FileValue {
  filename: string;
  size: number;
  mime_type: string;
  path: string;
  [key: string]: unknown;
}

/** Anything that JSON can say. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
";

/// The collections, each with a name for its types that no other has, and that `is_taken` leaves
/// free.
fn named(
    collections: &[Arc<Collection>],
    is_taken: impl Fn(&str) -> bool,
) -> Vec<(String, &Arc<Collection>)> {
    let mut sorted: Vec<&Arc<Collection>> = collections.iter().collect();
    sorted.sort_by(|one, other| one.name.cmp(&other.name));
    let mut taken = HashSet::new();
    let mut unique = |name: String| {
        let mut candidate = name.clone();
        let mut number = 2;
        while is_taken(&candidate) || !taken.insert(candidate.clone()) {
            candidate = format!("{name}{number}");
            number += 1;
        }
        candidate
    };
    sorted
        .into_iter()
        .map(|collection| (unique(pascal_case(&collection.name)), collection))
        .collect()
}

/// `user_profiles` is `UserProfiles`.
fn pascal_case(name: &str) -> String {
    let capital = |part: &str| {
        let mut chars = part.chars();
        chars.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + chars.as_str()
        })
    };
    name.split('_').map(capital).collect()
}

/// TypeScript interfaces: what a record of each collection looks like, and what may be sent to
/// create one.
pub fn typescript(collections: &[Arc<Collection>]) -> String {
    let collections = named(collections, |_| false);
    let mut text = PRELUDE.to_owned();
    for (name, collection) in &collections {
        let mut line = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        line(&format!("\n/** A record of `{}`. */", collection.name));
        line(&format!(
            "export interface {name}Record extends SystemFields {{"
        ));
        for field in &collection.fields {
            let null = if field.required { "" } else { " | null" };
            line(&format!(
                "  {}: {}{null};",
                field.name,
                typescript_type(field)
            ));
        }
        line("}");
        line(&format!(
            "\n/** What is sent to create a record of `{}`; every key may be left out to change one. */",
            collection.name
        ));
        line(&format!("export interface {name}Input {{"));
        for field in collection
            .fields
            .iter()
            .filter(|field| field.computed.is_none())
        {
            let (mark, null) = if field.required {
                ("", "")
            } else {
                ("?", " | null")
            };
            line(&format!(
                "  {}{mark}: {}{null};",
                field.name,
                typescript_type(field)
            ));
        }
        line("}");
    }
    for (what, kind) in [
        ("CollectionRecords", "Record"),
        ("CollectionInputs", "Input"),
    ] {
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "\n/** By the name of the collection. */\nexport interface {what} {{"
        );
        for (name, collection) in &collections {
            let _ = writeln!(text, "  {}: {name}{kind};", collection.name);
        }
        text.push_str("}\n");
    }
    text
}

fn typescript_type(field: &Field) -> String {
    if let Some(choices) = field.constraints.choices() {
        // JSON literals are TypeScript literals.
        return choices
            .iter()
            .map(Json::to_string)
            .collect::<Vec<_>>()
            .join(" | ");
    }
    match field.kind {
        FieldType::Number => "number",
        FieldType::Boolean => "boolean",
        FieldType::Json => "Json",
        FieldType::File => "FileValue",
        FieldType::Text
        | FieldType::DateTime
        | FieldType::Date
        | FieldType::Email
        | FieldType::Url
        | FieldType::Reference => "string",
    }
    .to_owned()
}

/// Adds to an API document what the records of each collection look like, and the routes that take
/// and give them.
pub fn describe(document: &mut Json, collections: &[Arc<Collection>]) {
    let general = document["components"]["schemas"].clone();
    let is_taken = |name: &str| {
        ["Record", "Input", "Change"]
            .iter()
            .any(|kind| general.get(format!("{name}{kind}")).is_some())
    };
    for (name, collection) in named(collections, is_taken) {
        let (record, input) = (format!("{name}Record"), format!("{name}Input"));
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let page = json!({"allOf": [reference("RecordPage"), {"type": "object",
            "properties": {"items": {"type": "array", "items": reference(&record)}}}]});
        if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
            schemas.insert(record.clone(), record_schema(collection));
            schemas.insert(input.clone(), input_schema(collection, true));
            schemas.insert(format!("{name}Change"), input_schema(collection, false));
        }
        let Some(paths) = document["paths"].as_object_mut() else {
            return;
        };
        let Some(list) = paths.get("/api/v1/records/{collection}").cloned() else {
            return;
        };
        let Some(one) = paths.get("/api/v1/records/{collection}/{id}").cloned() else {
            return;
        };
        let base = format!("/api/v1/records/{}", collection.name);
        let own = |operation: &Json, method: &str| {
            let body = match method {
                "post" | "put" => Some(reference(&input)),
                "patch" => Some(reference(&format!("{name}Change"))),
                _ => None,
            };
            let answer = if operation["responses"]["200"]["content"].is_null() {
                "201"
            } else {
                "200"
            };
            let shape = if method == "get" && operation["x-list"] == true {
                page.clone()
            } else {
                reference(&record)
            };
            specific(operation, method, collection, body, answer, &shape)
        };
        for (path, item, is_list) in [
            (base.clone(), list, true),
            (format!("{base}/{{id}}"), one, false),
        ] {
            let mut operations = Map::new();
            for (method, mut operation) in item.as_object().cloned().unwrap_or_default() {
                operation["x-list"] = is_list.into();
                operations.insert(method.clone(), own(&operation, &method));
            }
            paths.insert(path, Json::Object(operations));
        }
    }
}

/// An operation on any collection, made one on this collection.
fn specific(
    operation: &Json,
    method: &str,
    collection: &Collection,
    body: Option<Json>,
    answer: &str,
    shape: &Json,
) -> Json {
    let mut operation = operation.clone();
    if let Some(keys) = operation.as_object_mut() {
        keys.remove("x-list");
    }
    let id = operation["operationId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    operation["operationId"] = format!("{id}_{}", collection.name).into();
    operation["tags"] = json!([format!("records of {}", collection.name)]);
    if let Some(parameters) = operation.get_mut("parameters").and_then(Json::as_array_mut) {
        parameters.retain(|parameter| parameter["name"] != "collection");
    }
    if let Some(body) = body {
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": body}}});
    }
    if method != "delete" {
        operation["responses"][answer]["content"] = json!({"application/json": {"schema": shape}});
    }
    operation
}

fn record_schema(collection: &Collection) -> Json {
    let mut properties = Map::new();
    for name in crate::schema::SYSTEM_FIELDS {
        let format = if name.ends_with("_at") {
            "date-time"
        } else {
            "uuid"
        };
        let text = if name.ends_with("_by") {
            json!({"type": "string"})
        } else {
            json!({"type": "string", "format": format})
        };
        properties.insert(name.into(), text);
    }
    properties.insert("account_name".into(), json!({"type": ["string", "null"]}));
    for field in &collection.fields {
        let mut schema = value_schema(field, !field.required);
        if field.computed.is_some() {
            schema["readOnly"] = true.into();
        }
        properties.insert(field.name.clone(), schema);
    }
    json!({"type": "object", "description": format!("A record of `{}`", collection.name),
        "required": crate::schema::SYSTEM_FIELDS, "properties": properties})
}

fn input_schema(collection: &Collection, complete: bool) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in collection
        .fields
        .iter()
        .filter(|field| field.computed.is_none())
    {
        let mut schema = value_schema(field, !field.required);
        if let Some(default) = &field.default {
            schema["default"] = default.clone();
        }
        if field.required && complete {
            required.push(field.name.as_str());
        }
        properties.insert(field.name.clone(), schema);
    }
    let what = if complete {
        "What is sent to create a record of"
    } else {
        "What is sent to change a record of"
    };
    json!({"type": "object", "description": format!("{what} `{}`", collection.name),
        "required": required, "properties": properties})
}

/// What a value of the field looks like.
fn value_schema(field: &Field, nullable: bool) -> Json {
    let mut schema = match field.kind {
        FieldType::Number => json!({"type": "number"}),
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::DateTime => json!({"type": "string", "format": "date-time"}),
        FieldType::Date => json!({"type": "string", "format": "date"}),
        FieldType::Email => json!({"type": "string", "format": "email"}),
        FieldType::Url => json!({"type": "string", "format": "uri"}),
        FieldType::Json => return json!({"description": "Any JSON value"}),
        FieldType::File => {
            json!({"type": "object", "required": ["filename", "size", "mime_type", "path"],
            "properties": {"filename": {"type": "string"}, "size": {"type": "integer"},
                "mime_type": {"type": "string"}, "path": {"type": "string"}}})
        }
        FieldType::Reference => {
            let target = field.target.as_deref().unwrap_or_default();
            json!({"type": "string", "format": "uuid", "description": format!("The id of a record of `{target}`")})
        }
        FieldType::Text => json!({"type": "string"}),
    };
    field.constraints.describe(&mut schema);
    if nullable {
        schema["type"] = json!([schema["type"], "null"]);
        if let Some(choices) = schema.get_mut("enum").and_then(Json::as_array_mut) {
            choices.push(Json::Null);
        }
    }
    schema
}
