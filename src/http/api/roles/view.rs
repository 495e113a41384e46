//! Roles as they are answered and named.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::accounts::Role;
use crate::error::Result;

/// A role.
#[derive(Serialize, ToSchema)]
pub struct RoleView {
    /// The id.
    id: i64,
    /// The name.
    name: String,
    /// Purpose of the role.
    description: Option<String>,
    /// Number of users who have it, over all accounts.
    user_count: i64,
    /// Time of creation.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    created_at: DateTime<Utc>,
    /// Time of the last change.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    updated_at: DateTime<Utc>,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        Self {
            id: role.id,
            name: role.name,
            description: role.description,
            user_count: role.user_count,
            created_at: role.created_at,
            updated_at: role.updated_at,
        }
    }
}

/// The id of a role in a request: a number, or a text with one in it.
#[derive(Clone, Copy)]
pub struct RoleId(pub i64);

impl<'de> Deserialize<'de> for RoleId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        id.map(Self)
            .ok_or_else(|| serde::de::Error::custom("Input should be a valid integer"))
    }
}
