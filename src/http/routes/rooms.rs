//! Rooms: what superadmins define, and publishing over HTTP.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, SignedIn, Superadmin};
use crate::id::AccountId;
use crate::rooms::{PublishRequest, RoomInput, RoomList, RoomView};

/// The routes below `/api/v1/realtime/rooms`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(publish))
}

/// The definitions of rooms, those that match first come first.
#[utoipa::path(get, path = "/api/v1/realtime/rooms", tag = "rooms",
    responses((status = 200, body = RoomList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn list(State(app): State<App>, _: Superadmin) -> Json<RoomList> {
    Json(app.rooms.definitions())
}

/// Defines rooms: a pattern of their names, and who may do what in them.
#[utoipa::path(post, path = "/api/v1/realtime/rooms", tag = "rooms", request_body = RoomInput,
    responses((status = 201, body = RoomView), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(input): JsonBody<RoomInput>,
) -> Result<(StatusCode, Json<RoomView>)> {
    Ok((
        StatusCode::CREATED,
        Json(app.rooms.define(&caller, &input).await?),
    ))
}

/// One definition.
#[utoipa::path(get, path = "/api/v1/realtime/rooms/{id}", tag = "rooms", params(("id" = String, Path)),
    responses((status = 200, body = RoomView), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn get(
    State(app): State<App>,
    _: Superadmin,
    Path(id): Path<String>,
) -> Result<Json<RoomView>> {
    app.rooms.definition(&id).await.map(Json)
}

/// Changes a definition; what is absent stays. Whoever may not be in a room any more leaves it at
/// once.
#[utoipa::path(patch, path = "/api/v1/realtime/rooms/{id}", tag = "rooms", params(("id" = String, Path)),
    request_body = RoomInput,
    responses((status = 200, body = RoomView), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(input): JsonBody<RoomInput>,
) -> Result<Json<RoomView>> {
    app.rooms.redefine(&caller, &id, &input).await.map(Json)
}

/// Deletes a definition; everybody leaves the rooms that nothing defines any more.
#[utoipa::path(delete, path = "/api/v1/realtime/rooms/{id}", tag = "rooms", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.rooms.undefine(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Publishes a message in a room of the caller's account. Whether somebody is there to hear it is
/// not told.
#[utoipa::path(post, path = "/api/v1/realtime/rooms/{room}/publish", tag = "rooms", params(("room" = String, Path)),
    request_body = PublishRequest,
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn publish(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(room): Path<String>,
    JsonBody(words): JsonBody<PublishRequest>,
) -> Result<StatusCode> {
    let caller = Caller::User(principal);
    let account = account(&app, &caller, words.account.as_deref()).await?;
    app.rooms.publish_as(&caller, account, &room, &words)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn account(app: &App, caller: &Caller, named: Option<&str>) -> Result<AccountId> {
    let own = caller
        .account()
        .ok_or_else(|| Error::Unauthenticated("Missing credentials".into()))?;
    let Some(name) = named else { return Ok(own.id) };
    if [&own.id_text, &own.code, &own.slug]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(name))
    {
        return Ok(own.id);
    }
    if !caller.is_superadmin() {
        return Err(Error::Forbidden("Other accounts are not available".into()));
    }
    let account = app.auth.resolve_account(name).await?;
    account
        .map(|account| account.id)
        .ok_or_else(|| Error::not_found("The account does not exist"))
}
