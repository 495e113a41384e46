//! Tokens and links for where no header can be sent.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::COOKIE;
use crate::app::App;
use crate::auth::Caller;
use crate::clock::serialize;
use crate::error::{Error, Problem, Result};
use crate::files::token::{FileGrant, MAX_LINK_SECONDS, TOKEN_SECONDS, until};
use crate::http::extract::{OptionalBody, SignedIn};

/// What the token is for.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct TokenRequest {
    /// The one file that it opens, for whoever has it; without one it opens what the caller may
    /// see.
    path: Option<String>,
    /// With a path: how long it is good, in seconds, a week at most. Otherwise 300.
    #[schema(minimum = 1, maximum = 604_800)]
    expires_in: Option<i64>,
    /// Whether it is set as a cookie, too, which browsers send with pictures.
    cookie: bool,
}

/// A token for files.
#[derive(Serialize, ToSchema)]
pub(super) struct FileToken {
    /// What to append to the address of a file, as `?token=`.
    token: String,
    /// The address of the file that it was made for, with the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Until when it is good.
    #[serde(serialize_with = "serialize")]
    #[schema(value_type = String)]
    expires_at: DateTime<Utc>,
}

/// Makes a token for the addresses of files: what stands in an address ends up in logs, so it is
/// good for files alone, and not for long. With a path it is a link to that file for whoever has
/// it. A superadmin's token opens the files of all accounts; the access token does not.
#[utoipa::path(
    post,
    path = "/api/v1/files/token",
    tag = "files",
    request_body(content = Option<TokenRequest>),
    responses((status = 201, body = FileToken), (status = 403), (status = 404)),
)]
pub(super) async fn issue(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    OptionalBody(wanted): OptionalBody<TokenRequest>,
) -> Result<(StatusCode, HeaderMap, Json<FileToken>)> {
    let wanted = wanted.unwrap_or_default();
    let seconds = lifetime(&wanted)?;
    let (user, account) = (principal.user_id, principal.account.id);
    if let Some(path) = &wanted.path {
        let caller = Caller::User(principal);
        let of_any = caller.is_superadmin();
        app.files.open_for(&caller, path, of_any).await?;
    }
    let expires_at = until(app.clock.now(), seconds);
    let grant = FileGrant::new(user, account, wanted.path.clone(), expires_at);
    let token = app.files.tokens().sign(&grant)?;
    let mut headers = HeaderMap::new();
    if wanted.cookie {
        let secure = if app.config.server.external_url.starts_with("https://") {
            "; Secure"
        } else {
            ""
        };
        let cookie = format!(
            "{COOKIE}={token}; Path=/api/v1/files; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
        );
        let cookie = HeaderValue::from_str(&cookie).map_err(Error::internal)?;
        headers.insert(header::SET_COOKIE, cookie);
    }
    let url = wanted
        .path
        .map(|path| format!("/api/v1/files/{path}?token={token}"));
    let answer = FileToken {
        token,
        url,
        expires_at,
    };
    Ok((StatusCode::CREATED, headers, Json(answer)))
}

fn lifetime(wanted: &TokenRequest) -> Result<i64> {
    let most = if wanted.path.is_some() && !wanted.cookie {
        MAX_LINK_SECONDS
    } else {
        TOKEN_SECONDS
    };
    let seconds = wanted.expires_in.unwrap_or(TOKEN_SECONDS);
    if (1..=most).contains(&seconds) {
        return Ok(seconds);
    }
    let msg = format!("Input should be between 1 and {most}");
    let problem = Problem::body("expires_in", "value_error", msg, seconds.into());
    Err(Error::malformed(problem))
}
