//! The credential that a client presented, kept to be checked again while its connection lasts.

use std::sync::Arc;

use axum::http::HeaderMap;

use crate::access::api_key_scope::RECORDS_READ;
use crate::app::App;
use crate::auth::ticket::{TicketCredential, TicketGrant};
use crate::auth::{AccountRef, Caller, Credential};
use crate::error::{Error, Result};
use crate::http::extract::{self, Query};
use crate::id::{AccountId, UserId};

/// A credential, or none.
#[derive(Clone)]
pub(super) enum PresentedCredential {
    Bearer(Box<str>),
    ApiKey(Box<str>),
    /// The credential of a superadmin who listens in a user's place.
    OnBehalf {
        credential: Box<PresentedCredential>,
        user: UserId,
        account: AccountId,
    },
    /// No credential; an anonymous client may name an account.
    Anonymous(Option<Arc<AccountRef>>),
}

impl PresentedCredential {
    /// The credential of a request: a ticket or a token in the URL wins, since a browser can send
    /// nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] if a ticket is invalid or expired.
    pub(super) async fn of_request(
        app: &App,
        query: &Query,
        headers: &HeaderMap,
    ) -> Result<Option<Self>> {
        if let Some(ticket) = query.get("ticket").filter(|ticket| !ticket.is_empty()) {
            return app
                .tickets
                .redeem(ticket)
                .await
                .map(|grant| Some(grant.into()));
        }
        if let Some(token) = query.get("token").filter(|token| !token.is_empty()) {
            return Ok(Some(Self::Bearer(token.into())));
        }
        Ok(extract::credential(headers).map(Self::from))
    }

    /// The caller for whom it stands now.
    ///
    /// # Errors
    ///
    /// See [`identify`](Self::identify).
    pub(super) async fn caller(&self, app: &App) -> Result<Caller> {
        self.identify(app).await.map(|(caller, _)| caller)
    }

    /// The caller for whom it stands now, and the superadmin who acts for that user, if one does.
    /// Then the connection has the user's rights, and lasts as long as the superadmin's credential
    /// does and both may sign in.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] if the credential is not valid, [`Error::Forbidden`] if it must
    /// not be used here.
    pub(super) async fn identify(&self, app: &App) -> Result<(Caller, Option<UserId>)> {
        let credential = match self.credential() {
            Ok(credential) => credential,
            Err(account) => {
                let account = account.cloned();
                return Ok((Caller::Anonymous { account }, None));
            }
        };
        let principal = app.auth.authenticate(credential).await?;
        RECORDS_READ.permit(&principal)?;
        let Self::OnBehalf { user, account, .. } = self else {
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

    /// The credential, or the account that an anonymous client named.
    fn credential(&self) -> Result<Credential<'_>, Option<&Arc<AccountRef>>> {
        match self {
            Self::Bearer(token) => Ok(Credential::Bearer(token)),
            Self::ApiKey(key) => Ok(Credential::ApiKey(key)),
            Self::OnBehalf { credential, .. } => credential.credential(),
            Self::Anonymous(account) => Err(account.as_ref()),
        }
    }
}

impl From<Credential<'_>> for PresentedCredential {
    fn from(credential: Credential<'_>) -> Self {
        match credential {
            Credential::Bearer(token) => Self::Bearer(token.into()),
            Credential::ApiKey(key) => Self::ApiKey(key.into()),
        }
    }
}

impl From<TicketGrant> for PresentedCredential {
    fn from(grant: TicketGrant) -> Self {
        let credential = match grant.credential {
            TicketCredential::Bearer(token) => Self::Bearer(token),
            TicketCredential::ApiKey(key) => Self::ApiKey(key),
        };
        match grant.on_behalf_of {
            None => credential,
            Some((user, account)) => Self::OnBehalf {
                credential: Box::new(credential),
                user,
                account,
            },
        }
    }
}
