//! Invitations: who administers an account asks somebody to join it, who becomes a user by choosing
//! a password.
//!
//! The token is shown to whoever makes the invitation, and only its hash is kept. The one in the
//! mail goes on with a proof that only the server can make: whoever shows that one reads the mails
//! that come to the address, and where mails are sent, nothing else confirms it.

use std::fmt::Write as _;
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::input::length;
use super::invitation_view::{
    Invitation, InvitationFilter, InvitationOffer, InvitationPage, InvitationState, NewInvitation,
};
use super::names::parse_email;
use super::register::refuse_system_account;
use super::store::{self, NewUser};
use super::view::OpenedSession;
use super::{Accounts, trail};
use crate::access::account::{own_account, signed_in, visible_account};
use crate::audit::Event;
use crate::auth::one_time::Purpose;
use crate::auth::password::check_policy;
use crate::auth::{Caller, Door, Origin, USER_ROLE, one_time};
use crate::db::{DbError, Sql, Stmt, Value, canonical_time};
use crate::error::{Error, Result};
use crate::hooks::AuthEvent;
use crate::id::{AccountId, UserId, new_id};
use crate::mail::{Kind, Mail};
use crate::secret::constant_time_eq;

/// What the proof in a mailed token is for.
const MAILED: &str = "invitation by mail";
/// What somebody is told who has accepted without the mail, where addresses must be confirmed.
/// Clients look for `email`.
const UNVERIFIED: &str = "You are a user now. Email not verified: confirm your address with the mail that was just sent, \
                          then sign in.";
/// Groups that one invitation names.
const MOST_GROUPS: usize = 50;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    account_id: String,
    account_code: String,
    account_name: String,
    email: String,
    role_id: Option<i64>,
    role: Option<String>,
    group_ids: String,
    invited_by: Option<String>,
    invited_by_email: Option<String>,
    email_sent_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
    accepted_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

const SELECT: &str = "SELECT i.id, i.account_id, a.account_code, a.name AS account_name, i.email, i.role_id, \
                      r.name AS role, i.group_ids, i.invited_by, u.email AS invited_by_email, i.email_sent_at, \
                      i.expires_at, i.accepted_at, i.created_at, i.updated_at \
                      FROM invitations i JOIN accounts a ON a.id = i.account_id \
                      LEFT JOIN roles r ON r.id = i.role_id LEFT JOIN users u ON u.id = i.invited_by";

impl Row {
    fn account(&self) -> Result<AccountId> {
        AccountId::parse(&self.account_id)
            .ok_or_else(|| Error::internal("an account's id is no UUID"))
    }

    fn status(&self, now: DateTime<Utc>) -> InvitationState {
        match self.accepted_at {
            Some(_) => InvitationState::Accepted,
            None if self.expires_at <= now => InvitationState::Expired,
            None => InvitationState::Pending,
        }
    }

    fn groups(&self) -> Vec<String> {
        serde_json::from_str(&self.group_ids).unwrap_or_default()
    }

    fn view(self, now: DateTime<Utc>, token: Option<String>) -> Invitation {
        Invitation {
            status: self.status(now),
            groups: self.groups(),
            id: self.id,
            account_id: self.account_id,
            account_code: self.account_code,
            email: self.email,
            role_id: self.role_id,
            role: self.role.unwrap_or_else(|| USER_ROLE.to_owned()),
            invited_by: self.invited_by,
            invited_by_email: self.invited_by_email,
            email_sent: self.email_sent_at.is_some(),
            email_sent_at: self.email_sent_at,
            expires_at: self.expires_at,
            accepted_at: self.accepted_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            token,
        }
    }
}

impl Accounts {
    /// Invitations into the account, for those who may invite, newest first.
    pub async fn invitations(
        &self,
        caller: &Caller,
        filter: &InvitationFilter,
    ) -> Result<InvitationPage> {
        self.account_admin(caller)?;
        let account = visible_account(&self.0.auth, caller, filter.account_id.as_deref()).await?;
        let (db, now) = (&self.0.db, self.0.clock.now());
        let push = |sql: &mut Sql| {
            sql.push(" WHERE 1 = 1");
            if let Some(account) = account {
                sql.push(" AND i.account_id = ").arg(account);
            }
            match filter.status {
                None => sql,
                Some(InvitationState::Accepted) => sql.push(" AND i.accepted_at IS NOT NULL"),
                Some(InvitationState::Expired) => sql
                    .push(" AND i.accepted_at IS NULL AND i.expires_at <= ")
                    .arg(now),
                Some(InvitationState::Pending) => sql
                    .push(" AND i.accepted_at IS NULL AND i.expires_at > ")
                    .arg(now),
                Some(InvitationState::Cancelled) => sql.push(" AND 1 = 0"),
            };
        };
        let mut count = db.sql();
        count.push("SELECT count(*) FROM invitations i");
        push(&mut count);
        let total = db.count(count.build()).await?;
        let mut sql = db.sql();
        sql.push(SELECT);
        push(&mut sql);
        sql.push(" ORDER BY i.created_at DESC, i.id DESC LIMIT ")
            .arg(filter.limit)
            .push(" OFFSET ")
            .arg(filter.skip);
        let rows: Vec<Row> = db.rows(sql.build()).await?;
        Ok(InvitationPage {
            invitations: rows.into_iter().map(|row| row.view(now, None)).collect(),
            total,
        })
    }

