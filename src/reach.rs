//! What a caller reaches: the account and the rule that every statement over records obeys, and the records to which
//! references lead.

pub mod expand;
mod scope;

pub use expand::{Expand, Expansion, ExpansionKey, Place, Pool, Unread, in_place};
pub use scope::Scope;
