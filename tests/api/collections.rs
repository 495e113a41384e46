//! Collections: defining, changing and deleting them.

mod alter;
mod computed;
mod define;
mod drop;
mod names;
mod options;
mod rename;
mod transfer;
mod types;
mod validate;
