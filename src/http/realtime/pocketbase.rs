//! The realtime protocol of the `pocketbase` npm package: one stream of server-sent events, and a
//! request that says what it is to carry.
//!
//! The stream knows nobody. The first request with subscriptions says who its reader is; from then
//! on it is a connection of the hub like any other, with the same rules, masks and order. The
//! protocol has no words for what was missed during a break: whoever must miss nothing uses a
//! protocol that has.

pub mod body;
mod client;
pub mod topic;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde_json::{Map, Value, json};

use super::{Session, Shown};
use crate::access::{ExpandPaths, Placement};
use crate::app::App;
use crate::auth::{Caller, Credential};
use crate::error::Error;
use crate::http::client::ClientAddress;
use crate::id::RecordId;
use crate::realtime::{Dialect, Event, Operations, Refused, Selection, Subscribe};
use body::Asked;
use client::{Client, Clients, Talk};
use topic::Topic;

/// The most topics of one client; the hub may allow fewer.
const MAX_TOPICS: usize = 1000;
/// Upper limit of all topics of one client together, in bytes: they are kept as long as the stream.
const MAX_TOPICS_BYTES: usize = 256 << 10;
/// The longest topic, in characters.
const MAX_TOPIC: usize = 2500;
/// The longest id of a client, in characters.
const MAX_ID: usize = 255;

struct PocketBase;

impl Dialect for PocketBase {
    fn name(&self) -> &'static str {
        "pocketbase"
    }

    fn event(&self, event: &Event<'_>) -> Bytes {
        let names =
            json!({"collectionId": event.collection_id, "collectionName": event.collection})
                .to_string();
        // A record always has fields: at least its id.
        let (names, record) = (
            names.trim_end_matches('}'),
            event.data.trim_start().trim_start_matches('{'),
        );
        format!(
            r#"{{"record":{names},{record},"action":"{}"}}"#,
            event.operation.name()
        )
        .into()
    }

    fn heartbeat(&self, _: DateTime<Utc>) -> Bytes {
        Bytes::from_static(b":\n\n")
    }

    /// References stay ids; the records stand beside them.
    fn place(&self) -> Placement {
        |record, field, found| {
            let Some((mut found, collection)) = found else {
                return;
            };
            found.insert("collectionId".into(), json!(collection.id));
            found.insert("collectionName".into(), json!(collection.name));
            let expand = record.entry("expand").or_insert_with(|| json!({}));
            if let Some(expand) = expand.as_object_mut() {
                expand.insert(field.to_owned(), Value::Object(found));
            }
        }
    }

    /// The event is called like the topic, byte for byte; `data` must be one line.
    fn tag(&self, frame: &Bytes, tag: &str) -> Bytes {
        let picked = Topic::parse(tag).pick(frame);
        let data =
            String::from_utf8_lossy(picked.as_ref().unwrap_or(frame)).replace(['\n', '\r'], " ");
        format!("event:{tag}\ndata:{data}\n\n").into()
    }
}

/// The routes of the protocol.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/realtime", get(open).post(subscribe))
        .layer(Extension(Arc::<Clients>::default()))
}

/// Opens the stream. Its first event tells the client its id.
async fn open(
    State(app): State<App>,
    Extension(clients): Extension<Arc<Clients>>,
    from: ClientAddress,
) -> Result<Response, Refusal> {
    let stopping = app.lifecycle.stopping().clone();
    let feed = clients.admit(from.0, stopping).ok_or_else(|| {
        Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many clients have not said yet what they want.",
            json!({}),
        )
    })?;
    let body = Body::from_stream(stream::unfold(Some(feed), client::next));
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
    Ok((headers, body).into_response())
}

