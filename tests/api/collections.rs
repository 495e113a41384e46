//! Collections: defining, changing and deleting them.

mod alter;
mod define;
mod drop;
mod transfer;
