//! The WebSocket close codes of this protocol, and their reasons (RFC 6455, section 7.4).

use crate::realtime::CloseReason;

/// The close code, and the reason for people. 1001, 1008, 1009 and 1013 are registered codes; 4401
/// is ours: the client should come back with another token.
pub(super) fn close_code(reason: CloseReason) -> (u16, &'static str) {
    match reason {
        CloseReason::Expired => (4401, "Token expired"),
        CloseReason::Revoked => (1008, "Credentials are no longer valid"),
        CloseReason::GoingAway => (1001, "The server is stopping, reconnect"),
        CloseReason::Overload => (1013, "Too slow, try again later"),
        CloseReason::TooLarge => (1009, "Message too large"),
        CloseReason::Unanswered => (1001, "Pings were not answered"),
        CloseReason::Dismissed => (1008, "Closed by an administrator"),
    }
}
