//! Many subscribers of one collection.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;

use crate::frames::{Framing, Received, masked};
use crate::options::Transport;
use crate::tally::{Ledger, Tally};
use crate::wire::{Chunks, Connection, Extent, Fallible};
use crate::world::World;

/// Connections that are being opened at the same time.
const DOOR: usize = 64;

/// Receive buffer of a subscriber that will not read, so that its server notices soon.
const NARROW: u32 = 4096;

/// Without any delivery for this long, what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

thread_local! {
    /// One buffer for all subscribers of a thread: it stays in the cache, and thousands of
    /// connections cost no memory.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 * 1024]);
}

/// A subscriber's books, and the run that they are for.
#[derive(Debug)]
struct Member {
    ledger: Ledger,
    tally: Arc<Tally>,
}

type Shared = Arc<Mutex<Member>>;

/// A panic elsewhere does not make the books wrong.
fn open(member: &Shared) -> MutexGuard<'_, Member> {
    member.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How to subscribe.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// The collection's world
    pub world: World,
    /// WebSocket or server-sent events
    pub transport: Transport,
    /// Tokens that the subscribers take turns in using
    pub tokens: Arc<[String]>,
    /// Continue after this cursor
    pub since: Option<String>,
}

/// Subscribers that are connected.
#[derive(Debug)]
pub struct Crowd {
    members: Vec<Shared>,
    listeners: JoinSet<()>,
    asleep: Vec<(TcpStream, Framing, Shared)>,
    awake: usize,
}

/// What the subscribers of a run found, added up.
#[derive(Debug, Default)]
pub struct Found {
    /// Events that did not arrive
    pub lost: usize,
    /// Events that arrived again
    pub duplicates: usize,
    /// Events that overtook another of the same publisher
    pub out_of_order: usize,
    /// Connections that ended
    pub closed: usize,
    /// Different orders among the subscribers that lost nothing
    pub orders: usize,
    /// Subscribers that got everything
    pub complete: usize,
}

impl Crowd {
    /// Connects `count` subscribers and as many that do not read until they are woken.
    pub async fn gather(
        ticket: &Ticket,
        count: usize,
        stalled: usize,
        tally: &Arc<Tally>,
    ) -> Fallible<Self> {
        let mut crowd = Self {
            members: Vec::with_capacity(count),
            listeners: JoinSet::new(),
            asleep: Vec::new(),
            awake: count,
        };
        let mut door = JoinSet::new();
        for number in 0..count + stalled {
            if door.len() >= DOOR
                && let Some(entered) = door.join_next().await
            {
                crowd.admit(entered??);
            }
            let mut ledger = Ledger::default();
            ledger.reset(tally);
            let member = Arc::new(Mutex::new(Member {
                ledger,
                tally: Arc::clone(tally),
            }));
            crowd.members.push(Arc::clone(&member));
            let ticket = ticket.clone();
            door.spawn(async move {
                let narrow = number >= count;
                let (stream, framing) = enter(&ticket, number, narrow, &member).await?;
                Fallible::Ok((narrow, stream, framing, member))
            });
        }
        while let Some(entered) = door.join_next().await {
            crowd.admit(entered??);
        }
        Ok(crowd)
    }

    fn admit(&mut self, (narrow, stream, framing, member): (bool, TcpStream, Framing, Shared)) {
        if narrow {
            self.asleep.push((stream, framing, member));
        } else {
            self.listeners.spawn(listen(stream, framing, member));
        }
    }

    /// Opens the books of the next run.
    pub fn begin(&self, tally: &Arc<Tally>) {
        for member in &self.members {
            let mut member = open(member);
            member.ledger.reset(tally);
            member.tally = Arc::clone(tally);
        }
    }

    /// Lets the stalled ones read.
    pub fn wake(&mut self) {
        for (stream, framing, member) in self.asleep.drain(..) {
            self.listeners.spawn(listen(stream, framing, member));
        }
    }

    /// Waits until everything has been delivered to `readers` subscribers, or nothing arrives any
    /// more.
    pub async fn settle(&self, tally: &Tally, events: usize, readers: usize) {
        let (mut delivered, mut moved) = (tally.delivered(), Instant::now());
        while delivered < events * readers && moved.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let now = tally.delivered();
            if now != delivered {
                (delivered, moved) = (now, Instant::now());
            }
        }
        // Whatever comes twice comes now.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    /// Adds up the books of those who read from the beginning.
    pub fn readers(&self, events: usize) -> Found {
        found(self.members.get(..self.awake).unwrap_or_default(), events)
    }

    /// Adds up the books of those who were stalled.
    pub fn sleepers(&self, events: usize) -> Found {
        found(self.members.get(self.awake..).unwrap_or_default(), events)
    }
}

fn found(members: &[Shared], events: usize) -> Found {
    let mut found = Found::default();
    let mut orders = Vec::new();
    for member in members {
        let member = open(member);
        let ledger = &member.ledger;
        found.lost += events.saturating_sub(ledger.received);
        found.duplicates += ledger.duplicates;
        found.out_of_order += ledger.out_of_order;
        found.closed += usize::from(ledger.closed);
        if ledger.received == events {
            found.complete += 1;
            orders.push(ledger.order);
        }
    }
    orders.sort_unstable();
    orders.dedup();
    found.orders = orders.len();
    found
}

