//! The commands of WebSocket clients.

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::message::{self, ClientMessage, ProtocolError};
use super::refusal::{rate_limit_frame, refusal_frame};
use super::request::SubscribeRequest;
use super::subscribe::{make_subscription, subscription_name};
use super::{json, rooms};
use crate::error::Error;
use crate::http::realtime::credential::PresentedCredential;
use crate::http::realtime::parameters::shorten;
use crate::http::realtime::session::Session;
use crate::realtime::{CloseReason, OperationSet, SubscribeError};
use crate::token_bucket::TokenBucket;

/// Handles one message; its answer is queued.
pub(super) async fn handle_message(session: &Session, bucket: &mut TokenBucket, message: &[u8]) {
    let queue = session.connection.queue();
    if message.len() > session.app.config.realtime.max_message_bytes {
        queue.close(CloseReason::TooLarge);
        return;
    }
    let outcome = match serde_json::from_slice(message) {
        Ok(Value::Object(message)) => handle_command(session, bucket, message).await,
        _ if bucket.take(Instant::now()) => Err(json::error("Invalid JSON", "invalid_json", None)),
        _ => Err(rate_limit_frame()),
    };
    if let Err(refusal) = outcome {
        queue.push(refusal.to_string().into());
    }
}

/// Carries out a command, or returns the frame of its refusal.
async fn handle_command(
    session: &Session,
    bucket: &mut TokenBucket,
    message: Map<String, Value>,
) -> Result<(), Value> {
    if message::action(&message) != "ping" && !bucket.take(Instant::now()) {
        return Err(rate_limit_frame());
    }
    let sent = Value::Object(message.clone());
    let hooked = session
        .run_hooks(|hooks| &hooks.realtime_message, None, Some(&sent))
        .await;
    let message = match hooked {
        Ok(Some(Value::Object(changed))) => changed,
        Ok(_) => message,
        Err(error) => return Err(refusal_frame(&error, None, None)),
    };
    if let Some(outcome) = Box::pin(rooms::handle_command(session, &message)).await {
        return outcome;
    }
    match message::parse(&message).map_err(|error| protocol_error_frame(&error))? {
        ClientMessage::Ping => {
            let pong = json::pong(session.app.clock.now());
            session.connection.queue().push(pong.to_string().into());
            Ok(())
        }
        ClientMessage::Subscribe(request) => subscribe(session, *request).await,
        ClientMessage::Unsubscribe {
            collection,
            reference,
        } => unsubscribe(session, collection, reference).await,
        ClientMessage::Authenticate(token) => authenticate(session, &token).await,
    }
}

fn protocol_error_frame(error: &ProtocolError) -> Value {
    let mut frame = json::error(&error.message, error.code, error.collection.as_deref());
    json::set_reference(&mut frame, error.reference.as_deref());
    frame
}

async fn subscribe(session: &Session, request: SubscribeRequest) -> Result<(), Value> {
    let (collection, reference) = (request.collection.clone(), request.reference.clone());
    let refuse = |error: &Error| refusal_frame(error, Some(&collection), reference.as_deref());
    session
        .run_hooks(|hooks| &hooks.realtime_subscribe, Some(&collection), None)
        .await
        .map_err(|error| refuse(&error))?;
    let operations = request.operations.unwrap_or(OperationSet::ALL);
    let mut ack = json::subscribed(&collection, operations, session.app.clock.now());
    json::set_reference(&mut ack, reference.as_deref());
    if request.is_extended && request.since.is_none() && request.snapshot.is_none() {
        // A client that has not been told of any event can go on from here, too.
        ack["cursor"] = session.app.changes.caught_up().await.to_string().into();
    }
    if let Some(warning) = warning(session, &request) {
        ack["warning"] = warning.into();
    }
    let encode_page = |items: &[String], has_more| {
        json::snapshot(&collection, reference.as_deref(), items, has_more).into()
    };
    let ack = Some(ack.to_string().into());
    let subscription = make_subscription(session, request, &encode_page, ack)
        .await
        .map_err(|error| refuse(&error))?;
    let subscribed = session.connection.subscribe(subscription).await;
    subscribed.map_err(|error| match error {
        SubscribeError::TooMany(limit) => {
            let message = format!("Max subscriptions reached ({limit})");
            let mut frame = json::error(&message, "max_subscriptions", Some(&collection));
            json::set_reference(&mut frame, reference.as_deref());
            frame
        }
        SubscribeError::Invalid(error) => refuse(&error),
    })
}

/// The warning for a client of the published protocol: it acknowledges any name, though nothing
/// will come of it.
fn warning(session: &Session, request: &SubscribeRequest) -> Option<String> {
    let catalog = session.app.catalog.current();
    if catalog.by_name(&request.collection).is_none() {
        let name = shorten(&request.collection);
        return Some(format!("Collection '{name}' does not exist"));
    }
    request.warning.clone()
}

async fn unsubscribe(
    session: &Session,
    collection: Option<String>,
    reference: Option<String>,
) -> Result<(), Value> {
    let mut ack = json::unsubscribed(collection.as_deref(), session.app.clock.now());
    json::set_reference(&mut ack, reference.as_deref());
    let name = subscription_name(
        reference.as_deref(),
        collection.as_deref().unwrap_or_default(),
    );
    session
        .connection
        .unsubscribe(&name, ack.to_string().into());
    let hooked = session
        .run_hooks(
            |hooks| &hooks.realtime_unsubscribe,
            collection.as_deref(),
            None,
        )
        .await;
    hooked
        .map(drop)
        .map_err(|error| refusal_frame(&error, collection.as_deref(), reference.as_deref()))
}

async fn authenticate(session: &Session, token: &str) -> Result<(), Value> {
    session
        .renew_credential(PresentedCredential::Bearer(token.into()))
        .await
        .map_err(|error| refusal_frame(&error, None, None))?;
    let caller = session.connection.caller();
    let expires_at = caller
        .principal()
        .and_then(|principal| principal.expires_at);
    let answer = json::authenticated(expires_at, session.app.clock.now());
    session.connection.queue().push(answer.to_string().into());
    Ok(())
}
