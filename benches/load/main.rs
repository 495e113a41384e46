//! The load generator: what a SnackBase server does per second, how long it takes, and what it
//! costs.
//!
//! ```text
//! cargo bench --bench load -- create --spawn target/release/snackbase
//! cargo bench --bench load -- fanout --subscribers 100,1000 --paced 200 --url http://127.0.0.1:8000 --email … --password …
//! ```
//!
//! Each measurement prints one line of JSON with the medians of its runs. The generator shares the
//! machine with the server, so it avoids work: ready-made requests, no JSON parsing, one thread.
//! Times are in milliseconds; `generator_cpu_s` next to `server_cpu_s` tells which of the two was
//! busy.
//!
//! `requests` holds the scenarios that ask and wait, `fanout` and `matching` those with
//! subscribers, `hostile` those with an attacker; `wire` and `frames` speak the protocols, `world`
//! prepares the server's data, `server` starts and watches the process, `report` prints.

mod closed;
mod crowd;
mod fanout;
mod frames;
mod hostile;
mod limits;
mod matching;
mod options;
mod publish;
mod report;
mod requests;
mod server;
mod startup;
mod tally;
mod wire;
mod world;

use std::process::ExitCode;

use clap::Parser as _;

use fanout::Case;
use options::{Options, Rule, Scenario, Transport};
use server::Server;
use wire::Fallible;

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.threads.max(1))
        .enable_all()
        .build();
    // The work happens on the runtime's own threads; this one only waits for it.
    let done = match runtime {
        Ok(runtime) => runtime.block_on(async {
            tokio::spawn(dispatch(options))
                .await
                .map_err(Into::into)
                .flatten()
        }),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(options: Options) -> Fallible<()> {
    match options.scenario {
        None => {
            eprintln!("nothing to measure; see `cargo bench --bench load -- --help`");
            return Ok(());
        }
        Some(Scenario::All) => {}
        Some(one) => return scenario(one, &options).await,
    }
    for (scenario, options) in sensible(&options) {
        self::scenario(scenario, &options).await?;
    }
    Ok(())
}

/// One scenario in all its variants. Those with subscribers get a fresh server for each of them,
/// since memory once used stays with the process.
async fn scenario(scenario: Scenario, options: &Options) -> Fallible<()> {
    match scenario {
        Scenario::Start => return startup::measure(options).await,
        Scenario::Hostile => return hostile::measure(options).await,
        Scenario::Fanout
        | Scenario::SlowReader
        | Scenario::Resume
        | Scenario::Idle
        | Scenario::Match => {}
        _ => return requests::measure(scenario, options, &Server::of(options).await?).await,
    }
    for &transport in &options.transport {
        for &rule in &options.rule {
            for &subscribers in &options.subscribers {
                limits::allow_files(subscribers + options.publishers + 200)?;
                let case = Case {
                    subscribers,
                    transport,
                    rule,
                };
                let server = Server::of(options).await?;
                match scenario {
                    Scenario::Resume => fanout::resume(options, &server, case).await?,
                    Scenario::Idle => fanout::idle(options, &server, case).await?,
                    Scenario::Match => matching::measure(options, &server, case).await?,
                    _ => fanout::fanout(scenario, options, &server, case).await?,
                }
            }
        }
    }
    Ok(())
}

/// What `all` runs: everything that can be compared from one day to the next in a quarter of an
/// hour.
fn sensible(base: &Options) -> Vec<(Scenario, Options)> {
    let mut list: Vec<(Scenario, Options)> = [
        Scenario::Create,
        Scenario::Get,
        Scenario::List,
        Scenario::Mixed,
        Scenario::Login,
    ]
    .map(|scenario| (scenario, base.clone()))
    .into();
    let both = vec![Transport::Ws, Transport::Sse];
    let crowds = Options {
        subscribers: vec![1, 100, 1000],
        ..base.clone()
    };
    let rules = Options {
        subscribers: vec![1000],
        rule: vec![Rule::None, Rule::User, Rule::Role],
        ..base.clone()
    };
    list.push((
        Scenario::Fanout,
        Options {
            paced: Some(200.0),
            ..crowds.clone()
        },
    ));
    list.push((
        Scenario::Fanout,
        Options {
            paced: None,
            transport: both,
            ..rules
        },
    ));
    list.push((
        Scenario::Fanout,
        Options {
            paced: None,
            subscribers: vec![5000],
            ..base.clone()
        },
    ));
    list.push((
        Scenario::SlowReader,
        Options {
            subscribers: vec![1000],
            ..base.clone()
        },
    ));
    list.push((
        Scenario::Resume,
        Options {
            subscribers: vec![100],
            transport: vec![Transport::Sse],
            ..base.clone()
        },
    ));
    if base.spawn.is_some() || base.pid.is_some() {
        list.push((
            Scenario::Idle,
            Options {
                subscribers: vec![1000, 5000],
                ..base.clone()
            },
        ));
    }
    if base.spawn.is_some() {
        list.push((Scenario::Start, base.clone()));
    }
    list
}
