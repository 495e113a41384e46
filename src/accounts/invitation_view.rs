//! Invitations: the inputs and results of their operations.

use chrono::{DateTime, Utc};

/// Somebody to be asked to join an account.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// The address.
    pub email: String,
    /// The id of the role that the user gets; that of `user` if there is none.
    pub role_id: Option<i64>,
    /// The name of that role, if its id is absent.
    pub role: Option<String>,
    /// Ids or names of groups that the user gets into.
    pub groups: Vec<String>,
    /// The account, for superadmins; the caller's if it is absent.
    pub account_id: Option<String>,
}

/// What became of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationState {
    /// It can be accepted.
    Pending,
    /// It was.
    Accepted,
    /// It was not, in time.
    Expired,
    /// It was taken back; such invitations are deleted.
    Cancelled,
}

/// Which invitations.
#[derive(Clone, Debug, Default)]
pub struct InvitationFilter {
    /// Of one account; for superadmins, others see their own account's.
    pub account_id: Option<String>,
    /// With one status.
    pub status: Option<InvitationState>,
    /// How many to pass over.
    pub skip: i64,
    /// How many at most.
    pub limit: i64,
}

/// An invitation.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The id.
    pub id: String,
    /// The account's id.
    pub account_id: String,
    /// The account's code.
    pub account_code: String,
    /// The address.
    pub email: String,
    /// The id of the role that the user gets.
    pub role_id: Option<i64>,
    /// The name of that role.
    pub role: String,
    /// The ids of the groups that the user gets into.
    pub groups: Vec<String>,
    /// The id of the user who invites.
    pub invited_by: Option<String>,
    /// That user's address.
    pub invited_by_email: Option<String>,
    /// What became of it.
    pub status: InvitationState,
    /// Whether a mail was handed to the mail server's queue.
    pub email_sent: bool,
    /// When.
    pub email_sent_at: Option<DateTime<Utc>>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// The token in its link: in the answer that makes the invitation, and nowhere else.
    pub token: Option<String>,
}

/// Invitations.
#[derive(Clone, Debug)]
pub struct InvitationPage {
    /// The invitations, newest first.
    pub invitations: Vec<Invitation>,
    /// How many there are.
    pub total: i64,
}

/// An invitation, to whoever has its token.
#[derive(Clone, Debug)]
pub struct InvitationOffer {
    /// The address.
    pub email: String,
    /// The account's name.
    pub account_name: String,
    /// The address of the user who invites.
    pub invited_by_name: String,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}
