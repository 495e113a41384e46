//! The scenarios with subscribers: `fanout`, `slow-reader`, `resume` and `idle`.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;

use crate::crowd::{Crowd, Found, Ticket};
use crate::options::{Options, Rule, Scenario, Transport};
use crate::publish::{Published, publish};
use crate::report::{Line, Run, float};
use crate::server::{Meter, Server, Usage};
use crate::tally::Tally;
use crate::wire::{Connection, Fallible};
use crate::world::World;

/// Deliveries of an unpaced run, unless `--events` says otherwise.
const BURST: usize = 500_000;

/// Time for a server to come to rest.
const REST: Duration = Duration::from_secs(2);

/// The server's threads for hashing passwords end after ten seconds without work, and only then is
/// their memory free.
const HASHERS: Duration = Duration::from_secs(12);

/// Events that are waiting for those who come back.
const BACKLOG: usize = 10_000;

/// One measurement of this module.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Number of subscribers
    pub subscribers: usize,
    /// WebSocket or server-sent events
    pub transport: Transport,
    /// Rule of the collection
    pub rule: Rule,
}

/// `fanout` and `slow-reader`.
pub async fn fanout(
    scenario: Scenario,
    options: &Options,
    server: &Server,
    case: Case,
) -> Fallible<()> {
    let (world, ticket) = prepare(options, server, case).await?;
    let slow = scenario == Scenario::SlowReader;
    let stalled = if slow {
        (case.subscribers / 100).max(1)
    } else {
        0
    };
    let readers = case.subscribers.saturating_sub(stalled);
    let events = match (options.paced, options.events) {
        (Some(pace), _) => whole(pace * options.seconds),
        (None, Some(events)) => events,
        (None, None) => (BURST / case.subscribers.max(1)).clamp(500, 20_000),
    };

    let mut line = line(if slow { "slow-reader" } else { "fanout" }, case);
    line.label("paced", options.paced);
    line.label("publishers", options.publishers);
    line.label("events", events);
    let mut first = 1;
    let mut tally = || {
        let tally = Arc::new(Tally::new(first, events, options.publishers.max(1)));
        first += events;
        tally
    };

    // The first writes meet cold caches; they would make the server look better with subscribers
    // than without.
    publish(&world, &tally(), events.min(200), None).await?;
    let mut idle = Vec::new();
    for _ in 0..options.runs {
        idle.push(publish(&world, &tally(), events, options.paced).await?);
    }
    let books = tally();
    let mut crowd = Crowd::gather(&ticket, readers, stalled, &books).await?;
    for idle in idle {
        let books = tally();
        crowd.begin(&books);
        let meter = Meter::start(server);
        let published = publish(&world, &books, events, options.paced).await?;
        crowd.settle(&books, events, readers).await;
        let mut run = Run::default();
        run.set(
            "rate",
            float(books.delivered()) / books.duration().as_secs_f64().max(1e-9),
        );
        books.spread(readers, false).describe(&mut run);
        books.spread(readers, true).describe_as(
            &mut run,
            "from_request_p50_ms",
            "from_request_p99_ms",
        );
        run.count("errors", published.errors);
        account(&crowd.readers(events), &mut run);
        writes(published, idle, events, &mut run);
        meter.finish(server, &mut run);
        line.push(run);
    }
    if slow {
        // They missed several runs; the books are the last one's.
        crowd.wake();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let last = crowd.sleepers(events);
        line.label("stalled", stalled);
        line.label("stalled_caught_up", last.complete);
        line.label("stalled_closed", last.closed);
    }
    drop(crowd);
    line.print();
    world.remove().await
}

fn writes(published: Published, idle: Published, events: usize, run: &mut Run) {
    run.set(
        "write_rate",
        float(events) / published.elapsed.as_secs_f64(),
    );
    run.set(
        "write_rate_idle",
        float(events) / idle.elapsed.as_secs_f64(),
    );
    published
        .latencies
        .describe_as(run, "write_p50_ms", "write_p99_ms");
    idle.latencies
        .describe_as(run, "write_p50_idle_ms", "write_p99_idle_ms");
}

fn account(found: &Found, run: &mut Run) {
    run.count("lost", found.lost);
    run.count("duplicates", found.duplicates);
    run.count("out_of_order", found.out_of_order);
    run.count("closed", found.closed);
    run.count("orders", found.orders);
}

