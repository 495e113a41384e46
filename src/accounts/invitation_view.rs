//! Invitations as they are sent and answered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::input::Id;
use crate::clock::{serialize, serialize_option};

/// Somebody to be asked to join an account.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct InvitationCreate {
    /// The address.
    pub email: String,
    /// The id of the role that the user gets; that of `user` if there is none.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub role_id: Option<Id>,
    /// The name of that role, if its id is absent.
    #[serde(default)]
    pub role: Option<String>,
    /// Ids or names of groups that the user gets into.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The account, for superadmins; the caller's if it is absent.
    #[serde(default)]
    pub account_id: Option<String>,
}

/// Somebody who joins.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct InvitationAccept {
    /// The password that the new user signs in with.
    pub password: String,
}

/// What became of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InvitationStatus {
    /// It can be accepted.
    Pending,
    /// It was.
    Accepted,
    /// It was not, in time.
    Expired,
    /// It was taken back; such invitations are deleted.
    Cancelled,
}

impl InvitationStatus {
    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "pending" => Self::Pending,
            "accepted" => Self::Accepted,
            "expired" => Self::Expired,
            "cancelled" => Self::Cancelled,
            _ => return None,
        })
    }
}

/// Which invitations.
#[derive(Clone, Debug, Default)]
pub struct InvitationFilter {
    /// Of one account; for superadmins, others see their own account's.
    pub account_id: Option<String>,
    /// With one status.
    pub status: Option<InvitationStatus>,
    /// How many to pass over.
    pub skip: i64,
    /// How many at most.
    pub limit: i64,
}

/// An invitation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InvitationView {
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
    pub status: InvitationStatus,
    /// Whether a mail was handed to the mail server's queue.
    pub email_sent: bool,
    /// When.
    #[serde(serialize_with = "serialize_option")]
    #[schema(value_type = Option<String>)]
    pub email_sent_at: Option<DateTime<Utc>>,
    /// Until when it can be accepted.
    #[serde(serialize_with = "serialize")]
    #[schema(value_type = String)]
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    #[serde(serialize_with = "serialize_option")]
    #[schema(value_type = Option<String>)]
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it was made.
    #[serde(serialize_with = "serialize")]
    #[schema(value_type = String)]
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    #[serde(serialize_with = "serialize")]
    #[schema(value_type = String)]
    pub updated_at: DateTime<Utc>,
    /// The token in its link: in the answer that makes the invitation, and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Invitations.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InvitationList {
    /// The invitations, newest first.
    pub invitations: Vec<InvitationView>,
    /// How many there are.
    pub total: i64,
}

/// An invitation with another link than before.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InvitationResent {
    /// What was done.
    pub message: String,
    /// The token in its link; the one before is not valid any more.
    pub token: String,
}

/// An invitation, to whoever has its token.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InvitationDetails {
    /// The address.
    pub email: String,
    /// The account's name.
    pub account_name: String,
    /// The address of the user who invites.
    pub invited_by_name: String,
    /// Until when it can be accepted.
    #[serde(serialize_with = "serialize")]
    #[schema(value_type = String)]
    pub expires_at: DateTime<Utc>,
    /// True.
    pub is_valid: bool,
}
