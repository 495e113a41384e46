//! The server's side of a WebSocket (RFC 6455). Incoming frames, and the protocol's own frames, are
//! the library's business. Text is sent past it, many frames with one system call and none of them
//! copied: under load, this process mostly sends the same frames to many clients.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWrite;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
pub(super) use tokio_tungstenite::tungstenite::{Message, Utf8Bytes, error::Error as SocketError};

/// Size of the buffer of each direction; most connections are idle, and every one has both.
const BUFFER_BYTES: usize = 4 << 10;
/// Upper limit of the frames in one system call.
const MAX_FRAMES_PER_WRITE: usize = 128;
/// The longest head of a frame, in bytes.
const MAX_HEAD_BYTES: usize = 10;
/// The first byte of a text message that is one frame.
const TEXT_FRAME: u8 = 0x81;

/// A request to speak WebSocket instead of HTTP.
pub(super) struct Handshake {
    accept: HeaderValue,
    upgrade: OnUpgrade,
}

impl Handshake {
    /// Reads the request; `None` if it does not ask for a WebSocket.
    pub(super) fn parse(headers: &HeaderMap, upgrade: Option<OnUpgrade>) -> Option<Self> {
        let names = |header: HeaderName, wanted: &str| {
            let listed = headers
                .get_all(header)
                .iter()
                .filter_map(|value| value.to_str().ok());
            listed
                .flat_map(|list| list.split(','))
                .any(|name| name.trim().eq_ignore_ascii_case(wanted))
        };
        let asked = names(header::CONNECTION, "upgrade")
            && names(header::UPGRADE, "websocket")
            && names(header::SEC_WEBSOCKET_VERSION, "13");
        let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asked)?;
        let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()?;
        Some(Self {
            accept,
            upgrade: upgrade?,
        })
    }

    /// The response, and the socket that follows it.
    pub(super) fn accept(self, protocol: Option<HeaderValue>) -> (Response, OnUpgrade) {
        let headers = [
            (header::CONNECTION, HeaderValue::from_static("upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, self.accept),
        ];
        let mut response = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
        if let Some(protocol) = protocol {
            response
                .headers_mut()
                .insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        (response, self.upgrade)
    }
}

/// An open WebSocket.
pub(super) struct Socket<S = TokioIo<Upgraded>> {
    inner: WebSocketStream<S>,
    /// The bytes of the next frame that have been sent.
    sent: usize,
    /// The text of that frame.
    begun: Option<Bytes>,
}

impl Socket {
    /// Waits until the peer has the answer. Takes in messages of up to `max_bytes` bytes.
    pub(super) async fn open(upgrade: OnUpgrade, max_bytes: usize) -> hyper::Result<Self> {
        Ok(Self::over(TokioIo::new(upgrade.await?), max_bytes).await)
    }
}

impl<S: tokio::io::AsyncRead + AsyncWrite + Unpin> Socket<S> {
    async fn over(stream: S, max_bytes: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_message_size(Some(max_bytes))
            .max_frame_size(Some(max_bytes));
        let inner = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        Self {
            inner,
            sent: 0,
            begun: None,
        }
    }

    /// The next message; nothing is lost if this is dropped.
    pub(super) async fn receive(&mut self) -> Option<Result<Message, SocketError>> {
        self.inner.next().await
    }

    /// Sends the frames that the library has queued.
    pub(super) async fn flush(&mut self) -> Result<(), SocketError> {
        self.inner.flush().await
    }

    /// Sends a frame for each text. If this is dropped, the socket can only be
    /// [closed](Self::close).
    pub(super) async fn write(&mut self, texts: &[Bytes]) -> Result<(), SocketError> {
        // The library must not be in the middle of a frame of its own.
        self.flush().await?;
        Ok(self.write_on(texts).await?)
    }

    /// Sends frames, the first of which may have begun to be sent.
    async fn write_on(&mut self, mut texts: &[Bytes]) -> io::Result<()> {
        while !texts.is_empty() {
            let sent = poll_fn(|context| self.poll_write(context, texts)).await?;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.sent += sent;
            while let Some((first, rest)) = texts.split_first()
                && self.sent >= frame_len(first)
            {
                self.sent -= frame_len(first);
                texts = rest;
            }
            self.begun = texts.first().filter(|_| self.sent > 0).cloned();
        }
        Ok(())
    }

    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        texts: &[Bytes],
    ) -> Poll<io::Result<usize>> {
        let mut heads = [FrameHead::default(); MAX_FRAMES_PER_WRITE];
        let mut slices = [IoSlice::new(&[]); 2 * MAX_FRAMES_PER_WRITE];
        for (head, text) in heads.iter_mut().zip(texts) {
            *head = FrameHead::new(text);
        }
        for ((pair, head), text) in slices.chunks_exact_mut(2).zip(&heads).zip(texts) {
            pair.copy_from_slice(&[IoSlice::new(head.bytes()), IoSlice::new(text)]);
        }
        let count = 2 * texts.len().min(MAX_FRAMES_PER_WRITE);
        let mut slices = slices.get_mut(..count).unwrap_or_default();
        IoSlice::advance_slices(&mut slices, self.sent);
        Pin::new(self.inner.get_mut()).poll_write_vectored(context, slices)
    }

    /// Sends a ping.
    pub(super) async fn ping(&mut self) -> Result<(), SocketError> {
        self.inner.send(Message::Ping(Bytes::new())).await
    }

    /// Tells the peer why the connection ends, and waits for it to hang up, so that it reads the
    /// reason.
    pub(super) async fn close(&mut self, code: u16, reason: &'static str) {
        if let Some(begun) = self.begun.take()
            && self.write_on(&[begun]).await.is_err()
        {
            return;
        }
        let frame = CloseFrame {
            code: code.into(),
            reason: Utf8Bytes::from_static(reason),
        };
        if self.inner.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = self.receive().await {}
        }
    }
}

