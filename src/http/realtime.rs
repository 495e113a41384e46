//! Realtime over HTTP: what the protocols share. Each protocol has a file of its own, which turns
//! messages into subscriptions and events into frames.

mod connections;
mod json;
pub mod message;
pub mod pocketbase;
mod rooms;
mod shown;
mod socket;
mod sse;
mod ticket;
mod ws;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::ExpandPaths;
use crate::app::App;
use crate::auth::Caller;
use crate::db::Doc;
use crate::error::{Error, Result};
use crate::hooks::{Chain, Hooks, RealtimeEvent};
use crate::http::client::ClientAddress;
use crate::http::extract::Query;
use crate::realtime::{Arrival, Connection, Dialect, Scope, Snapshot, Start, Subscribe};
use crate::records::query::RawListQuery;
use crate::records::{ListQuery, SnapshotQuery};
use crate::rooms::Guest;
use message::{SnapshotWish, Wish};
use shown::Shown;

/// Records that one frame of a snapshot holds at most …
const SNAPSHOT_PAGE: usize = 100;
/// … and bytes of them, unless one alone has more.
const SNAPSHOT_PAGE_BYTES: usize = 256 * 1024;

/// The longest name that a message to a client repeats, in characters.
const MAX_REPEATED_NAME: usize = 100;

/// The routes that the API document describes.
pub fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ticket::issue))
        .routes(routes!(connections::list))
        .routes(routes!(connections::close))
}

/// The routes below `/api/v1/realtime`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/realtime/ws", get(ws::connect))
        .route("/api/v1/realtime/subscribe", get(sse::subscribe))
        .route("/api/v1/realtime/events", get(sse::subscribe))
        .merge(pocketbase::routes())
}

/// A client that was let in.
struct Session {
    app: App,
    connection: Connection,
    /// Whether a superadmin listens in somebody's place, and so may say nothing.
    only_listens: bool,
    shown: Arc<Mutex<Shown>>,
    /// Once it has joined a room.
    guest: OnceLock<Guest>,
}

