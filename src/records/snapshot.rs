//! Records as they are at one moment, together with the changes that they show: a subscription goes
//! on from there without a gap and without a repetition.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::Records;
use super::list::{is_default_order, write_after_sorting};
use super::order::Order;
use super::query::ListQuery;
use crate::access::RecordScope;
use crate::auth::Caller;
use crate::db::{AccountName, Doc, Sql};
use crate::error::{Error, Result};
use crate::id::{AccountId, RecordId};
use crate::schema::{Body, Operation};

/// Bytes of records that a snapshot may take in by expanding: it waits in memory until the client
/// has read it.
const MAX_EXPANDED: usize = 8 * 1024 * 1024;

/// Which records are wanted.
#[derive(Clone, Debug)]
pub struct SnapshotQuery<'a> {
    /// The collection.
    pub collection: &'a str,
    /// Only this record, which then must be visible to the view rule instead of the list rule.
    pub record: Option<&'a str>,
    /// The account whose records are wanted; `None` for those that the caller reaches.
    pub account: Option<AccountId>,
    /// Filter, order, fields, references to expand, and limit; always from the beginning.
    pub list: &'a ListQuery,
    /// The position in the change log after which changes are told apart.
    pub after: i64,
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    /// The records, as documents; their account is not named.
    pub items: Vec<Doc>,
    /// Whether there are more than were asked for.
    pub has_more: bool,
    /// The positions of the changes after [`SnapshotQuery::after`] that the records show.
    pub shown: Vec<i64>,
}

impl Records {
    /// The records that the caller may see, and the changes that they show, read in one statement.
    pub(super) async fn try_snapshot(
        &self,
        caller: &Caller,
        query: &SnapshotQuery<'_>,
    ) -> Result<Moment> {
        let collection = self.collection(query.collection)?;
        let operation = if query.record.is_some() {
            Operation::View
        } else {
            Operation::List
        };
        let mut scope = RecordScope::open(caller, &collection, operation)?;
        scope.account = scope.account.or(query.account);
        let view = scope.view();
        let list = query.list;
        list.check_sort(&collection, &view)?;
        let filter = list
            .filter
            .as_deref()
            .map(|text| view.compile_filter(text))
            .transpose()?;
        let expansion = self.expansion(caller, &view, list.expand.as_ref(), |field| {
            list.selects(field)
        })?;
        let record = match query.record.map(RecordId::parse) {
            Some(None) => return Err(Error::not_found("Record not found")),
            Some(record) => record,
            None => None,
        };
        let order = Order::new(&collection, &list.sort, false);
        let mut sql = self.db.sql();
        sql.varied();
        let document = |sql: &mut Sql| {
            sql.push("SELECT ");
            collection.write_document(sql, "r", AccountName::Null, |name| {
                view.shows(name) && list.selects(name)
            });
            sql.push(" AS doc");
        };
        let some = |sql: &mut Sql| {
            sql.push(" FROM ")
                .fragment(collection.source())
                .push(" r WHERE 1 = 1");
            scope.write_conditions(sql, None);
            if let Some(record) = record {
                sql.push(" AND r.id = ").arg(record);
            }
            if let Some(filter) = &filter {
                sql.push(" AND (");
                filter.write_sql(sql, "r", &crate::expr::Auth::default(), None);
                sql.push(")");
            }
            sql.push(" ORDER BY ");
            order.write(sql);
            sql.push(" LIMIT ").number(list.limit + 1);
        };
        sql.push("SELECT doc FROM (");
        if sql.sorts_in_memory() && !is_default_order(list) {
            write_after_sorting(&mut sql, &collection, document, some);
        } else {
            document(&mut sql);
            some(&mut sql);
        }
        sql.push(
            ") page UNION ALL SELECT CAST(position AS TEXT) FROM change_log WHERE position > ",
        )
        .arg(query.after);
        let rows = self
            .db
            .reads(scope.reader())
            .docs(sql.build(), self.answer_bytes)
            .await?;
        let (mut items, positions): (Vec<Doc>, Vec<Doc>) =
            rows.into_iter().partition(|row| row.starts_with('{'));
        let has_more = i64::try_from(items.len()).is_ok_and(|read| read > list.limit);
        if has_more {
            items.pop();
        }
        let shown = positions
            .iter()
            .filter_map(|position| position.parse().ok())
            .collect();
        for item in &mut items {
            if let Cow::Owned(masked) = view.render(item) {
                *item = masked;
            }
        }
        if let Some(expansion) = expansion {
            let mut records: Vec<Body> = items
                .iter()
                .map(|doc| serde_json::from_str(doc).unwrap_or_default())
                .collect();
            expansion
                .apply(&self.db, &mut records, MAX_EXPANDED)
                .await?;
            items = records
                .into_iter()
                .map(|record| Json::Object(record).to_string())
                .collect();
        }
        Ok(Moment {
            items,
            has_more,
            shown,
        })
    }
}
