//! Accounts and users: registering, signing in, confirming addresses, resetting passwords,
//! administering.
//!
//! [`Accounts`] is one service; each file here adds the operations of one subject to it. Who may
//! call what is checked by the operation itself where it takes a [`crate::auth::Caller`].

mod account;
mod api_key;
mod bootstrap;
mod group;
mod input;
mod invitation;
mod invitation_view;
pub mod names;
mod register;
mod reset;
mod role;
mod session_list;
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
pub use api_key::{ApiKey, ApiKeyPage, NewApiKey};
pub use group::{Group, GroupChange, GroupFilter, GroupWithMembers, NewGroup};
pub use input::{
    FirstSuperadmin, ForgottenPassword, NewAccount, NewRegistration, PasswordChange, PasswordReset,
    SignIn, UserChange, UserDraft, VerificationTarget,
};
pub use invitation_view::{
    Invitation, InvitationFilter, InvitationOffer, InvitationPage, InvitationState, NewInvitation,
};
pub use role::{NewRole, Role, RoleChange};
pub use session_list::{OpenSession, OpenSessions};
pub use user_list::UserFilter;
pub use view::{
    Account, AccountDetails, AccountMember, AccountMemberPage, AccountPage, ConfirmedAddress,
    ListedAccount, OpenedSession, Profile, RecordUsage, RefreshedTokens, Registration,
    ResetTokenValidity, User, UserDetails, UserPage,
};

use crate::access::account::signed_in;
use crate::auth::{Auth, Caller, Passwords, Sessions, Throttle};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::hooks::Hooks;
use crate::id::AccountId;
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
        lifecycle.spawn(auth.clone().note_key_uses(lifecycle.stopping().clone()));
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

    /// Refuses callers that do not administer their account, unless the configuration lets every
    /// user do so.
    fn account_admin(&self, caller: &Caller) -> Result<()> {
        signed_in(caller)?;
        if caller.is_account_admin() || !self.0.config.auth.account_admin_required {
            return Ok(());
        }
        Err(Error::Forbidden("This needs the role admin".into()))
    }

    /// Does the work after the answer, so that the answer's time does not tell whether there was
    /// any.
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

/// Refuses limited API keys what would free them of their limits: to make, change or sign in as a
/// superadmin.
fn unlimited_for(caller: &Caller, account: AccountId) -> Result<()> {
    if account.is_system() && !signed_in(caller)?.is_unlimited() {
        let message = "This API key is restricted: superadmins are changed by a superadmin who is signed in, \
                       or with a key that has no scopes";
        return Err(Error::Forbidden(message.into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
