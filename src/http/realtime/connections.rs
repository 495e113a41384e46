//! The list of open connections, for administrators.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::pocketbase::protocol::PocketBaseProtocol;
use super::snackbase::sse::SseProtocol;
use super::snackbase::ws::WebSocketProtocol;
use crate::app::App;
use crate::audit::Event;
use crate::clock::canonical_time;
use crate::error::{Error, Problem, Result};
use crate::http::extract::{QueryParams, Superadmin};
use crate::id::{AccountId, UserId};
use crate::realtime::{
    CloseReason, ConnectionFilter, ConnectionInfo, EventOperation, Protocol, SubscriptionInfo,
};

/// The protocols by which connections can be filtered.
const PROTOCOLS: [&dyn Protocol; 3] = [&WebSocketProtocol, &SseProtocol, &PocketBaseProtocol];

/// A connection.
#[derive(Serialize, ToSchema)]
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
#[derive(Serialize, ToSchema)]
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
#[derive(Serialize, ToSchema)]
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

/// The connections that are asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Only those of this account: its id, code or slug.
    account: Option<String>,
    /// Only those that have this user's rights.
    user_id: Option<String>,
    /// Only `ws`, `sse` or `pocketbase`.
    protocol: Option<String>,
    /// Only those that are older than the one with this id.
    before: Option<String>,
    /// Connections at most, 1 to 500; 100 if it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

impl ListParams {
    /// The filter for the hub, without the account.
    fn read_filter(&self) -> Result<ConnectionFilter<'_>> {
        let protocol = non_empty(self.protocol.as_deref());
        let is_unknown = |name: &str| PROTOCOLS.iter().all(|protocol| protocol.name() != name);
        if let Some(name) = protocol.filter(|name| is_unknown(name)) {
            let message = "Input should be ws, sse or pocketbase";
            return Err(refused("protocol", message, name));
        }
        Ok(ConnectionFilter {
            account: None,
            user: read_id("user_id", self.user_id.as_deref())?.map(UserId),
            protocol,
            before: read_id("before", self.before.as_deref())?,
            limit: self.limit.unwrap_or(100),
        })
    }
}

fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn read_id(name: &str, text: Option<&str>) -> Result<Option<Uuid>> {
    let parse = |text| {
        Uuid::try_parse(text).map_err(|_| refused(name, "Input should be a valid UUID", text))
    };
    non_empty(text).map(parse).transpose()
}

fn refused(name: &str, message: &str, text: &str) -> Error {
    Error::malformed(Problem::query(name, "value_error", message, text))
}

/// The open realtime connections of this process, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/admin/realtime/connections",
    tag = "operation",
    operation_id = "connections",
    params(ListParams),
    responses((status = 200, body = ConnectionList)),
)]
pub(super) async fn list(
    State(app): State<App>,
    _: Superadmin,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Json<ConnectionList>> {
    let mut filter = params.read_filter()?;
    if let Some(name) = non_empty(params.account.as_deref()) {
        let account = app.auth.resolve_account(name).await?;
        let missing = || refused("account", "There is no such account", name);
        filter.account = Some(account.ok_or_else(missing)?.id);
    }
    let (connections, total) = app.hub.list_connections(&filter).await;
    Ok(Json(ConnectionList {
        items: connections.into_iter().map(ConnectionView::from).collect(),
        total,
    }))
}

/// Ends a realtime connection of this process. Its client may connect again as long as its
/// credential is good.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/realtime/connections/{id}",
    tag = "operation",
    operation_id = "close_connection",
    params(("id" = String, Path, description = "The connection's id")),
    responses((status = 204)),
)]
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
