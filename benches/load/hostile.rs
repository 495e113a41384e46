//! The `hostile` scenario: one client does its worst, and the list of another account is timed
//! while it does.
//!
//! Each attack gets a fresh server, since memory once used stays with the process. A line holds the
//! bystander's latencies and how far the server's memory grew at its peak and after a rest.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::options::{Attack, Options, Rule};
use crate::report::{Line, Run, Samples};
use crate::server::Server;
use crate::wire::{Connection, Fallible, Target};
use crate::world::World;

/// Pause of the bystander between two requests.
const PROBE_INTERVAL: Duration = Duration::from_millis(10);

/// Time that an attack goes on after its last request, and that the server then has to give memory
/// back.
const REST: Duration = Duration::from_secs(3);

/// Bytes of a text that just fits into the largest record of a default configuration, with room for
/// the other fields.
const LARGE_TEXT_BYTES: usize = 1024 * 1024 - 4096;

/// Bytes of a text that a default configuration refuses.
const REFUSED_TEXT_BYTES: usize = 9 * 1024 * 1024;

/// Characters of a pattern that matches a long text only at its end, or nowhere.
const PATTERN_CHARACTERS: usize = 4000;

/// One line for each attack.
pub async fn measure(options: &Options) -> Fallible<()> {
    for &attack in &options.attack {
        let mut line = Line::new("hostile", 1);
        line.label("attack", attack.name());
        for _ in 0..options.runs {
            let server = Server::of(options).await?;
            line.push(run(attack, &server).await?);
        }
        line.print();
    }
    Ok(())
}

async fn run(attack: Attack, server: &Server) -> Fallible<Run> {
    let bystander = World::build(server, Rule::User).await?;
    bystander.seed(20).await?;
    let attacker = World::build(server, Rule::User).await?;
    let texts = prepare(attack, &attacker).await?;
    tokio::time::sleep(REST).await;
    server.reset_peak();
    let before = server.usage();
    let (end, ended) = watch::channel(false);
    let probe = tokio::spawn(probe(bystander, ended));
    let answers = attack_with(attack, &attacker).await?;
    end.send(true)?;
    let (samples, errors) = probe.await??;
    tokio::time::sleep(REST).await;
    let mut run = Run::default();
    samples.describe(&mut run);
    run.count("errors", errors);
    run.count("attack_requests", answers.sent);
    run.count("attack_refused", answers.refused);
    run.count("stored_texts", texts);
    if let (Some(before), Some(after)) = (before, server.usage()) {
        run.set("peak_growth_mib", mib(after.peak_kib - before.rss_kib));
        run.set("kept_growth_mib", mib(after.rss_kib - before.rss_kib));
    }
    Ok(run)
}

fn mib(kib: f64) -> f64 {
    kib / 1024.0
}

/// Lists five records of an account that has nothing to do with the attack, until it ends.
async fn probe(world: World, ended: watch::Receiver<bool>) -> Fallible<(Samples, usize)> {
    let mut request = Vec::new();
    let path = format!("{}?limit=5", world.records_path());
    world
        .target
        .head(&mut request, "GET", &path, Some(&world.token), None);
    let (mut samples, mut errors) = (Samples::default(), 0);
    let mut connection = Connection::open(&world.target).await?;
    while !*ended.borrow() {
        let sent = Instant::now();
        match connection.exchange(&request).await {
            Ok(200) => samples.add(sent.elapsed()),
            Ok(_) => errors += 1,
            Err(_) => {
                errors += 1;
                connection = Connection::open(&world.target).await?;
            }
        }
        tokio::time::sleep(PROBE_INTERVAL).await;
    }
    Ok((samples, errors))
}

/// Requests of an attack, and those of them that were not answered with success.
#[derive(Debug, Default)]
struct Answers {
    sent: usize,
    refused: usize,
}

impl Answers {
    fn add(&mut self, status: &Fallible<u16>) {
        self.sent += 1;
        if !matches!(status, Ok(200..300)) {
            self.refused += 1;
        }
    }
}

/// Stores what the attack needs; returns how many texts the server took.
async fn prepare(attack: Attack, world: &World) -> Fallible<usize> {
    let (count, bytes) = match attack {
        Attack::Filters => (1, LARGE_TEXT_BYTES),
        Attack::LargeList => (20, REFUSED_TEXT_BYTES),
        Attack::LargePage | Attack::Snapshot => (100, LARGE_TEXT_BYTES),
        Attack::Subscriptions | Attack::Methods | Attack::RefusedWrites => (0, 0),
    };
    let mut stored = 0;
    for number in 0..count {
        if matches!(create_text(world, number, bytes).await, Ok(201)) {
            stored += 1;
        }
    }
    Ok(stored)
}

