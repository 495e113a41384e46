//! Accounts and users: registering, signing in, confirming addresses, resetting passwords, administering.
//!
//! [`Accounts`] is one service; each file here adds the operations of one subject to it. Who may call what is checked by
//! the operation itself where it takes a [`crate::auth::Caller`].

mod account;
mod bootstrap;
mod input;
pub mod names;
mod register;
mod reset;
mod sign_in;
mod store;
mod trail;
mod user;
mod user_list;
mod verification;
mod view;

use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};

pub use account::AccountFilter;
pub use input::{
    AccountCreate, AccountUpdate, ForgotPasswordRequest, LoginRequest, LogoutRequest, NewPassword, RefreshRequest,
    RegisterRequest, ResetPasswordRequest, SetupRequest, TokenRequest, UserCreate, UserUpdate, VerificationRequest,
};
pub use user_list::UserFilter;
pub use view::{
    AccountDetail, AccountList, AccountSummary, AccountUser, AccountUserList, AccountView, LoginResponse, Me, Message,
    RefreshResponse, RegisterResponse, ResetTokenStatus, SetupStatus, UserDetail, UserList, UserView, VerifiedResponse,
    VerifiedUser,
};

use crate::auth::{Auth, Caller, Passwords, Principal, Sessions, Throttle};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::hooks::Hooks;
use crate::lifecycle::Lifecycle;
use crate::mail::Mailer;

/// Requests whose work goes on after the answer.
const BACKGROUND: usize = 256;

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    db: Db,
    auth: Auth,
    sessions: Sessions,
    passwords: Passwords,
    throttle: Throttle,
    mailer: Mailer,
    hooks: Arc<Hooks>,
    clock: Clock,
    config: Arc<Config>,
    lifecycle: Lifecycle,
    /// Codes of accounts are given out one after another.
    codes: Mutex<()>,
    background: Arc<Semaphore>,
}

impl Accounts {
    /// Wires the service; mails are sent in the background from now on.
    pub fn build(
        db: Db,
        auth: Auth,
        hooks: Arc<Hooks>,
        clock: Clock,
        config: &Arc<Config>,
        lifecycle: &Lifecycle,
    ) -> Self {
        Self(Arc::new(Inner {
            sessions: Sessions::new(db.clone(), clock.clone(), auth.clone(), &config.auth),
            passwords: Passwords::new(&config.auth),
            throttle: Throttle::new(&config.limits, clock.clone()),
            mailer: Mailer::start(config.clone(), db.clone(), clock.clone(), lifecycle),
            db,
            auth,
            hooks,
            clock,
            config: config.clone(),
            lifecycle: lifecycle.clone(),
            codes: Mutex::new(()),
            background: Arc::new(Semaphore::new(BACKGROUND)),
        }))
    }

    /// The sender of mails.
    pub fn mailer(&self) -> &Mailer {
        &self.0.mailer
    }

    /// Does the work after the answer, so that the answer's time does not tell whether there was any.
    fn in_background(&self, work: impl Future<Output = Result<()>> + Send + 'static) {
        let Ok(place) = self.0.background.clone().try_acquire_owned() else {
            tracing::warn!("too many requests for mails at once: one was dropped");
            return;
        };
        self.0.lifecycle.spawn(async move {
            if let Err(error) = work.await {
                tracing::error!(%error, "a mail that was asked for could not be prepared");
            }
            drop(place);
        });
    }
}

/// The user who calls, or 401.
fn signed_in(caller: &Caller) -> Result<&Principal> {
    caller.principal().map(|principal| &**principal).ok_or_else(|| Error::Unauthenticated("Missing credentials".into()))
}

/// Refuses everyone but users of the system account.
fn superadmin(caller: &Caller) -> Result<&Principal> {
    let principal = signed_in(caller)?;
    if caller.is_superadmin() { Ok(principal) } else { Err(Error::Forbidden("Superadmin access required".into())) }
}

#[cfg(test)]
mod tests;
