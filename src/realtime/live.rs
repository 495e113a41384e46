//! Live delivery: tasks that hand the events of some accounts to their subscribers, in the order of
//! the log.
//!
//! A shard is one task with its own topics (`topics`); an account belongs to one shard
//! (`shard_map`), and subscriptions to all accounts belong to a shard of their own. Connections
//! reach a shard only by commands (`command`), each of which acts before every event that is
//! published after it was sent.

pub mod catch_up;
pub mod command;
pub mod congestion;
pub mod context;
pub mod group;
pub mod group_index;
pub mod handles;
pub mod member;
pub mod prefetch;
pub mod recent_changes;
pub mod shard;
pub mod shard_map;
pub mod topic;
pub mod topics;
