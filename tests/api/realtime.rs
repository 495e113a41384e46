//! Realtime over WebSocket and server-sent events.

mod convergence;
mod delivery;
mod histories;
mod hooks;
mod lifetime;
mod protocol;
mod slow;
mod sse;
mod visibility;