    /// Asks somebody to join an account.
    pub async fn invite(
        &self,
        caller: &Caller,
        request: NewInvitation,
        address: Option<IpAddr>,
    ) -> Result<Invitation> {
        let inner = &*self.0;
        self.account_admin(caller)?;
        let inviter = signed_in(caller)?;
        let email = parse_email(&request.email, "email")?;
        let account = own_account(&self.0.auth, caller, request.account_id.as_deref()).await?;
        refuse_system_account(account.id)?;
        let role = match self.role(request.role_id, request.role.as_deref()).await? {
            Some(role) => role,
            None => store::role_named(&inner.db, USER_ROLE).await?,
        };
        // Nobody hands out more than the own rights, wherever everyone may invite.
        if role != store::role_named(&inner.db, USER_ROLE).await? && !caller.is_account_admin() {
            return Err(Error::Forbidden(
                "Only the role user can be given without the role admin".into(),
            ));
        }
        if request.groups.len() > MOST_GROUPS {
            return Err(Error::refused(
                "Validation error",
                format!("groups: at most {MOST_GROUPS} can be named"),
            ));
        }
        let groups = self
            .groups_named(caller, account.id, &request.groups)
            .await?;
        inner.throttle.enter(
            Door::Mail,
            address,
            Some(&format!("invite {} {email}", account.id_text)),
        )?;
        self.enter_unasked_mail(&email, None)?;
        if store::user_by_email(&inner.db, account.id, &email)
            .await?
            .is_some()
        {
            let message = "A user with this address exists already in the account";
            return Err(Error::refused("Validation error", message));
        }
        let (id, token, now) = (new_id().to_string(), new_token(), inner.clock.now());
        let mut tx = inner.db.begin().await?;
        let forget = "DELETE FROM invitations WHERE account_id = $1 AND email = $2 AND accepted_at IS NULL \
                      AND expires_at <= $3";
        tx.execute(Stmt::fixed(
            forget,
            vec![account.id.into(), email.as_str().into(), now.into()],
        ))
        .await?;
        let insert = "INSERT INTO invitations (id, account_id, email, token_hash, role_id, group_ids, invited_by, \
                      email_sent_at, expires_at, created_at, updated_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)";
        let args = vec![
            id.as_str().into(),
            account.id.into(),
            email.as_str().into(),
            one_time::hash(&token).into(),
            role.into(),
            serde_json::to_string(&groups)
                .map_err(Error::internal)?
                .into(),
            inviter.user_id.into(),
            self.mailed_at(now),
            (now + self.invitation_lifetime()).into(),
            now.into(),
        ];
        tx.execute(Stmt::fixed(insert, args))
            .await
            .map_err(|error| match error {
                DbError::Unique { .. } => {
                    Error::conflict("An invitation for this address is pending already", None)
                }
                DbError::ForeignKey => {
                    Error::not_found("The account, the role or the user was deleted meanwhile")
                }
                other => other.into(),
            })?;
        let values = json!({"email": email, "role_id": role, "groups": groups});
        tx.execute(
            Event::create("invitations", &id, values)
                .of(account.id)
                .by(caller)
                .entry(now),
        )
        .await?;
        tx.commit().await?;
        self.mail_invitation(
            &id,
            email,
            &account.name,
            account.id,
            &inviter.email,
            &token,
        )
        .await;
        Ok(self
            .visible_invitation(caller, &id)
            .await?
            .view(now, Some(token)))
    }

