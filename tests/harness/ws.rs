//! A realtime client over WebSocket.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::client::User;
use super::{PATIENCE, soon};

/// A connection.
pub struct Ws {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub code: u16,
    pub reason: String,
}

impl Ws {
    /// Connects with a user's token in the URL.
    pub async fn connect(user: &User) -> Self {
        Self::connect_to(&user.base, &user.token).await
    }

    /// Connects to a server with a token.
    pub async fn connect_to(base: &str, token: &str) -> Self {
        let query = format!("?token={token}");
        Self::try_connect(base, &query, &[])
            .await
            .unwrap_or_else(|status| panic!("refused with {status}"))
    }

    /// Connects with any query and headers; returns the status if it is refused.
    pub async fn try_connect(
        base: &str,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let url = format!(
            "{}/api/v1/realtime/ws{query}",
            base.replacen("http", "ws", 1)
        );
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match soon("the handshake", connect_async(request)).await {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
                Err(response.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects to a server that may be gone; then there is no status.
    pub async fn reach(base: &str, query: &str) -> Result<Self, Option<u16>> {
        let url = format!(
            "{}/api/v1/realtime/ws{query}",
            base.replacen("http", "ws", 1)
        );
        match soon("the handshake", connect_async(url)).await {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
                Err(Some(response.status().as_u16()))
            }
            Err(_) => Err(None),
        }
    }

    /// Connects with a protocol that carries the token; returns the protocol that the server chose.
    pub async fn connect_with_protocol(base: &str, offer: &str) -> Option<String> {
        let url = format!("{}/api/v1/realtime/ws", base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", offer.parse().unwrap());
        let (_, response) = soon("the handshake", connect_async(request)).await.unwrap();
        let chosen = response.headers().get("sec-websocket-protocol")?;
        Some(chosen.to_str().unwrap().to_owned())
    }

    pub async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        soon("sending", self.socket.send(Message::text(text)))
            .await
            .unwrap();
    }

    /// Sends to a server that may be gone; says whether it went out.
    pub async fn try_send(&mut self, message: &Value) -> bool {
        soon(
            "sending",
            self.socket.send(Message::text(message.to_string())),
        )
        .await
        .is_ok()
    }

    pub async fn send_binary(&mut self, bytes: Vec<u8>) {
        soon("sending", self.socket.send(Message::binary(bytes)))
            .await
            .unwrap();
    }

    /// The next frame, heartbeats and checkpoints included.
    pub async fn any_frame(&mut self) -> Value {
        loop {
            match soon("a frame", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no frame but {other:?}"),
            }
        }
    }

    /// The next frame that comes for a reason, even if it takes several times as long as usual.
    pub async fn patient_frame(&mut self) -> Value {
        for _ in 0..3 {
            if let Ok(frame) = tokio::time::timeout(PATIENCE / 2, self.frame()).await {
                return frame;
            }
        }
        self.frame().await
    }

    /// The next frame that comes for a reason and not because of the time.
    pub async fn frame(&mut self) -> Value {
        loop {
            let frame = self.any_frame().await;
            if frame["type"] != "heartbeat" && frame["type"] != "checkpoint" {
                return frame;
            }
        }
    }

    /// The next frame, which must be this event; returns its data.
    pub async fn expect_event(&mut self, kind: &str) -> Value {
        let frame = self.frame().await;
        assert_eq!(frame["type"], kind, "{frame}");
        frame["data"].clone()
    }

    /// Subscribes to a collection and waits for the answer.
    pub async fn subscribe(&mut self, collection: &str) {
        self.send(&json!({"action": "subscribe", "collection": collection}))
            .await;
        let ack = self.frame().await;
        assert_eq!(
            (&ack["type"], &ack["collection"]),
            (&json!("subscribed"), &json!(collection)),
            "{ack}"
        );
    }

    /// The next frame of this type; those before it are passed over.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Joins a room and returns its state.
    pub async fn join(&mut self, room: &str) -> Value {
        self.join_as(room, &json!({})).await
    }

    /// Joins a room with more keys in the message.
    pub async fn join_as(&mut self, room: &str, more: &Value) -> Value {
        let state = self.ask(&said("join", room, more)).await;
        assert_eq!(
            (&state["type"], &state["room"]),
            (&json!("room.state"), &json!(room)),
            "{state}"
        );
        state
    }

    /// Sends something and returns the first frame that says how it went.
    pub async fn ask(&mut self, message: &Value) -> Value {
        self.send(message).await;
        loop {
            let frame = self.frame().await;
            if frame["error"].is_string() || frame["type"] == "room.state" || frame["type"] == "ack"
            {
                return frame;
            }
        }
    }

    /// Publishes in a room and waits for the acknowledgement.
    pub async fn publish(&mut self, room: &str, event: &str, data: &Value) {
        let message = said(
            "publish",
            room,
            &json!({"event": event, "data": data, "ref": "p"}),
        );
        assert_eq!(self.ask(&message).await, json!({"type": "ack", "ref": "p"}));
    }

    /// Reads on until the server ends the connection.
    pub async fn end(&mut self) -> Ended {
        self.read_to_end().await.1
    }

    /// Reads on until the server ends the connection, and counts the frames.
    pub async fn read_to_end(&mut self) -> (usize, Ended) {
        let mut frames = 0;
        loop {
            match self.next().await {
                Ok(_) => frames += 1,
                Err(ended) => return (frames, ended),
            }
        }
    }

    /// The next frame, heartbeats included, or how the connection ended.
    pub async fn next(&mut self) -> Result<Value, Ended> {
        let ended = |code, reason| Err(Ended { code, reason });
        loop {
            match soon("a frame or the end", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return ended(frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(Message::Close(None))) => return ended(1005, String::new()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return ended(1006, String::new()),
            }
        }
    }

    /// Hangs up.
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
    }
}

/// A command about a room.
fn said(action: &str, room: &str, more: &Value) -> Value {
    let mut message = json!({"action": action, "room": room});
    for (key, value) in more.as_object().unwrap() {
        message[key] = value.clone();
    }
    message
}
