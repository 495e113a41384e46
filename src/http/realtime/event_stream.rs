//! Responses that are streams of server-sent events (WHATWG HTML, section 9.2).

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;

use crate::error::Result;

/// The memory of a batch is given back if it had room for more frames.
const MAX_KEPT_FRAMES: usize = 16;

/// A response with a stream of events, which no cache keeps and no proxy holds back.
pub(super) fn event_stream_response(
    events: impl Stream<Item = Result<Bytes>> + Send + 'static,
) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ];
    (headers, Body::from_stream(events)).into_response()
}

/// Joins frames into one piece, each after the prefix that it needs, and empties `frames`.
pub(super) fn join_frames(frames: &mut Vec<Bytes>, prefix: impl Fn(&Bytes) -> Bytes) -> Bytes {
    if let [only] = frames.as_slice()
        && prefix(only).is_empty()
    {
        return frames.pop().unwrap_or_default();
    }
    let mut joined = BytesMut::with_capacity(frames.iter().map(Bytes::len).sum());
    for frame in frames.drain(..) {
        joined.extend_from_slice(&prefix(&frame));
        joined.extend_from_slice(&frame);
    }
    if frames.capacity() > MAX_KEPT_FRAMES {
        *frames = Vec::new();
    }
    joined.freeze()
}