    /// Gives a pending invitation a new link, valid as long as a new one's, and mails it.
    pub async fn resend_invitation(
        &self,
        caller: &Caller,
        id: &str,
        address: Option<IpAddr>,
    ) -> Result<String> {
        let inner = &*self.0;
        self.account_admin(caller)?;
        let inviter = signed_in(caller)?;
        let row = self.visible_invitation(caller, id).await?;
        let (account, now, token) = (row.account()?, inner.clock.now(), new_token());
        refuse_system_account(account)?;
        let gone = || {
            Error::refused(
                "Validation error",
                "Only pending invitations can be sent again",
            )
        };
        if row.status(now) != InvitationState::Pending {
            return Err(gone());
        }
        inner.throttle.enter(
            Door::Mail,
            address,
            Some(&format!("invite {account} {}", row.email)),
        )?;
        self.enter_unasked_mail(&row.email, None)?;
        let mut tx = inner.db.begin().await?;
        let update = "UPDATE invitations SET token_hash = $1, email_sent_at = $2, expires_at = $3, updated_at = $4 \
                      WHERE id = $5 AND accepted_at IS NULL";
        let args = vec![
            one_time::hash(&token).into(),
            self.mailed_at(now),
            (now + self.invitation_lifetime()).into(),
            now.into(),
            row.id.as_str().into(),
        ];
        if tx.execute(Stmt::fixed(update, args)).await? == 0 {
            return Err(gone());
        }
        let old = json!({"expires_at": canonical_time(row.expires_at)});
        let new = json!({"expires_at": canonical_time(now + self.invitation_lifetime())});
        let event = Event::update("invitations", &row.id, &old, &new)
            .of(account)
            .by(caller);
        tx.execute(event.entry(now)).await?;
        tx.commit().await?;
        self.mail_invitation(
            &row.id,
            row.email,
            &row.account_name,
            account,
            &inviter.email,
            &token,
        )
        .await;
        Ok(token)
    }

    /// Takes an invitation back.
    pub async fn cancel_invitation(&self, caller: &Caller, id: &str) -> Result<()> {
        self.account_admin(caller)?;
        let row = self.visible_invitation(caller, id).await?;
        let event = Event::delete(
            "invitations",
            &row.id,
            json!({"email": row.email, "role_id": row.role_id}),
        );
        let event = event.of(row.account()?).by(caller);
        let mut tx = self.0.db.begin().await?;
        tx.execute(Stmt::fixed(
            "DELETE FROM invitations WHERE id = $1",
            vec![row.id.into()],
        ))
        .await?;
        tx.execute(event.entry(self.0.clock.now())).await?;
        Ok(tx.commit().await?)
    }

    /// What an invitation is about, for whoever has its token.
    pub async fn invitation_details(
        &self,
        token: &str,
        address: Option<IpAddr>,
    ) -> Result<InvitationOffer> {
        let row = self
            .invitation_of(self.without_proof(token)?.0, address)
            .await?;
        match row.status(self.0.clock.now()) {
            InvitationState::Accepted => Err(Error::refused(
                "Already accepted",
                "The invitation has been accepted already",
            )),
            InvitationState::Expired => {
                Err(Error::refused("Expired", "The invitation has expired"))
            }
            _ => Ok(InvitationOffer {
                email: row.email,
                account_name: row.account_name,
                invited_by_name: row.invited_by_email.unwrap_or_default(),
                expires_at: row.expires_at,
            }),
        }
    }

    /// Makes the invited person a user, and signs it in.
    pub async fn accept_invitation(
        &self,
        token: &str,
        password: String,
        origin: impl Into<Origin>,
    ) -> Result<OpenedSession> {
        let (inner, origin) = (&*self.0, origin.into());
        length("password", &password, 8..=1024)?;
        let (token, is_mailed) = self.without_proof(token)?;
        let row = self.invitation_of(token, origin.address).await?;
        let (account, now) = (row.account()?, inner.clock.now());
        let gone = || Error::not_found("The invitation has been accepted already, or has expired");
        if row.status(now) != InvitationState::Pending {
            return Err(gone());
        }
        check_policy(&password)?;
        let mut event = AuthEvent {
            email: row.email.clone(),
            account_id: Some(account),
            user_id: None,
        };
        if !inner.hooks.auth_before_register.is_empty() {
            event = inner.hooks.auth_before_register.run(event).await?;
        }
        let role_id = match row.role_id {
            Some(role) => role,
            None => store::role_named(&inner.db, USER_ROLE).await?,
        };
        let password_hash = inner.passwords.hash(password).await?;
        let user = NewUser {
            id: UserId::new(),
            account,
            email: &row.email,
            password_hash: &password_hash,
            role_id,
            verified: is_mailed || !inner.config.mail.has_transport(),
            at: inner.clock.now(),
        };
        let mut tx = inner.db.begin().await?;
        let accept = "UPDATE invitations SET accepted_at = $1, updated_at = $1 \
                      WHERE id = $2 AND token_hash = $3 AND accepted_at IS NULL AND expires_at > $1";
        let args = vec![
            user.at.into(),
            row.id.as_str().into(),
            one_time::hash(token).into(),
        ];
        if tx.execute(Stmt::fixed(accept, args)).await? == 0 {
            return Err(gone());
        }
        tx.execute(store::insert_user(&user))
            .await
            .map_err(|error| match error {
                DbError::Unique { .. } => Error::conflict(
                    "A user with this address exists already in the account",
                    Some("email"),
                ),
                DbError::ForeignKey => gone(),
                other => other.into(),
            })?;
        let by_invited = |event: Event| event.by_user(user.id, user.email, "token").entry(user.at);
        let new = json!({"accepted_at": canonical_time(user.at)});
        tx.execute(by_invited(
            Event::update("invitations", &row.id, &json!({}), &new).of(account),
        ))
        .await?;
        tx.execute(by_invited(trail::user_created(&user))).await?;
        for group in row.groups() {
            // A group that was deleted meanwhile is passed over.
            let join = "INSERT INTO group_members (group_id, user_id) \
                        SELECT id, $1 FROM groups WHERE id = $2 AND account_id = $3";
            let args = vec![user.id.into(), group.as_str().into(), account.into()];
            if tx.execute(Stmt::fixed(join, args)).await? > 0 {
                tx.execute(by_invited(trail::member_added(&group, account, user.id)))
                    .await?;
            }
        }
        tx.commit().await?;
        if !inner.hooks.auth_after_register.is_empty() {
            event.user_id = Some(user.id.to_string());
            if let Err(error) = inner.hooks.auth_after_register.run(event).await {
                tracing::warn!(%error, "a hook failed after an invitation was accepted");
            }
        }
        let row = self.existing_user(&user.id.to_string()).await?;
        if !row.email_verified && inner.config.verification_required() {
            self.mail_link(Purpose::VerifyEmail, Kind::VerifyEmail, &row)
                .await?;
            return Err(Error::SignInRefused(UNVERIFIED.into()));
        }
        self.open_session(row, None, &origin).await
    }