/// Says what the stream is to carry: the topics take the place of all that were there before.
async fn subscribe(
    State(app): State<App>,
    Extension(clients): Extension<Arc<Clients>>,
    from: ClientAddress,
    headers: HeaderMap,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let asked = body::read(request, &app)
        .await
        .ok_or_else(Refusal::unreadable)?;
    check(&asked)?;
    let missing = || {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "Missing or invalid client id.",
            json!({}),
        )
    };
    let client = clients.get(&asked.client).ok_or_else(missing)?;
    if client.from != from.0 {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "Invalid realtime client.",
            json!({}),
        ));
    }
    let shown = shown(&app, &headers).await?;
    // One request after another, so that the last one stands.
    let mut talk = client.talk.lock().await;
    let session = identify(&app, &clients, &client, &mut talk, shown).await?;
    if client.is_gone() {
        return Err(missing());
    }
    apply(&app, &session, &mut talk, asked.topics).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whom a request stands for. A token that is not valid is none, as this protocol has it.
async fn shown(app: &App, headers: &HeaderMap) -> Result<Shown, Refusal> {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let token = header("authorization").trim();
    let token = token
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or(token, |(_, token)| token.trim());
    if !token.is_empty() {
        match app.auth.authenticate(Credential::Bearer(token)).await {
            Ok(_) => return Ok(Shown::Bearer(token.into())),
            Err(Error::Unauthenticated(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let key = header("x-api-key").trim();
    if token.is_empty() && !key.is_empty() {
        match app.auth.authenticate(Credential::ApiKey(key)).await {
            Ok(_) => return Ok(Shown::ApiKey(key.into())),
            Err(Error::Unauthenticated(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let account = match header("x-account-id") {
        "" => None,
        name => app.auth.resolve_account(name).await?,
    };
    Ok(Shown::Nothing(account))
}

/// The connection for whoever asks. A guest may become a user; nobody else may become another.
async fn identify(
    app: &App,
    clients: &Clients,
    client: &Client,
    talk: &mut Talk,
    shown: Shown,
) -> Result<Arc<Session>, Refusal> {
    let known = talk.session.clone();
    if let Some(session) = &known {
        let before = session.connection.caller();
        let now = shown.check(app).await.map_err(Refusal::from)?;
        match (before, now) {
            (Caller::User(_), now) if now.has_identity_of(&session.connection.caller()) => {
                session.authenticate(shown).await?;
                return Ok(session.clone());
            }
            (Caller::User(_), _) => {
                let message = "The current and the previous request authorization don't match.";
                return Err(Refusal::new(StatusCode::FORBIDDEN, message, json!({})));
            }
            (before, now) if now.has_identity_of(&before) => return Ok(session.clone()),
            (Caller::Anonymous { .. }, _) => {}
        }
    }
    let session = Session::open(
        app.clone(),
        Some(shown),
        ClientAddress(client.from),
        &PocketBase,
    )
    .await?;
    let session = Arc::new(session);
    *talk = Talk {
        session: Some(session.clone()),
        topics: Vec::new(),
    };
    client.speak_for(session.clone(), clients);
    Ok(session)
}

/// Subscribes to what is new and unsubscribes from what is not asked for any more.
async fn apply(
    app: &App,
    session: &Session,
    talk: &mut Talk,
    topics: Vec<String>,
) -> Result<(), Refusal> {
    let connection = &session.connection;
    for topic in talk.topics.iter().filter(|topic| !topics.contains(topic)) {
        connection.unsubscribe(topic, Bytes::new());
    }
    talk.topics.retain(|topic| topics.contains(topic));
    for topic in topics {
        if talk.topics.contains(&topic) {
            continue;
        }
        match subscription(app, session, &topic).await? {
            None => {}
            Some(wish) => match connection.subscribe(wish).await {
                // A filter that means nothing shows nothing, as this protocol has it.
                Ok(()) | Err(Refused::Invalid(_)) => {}
                Err(Refused::TooMany(most)) => {
                    return Err(Refusal::too_long("subscriptions", None, most));
                }
            },
        }
        talk.topics.push(topic);
    }
    Ok(())
}

/// What a topic stands for; `None` if there are no such records, or none for this caller.
async fn subscription(
    app: &App,
    session: &Session,
    text: &str,
) -> Result<Option<Subscribe>, Refusal> {
    // Nothing is called like that, and an event that was would break the stream.
    if text.chars().any(char::is_control) {
        return Ok(None);
    }
    let topic = Topic::parse(text);
    let catalog = app.catalog.current();
    let by_id = crate::id::CollectionId::parse(topic.collection).and_then(|id| catalog.by_id(id));
    let collection = by_id
        .or_else(|| catalog.by_name(topic.collection))
        .map_or(topic.collection, |found| &found.name);
    let Ok(scope) = session.scope(None).await else {
        return Ok(None);
    };
    session
        .hook(|hooks| &hooks.realtime_subscribe, Some(collection), None)
        .await?;
    // What cannot be expanded is left as it is, as this protocol has it.
    let expand = topic
        .option("expand")
        .and_then(|text| ExpandPaths::parse(text).ok().flatten());
    let expand = expand.and_then(|expand| expand.known_to(catalog.by_name(collection)?));
    let record = match topic.record.map(RecordId::parse) {
        // No record is called like that.
        Some(None) => return Ok(None),
        Some(Some(id)) => Some(id.to_string().into()),
        None => None,
    };
    let selection = Selection {
        record,
        expand: session.as_deep_as_allowed(expand),
        filter: topic
            .option("filter")
            .filter(|filter| !filter.trim().is_empty())
            .map(Into::into),
        ..Selection::default()
    };
    Ok(Some(Subscribe {
        name: text.into(),
        selection: Arc::new(selection),
        tag: Some(text.into()),
        ..Subscribe::to(collection, Operations::ALL, scope)
    }))
}

fn check(asked: &Asked) -> Result<(), Refusal> {
    if asked.client.trim().is_empty() {
        let problem =
            json!({"clientId": {"code": "validation_required", "message": "Cannot be blank."}});
        return Err(Refusal::invalid(problem));
    }
    if asked.client.chars().count() > MAX_ID {
        return Err(Refusal::too_long("clientId", None, MAX_ID));
    }
    if asked.topics.len() > MAX_TOPICS {
        return Err(Refusal::too_long("subscriptions", None, MAX_TOPICS));
    }
    if asked.topics.iter().map(String::len).sum::<usize>() > MAX_TOPICS_BYTES {
        return Err(Refusal::too_long("subscriptions", None, MAX_TOPICS_BYTES));
    }
    match asked
        .topics
        .iter()
        .position(|topic| topic.chars().count() > MAX_TOPIC)
    {
        Some(index) => Err(Refusal::too_long("subscriptions", Some(index), MAX_TOPIC)),
        None => Ok(()),
    }
}

/// What a client of this protocol is told when something was not done.
struct Refusal {
    status: StatusCode,
    message: String,
    data: Value,
}

impl Refusal {
    fn new(status: StatusCode, message: &str, data: Value) -> Self {
        Self {
            status,
            message: message.to_owned(),
            data,
        }
    }

    fn invalid(data: Value) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Something went wrong while processing your request.",
            data,
        )
    }

    fn unreadable() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "An error occurred while loading the submitted data.",
            json!({}),
        )
    }

    fn too_long(key: &str, index: Option<usize>, most: usize) -> Self {
        let message = format!("The length must be no more than {most}.");
        let mut problem = json!({"code": "validation_length_too_long", "message": message});
        if let Some(index) = index {
            problem = Value::Object(Map::from_iter([(index.to_string(), problem)]));
        }
        Self::invalid(Value::Object(Map::from_iter([(key.to_owned(), problem)])))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let response = error.into_response();
        let status = response.status();
        // What is wrong with the server is not the client's business.
        let message = if status.is_server_error() {
            "Something went wrong.".to_owned()
        } else {
            message
        };
        Self {
            status,
            message,
            data: json!({}),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body =
            json!({"data": self.data, "message": self.message, "status": self.status.as_u16()});
        (self.status, Json(body)).into_response()
    }
}