async fn create_text(world: &World, number: usize, bytes: usize) -> Fallible<u16> {
    let (mut body, mut request) = (Vec::new(), Vec::new());
    world.record_body(&mut body, number, &"a".repeat(bytes))?;
    world.target.head(
        &mut request,
        "POST",
        &world.records_path(),
        Some(&world.token),
        Some(body.len()),
    );
    request.extend_from_slice(&body);
    Connection::open(&world.target)
        .await?
        .exchange(&request)
        .await
}

async fn attack_with(attack: Attack, world: &World) -> Fallible<Answers> {
    let path = world.records_path();
    let mut answers = Answers::default();
    match attack {
        Attack::Filters => {
            let mut requests = JoinSet::new();
            for number in 0..4 {
                let filter = slow_filter(number);
                requests.spawn(get(
                    world.clone(),
                    format!("{path}?cursor=&limit=1&fields=id&filter={filter}"),
                ));
            }
            while let Some(status) = requests.join_next().await {
                answers.add(&status?);
            }
        }
        Attack::Subscriptions => {
            let mut streams = Vec::new();
            for number in 0..12 {
                let (collection, filter) = (&world.collection, slow_filter(number));
                let path =
                    format!("/api/v1/realtime/subscribe?collection={collection}&filter={filter}");
                streams.push(send_unread(world, &path).await?);
            }
            for number in 0..12 {
                answers.add(&create_text(world, number, 200 * 1024).await);
            }
            tokio::time::sleep(REST).await;
        }
        Attack::Methods => invent_methods(&world.target, 10_000, &mut answers).await,
        Attack::RefusedWrites => refuse_writes(world, 3000, &mut answers).await?,
        Attack::LargeList | Attack::LargePage => {
            answers.add(&get(world.clone(), format!("{path}?limit=100")).await);
            let grouped = format!("{path}/aggregate?functions=count()&group_by=title");
            answers.add(&get(world.clone(), grouped).await);
        }
        Attack::Snapshot => {
            let path = format!(
                "/api/v1/realtime/subscribe?collection={}&snapshot=true&limit=1000",
                world.collection
            );
            let stream = send_unread(world, &path).await?;
            tokio::time::sleep(REST).await;
            drop(stream);
        }
    }
    Ok(answers)
}

/// A filter that costs text × pattern steps where it is searched naively, ready for a query string.
fn slow_filter(number: usize) -> String {
    format!(
        "title%20~%20%27%25{}b%25%27",
        "a".repeat(PATTERN_CHARACTERS - number)
    )
}

async fn get(world: World, path: String) -> Fallible<u16> {
    let mut request = Vec::new();
    world
        .target
        .head(&mut request, "GET", &path, Some(&world.token), None);
    Connection::open(&world.target)
        .await?
        .exchange(&request)
        .await
}

/// Sends a request whose answer nobody reads, for as long as the connection is kept.
async fn send_unread(world: &World, path: &str) -> Fallible<TcpStream> {
    let mut request = Vec::new();
    world
        .target
        .head(&mut request, "GET", path, Some(&world.token), None);
    let mut stream = world.target.connect().await?;
    stream.write_all(&request).await?;
    Ok(stream)
}

/// Methods that nobody has heard of, each another one, a third of them long.
async fn invent_methods(target: &Target, count: usize, answers: &mut Answers) {
    for number in 0..count {
        let method = format!(
            "M{number}{}",
            "A".repeat(if number % 3 == 0 { 8000 } else { 40 })
        );
        let mut request = Vec::new();
        target.head(&mut request, &method, "/health", None, None);
        // The server may close the connection after each.
        let status = match Connection::open(target).await {
            Ok(mut connection) => connection.exchange(&request).await,
            Err(error) => Err(error),
        };
        answers.add(&status);
    }
}

/// Updates of records that do not exist, each with a `User-Agent` of 200 kB.
async fn refuse_writes(world: &World, count: usize, answers: &mut Answers) -> Fallible<()> {
    let agent = "u".repeat(200_000);
    let body = r#"{"title":"x"}"#;
    let mut connection = Connection::open(&world.target).await?;
    for number in 0..count {
        let path = format!(
            "{}/00000000-0000-7000-8000-{number:012}",
            world.records_path()
        );
        let mut request = Vec::new();
        world.target.head(
            &mut request,
            "PATCH",
            &path,
            Some(&world.token),
            Some(body.len()),
        );
        request.truncate(request.len() - b"\r\n".len());
        request.extend_from_slice(format!("user-agent: {agent}\r\n\r\n{body}").as_bytes());
        let status = connection.exchange(&request).await;
        if status.is_err() {
            connection = Connection::open(&world.target).await?;
        }
        answers.add(&status);
    }
    Ok(())
}