    /// The token that was made with the invitation, and whether the one that was shown is from the
    /// mail.
    fn without_proof<'a>(&self, shown: &'a str) -> Result<(&'a str, bool)> {
        match shown.split_once('-') {
            Some((token, proof)) => {
                let expected = self.0.auth.jwt().proof(MAILED, token)?;
                Ok((
                    token,
                    constant_time_eq(expected.as_bytes(), proof.as_bytes()),
                ))
            }
            None => Ok((shown, false)),
        }
    }

    async fn visible_invitation(&self, caller: &Caller, id: &str) -> Result<Row> {
        let own = signed_in(caller)?.account.id;
        let missing = || Error::not_found("Invitation not found");
        let id = uuid::Uuid::try_parse(id).map_err(|_| missing())?;
        let mut sql = self.0.db.sql();
        sql.push(SELECT).push(" WHERE i.id = ").arg(id.to_string());
        if !caller.is_superadmin() {
            sql.push(" AND i.account_id = ").arg(own);
        }
        self.0.db.row(sql.build()).await?.ok_or_else(missing)
    }

    /// The invitation with a token; wrong guesses count.
    async fn invitation_of(&self, token: &str, address: Option<IpAddr>) -> Result<Row> {
        let inner = &*self.0;
        let mut sql = inner.db.sql();
        sql.push(SELECT)
            .push(" WHERE i.token_hash = ")
            .arg(one_time::hash(token));
        let row: Option<Row> = inner.db.row(sql.build()).await?;
        // Invitations into the system account were possible once.
        row.filter(|row| row.account().is_ok_and(|account| !account.is_system()))
            .ok_or_else(|| {
                inner
                    .throttle
                    .wrong_token(address, Error::not_found("Invalid invitation token"))
            })
    }

    fn invitation_lifetime(&self) -> TimeDelta {
        TimeDelta::seconds(self.0.config.auth.invitation_seconds)
    }

    /// When a mail that is about to be queued is sent; never without a mail server.
    fn mailed_at(&self, now: DateTime<Utc>) -> Value {
        Value::time_or_null(self.0.config.mail.has_transport().then_some(now))
    }

    async fn mail_invitation(
        &self,
        id: &str,
        to: String,
        account_name: &str,
        account: AccountId,
        invited_by: &str,
        token: &str,
    ) {
        let kind = Kind::Invitation {
            account_name: account_name.to_owned(),
            invited_by: invited_by.to_owned(),
        };
        let proof = self.0.auth.jwt().proof(MAILED, token);
        let sent = proof.and_then(|proof| {
            self.0.mailer.send(Mail {
                kind,
                account,
                to,
                token: format!("{token}-{proof}"),
            })
        });
        let Err(error) = sent else { return };
        // The invitation stands, and can be sent again.
        tracing::warn!(%error, "the mail of an invitation was not sent");
        let update = Stmt::fixed(
            "UPDATE invitations SET email_sent_at = NULL WHERE id = $1",
            vec![id.into()],
        );
        if let Err(error) = self.0.db.execute(update).await {
            tracing::warn!(%error, "that it was not could not be noted");
        }
    }
}

/// 32 random bytes in hexadecimal digits.
fn new_token() -> String {
    rand::random::<[u8; 32]>()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
