//! A realtime client over server-sent events.

use futures_util::StreamExt as _;
use serde_json::Value;

use super::client::Client;
use super::soon;

/// One event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    pub id: Option<String>,
    pub name: String,
    pub data: Value,
}

/// An open stream.
pub struct Sse {
    response:
        std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    buffer: String,
    /// The comments so far.
    pub comments: Vec<String>,
    greeting: String,
    /// The last place that was named, with an event or alone, as a browser keeps it.
    pub last_event_id: Option<String>,
    /// The events so far that have other names than `message` and `heartbeat`.
    pub notices: Vec<Event>,
}

impl Sse {
    /// Opens a stream: `client` brings the credentials, `query` the subscriptions. Returns when the
    /// server has begun to answer.
    pub async fn open(client: &Client, query: &str) -> Self {
        Self::open_at(client, &format!("/realtime/subscribe{query}")).await
    }

    /// Opens a stream at a path.
    pub async fn open_at(client: &Client, path: &str) -> Self {
        Self::begin(client.request(reqwest::Method::GET, path)).await
    }

    /// Opens a stream that goes on after an event.
    pub async fn resume(client: &Client, query: &str, last_event_id: &str) -> Self {
        let request = client.request(reqwest::Method::GET, &format!("/realtime/subscribe{query}"));
        Self::begin(request.header("last-event-id", last_event_id)).await
    }

    /// Opens a stream at a path of a server that may be gone; then there is no status.
    pub async fn reach(client: &Client, path: &str) -> Result<Self, Option<u16>> {
        let request = client.request(reqwest::Method::GET, path);
        let response = soon("the stream", request.send()).await.map_err(|_| None)?;
        match response.status().as_u16() {
            200 => Self::greet(response).await.ok_or(None),
            status => Err(Some(status)),
        }
    }

    async fn begin(request: reqwest::RequestBuilder) -> Self {
        let response = soon("the stream", request.send()).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self::greet(response).await.expect("the stream ended")
    }

    /// Waits for the greeting, which says that the subscriptions stand.
    async fn greet(response: reqwest::Response) -> Option<Self> {
        let mut sse = Self {
            response: Box::pin(response.bytes_stream()),
            buffer: String::new(),
            greeting: String::new(),
            comments: Vec::new(),
            last_event_id: None,
            notices: Vec::new(),
        };
        if !sse.more().await {
            return None;
        }
        sse.greeting = sse.buffer.clone();
        Some(sse)
    }

    /// The place that the greeting names.
    pub fn greeted_at(&self) -> Option<String> {
        let line = self
            .greeting
            .lines()
            .find_map(|line| line.strip_prefix("id: "));
        line.map(str::to_owned)
    }

    async fn more(&mut self) -> bool {
        match soon("more of the stream", self.response.next()).await {
            Some(Ok(bytes)) => {
                self.buffer.push_str(std::str::from_utf8(&bytes).unwrap());
                true
            }
            Some(Err(_)) | None => false,
        }
    }

    /// The next event, heartbeats included; `None` at the end of the stream.
    pub async fn any_event(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                if let Some(event) = self.parse(&block) {
                    return Some(event);
                }
            } else if !self.more().await {
                return None;
            }
        }
    }

    fn parse(&mut self, block: &str) -> Option<Event> {
        let mut event = Event::default();
        let mut data = String::new();
        for line in block.lines() {
            match line.split_once(": ").unwrap_or((line, "")) {
                ("", comment) => self.comments.push(comment.to_owned()),
                ("id", id) => event.id = Some(id.to_owned()),
                ("event", name) => name.clone_into(&mut event.name),
                ("data", more) => data.push_str(more),
                other => panic!("an unknown line: {other:?}"),
            }
        }
        self.last_event_id = event.id.clone().or(self.last_event_id.take());
        if data.is_empty() {
            return None;
        }
        event.data = serde_json::from_str(&data).unwrap();
        Some(event)
    }

    /// The next event that a browser's `onmessage` sees.
    pub async fn event(&mut self) -> Event {
        loop {
            let event = self.any_event().await.expect("the stream ended");
            match event.name.as_str() {
                "message" => return event,
                "heartbeat" => {}
                "replayed" | "resync" | "snapshot" | "live" => self.notices.push(event),
                other => panic!("an unknown event: {other}"),
            }
        }
    }

    /// The next event that has this name; no `message` may come before it.
    pub async fn notice(&mut self, name: &str) -> Event {
        loop {
            let event = self.any_event().await.expect("the stream ended");
            if event.name != "heartbeat" {
                assert_eq!(event.name, name, "{event:?}");
                return event;
            }
        }
    }
}
