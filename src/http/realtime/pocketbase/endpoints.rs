//! The two endpoints of the protocol: opening the stream, and naming its topics.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::stream;

use super::body::{self, SubscribeBody};
use super::client::{self, ClientState, StreamClient, StreamClients};
use super::protocol::PocketBaseProtocol;
use super::subscriptions::update_topics;
use crate::app::App;
use crate::auth::{Caller, Credential};
use crate::error::Error;
use crate::http::client::ClientAddress;
use crate::http::error::PocketBaseError;
use crate::http::realtime::credential::PresentedCredential;
use crate::http::realtime::event_stream::event_stream_response;
use crate::http::realtime::session::Session;

/// Upper limit of the topics of one client; the hub may allow fewer.
const MAX_TOPICS: usize = 1000;
/// Upper limit of all topics of one client together, in bytes: they are kept as long as the stream.
const MAX_ALL_TOPICS_BYTES: usize = 256 << 10;
/// The longest topic, in characters.
const MAX_TOPIC_CHARS: usize = 2500;
/// The longest id of a client, in characters.
const MAX_CLIENT_ID_CHARS: usize = 255;

/// Opens the stream. Its first event tells the client its id.
pub(super) async fn open(
    State(app): State<App>,
    Extension(clients): Extension<Arc<StreamClients>>,
    from: ClientAddress,
) -> Result<Response, PocketBaseError> {
    let stopping = app.lifecycle.stopping().clone();
    let stream = clients.admit(from.0, stopping).ok_or_else(|| {
        PocketBaseError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many clients have not subscribed yet.",
        )
    })?;
    Ok(event_stream_response(stream::unfold(
        Some(stream),
        client::next_chunk,
    )))
}

/// Names the topics of the stream, which replace all earlier ones.
pub(super) async fn subscribe(
    State(app): State<App>,
    Extension(clients): Extension<Arc<StreamClients>>,
    from: ClientAddress,
    headers: HeaderMap,
    request: Request,
) -> Result<StatusCode, PocketBaseError> {
    let body = body::read(request, &app)
        .await
        .ok_or_else(PocketBaseError::unreadable)?;
    check_body(&body)?;
    let missing = || PocketBaseError::new(StatusCode::NOT_FOUND, "Missing or invalid client id.");
    let client = clients.get(&body.client).ok_or_else(missing)?;
    if client.from != from.0 {
        return Err(PocketBaseError::new(
            StatusCode::BAD_REQUEST,
            "Invalid realtime client.",
        ));
    }
    let credential = read_credential(&app, &headers).await?;
    // One request after another, so that the last one counts.
    let mut state = client.state.lock().await;
    let session = identify(&app, &clients, &client, &mut state, credential).await?;
    if client.is_gone() {
        return Err(missing());
    }
    update_topics(&app, &session, &mut state, body.topics).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The credential of a request. The protocol treats a token that is not valid as none.
async fn read_credential(
    app: &App,
    headers: &HeaderMap,
) -> Result<PresentedCredential, PocketBaseError> {
    let token = header_text(headers, "authorization").trim();
    let token = token
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or(token, |(_, token)| token.trim());
    if !token.is_empty() && is_valid(app, Credential::Bearer(token)).await? {
        return Ok(PresentedCredential::Bearer(token.into()));
    }
    let key = header_text(headers, "x-api-key").trim();
    if token.is_empty() && !key.is_empty() && is_valid(app, Credential::ApiKey(key)).await? {
        return Ok(PresentedCredential::ApiKey(key.into()));
    }
    let account = match header_text(headers, "x-account-id") {
        "" => None,
        name => app.auth.resolve_account(name).await?,
    };
    Ok(PresentedCredential::Anonymous(account))
}

fn header_text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

async fn is_valid(app: &App, credential: Credential<'_>) -> Result<bool, PocketBaseError> {
    match app.auth.authenticate(credential).await {
        Ok(_) => Ok(true),
        Err(Error::Unauthenticated(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The session of the client. An anonymous client may become a user; a user may not become another
/// one.
async fn identify(
    app: &App,
    clients: &StreamClients,
    client: &StreamClient,
    state: &mut ClientState,
    credential: PresentedCredential,
) -> Result<Arc<Session>, PocketBaseError> {
    if let Some(session) = state.session.clone() {
        let before = session.connection.caller();
        let now = credential.caller(app).await?;
        let is_same = now.has_identity_of(&before);
        match before {
            Caller::User(_) if is_same => {
                session.renew_credential(credential).await?;
                return Ok(session);
            }
            Caller::User(_) => {
                let message = "The current and the previous request authorization don't match.";
                return Err(PocketBaseError::new(StatusCode::FORBIDDEN, message));
            }
            Caller::Anonymous { .. } if is_same => return Ok(session),
            Caller::Anonymous { .. } => {}
        }
    }
    let session = Session::open(
        app.clone(),
        Some(credential),
        ClientAddress(client.from),
        &PocketBaseProtocol,
    )
    .await?;
    let session = Arc::new(session);
    *state = ClientState {
        session: Some(session.clone()),
        topics: Vec::new(),
    };
    client.attach(session.clone(), clients);
    Ok(session)
}

fn check_body(body: &SubscribeBody) -> Result<(), PocketBaseError> {
    if body.client.trim().is_empty() {
        return Err(PocketBaseError::blank("clientId"));
    }
    if body.client.chars().count() > MAX_CLIENT_ID_CHARS {
        return Err(PocketBaseError::too_long(
            "clientId",
            None,
            MAX_CLIENT_ID_CHARS,
        ));
    }
    let key = "subscriptions";
    if body.topics.len() > MAX_TOPICS {
        return Err(PocketBaseError::too_long(key, None, MAX_TOPICS));
    }
    if body.topics.iter().map(String::len).sum::<usize>() > MAX_ALL_TOPICS_BYTES {
        return Err(PocketBaseError::too_long(key, None, MAX_ALL_TOPICS_BYTES));
    }
    let too_long = body
        .topics
        .iter()
        .position(|topic| topic.chars().count() > MAX_TOPIC_CHARS);
    match too_long {
        Some(index) => Err(PocketBaseError::too_long(key, Some(index), MAX_TOPIC_CHARS)),
        None => Ok(()),
    }
}