/// Everybody connects at once and asks for a backlog.
pub async fn resume(options: &Options, server: &Server, case: Case) -> Fallible<()> {
    let (world, mut ticket) = prepare(options, server, case).await?;
    let backlog = options.events.unwrap_or(BACKLOG);
    let publishers = options.publishers.max(1);
    ticket.since = Some(cursor(&world, ticket.tokens.first().ok_or("there are no users")?).await?);
    let books = Arc::new(Tally::new(1, backlog, publishers));
    publish(&world, &books, backlog, None).await?;
    let mut line = line("resume", case);
    line.label("backlog", backlog);
    for _ in 0..options.runs {
        let books = Arc::new(Tally::new(1, backlog, publishers));
        let meter = Meter::start(server);
        let crowd = Crowd::gather(&ticket, case.subscribers, 0, &books).await?;
        crowd.settle(&books, backlog, case.subscribers).await;
        let mut run = Run::default();
        run.set(
            "rate",
            float(books.delivered()) / books.duration().as_secs_f64().max(1e-9),
        );
        run.set("all_caught_up_ms", books.duration().as_secs_f64() * 1e3);
        account(&crowd.readers(backlog), &mut run);
        meter.finish(server, &mut run);
        line.push(run);
    }
    line.print();
    world.remove().await
}

/// Memory per connection, told from the second half of them: the first half also pays for what all
/// share. A server keeps what it once allocated, so there is one run. With a pace, all hear of
/// records in it.
pub async fn idle(options: &Options, server: &Server, case: Case) -> Fallible<()> {
    let (world, ticket) = prepare(options, server, case).await?;
    let books = Arc::new(Tally::new(1, 0, 1));
    let half = (case.subscribers / 2).max(1);
    let first = Crowd::gather(&ticket, half, 0, &books).await?;
    tokio::time::sleep(HASHERS).await;
    let before = at_rest(server).await?;
    let second = Crowd::gather(&ticket, half, 0, &books).await?;
    let after = at_rest(server).await?;
    let mut run = Run::default();
    if let Some(pace) = options.paced {
        let events = whole(pace * options.seconds);
        let books = Arc::new(Tally::new(1, events, options.publishers.max(1)));
        first.begin(&books);
        second.begin(&books);
        let published = publish(&world, &books, events, Some(pace)).await?;
        first.settle(&books, events, half * 2).await;
        run.count("errors", published.errors);
        run.count("events", events);
        run.count(
            "lost",
            first.readers(events).lost + second.readers(events).lost,
        );
        run.set(
            "server_rss_later_mib",
            at_rest(server).await?.rss_kib / 1024.0,
        );
    } else {
        tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
    }
    let later = server.usage().ok_or("the server is gone")?;
    run.set(
        "kib_per_connection",
        (after.rss_kib - before.rss_kib) / float(half),
    );
    run.set("server_rss_mib", after.rss_kib / 1024.0);
    run.set("server_rss_half_mib", before.rss_kib / 1024.0);
    run.set(
        "server_cpu_percent",
        (later.cpu_s - after.cpu_s) / options.seconds * 100.0,
    );
    run.count("closed", first.readers(0).closed + second.readers(0).closed);
    let mut line = line("idle", case);
    line.push(run);
    line.print();
    drop((first, second));
    world.remove().await
}

/// Usage when everything has come to rest.
async fn at_rest(server: &Server) -> Fallible<Usage> {
    tokio::time::sleep(REST).await;
    Ok(server.usage().ok_or("`idle` needs --spawn or --pid")?)
}

/// The world of a case, and what its subscribers need.
pub async fn prepare(options: &Options, server: &Server, case: Case) -> Fallible<(World, Ticket)> {
    let world = World::build(server, case.rule).await?;
    let tokens = world
        .users(options.users.clamp(1, case.subscribers.max(1)))
        .await?
        .into();
    let ticket = Ticket {
        world: world.clone(),
        transport: case.transport,
        tokens,
        since: None,
    };
    Ok((world, ticket))
}

/// A line of output for a case.
pub fn line(scenario: &str, case: Case) -> Line {
    let mut line = Line::new(scenario, case.subscribers);
    line.label("transport", case.transport.name());
    line.label("rule", case.rule.name());
    line
}

/// The log's position now: that of a record which is written while an event stream listens.
async fn cursor(world: &World, token: &str) -> Fallible<String> {
    const KEY: &str = "\"cursor\":\"";
    let mut request = Vec::new();
    let path = format!(
        "/api/v1/realtime/subscribe?token={token}&collection={}",
        world.collection
    );
    world.target.head(&mut request, "GET", &path, None, None);
    let mut probe = Connection::open(&world.target).await?;
    if probe.start(&request).await?.status != 200 {
        return Err("the event stream was refused".into());
    }
    world.seed(1).await?;
    let (mut stream, mut bytes) = probe.into_parts();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        let found = text
            .split_once(KEY)
            .and_then(|(_, rest)| rest.split_once('"'));
        if let Some((cursor, _)) = found {
            return Ok(cursor.to_owned());
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err("the event stream ended".into());
        }
    }
}

/// A positive number of events.
fn whole(count: f64) -> usize {
    format!("{count:.0}").parse().unwrap_or(1).max(1)
}
