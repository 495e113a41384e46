//! The body of a request that is answered before it was read: what the client still sends is read
//! on and thrown away, so that the client gets to read the answer, and may use the connection
//! again.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Upper limit of what is thrown away of one body, in bytes; beyond it the connection is closed.
pub(super) const MAX_DISCARDED_BYTES: u64 = 64 << 20;
/// Upper limit of the time for which a discarded body is read.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(30);
/// Upper limit of the time in which the client sends nothing of it.
const DISCARD_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// A body that is read to its end even if nobody wants it.
pub(super) struct RequestBody {
    incoming: Option<Incoming>,
    /// True if the client waits to be told before it sends anything.
    awaits_continue: bool,
    was_polled: bool,
    stop: CancellationToken,
}

impl RequestBody {
    /// The body of a request with these headers. Once the server stops, nothing is read on.
    pub(super) fn new(incoming: Incoming, headers: &HeaderMap, stop: CancellationToken) -> Self {
        let awaits_continue = headers.contains_key(header::EXPECT);
        Self {
            incoming: Some(incoming),
            awaits_continue,
            was_polled: false,
            stop,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.was_polled = true;
        let Some(incoming) = &mut self.incoming else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(incoming).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.incoming = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming
            .as_ref()
            .map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(incoming) = self
            .incoming
            .take()
            .filter(|incoming| !incoming.is_end_stream())
        else {
            return;
        };
        // Reading would tell the client to send what nobody wants.
        if self.awaits_continue && !self.was_polled {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let stop = self.stop.clone();
            runtime.spawn(async move {
                tokio::select! {
                    // Whether it came to its end does not matter: if not, the connection is closed.
                    _ = timeout(DISCARD_TIMEOUT, discard(incoming)) => {}
                    () = stop.cancelled() => {}
                }
            });
        }
    }
}

/// Reads a body to its end, unless there is too much of it or the client pauses for too long.
async fn discard(mut incoming: Incoming) {
    let mut bytes = 0;
    while bytes <= MAX_DISCARDED_BYTES {
        let frame = std::future::poll_fn(|context| Pin::new(&mut incoming).poll_frame(context));
        let Ok(Some(Ok(frame))) = timeout(DISCARD_IDLE_TIMEOUT, frame).await else {
            return;
        };
        bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
}
