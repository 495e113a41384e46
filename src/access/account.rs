//! The account that a request acts on, and the callers that may act on it.
//!
//! Users act on their own account and cannot name another. Superadmins may name one by id, code or
//! slug; if they name none they act on the system account when something is created, and on every
//! account when something is read.

use std::sync::Arc;

use crate::auth::{AccountRef, Auth, Caller, Principal};
use crate::error::{Error, Result};
use crate::id::AccountId;

/// The caller, if it has valid credentials.
///
/// # Errors
///
/// [`Error::Unauthenticated`] for anonymous callers.
pub fn signed_in(caller: &Caller) -> Result<&Principal> {
    caller
        .principal()
        .map(|principal| &**principal)
        .ok_or_else(|| Error::Unauthenticated("Missing credentials".into()))
}

/// The caller, if it is a user of the system account.
///
/// # Errors
///
/// [`Error::Unauthenticated`] for anonymous callers, [`Error::Forbidden`] for other users.
pub fn superadmin(caller: &Caller) -> Result<&Principal> {
    let principal = signed_in(caller)?;
    if caller.is_superadmin() {
        Ok(principal)
    } else {
        Err(Error::Forbidden("Superadmin access required".into()))
    }
}

/// The account in which the caller creates or publishes something: its own, or for superadmins the
/// one that is named.
///
/// # Errors
///
/// [`Error::Unauthenticated`] for anonymous callers, [`Error::Forbidden`] for users who name another
/// account, and [`Error::NotFound`] if the named account does not exist.
pub async fn own_account(
    auth: &Auth,
    caller: &Caller,
    named: Option<&str>,
) -> Result<Arc<AccountRef>> {
    let own = &signed_in(caller)?.account;
    match named {
        None => Ok(own.clone()),
        Some(named) if is_named(own, named) => Ok(own.clone()),
        Some(named) if caller.is_superadmin() => named_account(auth, named).await,
        Some(_) => Err(Error::Forbidden("Other accounts are not available".into())),
    }
}

/// The account whose data the caller reads: its own, or for superadmins the one that is named; none
/// for superadmins who name none and read every account. Users who name another account read their
/// own.
///
/// # Errors
///
/// [`Error::Unauthenticated`] for anonymous callers, and [`Error::NotFound`] if a superadmin names an
/// account that does not exist.
pub async fn visible_account(
    auth: &Auth,
    caller: &Caller,
    named: Option<&str>,
) -> Result<Option<AccountId>> {
    let own = signed_in(caller)?.account.id;
    match named {
        _ if !caller.is_superadmin() => Ok(Some(own)),
        Some(named) => Ok(Some(named_account(auth, named).await?.id)),
        None => Ok(None),
    }
}

/// The account with this id, code or slug.
///
/// # Errors
///
/// [`Error::NotFound`] if it does not exist.
pub async fn named_account(auth: &Auth, named: &str) -> Result<Arc<AccountRef>> {
    let account = auth.resolve_account(named).await?;
    account.ok_or_else(|| Error::not_found("Account not found"))
}

/// Whether a text is the id, code or slug of an account, in letters of either case.
pub fn is_named(account: &AccountRef, text: &str) -> bool {
    [&account.id_text, &account.code, &account.slug]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(text))
}
