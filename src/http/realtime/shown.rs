//! What a client has shown to be let in, kept to check it again while its connection lasts.

use std::sync::Arc;

use axum::http::HeaderMap;

use super::ticket;
use crate::app::App;
use crate::auth::{AccountRef, Caller, Credential, KeyScope};
use crate::error::{Error, Result};
use crate::http::extract::{self, Query};
use crate::id::{AccountId, UserId};

/// A credential, or none.
#[derive(Clone)]
pub(super) enum Shown {
    Bearer(Box<str>),
    ApiKey(Box<str>),
    /// The credential of a superadmin who wants to see what a user sees.
    For {
        credential: Box<Shown>,
        user: UserId,
        account: AccountId,
    },
    /// Nothing, by somebody who may name an account.
    Nothing(Option<Arc<AccountRef>>),
}

impl Shown {
    /// The credential of a request: a ticket or a token in the URL wins, since a browser can send
    /// nothing else.
    pub(super) async fn of(app: &App, query: &Query, headers: &HeaderMap) -> Result<Option<Self>> {
        if let Some(ticket) = query.get("ticket").filter(|ticket| !ticket.is_empty()) {
            return ticket::redeem(app, ticket).await.map(Some);
        }
        if let Some(token) = query.get("token").filter(|token| !token.is_empty()) {
            return Ok(Some(Self::Bearer(token.into())));
        }
        Ok(extract::credential(headers).map(Self::from))
    }

    /// Whom it stands for now.
    pub(super) async fn check(&self, app: &App) -> Result<Caller> {
        self.who(app).await.map(|(caller, _)| caller)
    }

    /// Whom it stands for now, and which superadmin acts for that user, if one does. Then the
    /// connection has the user's rights, and lasts as long as the superadmin's credential and both
    /// may sign in.
    pub(super) async fn who(&self, app: &App) -> Result<(Caller, Option<UserId>)> {
        let credential = match self.credential() {
            Ok(credential) => credential,
            Err(account) => {
                return Ok((
                    Caller::Anonymous {
                        account: account.cloned(),
                    },
                    None,
                ));
            }
        };
        let principal = app.auth.authenticate(credential).await?;
        principal.require(KeyScope::RecordsRead)?;
        let Self::For { user, account, .. } = self else {
            return Ok((Caller::User(principal), None));
        };
        if !principal.account.id.is_system() {
            return Err(Error::Forbidden("Superadmin access required".into()));
        }
        let missing = || Error::Unauthenticated("This user may not sign in any more".into());
        let mut shown = app.auth.user(*user, *account).await?.ok_or_else(missing)?;
        shown.expires_at = principal.expires_at;
        Ok((Caller::User(Arc::new(shown)), Some(principal.user_id)))
    }

    /// What was shown; an account if it was nothing.
    pub(super) fn credential(&self) -> Result<Credential<'_>, Option<&Arc<AccountRef>>> {
        match self {
            Self::Bearer(token) => Ok(Credential::Bearer(token)),
            Self::ApiKey(key) => Ok(Credential::ApiKey(key)),
            Self::For { credential, .. } => credential.credential(),
            Self::Nothing(account) => Err(account.as_ref()),
        }
    }
}

impl From<Credential<'_>> for Shown {
    fn from(credential: Credential<'_>) -> Self {
        match credential {
            Credential::Bearer(token) => Self::Bearer(token.into()),
            Credential::ApiKey(key) => Self::ApiKey(key.into()),
        }
    }
}
