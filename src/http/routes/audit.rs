//! The audit trail, for superadmins.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit::{AuditFilter, AuditPage, AuditRow, Column, Format, Verified};
use crate::error::{Error, Problem, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{Query, Superadmin};

/// The routes below `/api/v1/audit-logs`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(export))
        .routes(routes!(verify))
        .routes(routes!(get))
}

/// The trail, one row for each column of each change, newest first unless sorted otherwise.
#[utoipa::path(get, path = "/api/v1/audit-logs", tag = "audit",
    params(("account_id" = Option<String>, Query), ("table_name" = Option<String>, Query),
        ("record_id" = Option<String>, Query), ("user_id" = Option<String>, Query),
        ("operation" = Option<String>, Query), ("auth_method" = Option<String>, Query), ("from_date" = Option<String>, Query),
        ("to_date" = Option<String>, Query), ("skip" = Option<i64>, Query, minimum = 0, maximum = 2_147_483_647), ("limit" = Option<i64>, Query, minimum = 1, maximum = 500),
        ("sort_by" = Option<String>, Query), ("sort_order" = Option<String>, Query),
        ("masked" = Option<bool>, Query)),
    responses((status = 200, body = AuditPage), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn list(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    query: Query,
) -> Result<Json<AuditPage>> {
    let filter = filter(&query, &["skip", "limit"])?;
    let skip = query.number("skip", 0, 0..=i64::from(i32::MAX))?;
    let limit = query.number("limit", 50, 1..=500)?;
    app.audit
        .list(&caller, &filter, skip, limit)
        .await
        .map(Json)
}

/// Rows of the trail as a file, at most 10,000. A PDF comes as text in base64, unless
/// `application/pdf` is asked for.
#[utoipa::path(get, path = "/api/v1/audit-logs/export", tag = "audit",
    params(("format" = Option<String>, Query), ("account_id" = Option<String>, Query),
        ("table_name" = Option<String>, Query), ("record_id" = Option<String>, Query),
        ("user_id" = Option<String>, Query), ("operation" = Option<String>, Query),
        ("auth_method" = Option<String>, Query), ("from_date" = Option<String>, Query), ("to_date" = Option<String>, Query),
        ("sort_by" = Option<String>, Query), ("sort_order" = Option<String>, Query),
        ("masked" = Option<bool>, Query)),
    responses((status = 200, content((String = "text/csv"), (String = "application/json"), (String = "text/plain"))),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn export(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    headers: HeaderMap,
    query: Query,
) -> Result<Response> {
    let name = query.get("format").unwrap_or("csv");
    let format = Format::parse(name).ok_or_else(|| choice("format", Format::NAMES, name))?;
    let wants_pdf = |accept: &HeaderValue| {
        accept
            .to_str()
            .is_ok_and(|accept| accept.contains("application/pdf"))
    };
    let binary = format == Format::Pdf && headers.get(header::ACCEPT).is_some_and(wants_pdf);
    let export = app
        .audit
        .export(&caller, filter(&query, &["format"])?, format, binary)
        .await?;
    let disposition = format!("attachment; filename={}", export.name);
    let headers = [
        (header::CONTENT_TYPE, export.media_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, export.content).into_response())
}

/// Checks the chain of an account, or of all: whether an entry was changed, removed or inserted.
#[utoipa::path(get, path = "/api/v1/audit-logs/verify", tag = "audit",
    params(("account_id" = Option<String>, Query)),
    responses((status = 200, body = Verified), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn verify(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    query: Query,
) -> Result<Json<Verified>> {
    query.refuse_misspelt(&["account_id"])?;
    let account = text(&query, "account_id")?;
    app.audit
        .verify(&caller, account.as_deref())
        .await
        .map(Json)
}

/// One row of the trail.
#[utoipa::path(get, path = "/api/v1/audit-logs/{id}", tag = "audit", params(("id" = i64, Path)),
    responses((status = 200, body = AuditRow), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn get(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<AuditRow>> {
    let id = id.parse().map_err(|_| {
        let msg = "Input should be a valid integer, unable to parse string as an integer";
        let loc = vec!["path".into(), "id".into()];
        Error::malformed(Problem::at(loc, "int_parsing", msg, id.as_str().into()))
    })?;
    app.audit.get(&caller, id).await.map(Json)
}

/// The parameters that lists and exports have in common.
const FILTERS: [&str; 11] = [
    "account_id",
    "table_name",
    "record_id",
    "user_id",
    "operation",
    "auth_method",
    "from_date",
    "to_date",
    "sort_by",
    "sort_order",
    "masked",
];

/// Reads them; `more` are the other parameters that the endpoint takes.
fn filter(query: &Query, more: &[&str]) -> Result<AuditFilter> {
    query.refuse_misspelt(&[&FILTERS[..], more].concat())?;
    let ascending = match query.get("sort_order") {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(other) => return Err(choice("sort_order", "'asc' or 'desc'", other)),
    };
    let sort = match query.get("sort_by") {
        None => Column::default(),
        Some(name) => Column::parse(name).ok_or_else(|| choice("sort_by", Column::NAMES, name))?,
    };
    Ok(AuditFilter {
        account_id: text(query, "account_id")?,
        table_name: text(query, "table_name")?,
        record_id: text(query, "record_id")?,
        user_id: text(query, "user_id")?,
        operation: text(query, "operation")?.map(|operation| operation.to_ascii_uppercase()),
        auth_method: text(query, "auth_method")?.map(|method| method.to_ascii_lowercase()),
        from: time(query, "from_date", NaiveTime::MIN)?,
        // A day ends with its last millisecond.
        to: time(
            query,
            "to_date",
            NaiveTime::from_hms_milli_opt(23, 59, 59, 999).unwrap_or(NaiveTime::MIN),
        )?,
        sort,
        ascending,
        masked: query.flag("masked", false)?,
        before: None,
    })
}

fn text(query: &Query, key: &str) -> Result<Option<String>> {
    match query.get(key).filter(|text| !text.is_empty()) {
        // PostgreSQL takes no NUL in a text.
        Some(text) if text.contains('\0') => Err(Error::malformed(Problem::query(
            key,
            "value_error",
            "Input should have no NUL in it",
            text,
        ))),
        text => Ok(text.map(str::to_owned)),
    }
}

/// A time in RFC 3339, one without a zone in UTC, or a day, of which `part` is meant.
fn time(query: &Query, key: &str, part: NaiveTime) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = query
        .get(key)
        .map(str::trim)
        .filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    let zoned = |text: &str| {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| time.to_utc())
    };
    let naive = || {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
            .ok()
            .map(|time| time.and_utc())
    };
    let day = || {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .map(|day| day.and_time(part).and_utc())
    };
    // A plus sign in a URL is a space.
    let time = zoned(text)
        .or_else(|| zoned(&text.replace(' ', "+")))
        .or_else(naive)
        .or_else(day);
    // Databases end before years do.
    let time = time.filter(|time| (0..=9999).contains(&chrono::Datelike::year(time)));
    let msg = "Input should be a valid datetime such as 2026-01-31T12:00:00Z, or a day";
    time.map(Some)
        .ok_or_else(|| Error::malformed(Problem::query(key, "datetime_parsing", msg, text)))
}

fn choice(key: &str, names: &str, sent: &str) -> Error {
    Error::malformed(Problem::query(
        key,
        "enum",
        format!("Input should be {names}"),
        sent,
    ))
}
