//! Extractors: the parts of a request that handlers take as arguments.
//!
//! The guard of an endpoint has checked the caller against the level that the route declares before
//! any of these runs. The types [`SignedIn`] and [`Superadmin`] say it again, so that a handler that
//! takes one cannot stand behind a wider declaration.

mod body;
mod caller;
mod deserialize_errors;
mod path;
mod query;
mod query_params;
mod sort_order;

pub use body::{JsonBody, JsonObject, OptionalBody, from_object};
pub use caller::{SignedIn, Superadmin, credential};
pub use path::PathInteger;
pub use query::Query;
pub use query_params::{QueryParams, StrictQueryParams};
pub use sort_order::SortOrder;
