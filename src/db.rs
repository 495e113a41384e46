//! The database seam.
pub mod dialect;
pub mod sql;
pub mod value;
pub use dialect::{AccountName, ColumnKind, DOC_SEPARATOR, Dialect, Projected};
pub use sql::{Fragment, Ident, Sql, Stmt};
pub use value::{Kind, Value, canonical_time};
