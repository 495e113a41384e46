//! Groups as they are answered.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{Group, GroupWithMembers};
use crate::http::api::users::view::UserDetail;

/// A group.
#[derive(Serialize, ToSchema)]
pub struct GroupView {
    /// The id.
    id: String,
    /// The account's id.
    account_id: String,
    /// The account's code.
    account_code: String,
    /// The name.
    name: String,
    /// Purpose of the group.
    description: Option<String>,
    /// True for a group that the server knows: `pii_access`.
    is_system: bool,
    /// Number of its members.
    member_count: i64,
    /// Time of creation.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    created_at: DateTime<Utc>,
    /// Time of the last change.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    updated_at: DateTime<Utc>,
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        Self {
            id: group.id,
            account_id: group.account_id,
            account_code: group.account_code,
            name: group.name,
            description: group.description,
            is_system: group.is_system,
            member_count: group.member_count,
            created_at: group.created_at,
            updated_at: group.updated_at,
        }
    }
}

/// A group with its members.
#[derive(Serialize, ToSchema)]
pub struct GroupDetail {
    /// The group.
    #[serde(flatten)]
    group: GroupView,
    /// Its members by address, a thousand at most.
    users: Vec<UserDetail>,
}

impl From<GroupWithMembers> for GroupDetail {
    fn from(group: GroupWithMembers) -> Self {
        Self {
            group: group.group.into(),
            users: group.users.into_iter().map(Into::into).collect(),
        }
    }
}
