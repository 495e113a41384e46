//! Lists: one statement a page, in an order that never repeats or loses a record.

use serde_json::Value as Json;

use super::cursor::Walk;
use super::order::{Order, Part, Position};
use super::query::{ListQuery, Window};
use super::search::Search;
use super::{MAX_EXPANDED, Records};
use crate::access::{ExpandPlan, FieldView, RecordScope};
use crate::auth::Caller;
use crate::db::{AccountName, DOC_SEPARATOR, Doc, LARGE_DOC, Sql};
use crate::error::{Error, Result};
use crate::expr::{CallerKey, Predicate};
use crate::id::{AccountId, CollectionId};
use crate::schema::{Body, Collection, Operation};

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
    search: Option<Search>,
}

impl TotalKey {
    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> u32 {
        let rule = self.rule.as_ref().map_or(0, |(rule, _)| rule.len());
        let search = self.search.as_ref().map_or(0, Search::bytes);
        let bytes = size_of::<Self>() + rule + self.filter.as_ref().map_or(0, String::len) + search;
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}

/// Which of the records in reach are meant.
#[derive(Default)]
pub(super) struct Selection {
    pub filter: Option<Predicate>,
    pub search: Option<Search>,
}

impl Selection {
    /// Reads the conditions of a request. They may look only at what the caller sees in the clear.
    pub fn prepare(
        scope: &RecordScope<'_>,
        view: &FieldView,
        filter: Option<&str>,
        search: Option<&str>,
    ) -> Result<Self> {
        let filter = filter.map(|text| view.compile_filter(text)).transpose()?;
        let search = search
            .map(|text| Search::prepare(scope, view, text))
            .transpose()?
            .flatten();
        Ok(Self { filter, search })
    }
}

/// What is read: which records, in whose eyes, and what of them.
struct Listing<'a> {
    scope: &'a RecordScope<'a>,
    view: &'a FieldView,
    query: &'a ListQuery,
    selection: &'a Selection,
}

/// A stretch of a list.
#[derive(Clone, Copy)]
struct ListStretch<'a> {
    order: &'a Order<'a>,
    part: Part,
    position: Option<&'a Position>,
    /// How many rows are read.
    rows: i64,
}

impl Listing<'_> {
    /// Appends the query that yields the documents of a stretch.
    fn write(&self, sql: &mut Sql, stretch: ListStretch<'_>) {
        let Self {
            scope,
            view,
            query,
            selection,
        } = self;
        let account_name = match scope.caller.account() {
            Some(account) if scope.account.is_some() => AccountName::Known(&account.name),
            _ => AccountName::LookedUp,
        };
        let sorted = |name: &str| query.sort.iter().any(|key| key.field == name);
        let wanted = |name: &str| view.shows(name) && (query.selects(name) || sorted(name));
        let document = |sql: &mut Sql| {
            sql.push("SELECT ");
            scope
                .collection
                .write_document(sql, "r", account_name, wanted);
            sql.push(" AS doc");
        };
        let some = |sql: &mut Sql| {
            let ListStretch {
                order,
                part,
                position,
                rows,
            } = stretch;
            write_source(sql, scope, selection);
            order.write_part(sql, part, position);
            sql.push(" ORDER BY ");
            order.write(sql);
            sql.push(" LIMIT ").number(rows);
            if let Window::Offset(skip) = query.window
                && skip > 0
            {
                sql.push(" OFFSET ").arg(skip);
            }
        };
        if sql.sorts_in_memory() && !is_default_order(query) {
            write_after_sorting(sql, scope.collection, document, some);
        } else {
            document(sql);
            some(sql);
        }
    }
}

/// Whether the order of a list is the one that an index serves in every collection.
pub(super) fn is_default_order(query: &ListQuery) -> bool {
    matches!(&query.sort[..], [first, _] if first.field == "created_at")
}

/// Appends a query whose records are found and sorted by their ids, and then read one by one:
/// otherwise whole documents would be sorted. A join with `CROSS` keeps the order.
pub(super) fn write_after_sorting(
    sql: &mut Sql,
    collection: &Collection,
    document: impl FnOnce(&mut Sql),
    some: impl FnOnce(&mut Sql),
) {
    document(sql);
    sql.push(" FROM (SELECT r.id AS sorted_id");
    some(sql);
    sql.push(") s CROSS JOIN ")
        .fragment(collection.source())
        .push(" r ON r.id = s.sorted_id");
}

