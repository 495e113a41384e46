//! What an event costs the server that concerns few of many subscribers.

use std::sync::Arc;

use crate::crowd::Crowd;
use crate::fanout::{Case, line, prepare};
use crate::options::Options;
use crate::publish::publish;
use crate::report::{Run, float};
use crate::server::{Meter, Server};
use crate::tally::Tally;
use crate::wire::{Connection, Fallible, Target};

/// Records of a run, unless `--events` says otherwise.
const EVENTS: usize = 2000;

/// The server's own measure of the time from an event to the queues of its subscribers.
const METRIC: &str = "snackbase_realtime_delivery_seconds";

/// `match`: one of the subscribers is the writer and hears everything, the others have `--users`
/// users who may not.
pub async fn measure(options: &Options, server: &Server, case: Case) -> Fallible<()> {
    let (world, ticket) = prepare(options, server, case).await?;
    let events = options.events.unwrap_or(EVENTS);
    let publishers = options.publishers.max(1);
    let nothing = Arc::new(Tally::new(1, 0, 1));
    let others = Crowd::gather(&ticket, case.subscribers.saturating_sub(1), 0, &nothing).await?;
    let mut own = ticket.clone();
    own.tokens = vec![world.token.clone()].into();
    let mut line = line("match", case);
    line.label("users", ticket.tokens.len());
    line.label("events", events);
    let mut writer: Option<Crowd> = None;
    for number in 0..options.runs {
        let books = Arc::new(Tally::new(1 + number * events, events, publishers));
        if let Some(crowd) = &writer {
            crowd.begin(&books);
        } else {
            writer = Some(Crowd::gather(&own, 1, 0, &books).await?);
        }
        let before = delivery(&world.target).await?;
        let meter = Meter::start(server);
        let published = publish(&world, &books, events, options.paced).await?;
        let mut run = Run::default();
        if let Some(crowd) = &writer {
            crowd.settle(&books, events, 1).await;
            run.count("lost", crowd.readers(events).lost);
        }
        let after = delivery(&world.target).await?;
        run.set(
            "match_mean_us",
            (after.0 - before.0) / (after.1 - before.1).max(1.0) * 1e6,
        );
        run.set("rate", float(events) / published.elapsed.as_secs_f64());
        run.count("errors", published.errors);
        published
            .latencies
            .describe_as(&mut run, "write_p50_ms", "write_p99_ms");
        meter.finish(server, &mut run);
        line.push(run);
    }
    line.print();
    drop((others, writer));
    world.remove().await
}

/// Sum and number of the measured times.
async fn delivery(target: &Target) -> Fallible<(f64, f64)> {
    let mut request = Vec::new();
    target.head(&mut request, "GET", "/metrics", None, None);
    let mut connection = Connection::open(target).await?;
    if connection.exchange(&request).await? != 200 {
        return Err("/metrics was refused".into());
    }
    let text = String::from_utf8_lossy(connection.body()).into_owned();
    let value = |suffix: &str| {
        let name = format!("{METRIC}_{suffix}");
        let line = text.lines().find(|line| line.starts_with(&name));
        line.and_then(|line| line.rsplit(' ').next())
            .and_then(|value| value.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    Ok((value("sum"), value("count")))
}
