//! The list of open connections, for administrators.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::pocketbase::protocol::PocketBaseProtocol;
use super::snackbase::sse::SseProtocol;
use super::snackbase::ws::WebSocketProtocol;
use crate::app::App;
use crate::audit::Event;
use crate::clock::canonical_time;
use crate::error::{Error, Problem, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{Query, Superadmin};
use crate::id::{AccountId, UserId};
use crate::realtime::{
    CloseReason, ConnectionFilter, ConnectionInfo, EventOperation, Protocol, SubscriptionInfo,
};

/// The protocols by which connections can be filtered.
const PROTOCOLS: [&dyn Protocol; 3] = [&WebSocketProtocol, &SseProtocol, &PocketBaseProtocol];

/// A connection.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ConnectionView {
    /// Its id; newer ones are greater.
    #[schema(value_type = String)]
    id: Uuid,
    /// `ws`, `sse` or `pocketbase`.
    protocol: &'static str,
    /// The user whose rights it has; null for anonymous clients.
    #[schema(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// The user's address.
    email: Option<String>,
    /// The API key that was presented, if it was one.
    #[schema(value_type = Option<String>)]
    api_key_id: Option<Uuid>,
    /// The account of the user, or the one that an anonymous client named.
    #[schema(value_type = Option<String>)]
    account_id: Option<AccountId>,
    /// The account's name.
    account_name: Option<String>,
    /// The superadmin who listens in the user's place.
    #[schema(value_type = Option<String>)]
    opened_by: Option<UserId>,
    /// The client's address, if it is known.
    address: Option<String>,
    /// The time at which it was opened.
    since: String,
    /// The time at which its credential expires.
    expires_at: Option<String>,
    /// Its subscriptions.
    subscriptions: Vec<SubscriptionView>,
    /// Frames that wait to be sent.
    queued_frames: usize,
    /// Bytes of them.
    queued_bytes: usize,
    /// True if it reads the change log, because it reads too slowly or goes on after a break.
    pulling: bool,
    /// The number of entries of the change log, of all collections, that it has yet to read.
    behind: i64,
    /// The number of frames that it was given.
    sent: u64,
}

/// A subscription.
#[derive(Serialize, utoipa::ToSchema)]
struct SubscriptionView {
    /// The collection.
    collection: String,
    /// The client's reference.
    #[serde(rename = "ref")]
    #[schema(value_type = Option<String>)]
    reference: Option<Box<RawValue>>,
    /// The account whose records it is about; null for all accounts.
    #[schema(value_type = Option<String>)]
    account_id: Option<AccountId>,
    /// The only record, if it is about one.
    record: Option<Box<str>>,
    /// The condition.
    filter: Option<Box<str>>,
    /// The fields that are shown; null for all.
    fields: Option<Box<[String]>>,
    /// The references that are expanded, with commas between them.
    expand: Option<String>,
    /// The operations that it is told of.
    operations: Vec<&'static str>,
    /// True if live events are delivered to it; otherwise it is still told of earlier ones.
    live: bool,
    /// The number of subscriptions that see the same and share each event's frame, itself included;
    /// null if it is not live or the server is too busy to count.
    group_size: Option<usize>,
}

/// Connections of this process.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ConnectionList {
    /// Newest first.
    items: Vec<ConnectionView>,
    /// The number of connections on all pages.
    total: usize,
}

impl From<ConnectionInfo> for ConnectionView {
    fn from(info: ConnectionInfo) -> Self {
        let (principal, account) = (info.caller.principal(), info.caller.account());
        Self {
            id: info.id,
            protocol: info.protocol,
            user_id: principal.map(|principal| principal.user_id),
            email: principal.map(|principal| principal.email.clone()),
            api_key_id: principal
                .and_then(|principal| principal.key.as_ref())
                .map(|key| key.id),
            account_id: account.map(|account| account.id),
            account_name: account.map(|account| account.name.clone()),
            opened_by: info.opened_by,
            address: info
                .address
                .map(|address| address.to_canonical().to_string()),
            since: canonical_time(info.since),
            expires_at: info.expires_at.map(canonical_time),
            queued_frames: info.queued_frames,
            queued_bytes: info.queued_bytes,
            pulling: info.behind.is_some(),
            behind: info.behind.unwrap_or_default(),
            sent: info.sent,
            subscriptions: info
                .subscriptions
                .iter()
                .map(SubscriptionView::from)
                .collect(),
        }
    }
}

