//! `expand`: references are replaced by the records they refer to, as the caller may see those.
//!
//! Each level of references is loaded at once, with one statement for everything that it leads to,
//! even for several callers. A record that the caller could not read by itself (its rule, another
//! account, a locked collection) shows as null, as if it were gone.

mod fill;
mod loader;
mod path;
mod plan;

pub use fill::{Placement, TooLarge, replace_reference};
pub use loader::{LoadError, LoadedRecords};
pub use path::ExpandPaths;
pub use plan::{ExpandPlan, ExpandPlanKey};

/// The label of what is refused about `expand`.
const LABEL: &str = "Invalid expand field";