/// Connects, subscribes and waits for the acknowledgement.
async fn enter(
    ticket: &Ticket,
    number: usize,
    narrow: bool,
    member: &Shared,
) -> Fallible<(TcpStream, Framing)> {
    let Ticket {
        world,
        transport,
        tokens,
        since,
    } = ticket;
    let token = tokens
        .get(number % tokens.len().max(1))
        .ok_or("there are no tokens")?;
    let stream = if narrow {
        narrow_stream(world).await?
    } else {
        world.target.connect().await?
    };
    let mut connection = Connection::over(stream);
    let mut request = Vec::new();
    if *transport == Transport::Sse {
        let since = since
            .as_ref()
            .map(|cursor| format!("&since={cursor}"))
            .unwrap_or_default();
        let path = format!(
            "/api/v1/realtime/subscribe?token={token}&collection={}{since}",
            world.collection
        );
        world.target.head(&mut request, "GET", &path, None, None);
        let head = connection.start(&request).await?;
        if head.status != 200 || head.body != Extent::Chunked {
            return Err(format!("the event stream was answered with {}", head.status).into());
        }
        let (stream, rest) = connection.into_parts();
        let mut framing = Framing::Sse {
            chunks: Chunks::default(),
            rest: Vec::new(),
        };
        take(&mut framing, &rest, member)?;
        return Ok((stream, framing));
    }
    world.target.head(
        &mut request,
        "GET",
        &format!("/api/v1/realtime/ws?token={token}"),
        None,
        None,
    );
    request.truncate(request.len() - 2);
    request.extend_from_slice(
        b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
          sec-websocket-key: bG9hZCBnZW5lcmF0b3IhIQ==\r\n\r\n",
    );
    let head = connection.start(&request).await?;
    if head.status != 101 {
        return Err(format!("the upgrade was answered with {}", head.status).into());
    }
    let (mut stream, mut bytes) = connection.into_parts();
    let since = since
        .as_ref()
        .map(|cursor| format!(",\"since\":\"{cursor}\""))
        .unwrap_or_default();
    let frame = format!(
        "{{\"action\":\"subscribe\",\"collection\":\"{}\"{since}}}",
        world.collection
    );
    stream.write_all(&masked(1, frame.as_bytes())).await?;
    let mut framing = Framing::Ws { rest: Vec::new() };
    loop {
        if take(&mut framing, &bytes, member)? {
            return Ok((stream, framing));
        }
        bytes.clear();
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(
                "the server closed the connection before it acknowledged the subscription".into(),
            );
        }
    }
}

/// Books what arrives before the subscriber listens; tells whether the acknowledgement was among
/// it.
fn take(framing: &mut Framing, bytes: &[u8], member: &Shared) -> Fallible<bool> {
    let mut member = open(member);
    let Member { ledger, tally } = &mut *member;
    let (mut acknowledged, mut refused) = (false, None);
    framing.feed(bytes, &mut |received| match received {
        Received::Message(message) if message.starts_with(b"{\"error\"") => {
            refused = Some(String::from_utf8_lossy(message).into_owned());
        }
        Received::Message(message) => {
            acknowledged |= message
                .windows(12)
                .take(200)
                .any(|part| part == b"\"subscribed\"");
            ledger.note(message, tally.now(), tally);
        }
        Received::Ping(_) => {}
        Received::Close => ledger.closed = true,
    })?;
    match refused {
        Some(message) => Err(message.into()),
        None if ledger.closed => Err("the server closed a new subscription".into()),
        None => Ok(acknowledged),
    }
}

async fn narrow_stream(world: &World) -> Fallible<TcpStream> {
    let address = lookup_host(&world.target.authority)
        .await?
        .next()
        .ok_or("the host has no address")?;
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_recv_buffer_size(NARROW)?;
    Ok(socket.connect(address).await?)
}

/// Reads until the connection ends.
async fn listen(mut stream: TcpStream, mut framing: Framing, member: Shared) {
    let mut pongs: Vec<u8> = Vec::new();
    while poll_fn(|context| hear(context, &mut stream, &mut framing, &member, &mut pongs)).await {
        if !pongs.is_empty() {
            // A few bytes always fit; if they do not, the next ping gets another chance.
            drop(stream.try_write(&pongs));
            pongs.clear();
        }
    }
    open(&member).ledger.closed = true;
}

/// Books what has arrived; false at the end. One system call is enough to know that there is no
/// more for now.
fn hear(
    context: &mut Context<'_>,
    stream: &mut TcpStream,
    framing: &mut Framing,
    member: &Shared,
    pongs: &mut Vec<u8>,
) -> Poll<bool> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut scratch = ReadBuf::new(scratch);
        if ready!(Pin::new(stream).poll_read(context, &mut scratch)).is_err()
            || scratch.filled().is_empty()
        {
            return Poll::Ready(false);
        }
        let mut member = open(member);
        let Member { ledger, tally } = &mut *member;
        // One reading of the clock for all that arrived together.
        let now = tally.now();
        let fed = framing.feed(scratch.filled(), &mut |received| match received {
            Received::Message(message) => ledger.note(message, now, tally),
            Received::Ping(payload) => pongs.extend(masked(10, payload)),
            Received::Close => ledger.closed = true,
        });
        Poll::Ready(fed.is_ok() && !ledger.closed)
    })
}