/// The bytes that precede a text.
#[derive(Clone, Copy, Default)]
struct FrameHead {
    bytes: [u8; MAX_HEAD_BYTES],
    len: usize,
}

impl FrameHead {
    fn new(text: &[u8]) -> Self {
        let mut bytes = [0; MAX_HEAD_BYTES];
        let [kind, short, long @ ..] = &mut bytes;
        *kind = TEXT_FRAME;
        let len = match (u8::try_from(text.len()), u16::try_from(text.len())) {
            (Ok(len @ ..126), _) => {
                *short = len;
                2
            }
            (_, Ok(len)) => {
                *short = 126;
                let [first, second, ..] = long;
                [*first, *second] = len.to_be_bytes();
                4
            }
            _ => {
                *short = 127;
                *long = (text.len() as u64).to_be_bytes();
                MAX_HEAD_BYTES
            }
        };
        Self { bytes, len }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

fn frame_len(text: &[u8]) -> usize {
    FrameHead::new(text).len + text.len()
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

    use super::*;

    async fn pair(buffer: usize) -> (Socket<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (server, client) = duplex(buffer);
        (
            Socket::over(server, 1 << 20).await,
            WebSocketStream::from_raw_socket(client, Role::Client, None).await,
        )
    }

    fn text(len: usize) -> Bytes {
        "x".repeat(len).into()
    }

    async fn read(client: &mut WebSocketStream<DuplexStream>) -> Message {
        client.next().await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn texts_of_every_length_arrive_whole_and_in_order_however_little_fits_at_once() {
        for buffer in [7, 1000, 1 << 20] {
            let (mut socket, mut client) = pair(buffer).await;
            let lengths = [0, 1, 125, 126, 127, 65535, 65536, 70000, 3];
            let mut texts: Vec<Bytes> = lengths.into_iter().map(text).collect();
            texts.extend(
                (0..3 * MAX_FRAMES_PER_WRITE).map(|number| Bytes::from(number.to_string())),
            );
            let sending = async {
                socket.write(&texts).await.unwrap();
                socket.ping().await.unwrap();
            };
            let reading = async {
                for text in &texts {
                    assert_eq!(read(&mut client).await.into_data(), *text);
                }
                assert!(read(&mut client).await.is_ping());
            };
            tokio::join!(sending, reading);
        }
    }

    #[tokio::test]
    async fn a_reason_follows_a_frame_whose_sending_was_given_up() {
        let (mut socket, mut client) = pair(100).await;
        let texts = [text(40), text(500), text(40)];
        let patience = std::time::Duration::from_millis(20);
        assert!(
            tokio::time::timeout(patience, socket.write(&texts))
                .await
                .is_err()
        );
        let reading = async {
            assert_eq!(read(&mut client).await.into_data(), texts[0]);
            assert_eq!(read(&mut client).await.into_data(), texts[1]);
            let Message::Close(Some(frame)) = read(&mut client).await else {
                panic!("no reason")
            };
            assert_eq!(
                (frame.code, frame.reason.as_str()),
                (CloseCode::Again, "Too slow")
            );
            while client.next().await.is_some() {}
        };
        let closing = async {
            socket.close(1013, "Too slow").await;
            drop(socket);
        };
        tokio::join!(closing, reading);
    }

    #[test]
    fn a_request_that_does_not_ask_for_a_websocket_is_not_a_handshake() {
        let headers = |list: &[(&'static str, &'static str)]| {
            list.iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect()
        };
        let whole = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let upgrade = || Some(hyper::upgrade::on(axum::http::Request::new(())));
        let handshake = Handshake::parse(&headers(&whole), upgrade()).unwrap();
        assert_eq!(handshake.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(Handshake::parse(&headers(&whole), None).is_none());
        for missing in 0..whole.len() {
            let mut part = whole.to_vec();
            part.remove(missing);
            assert!(
                Handshake::parse(&headers(&part), upgrade()).is_none(),
                "{part:?}"
            );
        }
    }
}
