//! Bytes as no proper client would send them.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::soon;

/// Sends bytes and returns the status of the answer and all of its text; 0 if the server hung up
/// without one.
pub async fn exchange(base: &str, bytes: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://"))
        .await
        .unwrap();
    // The server may answer and hang up before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = soon("an answer to raw bytes", stream.read_to_end(&mut answer)).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    (status, text)
}

/// A request with any bytes as its target, headers and body.
pub async fn request(
    base: &str,
    method: &str,
    target: &[u8],
    headers: &[u8],
    body: &[u8],
) -> (u16, String) {
    let mut bytes = format!("{method} ").into_bytes();
    bytes.extend_from_slice(target);
    bytes.extend_from_slice(b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    bytes.extend_from_slice(headers);
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    exchange(base, &bytes).await
}
