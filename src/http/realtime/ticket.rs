//! The endpoint that issues one-time tickets, see [`crate::auth::ticket`].

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::session::missing_token;
use crate::app::App;
use crate::audit::Event;
use crate::auth::Caller;
use crate::auth::ticket::TICKET_LIFETIME_SECONDS;
use crate::error::{Error, Result};
use crate::http::extract::{OptionalBody, SignedIn, credential};
use crate::id::{AccountId, UserId};

/// A ticket.
#[derive(Serialize, utoipa::ToSchema)]
#[expect(clippy::struct_field_names, reason = "the field's name in JSON")]
pub(super) struct Ticket {
    /// The text to connect with, as `?ticket=`. It is good once.
    ticket: String,
    /// The time until which it is good.
    #[schema(value_type = String)]
    expires_at: DateTime<Utc>,
    /// The number of seconds for which it is good.
    expires_in: i64,
}

/// The user for whose rights a ticket is.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct TicketRequest {
    /// For superadmins: the user whose rights the connection has. Without it they are the caller's.
    user_id: Option<String>,
}

/// Exchanges the credential of this request for a ticket that opens one realtime connection.
/// Superadmins may see with it what a user sees, which the audit trail tells.
#[utoipa::path(
    post,
    path = "/api/v1/realtime/ticket",
    tag = "realtime",
    request_body(content = Option<TicketRequest>),
    responses((status = 201, body = Ticket), (status = 404)),
)]
pub(super) async fn issue(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    headers: HeaderMap,
    OptionalBody(request): OptionalBody<TicketRequest>,
) -> Result<(StatusCode, Json<Ticket>)> {
    let credential = credential(&headers).ok_or_else(missing_token)?;
    let on_behalf_of = match request.and_then(|request| request.user_id) {
        Some(user) => Some(find_user(&app, &Caller::User(principal), &user).await?),
        None => None,
    };
    let (user, event) = on_behalf_of.unzip();
    let entries = event.map(|event| event.entry(app.clock.now()));
    let issued = app.tickets.issue(credential, user, entries).await?;
    let ticket = Ticket {
        ticket: issued.ticket,
        expires_at: issued.expires_at,
        expires_in: TICKET_LIFETIME_SECONDS,
    };
    Ok((StatusCode::CREATED, Json(ticket)))
}

/// The user in whose place a superadmin wants to listen, the user's account, and the event for the
/// audit trail.
async fn find_user(app: &App, caller: &Caller, user: &str) -> Result<((UserId, AccountId), Event)> {
    let user = app.accounts.user(caller, user).await?.user;
    if !user.is_active {
        return Err(Error::Unprocessable {
            field: "user_id",
            message: "This user may not sign in".into(),
        });
    }
    let not_a_uuid = || Error::internal("a user's id is not a UUID");
    let id = UserId::parse(&user.id).ok_or_else(not_a_uuid)?;
    let account = AccountId::parse(&user.account_id).ok_or_else(not_a_uuid)?;
    let event = Event::create(
        "realtime_tickets",
        id,
        json!({"user_id": user.id, "email": user.email}),
    );
    Ok(((id, account), event.of(account).by(caller)))
}
