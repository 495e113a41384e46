//! The open streams, and who speaks for them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rand::RngExt as _;
use rand::distr::Alphanumeric;
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::auth::bucket::network;
use crate::error::Error;
use crate::http::realtime::Session;

/// The length of a client's id.
const ID: usize = 40;
/// How long a stream is kept that nobody speaks for. The `pocketbase` package gives up after 15
/// seconds.
const UNCLAIMED: Duration = Duration::from_secs(30);
/// How many such streams there may be.
const MOST_UNCLAIMED: usize = 10_000;
/// How many of them from one address: nobody has shown credentials for them.
const MOST_UNCLAIMED_OF_ADDRESS: usize = 100;
/// How many streams there may be in all. Those that somebody speaks for are limited by the hub as
/// well.
const MOST: usize = 200_000;
/// A batch's memory is given back if it had room for more frames.
const KEPT_FRAMES: usize = 16;

/// The clients with an open stream.
#[derive(Default)]
pub(super) struct Clients(Mutex<OpenStreams>);

#[derive(Default)]
struct OpenStreams {
    by_id: HashMap<Arc<str>, Arc<Client>>,
    /// The number of streams that nobody speaks for, by network.
    unclaimed: HashMap<Option<[u8; 8]>, usize>,
}

impl OpenStreams {
    /// A stream is claimed, or it has ended before.
    fn forget_unclaimed(&mut self, client: &Client) {
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
pub(super) struct Client {
    id: Arc<str>,
    /// Where the stream was opened from.
    pub from: Option<IpAddr>,
    /// One request is carried out after another.
    pub talk: AsyncMutex<Talk>,
    /// Whether somebody spoke for it.
    is_claimed: AtomicBool,
    /// What the stream carries.
    carries: watch::Sender<Option<Arc<Session>>>,
}

/// What was agreed on with a client.
#[derive(Default)]
pub(super) struct Talk {
    pub session: Option<Arc<Session>>,
    /// The topics that it asked for last.
    pub topics: Vec<String>,
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, OpenStreams> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client of that id.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Client>> {
        self.lock().by_id.get(id).cloned()
    }

    /// A new client, unless there are too many.
    pub(super) fn admit(
        self: &Arc<Self>,
        from: Option<IpAddr>,
        stopping: CancellationToken,
    ) -> Option<Feed> {
        let id: String = rand::rng()
            .sample_iter(Alphanumeric)
            .take(ID)
            .map(char::from)
            .collect();
        let (carries, session) = watch::channel(None);
        let is_claimed = AtomicBool::new(false);
        let client = Arc::new(Client {
            id: id.into(),
            from,
            talk: AsyncMutex::default(),
            is_claimed,
            carries,
        });
        let mut streams = self.lock();
        let unclaimed: usize = streams.unclaimed.values().sum();
        let network = from.map(network);
        let own = streams.unclaimed.get(&network).copied().unwrap_or_default();
        if streams.by_id.len() >= MOST
            || unclaimed >= MOST_UNCLAIMED
            || own >= MOST_UNCLAIMED_OF_ADDRESS
        {
            return None;
        }
        streams.unclaimed.insert(network, own + 1);
        streams.by_id.insert(client.id.clone(), client.clone());
        drop(streams);
        Some(Feed {
            registration: Registration {
                clients: self.clone(),
                client,
            },
            session,
            stopping,
            frames: Vec::new(),
            until: Instant::now() + UNCLAIMED,
            greeted: false,
        })
    }
}

impl Client {
    /// Lets the stream carry what a connection has to send.
    pub(super) fn speak_for(&self, session: Arc<Session>, clients: &Clients) {
        clients.lock().forget_unclaimed(self);
        self.carries.send_replace(Some(session));
    }

    /// Whether the stream has ended.
    pub(super) fn is_gone(&self) -> bool {
        self.carries.receiver_count() == 0
    }
}

/// Forgets the client, and with it the connection, when the stream ends.
struct Registration {
    clients: Arc<Clients>,
    client: Arc<Client>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut streams = self.clients.lock();
        streams.by_id.remove(&self.client.id);
        streams.forget_unclaimed(&self.client);
        drop(streams);
        self.client.carries.send_replace(None);
    }
}

/// What an open stream needs.
pub(super) struct Feed {
    registration: Registration,
    session: watch::Receiver<Option<Arc<Session>>>,
    stopping: CancellationToken,
    frames: Vec<Bytes>,
    /// When it ends if nobody speaks for it.
    until: Instant,
    greeted: bool,
}

/// The next piece of a stream.
pub(super) async fn next(feed: Option<Feed>) -> Option<(Result<Bytes, Error>, Option<Feed>)> {
    let mut feed = feed?;
    if !feed.greeted {
        feed.greeted = true;
        let id = &feed.registration.client.id;
        let greeting = format!("id:{id}\nevent:PB_CONNECT\ndata:{{\"clientId\":\"{id}\"}}\n\n");
        return Some((Ok(greeting.into()), Some(feed)));
    }
    let (chunk, goes_on) = feed.chunk().await?;
    Some((Ok(chunk), goes_on.then_some(feed)))
}

impl Feed {
    /// What is to be sent, and whether there may be more; `None` at the end.
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
            session.connection.heard();
            let taken = tokio::select! {
                changed = self.session.changed() => {
                    changed.ok()?;
                    continue;
                }
                taken = session.connection.next(&mut self.frames) => taken,
            };
            session.connection.heard();
            let chunk = self.join();
            if taken.close.is_some() || !chunk.is_empty() {
                return Some((chunk, taken.close.is_none()));
            }
        }
    }

    /// The frames in one piece. Every event names the client.
    fn join(&mut self) -> Bytes {
        let id = &self.registration.client.id;
        let mut joined =
            BytesMut::with_capacity(self.frames.iter().map(|frame| frame.len() + ID + 4).sum());
        for frame in self.frames.drain(..) {
            if frame.starts_with(b"event:") {
                joined.extend_from_slice(b"id:");
                joined.extend_from_slice(id.as_bytes());
                joined.extend_from_slice(b"\n");
            }
            joined.extend_from_slice(&frame);
        }
        if self.frames.capacity() > KEPT_FRAMES {
            self.frames = Vec::new();
        }
        joined.freeze()
    }
}