impl From<&SubscriptionInfo> for SubscriptionView {
    fn from(info: &SubscriptionInfo) -> Self {
        let selection = info.selection();
        // A reference is JSON; the topic of the PocketBase protocol is text.
        let reference = |tag: &str| {
            let text = || serde_json::value::to_raw_value(tag).ok();
            RawValue::from_string(tag.to_owned()).ok().or_else(text)
        };
        Self {
            collection: info.collection().to_owned(),
            reference: info.tag().and_then(reference),
            account_id: info.scope().account(),
            record: selection.record.clone(),
            filter: selection.filter.clone(),
            fields: selection.fields.clone(),
            expand: selection.expand.as_ref().map(ToString::to_string),
            operations: info.operations().iter().map(EventOperation::name).collect(),
            live: info.is_live(),
            group_size: info.group_size,
        }
    }
}

/// The open realtime connections of this process, newest first.
#[utoipa::path(get, path = "/api/v1/admin/realtime/connections", tag = "operation",
    operation_id = "connections",
    params(
        ("account" = Option<String>, Query, description = "Only those of this account: its id, code or slug"),
        ("user_id" = Option<String>, Query, description = "Only those that have this user's rights"),
        ("protocol" = Option<String>, Query, description = "Only `ws`, `sse` or `pocketbase`"),
        ("before" = Option<String>, Query, description = "Only those that are older than the one with this id"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500, description = "Connections at most, 1 to 500; 100 if it is left out"),
    ),
    responses((status = 200, body = ConnectionList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<App>,
    _: Superadmin,
    query: Query,
) -> Result<Json<ConnectionList>> {
    query.refuse_misspelt(&["account", "user_id", "protocol", "before", "limit"])?;
    let text = |key| query.get(key).filter(|text| !text.is_empty());
    let wrong = |key: &str, message: &str, text: &str| {
        Error::malformed(Problem::query(key, "value_error", message.to_owned(), text))
    };
    let id = |key| {
        let parse = |text| {
            Uuid::try_parse(text).map_err(|_| wrong(key, "Input should be a valid UUID", text))
        };
        text(key).map(parse).transpose()
    };
    let protocol = match text("protocol") {
        Some(name) if PROTOCOLS.iter().all(|protocol| protocol.name() != name) => {
            return Err(wrong(
                "protocol",
                "Input should be ws, sse or pocketbase",
                name,
            ));
        }
        name => name,
    };
    let limit = query.number("limit", 100, 1..=500)?;
    let (user, before) = (id("user_id")?.map(UserId), id("before")?);
    let account = match text("account") {
        Some(name) => match app.auth.resolve_account(name).await? {
            Some(account) => Some(account.id),
            None => return Err(wrong("account", "There is no such account", name)),
        },
        None => None,
    };
    let filter = ConnectionFilter {
        account,
        user,
        protocol,
        before,
        limit: usize::try_from(limit).unwrap_or(1),
    };
    let (connections, total) = app.hub.list_connections(&filter).await;
    Ok(Json(ConnectionList {
        items: connections.into_iter().map(ConnectionView::from).collect(),
        total,
    }))
}

/// Ends a realtime connection of this process. Its client may connect again as long as its
/// credential is good.
#[utoipa::path(delete, path = "/api/v1/admin/realtime/connections/{id}", tag = "operation",
    operation_id = "close_connection",
    params(("id" = String, Path, description = "The connection's id")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn close(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let found = Uuid::try_parse(&id)
        .ok()
        .and_then(|id| app.hub.connection(id));
    let connection = found.ok_or_else(|| Error::not_found("There is no such connection"))?;
    let owner = connection.caller();
    let user = owner.principal().map(|principal| principal.user_id);
    let account = owner.account_id();
    let event = Event::delete(
        "realtime_connections",
        connection.id(),
        json!({"user_id": user, "account_id": account}),
    );
    let event = account.into_iter().fold(event, Event::of).by(&caller);
    app.audit.record(event).await?;
    connection.close(CloseReason::Dismissed);
    Ok(StatusCode::NO_CONTENT)
}
