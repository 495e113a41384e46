//! API keys, for superadmins: each superadmin sees its own.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::access::api_key_scope::ADMIN;
use crate::accounts::{ApiKey, ApiKeyPage, NewApiKey};
use crate::app::App;
use crate::auth::KeyScope;
use crate::error::Result;
use crate::http::api::roles::view::RoleId;
use crate::http::endpoint::Endpoints;
use crate::http::extract::{JsonBody, QueryParams, Superadmin};

/// The endpoints below `/api/v1/admin/api-keys`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .superadmin(ADMIN, routes!(list))
        .superadmin(ADMIN, routes!(create))
        .superadmin(ADMIN, routes!(get))
        .superadmin(ADMIN, routes!(revoke))
}

/// One thing that an API key may be used for.
#[derive(ToSchema)]
#[schema(as = KeyScope)]
#[expect(dead_code, reason = "a shape for the API document")]
enum KeyScopeShape {
    /// Reading records, and hearing of them over realtime.
    #[serde(rename = "records:read")]
    RecordsRead,
    /// Creating, changing and deleting records.
    #[serde(rename = "records:write")]
    RecordsWrite,
    /// Reading the plain values of encrypted fields, in addition to the other uses of the key.
    #[serde(rename = "records:secrets:read")]
    SecretsRead,
    /// Reading files.
    #[serde(rename = "files:read")]
    FilesRead,
    /// Uploading and deleting files.
    #[serde(rename = "files:write")]
    FilesWrite,
    /// Everything else that the key's owner may do, except for what is left to people and to keys
    /// without limits: superadmins and keys that may do more.
    #[serde(rename = "admin")]
    Admin,
    /// Nothing by itself: it limits a key to what its other scopes name, even if these are
    /// `records:secrets:read` alone.
    #[serde(rename = "restricted")]
    Restricted,
}

/// An API key.
#[derive(Serialize, ToSchema)]
pub struct ApiKeyView {
    /// The id.
    id: String,
    /// Purpose of the key.
    name: String,
    /// The key's end; the whole key in the answer that makes it, and nowhere else.
    key: String,
    /// The account that it acts in.
    account_id: String,
    /// The account's code.
    account_code: String,
    /// The id of the role that it acts with; null for its owner's.
    role_id: Option<i64>,
    /// The name of the role that it acts with.
    role: String,
    /// Scopes of the key; empty for everything, except for reading secrets.
    #[schema(value_type = Vec<KeyScopeShape>)]
    scopes: Vec<KeyScope>,
    /// Time of the last use, to the minute.
    #[serde(serialize_with = "crate::clock::serialize_option")]
    #[schema(value_type = Option<String>)]
    last_used_at: Option<DateTime<Utc>>,
    /// Time until which it is valid.
    #[serde(serialize_with = "crate::clock::serialize_option")]
    #[schema(value_type = Option<String>)]
    expires_at: Option<DateTime<Utc>>,
    /// True if it was not revoked.
    is_active: bool,
    /// Time of creation.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    created_at: DateTime<Utc>,
    /// Time of the last change.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    updated_at: DateTime<Utc>,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            key: key.key,
            account_id: key.account_id,
            account_code: key.account_code,
            role_id: key.role_id,
            role: key.role,
            scopes: key.scopes,
            last_used_at: key.last_used_at,
            expires_at: key.expires_at,
            is_active: key.is_active,
            created_at: key.created_at,
            updated_at: key.updated_at,
        }
    }
}

/// Part of the caller's API keys.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Keys at most; 100 if it is left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Keys to pass over.
    #[param(minimum = 0, maximum = 2_147_483_647)]
    offset: Option<i64>,
}

/// The caller's API keys.
#[derive(Serialize, ToSchema)]
pub struct ApiKeyList {
    /// The keys, newest first, revoked ones included.
    items: Vec<ApiKeyView>,
    /// Number of items in all.
    total: i64,
}

impl From<ApiKeyPage> for ApiKeyList {
    fn from(page: ApiKeyPage) -> Self {
        Self {
            items: page.items.into_iter().map(Into::into).collect(),
            total: page.total,
        }
    }
}

/// The caller's API keys, newest first; revoked ones are kept for a while.
#[utoipa::path(
    get,
    path = "/api/v1/admin/api-keys",
    tag = "api-keys",
    params(ListParams),
    responses((status = 200, body = ApiKeyList)),
)]
async fn list(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Json<ApiKeyList>> {
    let limit = params.limit.unwrap_or(100);
    let offset = params.offset.unwrap_or_default();
    let key = app.accounts.api_keys(&caller, limit, offset).await?;
    Ok(Json(key.into()))
}

/// A new API key.
#[derive(Deserialize, ToSchema)]
pub struct ApiKeyCreate {
    /// Purpose of the key, in 3 to 100 characters.
    name: String,
    /// Time until which it is valid (RFC 3339, UTC unless it says otherwise); for ever if it is absent.
    #[serde(default)]
    expires_at: Option<String>,
    /// The account that the key is bound to; the system account, and thereby every account, if it
    /// is absent.
    #[serde(default)]
    account_id: Option<String>,
    /// The id of the role that a bound key acts with; `user` if there is none. Only a bound key has
    /// a role: a key that reaches every account acts as the superadmin whose it is.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    role_id: Option<RoleId>,
    /// The name of that role, if its id is absent.
    #[serde(default)]
    role: Option<String>,
    /// Scopes of the key; empty for everything, except for reading secrets.
    /// `records:secrets:read` adds, all others limit.
    #[serde(default)]
    #[schema(value_type = Vec<KeyScopeShape>)]
    scopes: Vec<KeyScope>,
}

impl From<ApiKeyCreate> for NewApiKey {
    fn from(request: ApiKeyCreate) -> Self {
        Self {
            name: request.name,
            expires_at: request.expires_at,
            account_id: request.account_id,
            role_id: request.role_id.map(|id| id.0),
            role: request.role,
            scopes: request.scopes,
        }
    }
}

/// Makes an API key. The answer is the only place where it is shown.
#[utoipa::path(
    post,
    path = "/api/v1/admin/api-keys",
    tag = "api-keys",
    request_body = ApiKeyCreate,
    responses((status = 201, body = ApiKeyView), (status = 404)),
)]
async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(request): JsonBody<ApiKeyCreate>,
) -> Result<(StatusCode, Json<ApiKeyView>)> {
    let key = app.accounts.create_api_key(&caller, request.into()).await?;
    Ok((StatusCode::CREATED, Json(key.into())))
}

/// One of the caller's API keys.
#[utoipa::path(
    get,
    path = "/api/v1/admin/api-keys/{id}",
    tag = "api-keys",
    params(("id" = String, Path)),
    responses((status = 200, body = ApiKeyView)),
)]
async fn get(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<ApiKeyView>> {
    let key = app.accounts.api_key(&caller, &id).await?;
    Ok(Json(key.into()))
}

/// Revokes an API key, at once and for ever.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/api-keys/{id}",
    tag = "api-keys",
    params(("id" = String, Path)),
    responses((status = 204)),
)]
async fn revoke(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts.revoke_api_key(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema as _;
    use utoipa::openapi::{RefOr, Schema};

    use super::*;

    #[test]
    fn every_scope_is_documented() {
        let RefOr::T(Schema::Object(shape)) = KeyScopeShape::schema() else {
            panic!("not a list of names");
        };
        let names = KeyScope::ALL.map(|scope| serde_json::json!(scope.name()));
        assert_eq!(shape.enum_values, Some(names.to_vec()));
    }
}
