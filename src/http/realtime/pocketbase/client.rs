//! The open streams, and their sessions.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rand::RngExt as _;
use rand::distr::Alphanumeric;
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::auth::bucket::network;
use crate::error::Error;
use crate::http::realtime::event_stream::join_frames;
use crate::http::realtime::session::Session;

/// The length of a client's id, in characters.
const CLIENT_ID_CHARS: usize = 40;
/// Upper limit of the time for which a stream without a session is kept. The `pocketbase` package
/// gives up after 15 seconds.
const UNCLAIMED_TIMEOUT: Duration = Duration::from_secs(30);
/// Upper limit of the streams without a session.
const MAX_UNCLAIMED_STREAMS: usize = 10_000;
/// Upper limit of these streams from one network: no credentials were presented for them.
const MAX_UNCLAIMED_STREAMS_PER_NETWORK: usize = 100;
/// Upper limit of all streams. The ones with a session are limited by the hub as well.
const MAX_STREAMS: usize = 200_000;

/// The clients with an open stream.
#[derive(Default)]
pub(super) struct StreamClients(Mutex<OpenStreams>);

#[derive(Default)]
struct OpenStreams {
    by_id: HashMap<Arc<str>, Arc<StreamClient>>,
    /// The number of streams without a session, by network.
    unclaimed: HashMap<Option<[u8; 8]>, usize>,
}

impl OpenStreams {
    /// Forgets a stream that got a session, or ended before.
    fn forget_unclaimed(&mut self, client: &StreamClient) {
        if client.is_claimed.swap(true, Ordering::AcqRel) {
            return;
        }
        let network = client.from.map(network);
        if let Some(count) = self.unclaimed.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.unclaimed.remove(&network);
            }
        }
    }
}

/// A client with an open stream.
pub(super) struct StreamClient {
    id: Arc<str>,
    /// The address from which the stream was opened.
    pub from: Option<IpAddr>,
    /// Locked by a request, so that one is carried out after another.
    pub state: AsyncMutex<ClientState>,
    /// `true` if it got a session.
    is_claimed: AtomicBool,
    /// The session whose frames the stream carries.
    session: watch::Sender<Option<Arc<Session>>>,
}

/// The state of a client after its last request.
#[derive(Default)]
pub(super) struct ClientState {
    pub session: Option<Arc<Session>>,
    /// The topics of the last request.
    pub topics: Vec<String>,
}

impl StreamClients {
    fn lock(&self) -> MutexGuard<'_, OpenStreams> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client of that id.
    pub(super) fn get(&self, id: &str) -> Option<Arc<StreamClient>> {
        self.lock().by_id.get(id).cloned()
    }

    /// A new client, unless there are too many.
    pub(super) fn admit(
        self: &Arc<Self>,
        from: Option<IpAddr>,
        stopping: CancellationToken,
    ) -> Option<TopicStream> {
        let id: String = rand::rng()
            .sample_iter(Alphanumeric)
            .take(CLIENT_ID_CHARS)
            .map(char::from)
            .collect();
        let (attached, session) = watch::channel(None);
        let is_claimed = AtomicBool::new(false);
        let client = Arc::new(StreamClient {
            id: id.into(),
            from,
            state: AsyncMutex::default(),
            is_claimed,
            session: attached,
        });
        let mut streams = self.lock();
        let unclaimed: usize = streams.unclaimed.values().sum();
        let network = from.map(network);
        let own = streams.unclaimed.get(&network).copied().unwrap_or_default();
        if streams.by_id.len() >= MAX_STREAMS
            || unclaimed >= MAX_UNCLAIMED_STREAMS
            || own >= MAX_UNCLAIMED_STREAMS_PER_NETWORK
        {
            return None;
        }
        streams.unclaimed.insert(network, own + 1);
        streams.by_id.insert(client.id.clone(), client.clone());
        drop(streams);
        Some(TopicStream {
            registration: ClientRegistration {
                clients: self.clone(),
                client,
            },
            session,
            stopping,
            frames: Vec::new(),
            until: Instant::now() + UNCLAIMED_TIMEOUT,
            greeted: false,
        })
    }
}

impl StreamClient {
    /// Lets the stream carry the frames of a session.
    pub(super) fn attach(&self, session: Arc<Session>, clients: &StreamClients) {
        clients.lock().forget_unclaimed(self);
        self.session.send_replace(Some(session));
    }

    /// Returns `true` if the stream has ended.
    pub(super) fn is_gone(&self) -> bool {
        self.session.receiver_count() == 0
    }
}

/// Forgets the client, and with it the connection, when the stream ends.
struct ClientRegistration {
    clients: Arc<StreamClients>,
    client: Arc<StreamClient>,
}

impl Drop for ClientRegistration {
    fn drop(&mut self) {
        let mut streams = self.clients.lock();
        streams.by_id.remove(&self.client.id);
        streams.forget_unclaimed(&self.client);
        drop(streams);
        self.client.session.send_replace(None);
    }
}

/// An open stream.
pub(super) struct TopicStream {
    registration: ClientRegistration,
    session: watch::Receiver<Option<Arc<Session>>>,
    stopping: CancellationToken,
    frames: Vec<Bytes>,
    /// The time at which it ends if it has no session.
    until: Instant,
    greeted: bool,
}

/// The next piece of a stream.
pub(super) async fn next_chunk(
    stream: Option<TopicStream>,
) -> Option<(Result<Bytes, Error>, Option<TopicStream>)> {
    let mut stream = stream?;
    if !stream.greeted {
        stream.greeted = true;
        let id = &stream.registration.client.id;
        let greeting = format!("id:{id}\nevent:PB_CONNECT\ndata:{{\"clientId\":\"{id}\"}}\n\n");
        return Some((Ok(greeting.into()), Some(stream)));
    }
    let (chunk, goes_on) = stream.chunk().await?;
    Some((Ok(chunk), goes_on.then_some(stream)))
}

impl TopicStream {
    /// The next piece, and whether the stream goes on; `None` at the end.
    async fn chunk(&mut self) -> Option<(Bytes, bool)> {
        loop {
            let session = self.session.borrow_and_update().clone();
            let Some(session) = session else {
                tokio::select! {
                    changed = self.session.changed() => changed.ok()?,
                    () = sleep_until(self.until) => return None,
                    () = self.stopping.cancelled() => return None,
                }
                continue;
            };
            session.connection.note_peer_activity();
            let signals = tokio::select! {
                changed = self.session.changed() => {
                    changed.ok()?;
                    continue;
                }
                signals = session.connection.next_frames(&mut self.frames) => signals,
            };
            session.connection.note_peer_activity();
            let chunk = self.join_frames();
            if signals.close.is_some() || !chunk.is_empty() {
                return Some((chunk, signals.close.is_none()));
            }
        }
    }

    /// The frames in one piece. Every event has the id of the client.
    fn join_frames(&mut self) -> Bytes {
        let id = Bytes::from(format!("id:{}\n", self.registration.client.id));
        join_frames(&mut self.frames, |frame| {
            if frame.starts_with(b"event:") {
                id.clone()
            } else {
                Bytes::new()
            }
        })
    }
}
