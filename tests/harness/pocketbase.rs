//! A realtime client of the `pocketbase` protocol.

use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::answer::Answer;
use super::client::Client;
use super::soon;

/// An open stream.
pub struct PocketBase {
    response:
        std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    buffer: String,
    /// The id by which the server knows the stream.
    pub id: String,
}

impl PocketBase {
    /// Opens a stream, which stands for nobody yet.
    pub async fn open(client: &Client) -> Self {
        let request = client.bare().request(Method::GET, "//api/realtime");
        let response = soon("the stream", request.send()).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let response = Box::pin(response.bytes_stream());
        let mut stream = Self {
            response,
            buffer: String::new(),
            id: String::new(),
        };
        let (name, greeting) = stream.event().await.expect("a greeting");
        assert_eq!(name, "PB_CONNECT");
        greeting["clientId"]
            .as_str()
            .unwrap()
            .clone_into(&mut stream.id);
        stream
    }

    /// Says with a client's credentials what the stream is to carry.
    pub async fn subscribe(&self, client: &Client, topics: &[&str]) -> Answer {
        client
            .post(
                "//api/realtime",
                &json!({"clientId": self.id, "subscriptions": topics}),
            )
            .await
    }

    /// The next event: its topic and its data. `None` at the end of the stream.
    pub async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                let line = |key: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(key))
                        .map(str::to_owned)
                };
                if let (Some(name), Some(data)) = (line("event:"), line("data:")) {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
            } else {
                match soon("more of the stream", self.response.next()).await {
                    Some(Ok(bytes)) => self.buffer.push_str(std::str::from_utf8(&bytes).unwrap()),
                    Some(Err(_)) | None => return None,
                }
            }
        }
    }
}
