//! The scenarios that send requests and wait for answers: `create`, `get`, `list`, `mixed` and
//! `login`.

use std::sync::Arc;

use serde_json::Value;

use crate::closed::{self, Work};
use crate::options::{Options, Rule, Scenario, Total};
use crate::report::{Line, Run};
use crate::server::{Meter, Server};
use crate::wire::{Fallible, Target};
use crate::world::{Api, World};

/// Records of one list page.
const PAGE: usize = 20;

/// Connections that read while others log in.
const BYSTANDERS: usize = 16;

/// Measures one of the scenarios of this module, a line for each number of connections.
pub async fn measure(scenario: Scenario, options: &Options, server: &Server) -> Fallible<()> {
    let world = World::build(server, Rule::User).await?;
    match scenario {
        Scenario::Get | Scenario::Mixed => {
            let ids: Arc<[String]> = world.seed(options.records).await?.into();
            for &connections in &options.connections {
                read(scenario, options, server, &world, &ids, connections).await?;
            }
        }
        Scenario::List => {
            world.seed(options.records).await?;
            for &total in &options.total {
                let path = page(&world, total, options.records).await?;
                for &connections in &options.connections {
                    list(options, server, &world, total, &path, connections).await?;
                }
            }
        }
        Scenario::Login => {
            let ids: Arc<[String]> = world.seed(1000).await?.into();
            for &connections in &options.connections {
                login(options, server, &world, &ids, connections).await?;
            }
        }
        _ => {
            for &connections in &options.connections {
                let mut line = Line::new("create", connections);
                line.label("rule", Rule::User.name());
                for _ in 0..options.runs {
                    let workers = (0..connections)
                        .map(|seed| Crud::new(&world, &Arc::default(), seed, 100))
                        .collect();
                    line.push(run(server, &world.target, workers, options.seconds).await?);
                }
                line.print();
            }
        }
    }
    world.remove().await
}

async fn run<W: Work>(
    server: &Server,
    target: &Target,
    workers: Vec<W>,
    seconds: f64,
) -> Fallible<Run> {
    let meter = Meter::start(server);
    let outcome = closed::run(target, workers, seconds).await?;
    let mut run = Run::default();
    outcome.describe(&mut run);
    meter.finish(server, &mut run);
    Ok(run)
}

async fn read(
    scenario: Scenario,
    options: &Options,
    server: &Server,
    world: &World,
    ids: &Arc<[String]>,
    connections: usize,
) -> Fallible<()> {
    let writes = if scenario == Scenario::Mixed { 20 } else { 0 };
    let mut line = Line::new(if writes > 0 { "mixed" } else { "get" }, connections);
    line.label("records", options.records);
    line.label("rule", Rule::User.name());
    for _ in 0..options.runs {
        let workers = (0..connections)
            .map(|seed| Crud::new(world, ids, seed, writes))
            .collect();
        let meter = Meter::start(server);
        let mut outcome = closed::run(&world.target, workers, options.seconds).await?;
        let mut run = Run::default();
        let [_, written] = &mut outcome.samples;
        let written = std::mem::take(written);
        let rate = crate::report::float(written.len()) / options.seconds;
        outcome.describe(&mut run);
        if writes > 0 {
            run.set("write_rate", rate);
            written.describe_as(&mut run, "write_p50_ms", "write_p99_ms");
        }
        meter.finish(server, &mut run);
        line.push(run);
    }
    line.print();
    Ok(())
}

async fn list(
    options: &Options,
    server: &Server,
    world: &World,
    total: Total,
    path: &str,
    connections: usize,
) -> Fallible<()> {
    let mut line = Line::new("list", connections);
    line.label("records", options.records);
    line.label("total", total.name());
    line.label("rule", Rule::User.name());
    for _ in 0..options.runs {
        let workers = (0..connections).map(|_| Same::get(world, path)).collect();
        line.push(run(server, &world.target, workers, options.seconds).await?);
    }
    line.print();
    Ok(())
}

