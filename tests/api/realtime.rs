//! Realtime over WebSocket and server-sent events.

mod delivery;
mod histories;
mod hooks;
mod hostile;
mod lifetime;
mod protocol;
mod rights;
mod slow;
mod sse;
mod subscriptions;
mod visibility;
