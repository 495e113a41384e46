//! Who asks for a file. Browsers cannot send headers with the address of a picture, so credentials
//! may also stand in the URL or in a cookie.

use std::sync::Arc;

use axum::http::{HeaderMap, header};

use crate::access::api_key_scope::FILES_READ;
use crate::app::App;
use crate::auth::{Caller, Credential};
use crate::error::{Error, Result};
use crate::files::token::PREFIX;
use crate::files::{StoredFile, account_of};
use crate::http::extract::{Query, credential};
use crate::id::{AccountId, UserId};

/// The cookie that holds a token for files.
pub(super) const COOKIE: &str = "snackbase_files";

/// A file that may be handed out.
pub(super) struct Opened {
    pub file: StoredFile,
    /// Whether everybody may see it.
    pub is_public: bool,
}

/// What a request shows.
enum Shown {
    Nobody,
    /// Somebody, with a token or key of the API.
    Known(Caller),
    /// Somebody, with a token that was made for files.
    ForFiles(Caller),
    /// Whoever has the link to this path.
    Link(String),
}

/// The file at a path, if the request may have it.
pub(super) async fn open(
    app: &App,
    headers: &HeaderMap,
    query: &Query,
    path: &str,
) -> Result<Opened> {
    let file = match shown(app, headers, query).await? {
        Shown::Nobody => return open_public(app, path).await,
        Shown::Known(caller) => app.files.open_for(&caller, path, false).await?,
        // Superadmins look into other accounts only by asking for a token for it.
        Shown::ForFiles(caller) => {
            let of_any = caller.is_superadmin();
            app.files.open_for(&caller, path, of_any).await?
        }
        Shown::Link(linked) if linked == path => app.files.linked(path).await?,
        Shown::Link(_) => {
            return Err(Error::Forbidden("This link is for another file".into()));
        }
    };
    Ok(Opened {
        file,
        is_public: false,
    })
}

/// The same without credentials: the account is the one that the path names.
async fn open_public(app: &App, path: &str) -> Result<Opened> {
    let missing = || Error::Unauthenticated("Missing authentication credentials".into());
    let account = account_of(path).ok_or_else(missing)?;
    let account = app.auth.resolve_account(&account.to_string()).await?;
    let caller = Caller::Anonymous {
        account: Some(account.ok_or_else(missing)?),
    };
    match app.files.open_for(&caller, path, false).await {
        Ok(file) => Ok(Opened {
            file,
            is_public: true,
        }),
        Err(Error::NotFound(_) | Error::Forbidden(_)) => Err(missing()),
        Err(error) => Err(error),
    }
}

async fn shown(app: &App, headers: &HeaderMap, query: &Query) -> Result<Shown> {
    if let Some(token) = query.get("token").filter(|token| !token.is_empty()) {
        return if token.starts_with(PREFIX) {
            granted(app, token).await
        } else {
            authenticated(app, Credential::Bearer(token)).await
        };
    }
    if let Some(credential) = credential(headers) {
        return authenticated(app, credential).await;
    }
    match cookie(headers) {
        // One that has ended counts as none: browsers go on sending it.
        Some(token) => match granted(app, token).await {
            Err(Error::Unauthenticated(_)) => Ok(Shown::Nobody),
            granted => granted,
        },
        None => Ok(Shown::Nobody),
    }
}

async fn authenticated(app: &App, credential: Credential<'_>) -> Result<Shown> {
    let principal = app.auth.authenticate(credential).await?;
    FILES_READ.permit(&principal)?;
    Ok(Shown::Known(Caller::User(principal)))
}

/// Whom a token for files stands for; it ends with the user's right to sign in.
async fn granted(app: &App, token: &str) -> Result<Shown> {
    let grant = app.files.tokens().verify(token, app.clock.now())?;
    if let Some(path) = grant.path {
        return Ok(Shown::Link(path));
    }
    let user = app.auth.user(UserId(grant.user), AccountId(grant.account));
    let gone = || Error::Unauthenticated("This user may not sign in any more".into());
    let principal = user.await?.ok_or_else(gone)?;
    Ok(Shown::ForFiles(Caller::User(Arc::new(principal))))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    cookies
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, token)| token)
}
