//! Realtime over WebSocket and server-sent events.

mod delivery;
mod lifetime;
mod protocol;
mod slow;
mod sse;
mod visibility;
