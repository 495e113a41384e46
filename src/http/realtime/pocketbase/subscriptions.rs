//! The subscriptions for the topics of a stream.

use std::sync::Arc;

use bytes::Bytes;

use super::client::ClientState;
use super::topic::PocketBaseTopic;
use crate::access::ExpandPaths;
use crate::app::App;
use crate::http::error::PocketBaseError;
use crate::http::realtime::session::Session;
use crate::id::{CollectionId, RecordId};
use crate::realtime::{OperationSet, RecordSelection, Subscribe, SubscribeError};

/// Subscribes to new topics and unsubscribes from those that are not named.
///
/// # Errors
///
/// If there are more topics than the connection may have, or a hook refuses one.
pub(super) async fn update_topics(
    app: &App,
    session: &Session,
    state: &mut ClientState,
    topics: Vec<String>,
) -> Result<(), PocketBaseError> {
    let connection = &session.connection;
    for topic in &state.topics {
        if !topics.contains(topic) {
            connection.unsubscribe(topic, Bytes::new());
        }
    }
    state.topics.retain(|topic| topics.contains(topic));
    for topic in topics {
        if state.topics.contains(&topic) {
            continue;
        }
        if let Some(request) = make_subscription(app, session, &topic).await? {
            match connection.subscribe(request).await {
                // The protocol shows nothing for a filter that cannot be read.
                Ok(()) | Err(SubscribeError::Invalid(_)) => {}
                Err(SubscribeError::TooMany(limit)) => {
                    return Err(PocketBaseError::too_long("subscriptions", None, limit));
                }
            }
        }
        state.topics.push(topic);
    }
    Ok(())
}

/// The subscription for a topic; `None` if there are no such records, or none for this caller.
async fn make_subscription(
    app: &App,
    session: &Session,
    text: &str,
) -> Result<Option<Subscribe>, PocketBaseError> {
    // No topic has such a name, and an event with it would break the stream.
    if text.chars().any(char::is_control) {
        return Ok(None);
    }
    let topic = PocketBaseTopic::parse(text);
    let catalog = app.catalog.current();
    let by_id = CollectionId::parse(topic.collection).and_then(|id| catalog.by_id(id));
    let collection = by_id
        .or_else(|| catalog.by_name(topic.collection))
        .map_or(topic.collection, |found| &found.name);
    let Ok(scope) = session.resolve_scope(None).await else {
        return Ok(None);
    };
    session
        .run_hooks(|hooks| &hooks.realtime_subscribe, Some(collection), None)
        .await?;
    // The protocol leaves references as they are that cannot be expanded.
    let expand = topic
        .option("expand")
        .and_then(|text| ExpandPaths::parse(text).ok().flatten())
        .and_then(|expand| expand.known_to(catalog.by_name(collection)?));
    let record = match topic.record.map(RecordId::parse) {
        // No record has such an id.
        Some(None) => return Ok(None),
        Some(Some(id)) => Some(id.to_string().into()),
        None => None,
    };
    let selection = RecordSelection {
        record,
        expand: session.limit_expand_depth(expand),
        filter: topic
            .option("filter")
            .filter(|filter| !filter.trim().is_empty())
            .map(Into::into),
        ..RecordSelection::default()
    };
    Ok(Some(Subscribe {
        name: text.into(),
        selection: Arc::new(selection),
        tag: Some(text.into()),
        ..Subscribe::to(collection, OperationSet::ALL, scope)
    }))
}
