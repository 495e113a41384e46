//! One-time tickets: what stands in a URL ends up in logs, so a client exchanges its credential for something that is
//! good once, and soon for nothing.
//!
//! The database holds a ticket's hash and the credential behind it, encrypted with a key that only the ticket gives.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Shown;
use crate::app::App;
use crate::auth::one_time;
use crate::db::{Batch, CommitError, DbError, Stmt};
use crate::error::{Error, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{SignedIn, credential};

/// How long a ticket is good, in seconds.
const LIFETIME: i64 = 30;
/// Before the ticket's bytes when the key is made of them.
const KEY_CONTEXT: &[u8] = b"snackbase realtime ticket key";

/// A ticket.
#[derive(Serialize, utoipa::ToSchema)]
#[expect(clippy::struct_field_names, reason = "the field's name in JSON")]
pub(super) struct Ticket {
    /// What to connect with, as `?ticket=`. It is good once.
    ticket: String,
    /// Until when.
    #[schema(value_type = String)]
    expires_at: DateTime<Utc>,
    /// For how many seconds.
    expires_in: i64,
}

/// Exchanges the credential of this request for a ticket that opens one realtime connection.
#[utoipa::path(post, path = "/api/v1/realtime/ticket", tag = "realtime",
    responses((status = 201, body = Ticket), (status = 401, body = ErrorBody)))]
pub(super) async fn issue(
    State(app): State<App>,
    SignedIn(_): SignedIn,
    headers: HeaderMap,
) -> Result<(axum::http::StatusCode, Json<Ticket>)> {
    let shown = credential(&headers).map(Shown::from).ok_or_else(|| Error::Unauthenticated("Missing token".into()))?;
    let (ticket, now) = (one_time::random_token(), app.clock.now());
    let expires_at = now + TimeDelta::seconds(LIFETIME);
    let (kind, text) = match &shown {
        Shown::Bearer(token) => ("bearer", token),
        Shown::ApiKey(key) => ("api_key", key),
    };
    let sealed = cipher(&ticket).encrypt(&Nonce::default(), text.as_bytes());
    let sealed = sealed.map_err(|_| Error::internal("a ticket could not be sealed"))?;
    let insert = "INSERT INTO realtime_tickets (token_hash, credential, expires_at) VALUES ($1, $2, $3)";
    let credential = format!("{kind}:{}", URL_SAFE_NO_PAD.encode(&sealed));
    let insert = Stmt::fixed(insert, vec![one_time::hash(&ticket).into(), credential.into(), expires_at.into()]);
    let tidy = Stmt::fixed("DELETE FROM realtime_tickets WHERE expires_at <= $1", vec![now.into()]);
    app.db.commit(Batch::new().with(tidy).require(insert)).await.map_err(|error| error.source)?;
    Ok((axum::http::StatusCode::CREATED, Json(Ticket { ticket, expires_at, expires_in: LIFETIME })))
}

/// The credential behind a ticket, which is used up by this.
pub(super) async fn redeem(app: &App, ticket: &str) -> Result<Shown> {
    let invalid = || Error::Unauthenticated("The ticket is not valid, or not any more".into());
    let delete = "DELETE FROM realtime_tickets WHERE token_hash = $1 AND expires_at > $2 RETURNING credential";
    let delete = Stmt::fixed(delete, vec![one_time::hash(ticket).into(), app.clock.now().into()]);
    let credential = match app.db.commit(Batch::new().require(delete)).await {
        Ok(rows) => rows.into_iter().next().flatten().ok_or_else(invalid)?,
        Err(CommitError { source: DbError::Gone, .. }) => return Err(invalid()),
        Err(error) => return Err(error.source.into()),
    };
    let (kind, sealed) = credential.split_once(':').ok_or_else(invalid)?;
    let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| invalid())?;
    let text = cipher(ticket).decrypt(&Nonce::default(), sealed.as_slice()).map_err(|_| invalid())?;
    let text = String::from_utf8(text).map_err(|_| invalid())?.into();
    Ok(if kind == "api_key" { Shown::ApiKey(text) } else { Shown::Bearer(text) })
}

/// A ticket seals one credential, so one nonce is enough.
fn cipher(ticket: &str) -> ChaCha20Poly1305 {
    let key = Sha256::new().chain_update(KEY_CONTEXT).chain_update(ticket.as_bytes()).finalize();
    ChaCha20Poly1305::new(&<[u8; 32]>::from(key).into())
}
