//! The socket of a client, with two deadlines: for taking what is written, and for the end.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use metrics::counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a closed socket is read on and what comes is thrown away. If the server hung up while
/// the client still sends, the client's system would throw the answer away that it has not read
/// yet.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// Upper limit of what is thrown away meanwhile, in bytes.
const MAX_LINGER_BYTES: usize = 64 << 20;

/// A stream whose peer must take something of what waits for it within a time; whatever protocol is
/// spoken.
#[derive(Debug)]
pub(super) struct ClientStream<S, G = ()> {
    stream: S,
    write_timeout: Duration,
    /// Runs while the peer takes nothing of what waits for it.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Runs once the server has nothing more to say.
    lingering: Option<Pin<Box<Sleep>>>,
    /// Bytes that were thrown away since.
    discarded: usize,
    /// Dropped with the socket.
    _guard: G,
}

impl<S, G> ClientStream<S, G> {
    /// Wraps a stream. The guard lives as long as it.
    pub(super) fn new(stream: S, write_timeout: Duration, guard: G) -> Self {
        Self {
            stream,
            write_timeout,
            stalled: None,
            lingering: None,
            discarded: 0,
            _guard: guard,
        }
    }

    /// Lets a write that makes no progress fail after a while.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timeout = self.write_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(stalled.as_mut().poll(context));
        counter!("snackbase_http_connections_stalled_total").increment(1);
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client takes nothing of what is sent to it",
        )))
    }
}

impl<S: AsyncRead + Unpin, G: Unpin> AsyncRead for ClientStream<S, G> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, G: Unpin> AsyncWrite for ClientStream<S, G> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Tells the client that nothing more comes, and reads on until it hangs up as well or has had
    /// the time to.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            this.lingering = Some(Box::pin(sleep(LINGER_TIMEOUT)));
        }
        let mut bytes = [0; 4096];
        while this.discarded < MAX_LINGER_BYTES {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut this.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    this.discarded += buffer.filled().len();
                }
                // It hung up, or is gone.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    let lingering = this.lingering.as_mut();
                    return lingering
                        .map_or(Poll::Ready(()), |lingering| {
                            lingering.as_mut().poll(context)
                        })
                        .map(Ok);
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up_and_one_that_takes_little_is_not() {
        let (server, mut client) = duplex(10);
        let mut stream = ClientStream::new(server, Duration::from_secs(2), ());
        let reading = async {
            let mut byte = [0];
            // Longer than the timeout in all.
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(150)).await;
                client.read_exact(&mut byte).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(stream.write_all(&[1; 31]), reading);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // All that was taken, and what the buffer holds.
        let mut rest = Vec::new();
        drop(stream);
        client.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest.len(), 10);
    }

    #[tokio::test]
    async fn whatever_the_peer_still_sends_is_read_before_the_socket_is_closed() {
        let (server, mut client) = duplex(10);
        let mut stream = ClientStream::new(server, Duration::from_secs(30), ());
        let sending = async {
            client.write_all(&[1; 1000]).await.unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            drop(client);
            answer
        };
        let answering = async {
            stream.write_all(b"no").await.unwrap();
            stream.shutdown().await.unwrap();
        };
        let (answer, ()) = tokio::join!(sending, answering);
        assert_eq!(answer, b"no");
    }

    #[tokio::test]
    async fn a_peer_that_neither_sends_nor_hangs_up_is_not_waited_for_long() {
        let (server, _client) = duplex(10);
        let closing = tokio::spawn(async move {
            ClientStream::new(server, LINGER_TIMEOUT, ())
                .shutdown()
                .await
        });
        assert!(
            tokio::time::timeout(10 * LINGER_TIMEOUT, closing)
                .await
                .is_ok()
        );
    }
}
