//! Rooms: who is there, and what is said.

mod access;
mod definitions;
mod limits;
mod messages;
mod presence;

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, Ws};

/// Defines rooms with three open rules; `more` overrides keys.
async fn define(app: &TestApp, pattern: &str, more: &Value) -> String {
    let mut body = json!({"pattern": pattern, "join_rule": "", "publish_rule": "", "presence_rule": "", "history": 20});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    app.admin.post("/realtime/rooms", &body).await.ok(201)["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A server with open rooms `doc:{id}`.
async fn app(backend: Backend) -> TestApp {
    let app = TestApp::spawn(backend).await;
    define(&app, "doc:{id}", &json!({})).await;
    app
}

/// The members in a state or in a list of a diff: connection, user and what they show.
fn members(list: &Value) -> Vec<(&str, &str, &Value)> {
    let text =
        |value: &'static str| move |member: &Value| member[value].as_str().map(str::to_owned);
    let member = |member| {
        assert!(
            text("since")(member).is_some_and(|since| since.ends_with('Z')),
            "{member}"
        );
        (
            member["conn"].as_str().unwrap(),
            member["user"].as_str().unwrap(),
            &member["meta"],
        )
    };
    list.as_array()
        .unwrap_or_else(|| panic!("no list but {list}"))
        .iter()
        .map(member)
        .collect()
}

/// Waits until a list of a diff has a connection in it, and returns that entry.
async fn told(ws: &mut Ws, list: &str, conn: &Value) -> Value {
    loop {
        let diff = ws.next_of("room.diff").await;
        if let Some(entry) = diff[list]
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["conn"] == *conn)
        {
            return entry.clone();
        }
    }
}

/// The next messages' events.
async fn events(ws: &mut Ws, count: usize) -> Vec<String> {
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(
            ws.next_of("room.message").await["event"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    events
}
