//! Query parameters of a known shape, for endpoints that the API document describes.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::deserialize_errors;
use super::query::{Query, unknown_parameter};
use crate::error::{Error, Problem, Result};
use crate::http::endpoint::query_table::QueryTable;
use crate::spelling::nearest;

/// The query parameters of an endpoint: a struct that derives `Deserialize` and `IntoParams`.
///
/// Texts are read as the API document says: integers within their bounds, booleans as
/// `true`/`false`, `1`/`0`, `yes`/`no` or `on`/`off`. A parameter that is probably a misspelt one is
/// refused with status 400; other unknown ones are ignored, as published clients expect.
#[derive(Clone, Debug)]
pub struct QueryParams<T>(pub T);

/// The same where every unknown parameter is refused.
#[derive(Clone, Debug)]
pub struct StrictQueryParams<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let (table, query) = (declared(parts)?, sent(parts));
        let is_misspelt =
            |name: &&str| !table.contains(name) && nearest(name, table.names()).is_some();
        match query.keys().find(is_misspelt) {
            None => read(&table, &query).map(Self),
            Some(unknown) => Err(unknown_parameter(unknown, &table.names())),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for StrictQueryParams<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let (table, query) = (declared(parts)?, sent(parts));
        match query.keys().find(|name| !table.contains(name)) {
            None => read(&table, &query).map(Self),
            Some(unknown) if table.contains("filter") => Err(unfiltered(unknown, &table.names())),
            Some(unknown) => Err(unknown_parameter(unknown, &table.names())),
        }
    }
}

/// The parameters that the endpoint declares; its guard has put them into the request.
fn declared(parts: &Parts) -> Result<Arc<QueryTable>> {
    parts.extensions.get().cloned().ok_or_else(|| {
        Error::internal("an endpoint reads query parameters that it does not declare")
    })
}

fn sent(parts: &Parts) -> Query {
    Query::read(parts.uri.query().unwrap_or_default())
}

fn read<T: DeserializeOwned>(table: &QueryTable, query: &Query) -> Result<T> {
    let values = table
        .read(query)
        .map_err(|problems| Error::Malformed { problems })?;
    let values = Value::Object(values);
    serde_path_to_error::deserialize(&values).map_err(|error| {
        let first = deserialize_errors::describe("query", &error);
        let problems = deserialize_errors::find_all::<T>(values.clone(), first);
        let problems = problems.into_iter().map(|problem| complete(problem, query));
        Error::Malformed {
            problems: problems.collect(),
        }
    })
}

/// Adds the text that was sent, and words the choices as other messages about parameters do.
fn complete(mut problem: Problem, query: &Query) -> Problem {
    let name = problem.loc.get(1).and_then(Value::as_str);
    if let Some(text) = name.and_then(|name| query.get(name)) {
        problem.input = text.into();
    }
    if problem.kind == "enum" {
        problem.msg = format!("Input should be {}", choices(&problem.msg));
    }
    problem
}

/// The choices of an error of serde, as in `'asc' or 'desc'`.
fn choices(message: &str) -> String {
    let expected = message.split_once("expected ").map_or("", |(_, end)| end);
    let names: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "another value".to_owned(),
    }
}

/// Refuses a parameter that may be meant as a condition.
fn unfiltered(name: &str, known: &[&str]) -> Error {
    let shown: String = name.chars().take(100).collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("conditions go into filter, for example filter={shown} = 1"),
    };
    Error::refused(
        "Unsupported query parameter",
        format!("unknown query parameter '{shown}'; {hint}"),
    )
}
