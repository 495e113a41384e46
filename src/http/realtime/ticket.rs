//! One-time tickets: what stands in a URL ends up in logs, so a client exchanges its credential for
//! something that is good once, and soon for nothing.
//!
//! The database holds a ticket's hash and the credential behind it, encrypted with a key that only
//! the ticket gives.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Shown;
use crate::app::App;
use crate::audit::Event;
use crate::auth::{Caller, Credential, one_time};
use crate::db::{Batch, CommitError, DbError, Stmt};
use crate::error::{Error, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{OptionalBody, SignedIn, credential};
use crate::id::{AccountId, UserId};

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

/// Whose eyes a ticket opens.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct TicketRequest {
    /// For superadmins: the user whose rights the connection has. Without it they are the caller's
    /// own.
    user_id: Option<String>,
}

/// What a ticket stands for.
#[derive(Serialize, Deserialize)]
struct Sealed {
    is_key: bool,
    credential: String,
    /// The user and the account in whose place the owner of the credential listens.
    place: Option<(Uuid, Uuid)>,
}

/// Exchanges the credential of this request for a ticket that opens one realtime connection.
/// Superadmins may see with it what a user sees, which is written down.
#[utoipa::path(post, path = "/api/v1/realtime/ticket", tag = "realtime",
    request_body(content = Option<TicketRequest>),
    responses((status = 201, body = Ticket), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn issue(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    headers: HeaderMap,
    OptionalBody(request): OptionalBody<TicketRequest>,
) -> Result<(axum::http::StatusCode, Json<Ticket>)> {
    let shown =
        credential(&headers).ok_or_else(|| Error::Unauthenticated("Missing token".into()))?;
    let (ticket, now) = (one_time::random_token(), app.clock.now());
    let expires_at = now + TimeDelta::seconds(LIFETIME);
    let place = match request.and_then(|request| request.user_id) {
        Some(user) => Some(place(&app, &Caller::User(principal), &user).await?),
        None => None,
    };
    let (is_key, text) = match shown {
        Credential::Bearer(token) => (false, token),
        Credential::ApiKey(key) => (true, key),
    };
    let ids = place.as_ref().map(|(user, account, _)| (user.0, account.0));
    let sealed = Sealed {
        is_key,
        credential: text.to_owned(),
        place: ids,
    };
    let sealed = serde_json::to_vec(&sealed).map_err(Error::internal)?;
    let sealed = cipher(&ticket).encrypt(&Nonce::default(), sealed.as_slice());
    let sealed = sealed.map_err(|_| Error::internal("a ticket could not be sealed"))?;
    let insert =
        "INSERT INTO realtime_tickets (token_hash, credential, expires_at) VALUES ($1, $2, $3)";
    let sealed = URL_SAFE_NO_PAD.encode(&sealed);
    let insert = Stmt::fixed(
        insert,
        vec![
            one_time::hash(&ticket).into(),
            sealed.into(),
            expires_at.into(),
        ],
    );
    let tidy = Stmt::fixed(
        "DELETE FROM realtime_tickets WHERE expires_at <= $1",
        vec![now.into()],
    );
    let batch = Batch::new().with(tidy).require(insert);
    let batch = place
        .into_iter()
        .fold(batch, |batch, (_, _, event)| batch.with(event.entry(now)));
    app.db.commit(batch).await.map_err(|error| error.source)?;
    Ok((
        axum::http::StatusCode::CREATED,
        Json(Ticket {
            ticket,
            expires_at,
            expires_in: LIFETIME,
        }),
    ))
}

/// The user in whose place a superadmin wants to listen, the user's account, and what is written
/// down about it.
async fn place(app: &App, caller: &Caller, user: &str) -> Result<(UserId, AccountId, Event)> {
    let user = app.accounts.user(caller, user).await?.user;
    if !user.is_active {
        return Err(Error::Unprocessable {
            field: "user_id",
            message: "This user may not sign in".into(),
        });
    }
    let defect = || Error::internal("a user's id is no UUID");
    let id = UserId::parse(&user.id).ok_or_else(defect)?;
    let account = AccountId::parse(&user.account_id).ok_or_else(defect)?;
    let event = Event::create(
        "realtime_tickets",
        id,
        json!({"user_id": user.id, "email": user.email}),
    );
    Ok((id, account, event.of(account).by(caller)))
}

/// The credential behind a ticket, which is used up by this.
pub(super) async fn redeem(app: &App, ticket: &str) -> Result<Shown> {
    let invalid = || Error::Unauthenticated("The ticket is not valid, or not any more".into());
    let delete = "DELETE FROM realtime_tickets WHERE token_hash = $1 AND expires_at > $2 RETURNING credential";
    let delete = Stmt::fixed(
        delete,
        vec![one_time::hash(ticket).into(), app.clock.now().into()],
    );
    let sealed = match app.db.commit(Batch::new().require(delete)).await {
        Ok(rows) => rows.into_iter().next().flatten().ok_or_else(invalid)?,
        Err(CommitError {
            source: DbError::Gone,
            ..
        }) => return Err(invalid()),
        Err(error) => return Err(error.source.into()),
    };
    let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| invalid())?;
    let opened = cipher(ticket)
        .decrypt(&Nonce::default(), sealed.as_slice())
        .map_err(|_| invalid())?;
    let Sealed {
        is_key,
        credential,
        place,
    } = serde_json::from_slice(&opened).map_err(|_| invalid())?;
    let credential = credential.into();
    let shown = if is_key {
        Shown::ApiKey(credential)
    } else {
        Shown::Bearer(credential)
    };
    Ok(match place {
        Some((user, account)) => Shown::For {
            credential: Box::new(shown),
            user: UserId(user),
            account: AccountId(account),
        },
        None => shown,
    })
}

/// A ticket seals one credential, so one nonce is enough.
fn cipher(ticket: &str) -> ChaCha20Poly1305 {
    let key = Sha256::new()
        .chain_update(KEY_CONTEXT)
        .chain_update(ticket.as_bytes())
        .finalize();
    ChaCha20Poly1305::new(&<[u8; 32]>::from(key).into())
}
