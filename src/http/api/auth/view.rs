//! Sessions as they are answered.

use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::OpenedSession;
use crate::http::api::accounts::view::AccountView;
use crate::http::api::users::view::UserView;

/// The answer to a sign-in.
#[derive(Serialize, ToSchema)]
pub struct LoginResponse {
    /// The access token.
    token: String,
    /// The refresh token.
    refresh_token: String,
    /// Lifetime of the access token, in seconds.
    expires_in: i64,
    /// The account.
    account: AccountView,
    /// The user.
    user: UserView,
}

impl From<OpenedSession> for LoginResponse {
    fn from(session: OpenedSession) -> Self {
        Self {
            token: session.token,
            refresh_token: session.refresh_token,
            expires_in: session.expires_in,
            account: session.account.into(),
            user: session.user.into(),
        }
    }
}
