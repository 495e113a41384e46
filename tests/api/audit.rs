//! The audit trail: what is in it, how it is read, and that nobody can change it unnoticed.

mod chain;
mod events;
mod export;
mod records;

use serde_json::Value;

use crate::harness::TestApp;

/// Rows of the trail in the order in which they were written.
pub(crate) async fn trail(app: &TestApp, query: &[(&str, &str)]) -> Vec<Value> {
    let fixed = [("sort_by", "id"), ("sort_order", "asc"), ("limit", "500")];
    let page = app
        .admin
        .query("/audit-logs", &[query, &fixed[..]].concat())
        .await
        .ok(200);
    page["items"].as_array().unwrap().clone()
}

/// `column: old -> new` of each row, with `-` for null.
fn changes(rows: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |row: &Value| {
        format!(
            "{}: {} -> {}",
            text(&row["column_name"]),
            text(&row["old_value"]),
            text(&row["new_value"])
        )
    };
    rows.iter().map(line).collect()
}
