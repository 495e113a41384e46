//! The decision what a change is for a subscriber: one pipeline, used for live events, for
//! connections that catch up, and for the replay of the log.
//!
//! ```text
//! match     which viewpoints can an event concern?     the caller's index, or its collection
//! ask       rules about other records                  rule_query: one statement for many questions
//! judge     nothing, create, update or delete?         viewpoint: rule and filter, before and after
//! expand    referenced records                         expand: read once for many events
//! encode    the frame, shared by all who see the same  change_event, protocol
//! ```
//!
//! `evaluate` has the stages in this order; `viewpoint` has the decisions for one event and one
//! viewpoint. Nothing here knows connections, shards or the log.

pub mod change_event;
pub mod dependencies;
pub mod difference;
pub mod evaluate;
pub mod expand;
pub mod rule_query;
pub mod step_budget;
pub mod viewpoint;
