//! Realtime over WebSocket and server-sent events.

mod connections;
mod delivery;
mod differences;
mod expand;
mod histories;
mod hooks;
mod hostile;
mod lifetime;
mod names;
mod places;
mod protocol;
mod relational;
mod rights;
mod slow;
mod sse;
mod subscriptions;
mod visibility;
