//! Rooms: their definitions, for superadmins, and publishing over HTTP.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::access::account::own_account;
use crate::access::api_key_scope::{ADMIN, RECORDS_WRITE};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::endpoint::Endpoints;
use crate::http::extract::{JsonBody, SignedIn, Superadmin};
use crate::rooms::{RoomChange, RoomDefinitionRow};

/// The endpoints below `/api/v1/realtime/rooms`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .superadmin(ADMIN, routes!(list))
        .superadmin(ADMIN, routes!(create))
        .superadmin(ADMIN, routes!(get))
        .superadmin(ADMIN, routes!(update))
        .superadmin(ADMIN, routes!(delete))
        .signed_in(RECORDS_WRITE, routes!(publish))
}

/// A definition as it is shown.
#[derive(Serialize, ToSchema)]
struct RoomView {
    /// Its id.
    id: String,
    /// The pattern.
    pattern: String,
    /// The rule of joining.
    join_rule: Option<String>,
    /// The rule of publishing.
    publish_rule: Option<String>,
    /// The rule of being seen in the room, and seeing the others.
    presence_rule: Option<String>,
    /// The number of messages that a room keeps.
    history: i64,
    /// The time at which it was defined.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    created_at: DateTime<Utc>,
    /// The time of its last change.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    updated_at: DateTime<Utc>,
}

impl From<RoomDefinitionRow> for RoomView {
    fn from(row: RoomDefinitionRow) -> Self {
        Self {
            id: row.id,
            pattern: row.pattern,
            join_rule: row.join_rule,
            publish_rule: row.publish_rule,
            presence_rule: row.presence_rule,
            history: row.history,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// All definitions.
#[derive(Serialize, ToSchema)]
struct RoomList {
    /// The definitions, in the order in which they match.
    items: Vec<RoomView>,
    /// The number of definitions.
    total: usize,
}

/// The definitions of rooms, those that match first come first.
#[utoipa::path(
    get,
    path = "/api/v1/realtime/rooms",
    tag = "rooms",
    responses((status = 200, body = RoomList)),
)]
async fn list(State(app): State<App>, _: Superadmin) -> Json<RoomList> {
    let definitions = app.rooms.definitions();
    Json(RoomList {
        total: definitions.len(),
        items: definitions.into_iter().map(Into::into).collect(),
    })
}

/// A definition as it is sent. An absent key changes nothing; null locks a rule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoomInput {
    /// Segments with `:` between them, each literal text or a part in braces: `doc:{id}`.
    #[serde(default)]
    pattern: Option<String>,
    /// The rule of joining: null locks, the empty text opens to the account's users, anything else
    /// is an expression.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    join_rule: Option<Value>,
    /// The rule of publishing.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    publish_rule: Option<Value>,
    /// The rule of being seen in the room, and seeing the others.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    presence_rule: Option<Value>,
    /// The number of messages that a room keeps, 0 to 500.
    #[serde(default)]
    history: Option<i64>,
}

/// Tells a key that is null from one that is absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl From<RoomInput> for RoomChange {
    fn from(input: RoomInput) -> Self {
        Self {
            pattern: input.pattern,
            join_rule: input.join_rule,
            publish_rule: input.publish_rule,
            presence_rule: input.presence_rule,
            history: input.history,
        }
    }
}

/// Defines rooms: a pattern of their names, and the rules of joining, publishing and being seen.
#[utoipa::path(
    post,
    path = "/api/v1/realtime/rooms",
    tag = "rooms",
    request_body = RoomInput,
    responses((status = 201, body = RoomView), (status = 409)),
)]
async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(input): JsonBody<RoomInput>,
) -> Result<(StatusCode, Json<RoomView>)> {
    let row = app.rooms.define(&caller, &input.into()).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// One definition.
#[utoipa::path(
    get,
    path = "/api/v1/realtime/rooms/{id}",
    tag = "rooms",
    params(("id" = String, Path)),
    responses((status = 200, body = RoomView)),
)]
async fn get(
    State(app): State<App>,
    _: Superadmin,
    Path(id): Path<String>,
) -> Result<Json<RoomView>> {
    let row = app.rooms.definition(&id).await?;
    Ok(Json(row.into()))
}

/// Changes a definition; absent keys stay. Participants that may no longer be in a room leave it
/// at once.
#[utoipa::path(
    patch,
    path = "/api/v1/realtime/rooms/{id}",
    tag = "rooms",
    params(("id" = String, Path)),
    request_body = RoomInput,
    responses((status = 200, body = RoomView), (status = 409)),
)]
async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(input): JsonBody<RoomInput>,
) -> Result<Json<RoomView>> {
    let row = app.rooms.redefine(&caller, &id, &input.into()).await?;
    Ok(Json(row.into()))
}

/// Deletes a definition; participants leave the rooms that no definition matches.
#[utoipa::path(
    delete,
    path = "/api/v1/realtime/rooms/{id}",
    tag = "rooms",
    params(("id" = String, Path)),
    responses((status = 204)),
)]
async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.rooms.undefine(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A message to a room.
#[derive(Deserialize, ToSchema)]
struct PublishRequest {
    /// The name of the event, in 1 to 64 bytes: `typing`.
    event: String,
    /// Any JSON that goes with it.
    #[serde(default)]
    #[schema(value_type = Object)]
    data: Value,
    /// The account of the room, by id, code or slug: for superadmins. Others publish in their own
    /// account.
    #[serde(default)]
    account: Option<String>,
}

/// Publishes a message in a room of the caller's account. The number of receivers is not told.
#[utoipa::path(
    post,
    path = "/api/v1/realtime/rooms/{room}/publish",
    tag = "rooms",
    params(("room" = String, Path)),
    request_body = PublishRequest,
    responses((status = 204)),
)]
async fn publish(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(room): Path<String>,
    JsonBody(request): JsonBody<PublishRequest>,
) -> Result<StatusCode> {
    let caller = Caller::User(principal);
    let account = own_account(&app.auth, &caller, request.account.as_deref()).await?;
    app.rooms
        .publish_as(&caller, account.id, &room, &request.event, &request.data)?;
    Ok(StatusCode::NO_CONTENT)
}