impl Records {
    /// A page of the records that the caller may list.
    pub(super) async fn try_list(
        &self,
        caller: &Caller,
        collection: &str,
        query: &ListQuery,
    ) -> Result<Page> {
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::List)?;
        let view = scope.view();
        query.check_fields(&view)?;
        query.check_sort(&collection, &view)?;
        let selection = Selection::prepare(
            &scope,
            &view,
            query.filter.as_deref(),
            query.search.as_deref(),
        )?;
        let expansion = self.expansion(caller, &view, query.expand.as_ref(), |field| {
            query.selects(field)
        })?;
        let counted = matches!(query.window, Window::Offset(_)) || query.include_count;
        let listing = Listing {
            scope: &scope,
            view: &view,
            query,
            selection: &selection,
        };
        let (page, total) = tokio::join!(self.page(&listing), async {
            if counted {
                self.total(&scope, &selection).await.map(Some)
            } else {
                Ok(None)
            }
        });
        let mut page = page?;
        page.total = total?;
        page.items = self
            .shape(
                std::mem::take(&mut page.items),
                &view,
                query,
                expansion.as_ref(),
            )
            .await?;
        Ok(page)
    }

    /// Reads one page; its documents may have fields that were only read to sort by.
    async fn page(&self, listing: &Listing<'_>) -> Result<Page> {
        let Listing { scope, query, .. } = listing;
        let walk = Walk {
            collection: scope.collection.id,
            account: scope.account,
            sort: &query.sort_text,
        };
        let reversed = matches!(query.window, Window::Before(_));
        let order = Order::new(scope.collection, &query.sort, reversed);
        let position = match &query.window {
            Window::Offset(_) | Window::After(None) => None,
            Window::After(Some(cursor)) | Window::Before(cursor) => {
                let values = self.signer.open(walk, cursor);
                Some(
                    values
                        .and_then(|values| order.position(&values))
                        .ok_or_else(|| bad_cursor(reversed))?,
                )
            }
        };
        let limit = usize::try_from(query.limit).unwrap_or_default();
        let mut items: Vec<Doc> = Vec::new();
        for &part in order.parts(position.as_ref()) {
            let rows = query.limit + 1 - i64::try_from(items.len()).unwrap_or_default();
            let stretch = ListStretch {
                order: &order,
                part,
                position: position.as_ref(),
                rows,
            };
            items.extend(self.documents(listing, stretch).await?);
            if items.len() > limit {
                break;
            }
        }
        let more = items.len() > limit;
        items.truncate(limit);
        if reversed {
            items.reverse();
        }
        let mut page = Page {
            has_more: more || reversed,
            ..Page::default()
        };
        if (more && !reversed) || (reversed && !items.is_empty()) {
            page.next_cursor = self.edge(walk, items.last(), query);
        }
        let first_page =
            matches!(query.window, Window::Offset(0) | Window::After(None)) || (reversed && !more);
        if !first_page {
            page.prev_cursor = self.edge(walk, items.first(), query);
        }
        page.items = items;
        Ok(page)
    }

    /// The documents of a stretch. Where each may be as large as its part of the answer, they are
    /// read at once; if one is larger, it is found out first whether all of them are not too much.
    async fn documents(&self, listing: &Listing<'_>, stretch: ListStretch<'_>) -> Result<Vec<Doc>> {
        let reads = self.db.reads(listing.scope.reader());
        let each = self.answer_bytes / usize::try_from(stretch.rows).unwrap_or(1).max(1);
        let mut sql = self.db.sql();
        sql.varied()
            .page_of_documents(each, |sql| listing.write(sql, stretch));
        let text = reads.doc(sql.build()).await?.unwrap_or_default();
        let items: Vec<Doc> = text
            .split_terminator(DOC_SEPARATOR)
            .map(str::to_owned)
            .collect();
        if !items.iter().any(|item| item == LARGE_DOC) {
            return Ok(items);
        }
        let mut sql = self.db.sql();
        sql.varied()
            .page_within(self.answer_bytes, |sql| listing.write(sql, stretch));
        let text = reads
            .doc(sql.build())
            .await?
            .ok_or_else(Error::answer_too_large)?;
        Ok(text
            .split_terminator(DOC_SEPARATOR)
            .map(str::to_owned)
            .collect())
    }

    /// The cursor at a record.
    fn edge(&self, walk: Walk<'_>, doc: Option<&Doc>, query: &ListQuery) -> Option<String> {
        let record: Body = serde_json::from_str(doc?).ok()?;
        let values: Vec<Json> = query
            .sort
            .iter()
            .map(|key| record.get(&key.field).cloned().unwrap_or_default())
            .collect();
        Some(self.signer.seal(walk, &values))
    }

    /// Masks the documents, expands them, and drops fields that were only read to sort by.
    async fn shape(
        &self,
        items: Vec<Doc>,
        view: &FieldView,
        query: &ListQuery,
        expansion: Option<&ExpandPlan>,
    ) -> Result<Vec<Doc>> {
        let extra = |name: &str| {
            !query.selects(name)
                && query.sort.iter().any(|key| key.field == name)
                && !crate::schema::SYSTEM_FIELDS.contains(&name)
        };
        if !view.is_masked()
            && expansion.is_none()
            && !query.sort.iter().any(|key| extra(&key.field))
        {
            return Ok(items);
        }
        // Never show what cannot be looked into.
        let mut records: Vec<Body> = items
            .iter()
            .map(|doc| serde_json::from_str(doc).unwrap_or_default())
            .collect();
        for record in &mut records {
            record.retain(|key, _| !extra(key));
            view.apply(record);
        }
        if let Some(expansion) = expansion {
            expansion
                .apply(&self.db, &mut records, MAX_EXPANDED)
                .await?;
        }
        Ok(records
            .into_iter()
            .map(|record| Json::Object(record).to_string())
            .collect())
    }

    async fn total(&self, scope: &RecordScope<'_>, selection: &Selection) -> Result<i64> {
        let key = TotalKey {
            collection: scope.collection.id,
            account: scope.account,
            rule: scope.rule.map(|rule| {
                (
                    rule.source().to_owned(),
                    rule.caller_key(&scope.caller.attributes()),
                )
            }),
            filter: selection
                .filter
                .as_ref()
                .map(|filter| filter.source().to_owned()),
            search: selection.search.clone(),
        };
        // A total is good until something is committed; only where every write passes through this
        // process.
        let timeless = !scope
            .rule
            .into_iter()
            .chain(selection.filter.as_ref())
            .any(Predicate::reads_clock);
        let stamp = self.db.write_counter().filter(|_| timeless);
        if let (Some(stamp), Some((known, total))) = (stamp, self.totals.get(&key))
            && stamp == known
        {
            return Ok(total);
        }
        let mut sql = self.db.sql();
        sql.varied().push("SELECT count(*)");
        write_source(&mut sql, scope, selection);
        let total = self.db.reads(scope.reader()).count(sql.build()).await?;
        if let Some(stamp) = stamp {
            self.totals.insert(key, (stamp, total));
        }
        Ok(total)
    }
}

/// Appends the table and the condition: the account, the rule, and the selection.
pub(super) fn write_source(sql: &mut Sql, scope: &RecordScope<'_>, selection: &Selection) {
    sql.push(" FROM ")
        .fragment(scope.collection.source())
        .push(" r WHERE 1 = 1");
    scope.write_conditions(sql, None);
    if let Some(filter) = &selection.filter {
        sql.push(" AND (");
        filter.write_sql(sql, "r", &crate::expr::Auth::default(), None);
        sql.push(")");
    }
    if let Some(search) = &selection.search {
        sql.push(" AND ");
        search.write(sql);
    }
}

fn bad_cursor(reversed: bool) -> Error {
    let label = if reversed {
        "Invalid cursor_before"
    } else {
        "Invalid cursor"
    };
    Error::refused(
        label,
        "This cursor does not belong to this list and order: begin again without one",
    )
}

#[cfg(test)]
mod tests;
