//! The direction of an order, as a query parameter.

use serde::Deserialize;
use utoipa::ToSchema;

/// The direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SortOrder {
    /// Smallest values first.
    Asc,
    /// The greatest first.
    Desc,
}

impl SortOrder {
    /// True if the smallest come first.
    pub fn is_ascending(self) -> bool {
        self == Self::Asc
    }
}
