//! The trail as a file: CSV, JSON, PDF.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::json;

use super::entry::TrailRow;
use super::event::{Event, Operation};
use super::{Audit, AuditFilter, pdf};
use crate::access::account::superadmin;
use crate::auth::Caller;
use crate::db::canonical_time;
use crate::error::{Error, Result};
use crate::id::{AccountId, SYSTEM_ACCOUNT};

/// The most rows of a file.
const MOST: i64 = 10_000;
/// Rows read at once.
const CHUNK: i64 = 500;
/// The most bytes of values in a file.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Values with commas between them.
    Csv,
    /// A list of objects.
    Json,
    /// A document.
    Pdf,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Pdf => "pdf",
        }
    }
}

/// A file.
#[derive(Clone, Debug)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// The media type of the content.
    pub media_type: &'static str,
    /// What is in it.
    pub content: Vec<u8>,
}

/// A row of a file.
#[derive(Serialize)]
struct Line<'r> {
    id: i64,
    occurred_at: String,
    operation: &'r str,
    table_name: &'r str,
    record_id: &'r str,
    column_name: &'r str,
    old_value: Option<&'r str>,
    new_value: Option<&'r str>,
    user_email: Option<&'r str>,
    ip_address: Option<&'r str>,
    checksum: &'r str,
}

/// What stands above the columns.
pub(super) const TITLES: [&str; 11] = [
    "ID",
    "Timestamp",
    "Operation",
    "Table",
    "Record ID",
    "Column",
    "Old Value",
    "New Value",
    "User",
    "IP Address",
    "Checksum",
];

impl Audit {
    /// Writes rows of the trail into a file, and into the trail that it was done.
    /// A PDF is text in base64, which clients expect of it, unless `binary` is wanted.
    pub async fn export(
        &self,
        caller: &Caller,
        filter: AuditFilter,
        format: Format,
        binary: bool,
    ) -> Result<Export> {
        superadmin(caller)?;
        self.settle().await?;
        let filter = AuditFilter {
            before: Some(self.next_id().await?),
            ..filter
        };
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for skip in (0..MOST).step_by(usize::try_from(CHUNK).unwrap_or(1)) {
            let more = self
                .rows(&filter, filter.masked || !caller.sees_pii(), skip, CHUNK)
                .await?;
            bytes += more.iter().map(TrailRow::size).sum::<usize>();
            if bytes > MAX_BYTES {
                let message = "The file would be too large: narrow it with the filters, or take a shorter time";
                return Err(Error::refused("Answer too large", message));
            }
            let full = i64::try_from(more.len()).is_ok_and(|read| read == CHUNK);
            rows.extend(more);
            if !full {
                break;
            }
        }
        let now = self.0.clock.now();
        let account = filter
            .account_id
            .as_deref()
            .and_then(AccountId::parse)
            .unwrap_or(SYSTEM_ACCOUNT);
        let details = json!({"format": format.name(), "rows": rows.len(), "masked": filter.masked});
        let event = Event::new(Operation::Export, "audit_log", "")
            .with(details)
            .of(account)
            .by(caller);
        self.0.db.execute(event.entry(now)).await?;
        let (media_type, content) = match format {
            Format::Csv => ("text/csv; charset=utf-8", csv(&rows)?),
            Format::Json => {
                let lines: Vec<Line<'_>> = rows.iter().map(Line::of).collect();
                (
                    "application/json",
                    serde_json::to_vec(&lines).map_err(Error::internal)?,
                )
            }
            Format::Pdf if binary => ("application/pdf", pdf::write(&rows, now)),
            Format::Pdf => (
                "text/plain; charset=utf-8",
                STANDARD.encode(pdf::write(&rows, now)).into_bytes(),
            ),
        };
        let name = format!(
            "audit_logs_{}.{}",
            now.format("%Y%m%d_%H%M%S"),
            format.name()
        );
        Ok(Export {
            name,
            media_type,
            content,
        })
    }
}

impl<'r> Line<'r> {
    fn of(row: &'r TrailRow) -> Self {
        Self {
            id: row.id,
            occurred_at: canonical_time(row.occurred_at),
            operation: &row.operation,
            table_name: &row.table_name,
            record_id: &row.record_id,
            column_name: &row.column_name,
            old_value: row.old_value.as_deref(),
            new_value: row.new_value.as_deref(),
            user_email: row.user_email.as_deref(),
            ip_address: row.ip_address.as_deref(),
            checksum: &row.checksum,
        }
    }
}

/// The cells of a row, in the order of [`TITLES`].
pub(super) fn cells(row: &TrailRow) -> [String; 11] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        row.id.to_string(),
        canonical_time(row.occurred_at),
        row.operation.clone(),
        row.table_name.clone(),
        row.record_id.clone(),
        row.column_name.clone(),
        text(&row.old_value),
        text(&row.new_value),
        text(&row.user_email),
        text(&row.ip_address),
        row.checksum.clone(),
    ]
}

fn csv(rows: &[TrailRow]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(TITLES).map_err(Error::internal)?;
    for row in rows {
        writer
            .write_record(cells(row).map(harmless))
            .map_err(Error::internal)?;
    }
    writer.into_inner().map_err(Error::internal)
}

/// Programs that show tables take a text for a formula if it begins like one: an apostrophe keeps
/// them from it.
fn harmless(cell: String) -> String {
    let formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    if formula { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_a_table_is_no_formula() {
        for (cell, written) in [
            ("=1+1", "'=1+1"),
            ("@x", "'@x"),
            ("-12.5", "-12.5"),
            ("a=b", "a=b"),
            ("-x", "'-x"),
        ] {
            assert_eq!(harmless(cell.into()), written);
        }
    }
}
