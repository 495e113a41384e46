//! The parameters that lists and exports of the trail have in common.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::audit::{AuditFilter, Column};
use crate::error::{Error, Problem, Result};
use crate::http::extract::SortOrder;

/// The rows that are asked for, and their order.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FilterParams {
    /// Only rows of this account.
    account_id: Option<String>,
    /// Only rows about this table.
    table_name: Option<String>,
    /// Only rows about this record.
    record_id: Option<String>,
    /// Only changes by this user.
    user_id: Option<String>,
    /// Only this operation, such as `UPDATE`.
    operation: Option<String>,
    /// Only changes by users who had signed in like this: `jwt`, `api_key`, `password` or `token`.
    auth_method: Option<String>,
    /// Not before this time, in RFC 3339, or this day.
    from_date: Option<String>,
    /// Not after this time, in RFC 3339, or this day.
    to_date: Option<String>,
    /// Column to sort by; `occurred_at` if it is left out.
    #[param(inline)]
    sort_by: Option<SortColumn>,
    /// Direction; `desc` if it is left out.
    #[param(inline)]
    sort_order: Option<SortOrder>,
    /// True to mask personal data.
    masked: Option<bool>,
}

/// A column that rows can be sorted by.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SortColumn {
    OccurredAt,
    Id,
    AccountId,
    Operation,
    TableName,
    RecordId,
    UserId,
    UserEmail,
}

impl From<SortColumn> for Column {
    fn from(column: SortColumn) -> Self {
        match column {
            SortColumn::OccurredAt => Self::OccurredAt,
            SortColumn::Id => Self::Id,
            SortColumn::AccountId => Self::AccountId,
            SortColumn::Operation => Self::Operation,
            SortColumn::TableName => Self::TableName,
            SortColumn::RecordId => Self::RecordId,
            SortColumn::UserId => Self::UserId,
            SortColumn::UserEmail => Self::UserEmail,
        }
    }
}

impl FilterParams {
    /// The filter for the service.
    ///
    /// # Errors
    ///
    /// A text with NUL characters, or a time that cannot be read.
    pub(super) fn into_filter(self) -> Result<AuditFilter> {
        let operation = read_text("operation", self.operation)?;
        let auth_method = read_text("auth_method", self.auth_method)?;
        // A day ends with its last millisecond.
        let last = NaiveTime::from_hms_milli_opt(23, 59, 59, 999).unwrap_or(NaiveTime::MIN);
        Ok(AuditFilter {
            account_id: read_text("account_id", self.account_id)?,
            table_name: read_text("table_name", self.table_name)?,
            record_id: read_text("record_id", self.record_id)?,
            user_id: read_text("user_id", self.user_id)?,
            operation: operation.map(|operation| operation.to_ascii_uppercase()),
            auth_method: auth_method.map(|method| method.to_ascii_lowercase()),
            from: read_time("from_date", self.from_date.as_deref(), NaiveTime::MIN)?,
            to: read_time("to_date", self.to_date.as_deref(), last)?,
            sort: self.sort_by.map(Column::from).unwrap_or_default(),
            ascending: self.sort_order.is_some_and(SortOrder::is_ascending),
            masked: self.masked.unwrap_or_default(),
            before: None,
        })
    }
}

/// A text that is not empty. PostgreSQL takes no NUL in one.
pub(super) fn read_text(name: &str, text: Option<String>) -> Result<Option<String>> {
    match text.filter(|text| !text.is_empty()) {
        Some(text) if text.contains('\0') => {
            let message = "Input should have no NUL in it";
            let problem = Problem::query(name, "value_error", message, text);
            Err(Error::malformed(problem))
        }
        text => Ok(text),
    }
}

/// A time in RFC 3339, one without a zone in UTC, or a day, of which `time_of_day` is meant.
fn read_time(
    name: &str,
    text: Option<&str>,
    time_of_day: NaiveTime,
) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    // A plus sign in a URL is a space.
    let time = read_zoned(text)
        .or_else(|| read_zoned(&text.replace(' ', "+")))
        .or_else(|| read_local(text))
        .or_else(|| read_day(text, time_of_day))
        // Databases end before years do.
        .filter(|time| (0..=9999).contains(&chrono::Datelike::year(time)));
    let message = "Input should be a valid datetime such as 2026-01-31T12:00:00Z, or a day";
    let refused = || Problem::query(name, "datetime_parsing", message, text);
    time.map(Some).ok_or_else(|| Error::malformed(refused()))
}

fn read_zoned(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.to_utc())
}

fn read_local(text: &str) -> Option<DateTime<Utc>> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some(time.and_utc())
}

fn read_day(text: &str, time_of_day: NaiveTime) -> Option<DateTime<Utc>> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_time(time_of_day).and_utc())
}
