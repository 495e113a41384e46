//! Lists: one statement a page, in an order that never repeats or loses a record.

use serde_json::Value as Json;

use super::Records;
use super::cursor::Walk;
use super::expand::Step;
use super::order::Order;
use super::query::{ListQuery, Window};
use super::scope::Scope;
use crate::auth::Caller;
use crate::db::{AccountName, DOC_SEPARATOR, Doc, Sql};
use crate::error::{Error, Result};
use crate::expr::{CallerKey, Predicate, Purpose};
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
        let filter = query.filter.as_deref().map(|text| compile_filter(&scope, &view, text)).transpose()?;
        let steps = match &query.expand {
            Some(expand) => self.steps(&collection, &view, expand, |field| query.selects(field))?,
            None => Vec::new(),
        };
        let counted = matches!(query.window, Window::Offset(_)) || query.include_count;
        let (page, total) = tokio::join!(self.page(&scope, &view, query, filter.as_ref()), async {
            if counted { self.total(&scope, filter.as_ref()).await.map(Some) } else { Ok(None) }
        });
        let mut page = page?;
        page.total = total?;
        page.items = self.shape(caller, std::mem::take(&mut page.items), &view, query, &steps).await?;
        Ok(page)
    }

    /// Reads one page; its documents may have fields that were only read to sort by.
    async fn page(
        &self,
        scope: &Scope<'_>,
        view: &View,
        query: &ListQuery,
        filter: Option<&Predicate>,
    ) -> Result<Page> {
        let walk = Walk { collection: scope.collection.id, account: scope.account, sort: &query.sort_text };
        let reversed = matches!(query.window, Window::Before(_));
        let order = Order::new(scope.collection, &query.sort, reversed);
        let position = match &query.window {
            Window::Offset(_) | Window::After(None) => None,
            Window::After(Some(cursor)) | Window::Before(cursor) => {
                let values = self.signer.open(walk, cursor);
                Some(values.and_then(|values| order.position(&values)).ok_or_else(|| bad_cursor(reversed))?)
            }
        };
        let limit = usize::try_from(query.limit).unwrap_or_default();
        let mut items: Vec<Doc> = Vec::new();
        for &part in order.parts(position.as_ref()) {
            let mut sql = self.db.sql();
            sql.page_of_documents(|sql| {
                write_page(sql, scope, view, query, filter);
                order.write_part(sql, part, position.as_ref());
                sql.push(" ORDER BY ");
                order.write(sql);
                sql.push(" LIMIT ").arg(query.limit + 1 - i64::try_from(items.len()).unwrap_or_default());
                if let Window::Offset(skip) = query.window
                    && skip > 0
                {
                    sql.push(" OFFSET ").arg(skip);
                }
            });
            let text = self.db.doc(sql.build()).await?.unwrap_or_default();
            if !text.is_empty() {
                items.extend(text.split(DOC_SEPARATOR).map(str::to_owned));
            }
            if items.len() > limit {
                break;
            }
        }
        let more = items.len() > limit;
        items.truncate(limit);
        if reversed {
            items.reverse();
        }
        let mut page = Page { has_more: more || reversed, ..Page::default() };
        if (more && !reversed) || (reversed && !items.is_empty()) {
            page.next_cursor = self.edge(walk, items.last(), query);
        }
        let first_page = matches!(query.window, Window::Offset(0) | Window::After(None)) || (reversed && !more);
        if !first_page {
            page.prev_cursor = self.edge(walk, items.first(), query);
        }
        page.items = items;
        Ok(page)
    }

    /// The cursor at a record.
    fn edge(&self, walk: Walk<'_>, doc: Option<&Doc>, query: &ListQuery) -> Option<String> {
        let record: Body = serde_json::from_str(doc?).ok()?;
        let values: Vec<Json> =
            query.sort.iter().map(|key| record.get(&key.field).cloned().unwrap_or_default()).collect();
        Some(self.signer.seal(walk, &values))
    }

    /// Masks the documents, expands them, and drops fields that were only read to sort by.
    async fn shape(
        &self,
        caller: &Caller,
        items: Vec<Doc>,
        view: &View,
        query: &ListQuery,
        steps: &[Step],
    ) -> Result<Vec<Doc>> {
        let extra = |name: &str| {
            !query.selects(name)
                && query.sort.iter().any(|key| key.field == name)
                && !crate::schema::SYSTEM_FIELDS.contains(&name)
        };
        if !view.is_masked() && steps.is_empty() && !query.sort.iter().any(|key| extra(&key.field)) {
            return Ok(items);
        }
        // Never show what cannot be looked into.
        let mut records: Vec<Body> = items.iter().map(|doc| serde_json::from_str(doc).unwrap_or_default()).collect();
        for record in &mut records {
            record.retain(|key, _| !extra(key));
            view.apply(record);
        }
        self.expand(caller, steps, &mut records).await?;
        Ok(records.into_iter().map(|record| Json::Object(record).to_string()).collect())
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

/// Appends the documents of a page, up to the condition.
fn write_page(sql: &mut Sql, scope: &Scope<'_>, view: &View, query: &ListQuery, filter: Option<&Predicate>) {
    let account_name = match scope.caller.account() {
        Some(account) if scope.account.is_some() => AccountName::Known(&account.name),
        _ => AccountName::LookedUp,
    };
    let sorted = |name: &str| query.sort.iter().any(|key| key.field == name);
    sql.push("SELECT ");
    let wanted = |name: &str| view.shows(name) && (query.selects(name) || sorted(name));
    scope.collection.write_document(sql, "r", account_name, wanted);
    sql.push(" AS doc");
    write_source(sql, scope, filter);
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

/// A filter may look only at what the caller sees in the clear; otherwise it would tell what is hidden.
fn compile_filter(scope: &Scope<'_>, view: &View, text: &str) -> Result<Predicate> {
    let label = "Invalid filter expression";
    let filter = scope.collection.compile(text, Purpose::Filter).map_err(|problems| {
        let text: Vec<String> =
            problems.iter().map(|problem| format!("{} (at position {})", problem.message, problem.position)).collect();
        Error::refused(label, text.join("; "))
    })?;
    let hidden =
        filter.fields().find(|name| scope.collection.field(name).is_some_and(|field| !view.shows_in_clear(field)));
    match hidden {
        Some(name) => Err(Error::refused(label, format!("Field '{name}' cannot be seen, so it cannot be filtered by"))),
        None => Ok(filter),
    }
}

fn bad_cursor(reversed: bool) -> Error {
    let label = if reversed { "Invalid cursor_before" } else { "Invalid cursor" };
    Error::refused(label, "This cursor does not belong to this list and order: begin again without one")
}
