//! Realtime over HTTP: what the protocols share. Each protocol has a file of its own, which turns messages into
//! subscriptions and events into frames.

mod json;
mod sse;
mod ws;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use serde_json::Value;

use crate::app::App;
use crate::auth::{Caller, Credential, KeyScope};
use crate::error::{Error, Result};
use crate::hooks::{Chain, Hooks, RealtimeEvent};
use crate::http::client::ClientAddress as Peer;
use crate::http::extract::{self, Query};
use crate::realtime::{Arrival, Connection, Dialect, Scope};

/// The routes below `/api/v1/realtime`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/realtime/ws", get(ws::connect))
        .route("/api/v1/realtime/subscribe", get(sse::subscribe))
        .route("/api/v1/realtime/events", get(sse::subscribe))
}

/// A credential, kept to check it again while the connection lasts.
enum Shown {
    Bearer(Box<str>),
    ApiKey(Box<str>),
}

impl Shown {
    /// The credential of a request: `?token=` wins, since a browser can send nothing else.
    fn of(query: &Query, headers: &HeaderMap) -> Option<Self> {
        if let Some(token) = query.get("token").filter(|token| !token.is_empty()) {
            return Some(Self::Bearer(token.into()));
        }
        match extract::credential(headers)? {
            Credential::Bearer(token) => Some(Self::Bearer(token.into())),
            Credential::ApiKey(key) => Some(Self::ApiKey(key.into())),
        }
    }

    async fn check(&self, app: &App) -> Result<Caller> {
        let credential = match self {
            Self::Bearer(token) => Credential::Bearer(token),
            Self::ApiKey(key) => Credential::ApiKey(key),
        };
        let principal = app.auth.authenticate(credential).await?;
        principal.require(KeyScope::RecordsRead)?;
        Ok(Caller::User(principal))
    }
}

/// A client that was let in.
struct Session {
    app: App,
    connection: Connection,
}

impl Session {
    async fn open(app: App, shown: Option<Shown>, from: Peer, dialect: &'static dyn Dialect) -> Result<Self> {
        let shown = Arc::new(shown.ok_or_else(|| Error::Unauthenticated("Missing token".into()))?);
        let caller = shown.check(&app).await?;
        let recheck = {
            let (app, shown) = (app.clone(), shown.clone());
            move || -> futures_util::future::BoxFuture<'static, Result<Caller>> {
                let (app, shown) = (app.clone(), shown.clone());
                Box::pin(async move { shown.check(&app).await })
            }
        };
        let arrival = Arrival { caller, recheck: Box::new(recheck), address: from.0, dialect };
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
        Ok(Self { app, connection })
    }

    /// Runs hooks, if there are any.
    async fn hook(&self, chain: Hook, collection: Option<&str>, message: Option<&Value>) -> Result<Option<Value>> {
        let chain = chain(&self.app.hooks);
        if chain.is_empty() {
            return Ok(None);
        }
        let collection = collection.map(str::to_owned);
        Ok(chain.run(self.event(collection, message.cloned())).await?.message)
    }

    fn event(&self, collection: Option<String>, message: Option<Value>) -> RealtimeEvent {
        let (connection_id, caller) = (self.connection.id().to_string(), self.connection.caller());
        RealtimeEvent { connection_id, caller, collection, message }
    }

    /// Whose records a subscription is about. Superadmins see every account's unless they name one; everyone else sees
    /// the own account's.
    async fn scope(&self, account: Option<&str>) -> Result<Scope> {
        let caller = self.connection.caller();
        let own = caller.account().ok_or_else(|| Error::Unauthenticated("Missing token".into()))?;
        if !caller.is_superadmin() {
            let is_own =
                |name: &str| [&own.id_text, &own.code, &own.slug].iter().any(|own| own.eq_ignore_ascii_case(name));
            return match account {
                Some(name) if !is_own(name) => Err(Error::Forbidden("Other accounts are not available".into())),
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
