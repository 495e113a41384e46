//! Invitations as they are answered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::{Invitation, InvitationState};

/// State of an invitation.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InvitationStatus {
    /// It can be accepted.
    Pending,
    /// It was accepted.
    Accepted,
    /// It was not accepted in time.
    Expired,
    /// It was taken back; such invitations are deleted.
    Cancelled,
}

impl From<InvitationStatus> for InvitationState {
    fn from(status: InvitationStatus) -> Self {
        match status {
            InvitationStatus::Pending => Self::Pending,
            InvitationStatus::Accepted => Self::Accepted,
            InvitationStatus::Expired => Self::Expired,
            InvitationStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl From<InvitationState> for InvitationStatus {
    fn from(state: InvitationState) -> Self {
        match state {
            InvitationState::Pending => Self::Pending,
            InvitationState::Accepted => Self::Accepted,
            InvitationState::Expired => Self::Expired,
            InvitationState::Cancelled => Self::Cancelled,
        }
    }
}

/// An invitation.
#[derive(Serialize, ToSchema)]
pub struct InvitationView {
    /// The id.
    id: String,
    /// The account's id.
    account_id: String,
    /// The account's code.
    account_code: String,
    /// The address.
    email: String,
    /// The id of the role that the user gets.
    role_id: Option<i64>,
    /// The name of that role.
    role: String,
    /// The ids of the groups that the user gets into.
    groups: Vec<String>,
    /// The id of the user who invites.
    invited_by: Option<String>,
    /// That user's address.
    invited_by_email: Option<String>,
    /// State of the invitation.
    status: InvitationStatus,
    /// True if a mail was handed to the mail server's queue.
    email_sent: bool,
    /// Time of it.
    #[serde(serialize_with = "crate::clock::serialize_option")]
    #[schema(value_type = Option<String>)]
    email_sent_at: Option<DateTime<Utc>>,
    /// Time until which it can be accepted.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    expires_at: DateTime<Utc>,
    /// Time at which it was accepted.
    #[serde(serialize_with = "crate::clock::serialize_option")]
    #[schema(value_type = Option<String>)]
    accepted_at: Option<DateTime<Utc>>,
    /// Time of creation.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    created_at: DateTime<Utc>,
    /// Time of the last change.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    updated_at: DateTime<Utc>,
    /// The token in its link: in the answer that makes the invitation, and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            account_id: invitation.account_id,
            account_code: invitation.account_code,
            email: invitation.email,
            role_id: invitation.role_id,
            role: invitation.role,
            groups: invitation.groups,
            invited_by: invitation.invited_by,
            invited_by_email: invitation.invited_by_email,
            status: invitation.status.into(),
            email_sent: invitation.email_sent,
            email_sent_at: invitation.email_sent_at,
            expires_at: invitation.expires_at,
            accepted_at: invitation.accepted_at,
            created_at: invitation.created_at,
            updated_at: invitation.updated_at,
            token: invitation.token,
        }
    }
}