/// Path and query of the page to ask for.
async fn page(world: &World, total: Total, records: usize) -> Fallible<String> {
    let path = world.records_path();
    match total {
        Total::Exact => Ok(format!("{path}?sort=-created_at&skip=0&limit={PAGE}")),
        Total::None => Ok(format!("{path}?sort=-created_at&cursor=&limit={PAGE}")),
        Total::Deep => {
            let mut api = Api::open(&world.target).await?;
            let mut cursor = String::new();
            for _ in 0..(records / 200).max(1) {
                let query = format!(
                    "/records/{}?sort=-created_at&cursor={cursor}&limit=100",
                    world.collection
                );
                let answer = api.call("GET", &query, Some(&world.token), None).await?;
                let next = answer.get("next_cursor").and_then(Value::as_str);
                cursor = encoded(next.ok_or("the cursor walk ended before the middle")?);
            }
            Ok(format!(
                "{path}?sort=-created_at&cursor={cursor}&limit={PAGE}"
            ))
        }
    }
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Logins cost what the password hash costs; what matters is that the others do not notice.
async fn login(
    options: &Options,
    server: &Server,
    world: &World,
    ids: &Arc<[String]>,
    connections: usize,
) -> Fallible<()> {
    let readers = || {
        (0..BYSTANDERS)
            .map(|seed| Crud::new(world, ids, seed, 0))
            .collect::<Vec<_>>()
    };
    let mut line = Line::new("login", connections);
    line.label("gets_connections", BYSTANDERS);
    for _ in 0..options.runs {
        let alone = closed::run(&world.target, readers(), options.seconds / 2.0).await?;
        let only = (0..connections).map(|_| Same::login(world)).collect();
        let mut run = run(server, &world.target, only, options.seconds).await?;
        let both = (0..connections).map(|_| Same::login(world)).collect();
        let (logins, reads) = tokio::join!(
            closed::run(&world.target, both, options.seconds),
            closed::run(&world.target, readers(), options.seconds),
        );
        let (logins, reads) = (logins?, reads?);
        run.set("gets_alone_per_s", alone.rate(0));
        run.set("gets_meanwhile_per_s", reads.rate(0));
        run.set("logins_meanwhile_per_s", logins.rate(0));
        let [samples, _] = reads.samples;
        samples.describe_as(&mut run, "gets_meanwhile_p50_ms", "gets_meanwhile_p99_ms");
        line.push(run);
    }
    line.print();
    Ok(())
}

/// Creates, reads by id, or both.
struct Crud {
    world: World,
    ids: Arc<[String]>,
    path: String,
    random: u64,
    writes: u64,
    body: Vec<u8>,
    number: usize,
}

impl Crud {
    /// `writes` of a hundred requests are creates; they are the first class when there is nothing
    /// else.
    fn new(world: &World, ids: &Arc<[String]>, seed: usize, writes: u64) -> Self {
        Self {
            world: world.clone(),
            ids: Arc::clone(ids),
            path: world.records_path(),
            random: 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed as u64 + 1),
            writes,
            body: Vec::new(),
            number: seed << 32,
        }
    }

    /// Xorshift: good enough to spread over ids, and free.
    const fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

impl Work for Crud {
    fn next(&mut self, out: &mut Vec<u8>) -> Fallible<usize> {
        let token = Some(self.world.token.clone());
        if self.random() % 100 < self.writes {
            self.body.clear();
            self.number += 1;
            self.world.record_body(
                &mut self.body,
                self.number,
                "Quarterly figures, written under load",
            )?;
            self.world.target.head(
                out,
                "POST",
                &self.path,
                token.as_deref(),
                Some(self.body.len()),
            );
            out.extend_from_slice(&self.body);
            return Ok(usize::from(self.writes < 100));
        }
        let pick = usize::try_from(self.random() % self.ids.len().max(1) as u64)?;
        let id = self.ids.get(pick).ok_or("there are no records to read")?;
        self.world.target.head(
            out,
            "GET",
            &format!("{}/{id}", self.path),
            token.as_deref(),
            None,
        );
        Ok(0)
    }
}

/// The same bytes again and again.
struct Same {
    bytes: Vec<u8>,
}

impl Same {
    fn get(world: &World, path: &str) -> Self {
        let mut bytes = Vec::new();
        world
            .target
            .head(&mut bytes, "GET", path, Some(&world.token), None);
        Self { bytes }
    }

    fn login(world: &World) -> Self {
        let mut bytes = Vec::new();
        let body = world.credentials();
        world.target.head(
            &mut bytes,
            "POST",
            "/api/v1/auth/login",
            None,
            Some(body.len()),
        );
        bytes.extend_from_slice(&body);
        Self { bytes }
    }
}

impl Work for Same {
    fn next(&mut self, out: &mut Vec<u8>) -> Fallible<usize> {
        out.extend_from_slice(&self.bytes);
        Ok(0)
    }
}
