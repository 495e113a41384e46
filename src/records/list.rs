//! Lists: one statement a page, in an order that never repeats or loses a record.

use serde_json::Value as Json;

use super::Records;
use super::cursor::{Cursor, columns, write_after};
use super::query::{ListQuery, Window};
use super::scope::Scope;
use crate::auth::Caller;
use crate::db::{AccountName, DOC_SEPARATOR, Doc, Sql};
use crate::error::{Error, Result};
use crate::expr::{CallerKey, Predicate};
use crate::id::{AccountId, CollectionId};
use crate::schema::{Body, Operation, View};

/// One page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The records, as documents.
    pub items: Vec<Doc>,
    /// How many there are in all, if that was asked for.
    pub total: Option<i64>,
    /// Goes on after this page.
    pub next_cursor: Option<String>,
    /// Goes back before this page.
    pub prev_cursor: Option<String>,
    /// Whether there is more after this page.
    pub has_more: bool,
}

/// What a remembered total counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TotalKey {
    collection: CollectionId,
    account: Option<AccountId>,
    rule: Option<(String, CallerKey)>,
    filter: Option<String>,
}

impl Records {
    /// A page of the records that the caller may list.
    pub async fn list(&self, caller: &Caller, collection: &str, query: &ListQuery) -> Result<Page> {
        let collection = self.collection(collection)?;
        let scope = Scope::open(caller, &collection, Operation::List)?;
        let view = scope.view();
        query.check_sort(&collection, &view)?;
        let filter = query.filter.as_deref().map(|text| view.compile_filter(text)).transpose()?;
        let counted = matches!(query.window, Window::Offset(_)) || query.include_count;
        let (page, total) = tokio::join!(self.page(&scope, &view, query, filter.as_ref()), async {
            if counted { self.total(&scope, filter.as_ref()).await.map(Some) } else { Ok(None) }
        });
        let mut page = page?;
        page.total = total?;
        Ok(page)
    }

    async fn page(
        &self,
        scope: &Scope<'_>,
        view: &View,
        query: &ListQuery,
        filter: Option<&Predicate>,
    ) -> Result<Page> {
        let columns = columns(scope.collection, &query.sort);
        let reversed = matches!(query.window, Window::Before(_));
        let selected = |name: &str| query.fields.as_ref().is_none_or(|fields| fields.iter().any(|f| f == name));
        let sorted = |name: &str| query.sort.iter().any(|key| key.field == name);
        let account_name = match scope.caller.account() {
            Some(account) if scope.account.is_some() => AccountName::Known(&account.name),
            _ => AccountName::LookedUp,
        };
        let mut fits = Some(());
        let mut sql = self.db.sql();
        sql.page_of_documents(|sql| {
            sql.push("SELECT ");
            let wanted = |name: &str| view.shows(name) && (selected(name) || sorted(name));
            scope.collection.write_document(sql, "r", account_name, wanted);
            sql.push(" AS doc");
            write_source(sql, scope, filter);
            if let Window::After(Some(cursor)) | Window::Before(cursor) = &query.window {
                sql.push(" AND ");
                fits = write_after(sql, &columns, cursor, reversed);
            }
            sql.push(" ORDER BY ").list(", ", &columns, |sql, column| column.write_order(sql, reversed));
            sql.push(" LIMIT ").arg(query.limit + 1);
            if let Window::Offset(skip) = query.window
                && skip > 0
            {
                sql.push(" OFFSET ").arg(skip);
            }
        });
        fits.ok_or_else(|| Error::refused("Invalid cursor", "This cursor does not belong to this list"))?;
        let text = self.db.doc(sql.build()).await?.unwrap_or_default();
        let mut items: Vec<Doc> =
            if text.is_empty() { Vec::new() } else { text.split(DOC_SEPARATOR).map(str::to_owned).collect() };
        let more = i64::try_from(items.len()).unwrap_or(i64::MAX) > query.limit;
        if more {
            items.pop();
        }
        if reversed {
            items.reverse();
        }
        let mut page = Page { has_more: more || reversed, ..Page::default() };
        if (more && !reversed) || (reversed && !items.is_empty()) {
            page.next_cursor = edge(items.last(), query);
        }
        let first_page = matches!(query.window, Window::Offset(0) | Window::After(None)) || (reversed && !more);
        if !first_page {
            page.prev_cursor = edge(items.first(), query);
        }
        let extra: Vec<&str> = query.sort.iter().map(|key| key.field.as_str()).filter(|name| !selected(name)).collect();
        page.items = shape(items, view, &extra);
        Ok(page)
    }

    async fn total(&self, scope: &Scope<'_>, filter: Option<&Predicate>) -> Result<i64> {
        let key = TotalKey {
            collection: scope.collection.id,
            account: scope.account,
            rule: scope.rule.map(|rule| (rule.source().to_owned(), rule.caller_key(&scope.caller.attributes()))),
            filter: filter.map(|filter| filter.source().to_owned()),
        };
        // A total is good until something is committed; only where every write passes through this process.
        let stamp = self.db.write_counter();
        if let (Some(stamp), Some((known, total))) = (stamp, self.totals.get(&key))
            && stamp == known
        {
            return Ok(total);
        }
        let mut sql = self.db.sql();
        sql.push("SELECT count(*)");
        write_source(&mut sql, scope, filter);
        let total = self.db.count(sql.build()).await?;
        if let Some(stamp) = stamp {
            self.totals.insert(key, (stamp, total));
        }
        Ok(total)
    }
}

fn write_source(sql: &mut Sql, scope: &Scope<'_>, filter: Option<&Predicate>) {
    sql.push(" FROM ").fragment(scope.collection.source()).push(" r WHERE 1 = 1");
    scope.write_conditions(sql, None);
    if let Some(filter) = filter {
        sql.push(" AND (");
        filter.write_sql(sql, "r", &crate::expr::Auth::default(), None);
        sql.push(")");
    }
}

fn edge(doc: Option<&Doc>, query: &ListQuery) -> Option<String> {
    let record: Body = serde_json::from_str(doc?).ok()?;
    Some(Cursor::of(&record, &query.sort, &query.sort_text).encode())
}

/// Masks the documents, and drops fields that were only read to sort by.
pub(super) fn shape(items: Vec<Doc>, view: &View, extra: &[&str]) -> Vec<Doc> {
    let extra: Vec<&&str> = extra.iter().filter(|name| !crate::schema::SYSTEM_FIELDS.contains(name)).collect();
    if !view.is_masked() && extra.is_empty() {
        return items;
    }
    let reshape = |doc: Doc| match serde_json::from_str::<Body>(&doc) {
        Ok(mut record) => {
            record.retain(|key, _| !extra.iter().any(|name| **name == key));
            view.apply(&mut record);
            Json::Object(record).to_string()
        }
        Err(_) => "{}".to_owned(),
    };
    items.into_iter().map(reshape).collect()
}
