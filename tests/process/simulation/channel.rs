//! What a client listens to: one subscription, over WebSocket or server-sent events.

use serde_json::{Value, json};

use super::listener::View;
use super::world::Person;
use crate::harness::{Client, Sse, Ws};

/// Why there is nothing more to hear.
#[derive(Debug)]
pub enum End {
    /// It was not let in, with this status.
    Refused(u16),
    /// The server hung up, with this code.
    Closed(u16),
    /// There is nobody.
    Lost,
}

/// One frame.
#[derive(Debug)]
pub struct Heard {
    /// `event`, or the type of another frame; `refusal` for an error.
    pub kind: String,
    pub frame: Value,
    /// Where to go on after it, if it says so.
    pub cursor: Option<String>,
}

/// Where a subscription begins.
#[derive(Clone, Debug)]
pub enum Start {
    Snapshot,
    After(String),
}

/// A connection with one subscription.
pub enum Channel {
    Ws(Box<Ws>),
    Sse(Box<Sse>),
}

impl Channel {
    pub async fn open(
        view: &View,
        client: &Client,
        person: &Person,
        start: &Start,
    ) -> Result<Self, End> {
        if view.is_stream {
            let mut path = format!(
                "/realtime/subscribe?collection=items&limit=1000&{}",
                view.stream()
            );
            let client = match start {
                Start::Snapshot => {
                    path.push_str("&snapshot=true");
                    client.clone()
                }
                Start::After(cursor) => client.with_header("last-event-id", cursor),
            };
            let stream = Sse::reach(&client, &path).await;
            return Ok(Self::Sse(Box::new(
                stream.map_err(|status| status.map_or(End::Lost, End::Refused))?,
            )));
        }
        let ws = Ws::reach(&client.base, &format!("?token={}", person.token())).await;
        let mut ws = ws.map_err(|status| status.map_or(End::Lost, End::Refused))?;
        if !ws.try_send(&subscribe(view, start)).await {
            return Err(End::Lost);
        }
        Ok(Self::Ws(Box::new(ws)))
    }

    /// Subscribes once more in the place of the first subscription, if that is possible.
    pub async fn begin_again(&mut self, view: &View, start: &Start) -> bool {
        match self {
            Self::Ws(ws) => ws.try_send(&subscribe(view, start)).await,
            Self::Sse(_) => false,
        }
    }

    /// How many acknowledgements are due when it is open.
    pub fn acknowledgements(&self) -> u32 {
        match self {
            Self::Ws(_) => 1,
            Self::Sse(_) => 0,
        }
    }

    pub async fn next(&mut self) -> Result<Heard, End> {
        match self {
            Self::Ws(ws) => {
                let frame = ws.next().await.map_err(|end| {
                    if end.code == 1006 {
                        End::Lost
                    } else {
                        End::Closed(end.code)
                    }
                })?;
                let kind = match frame["type"].as_str() {
                    _ if frame["operation"].is_string() => "event",
                    Some(kind) => kind,
                    None => "refusal",
                };
                let cursor = frame["cursor"].as_str().map(str::to_owned);
                Ok(Heard {
                    kind: kind.to_owned(),
                    frame,
                    cursor,
                })
            }
            Self::Sse(stream) => {
                let Some(event) = stream.any_event().await else {
                    let code = stream
                        .comments
                        .iter()
                        .find_map(|comment| comment.strip_prefix("closed, "));
                    let code = code.and_then(|text| text.split(' ').next()?.parse().ok());
                    return Err(code.map_or(End::Lost, End::Closed));
                };
                let kind = if event.name == "message" {
                    "event"
                } else {
                    event.name.as_str()
                };
                Ok(Heard {
                    kind: kind.to_owned(),
                    frame: event.data,
                    cursor: stream.last_event_id.clone(),
                })
            }
        }
    }

    /// Hangs up.
    pub async fn close(self) {
        if let Self::Ws(ws) = self {
            ws.close().await;
        }
    }
}

fn subscribe(view: &View, start: &Start) -> Value {
    let mut message = json!({"action": "subscribe", "collection": "items", "ref": 1});
    let wishes = [
        ("filter", view.filter.map(Value::from)),
        (
            "fields",
            view.fields.map(|fields| fields.split(',').collect()),
        ),
        ("expand", view.expand.map(Value::from)),
        ("record", view.record.clone().map(Value::from)),
        ("account", view.account.clone().map(Value::from)),
        ("old", view.old.then(|| true.into())),
    ];
    for (key, value) in wishes {
        if let Some(value) = value {
            message[key] = value;
        }
    }
    match start {
        Start::Snapshot => (message["snapshot"], message["limit"]) = (json!(true), json!(1000)),
        Start::After(cursor) => message["since"] = json!(cursor),
    }
    message
}