impl Session {
    async fn open(
        app: App,
        shown: Option<Shown>,
        from: ClientAddress,
        dialect: &'static dyn Dialect,
    ) -> Result<Self> {
        let shown = shown.ok_or_else(|| Error::Unauthenticated("Missing token".into()))?;
        let (caller, opened_by) = shown.who(&app).await?;
        let shown = Arc::new(Mutex::new(shown));
        let recheck = {
            let (app, shown) = (app.clone(), shown.clone());
            move || -> futures_util::future::BoxFuture<'static, Result<Caller>> {
                let (app, shown) = (app.clone(), shown.clone());
                let shown = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Box::pin(async move { shown.check(&app).await })
            }
        };
        let only_listens = opened_by.is_some();
        let arrival = Arrival {
            caller,
            recheck: Box::new(recheck),
            address: from.0,
            opened_by,
            dialect,
        };
        let connection = app.hub.connect(arrival)?;
        let event = RealtimeEvent {
            connection_id: connection.id().to_string(),
            caller: connection.caller(),
            collection: None,
            message: None,
        };
        if !app.hooks.realtime_connect.is_empty() {
            app.hooks.realtime_connect.run(event).await?;
        }
        connection.recheck().await;
        Ok(Self {
            app,
            connection,
            only_listens,
            shown,
            guest: OnceLock::new(),
        })
    }

    /// Goes on with another access token of the same user, or the same API key.
    async fn authenticate(&self, shown: Shown) -> Result<()> {
        let caller = shown.check(&self.app).await?;
        // Who listens in a user's place shows the credential of a superadmin, and never the user's.
        if self.only_listens || !caller.has_identity_of(&self.connection.caller()) {
            let message = "A connection goes on with an access token of the same user and account only: open another one";
            return Err(Error::Forbidden(message.into()));
        }
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        self.connection.recheck().await;
        Ok(())
    }

    /// What is subscribed to when this is wished. `encode` makes a frame of some records; the last
    /// one says whether there are more than it shows.
    async fn subscription(
        &self,
        mut wish: Wish,
        encode: impl Fn(&[String], Option<bool>) -> Bytes,
        ack: Option<Bytes>,
    ) -> Result<Subscribe> {
        // The published protocol acknowledges any name.
        if wish.extended {
            self.app.records.collection(&wish.collection)?;
        }
        let scope = self.scope(wish.account.as_deref()).await?;
        wish.selection.expand = self.as_deep_as_allowed(wish.selection.expand.take());
        let start = match (&wish.snapshot, wish.since.clone()) {
            (Some(snapshot), _) => {
                Start::Snapshot(self.snapshot(&wish, snapshot, scope, encode).await?)
            }
            (None, Some(since)) => Start::After(since),
            (None, None) => Start::Now,
        };
        let name = match &wish.reference {
            Some(reference) => format!("\0{reference}").into(),
            None => wish.collection.as_str().into(),
        };
        let operations = wish.operations.unwrap_or(crate::realtime::Operations::ALL);
        Ok(Subscribe {
            name,
            operations,
            scope,
            selection: Arc::new(wish.selection),
            tag: wish.reference.map(Into::into),
            notices: wish.extended,
            start,
            ack,
            collection: wish.collection,
        })
    }

    fn as_deep_as_allowed(&self, expand: Option<ExpandPaths>) -> Option<ExpandPaths> {
        expand.and_then(|expand| expand.within(self.app.config.limits.max_expand_depth))
    }

    async fn snapshot(
        &self,
        wish: &Wish,
        snapshot: &SnapshotWish,
        scope: Scope,
        encode: impl Fn(&[String], Option<bool>) -> Bytes,
    ) -> Result<Snapshot> {
        let mut waiting = self
            .connection
            .begin_snapshot()
            .ok_or(Error::RateLimited { retry_after: 1 })?;
        let caller = self.connection.caller();
        let catalog = self.app.catalog.current();
        let after = self.app.changes.position();
        let fields = wish
            .selection
            .fields
            .as_ref()
            .map(|fields| fields.join(","));
        let mut list = ListQuery::parse(&RawListQuery {
            limit: snapshot.limit,
            sort: snapshot.sort.as_deref(),
            fields: fields.as_deref(),
            filter: wish.selection.filter.as_deref(),
            ..RawListQuery::default()
        })?;
        list.expand.clone_from(&wish.selection.expand);
        let account = match scope {
            Scope::Account(account) => Some(account),
            Scope::Everything => None,
        };
        let query = SnapshotQuery {
            collection: &wish.collection,
            record: wish.selection.record.as_deref(),
            account,
            list: &list,
            after,
        };
        let moment = self.app.records.snapshot(&caller, &query).await?;
        let mut frames: Vec<Bytes> = Vec::new();
        let mut items = moment.items.into_iter().peekable();
        loop {
            let (mut page, mut bytes) = (Vec::new(), 0);
            let fits = |item: &Doc, bytes: usize, count: usize| {
                count == 0 || (count < SNAPSHOT_PAGE && bytes + item.len() <= SNAPSHOT_PAGE_BYTES)
            };
            while let Some(item) = items.next_if(|item| fits(item, bytes, page.len())) {
                bytes += item.len();
                page.push(item);
            }
            let is_last = items.peek().is_none();
            let frame = encode(&page, is_last.then_some(moment.has_more));
            waiting.grow(frame.len());
            frames.push(frame);
            if is_last {
                break;
            }
        }
        Ok(Snapshot {
            frames,
            after,
            shown: moment.shown,
            catalog: Some(catalog),
            caller: Some(caller),
            waiting: Some(waiting),
        })
    }

    /// Runs hooks, if there are any.
    async fn hook(
        &self,
        chain: Hook,
        collection: Option<&str>,
        message: Option<&Value>,
    ) -> Result<Option<Value>> {
        let chain = chain(&self.app.hooks);
        if chain.is_empty() {
            return Ok(None);
        }
        let collection = collection.map(str::to_owned);
        Ok(chain
            .run(self.event(collection, message.cloned()))
            .await?
            .message)
    }

    fn event(&self, collection: Option<String>, message: Option<Value>) -> RealtimeEvent {
        let (connection_id, caller) = (self.connection.id().to_string(), self.connection.caller());
        RealtimeEvent {
            connection_id,
            caller,
            collection,
            message,
        }
    }

    /// Whose records a subscription is about. Superadmins see every account's unless they name one;
    /// everyone else sees the own account's.
    async fn scope(&self, account: Option<&str>) -> Result<Scope> {
        let caller = self.connection.caller();
        let own = caller
            .account()
            .ok_or_else(|| Error::Unauthenticated("Missing token".into()))?;
        if !caller.is_superadmin() {
            let is_own = |name: &str| {
                [&own.id_text, &own.code, &own.slug]
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(name))
            };
            return match account {
                Some(name) if !is_own(name) => {
                    Err(Error::Forbidden("Other accounts are not available".into()))
                }
                _ => Ok(Scope::Account(own.id)),
            };
        }
        match account {
            None | Some("*") => Ok(Scope::Everything),
            Some(name) => match self.app.auth.resolve_account(name).await? {
                Some(account) => Ok(Scope::Account(account.id)),
                None => Err(Error::not_found("The account does not exist")),
            },
        }
    }
}

/// Refuses query parameters that mean nothing here: a misspelt one would be missed without a word.
fn check_parameters(query: &Query, known: &[&str]) -> Result<()> {
    match query.keys().find(|key| !known.contains(key)) {
        None => Ok(()),
        Some(key) => Err(Error::refused(
            "Invalid parameters",
            format!("unknown query parameter '{}'", shorten(key)),
        )),
    }
}

/// The beginning of a name that a client sent, as messages repeat it.
fn shorten(name: &str) -> String {
    name.chars()
        .take(MAX_REPEATED_NAME)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Picks the hooks of an event.
type Hook = fn(&Hooks) -> &Chain<RealtimeEvent>;

impl Drop for Session {
    fn drop(&mut self) {
        if self.app.hooks.realtime_disconnect.is_empty() {
            return;
        }
        let (hooks, event) = (self.app.hooks.clone(), self.event(None, None));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // The connection is gone; there is nothing left to abort.
                let _ = hooks.realtime_disconnect.run(event).await;
            });
        }
    }
}
