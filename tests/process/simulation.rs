//! Random worlds: many write, rules (also about other records), roles, groups and fields change,
//! people are shut out, servers crash, clients come and go, read slowly and go on after breaks;
//! some see references expanded. In the end everybody holds what the list shows, whatever happened
//! in between; and on the way nobody is told anything twice, in another order, or before it is
//! true.
//!
//! Each run has a seed, which decides about everything but the speed of the machine. Every third
//! run is one of processes: one that is killed and started again, or two on one PostgreSQL.
//! `SNACKBASE_TEST_SIMULATIONS=500` makes more runs on each database, `SNACKBASE_TEST_SEED=17`
//! repeats one. A failure writes down what everybody did and heard.

mod channel;
mod cluster;
mod dice;
mod listener;
mod trace;
mod upsets;
mod witness;
mod world;
mod writers;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::harness::Backend;
use cluster::Cluster;
use dice::Dice;
use listener::{Listener, Manner, View, Who};
use world::World;

crate::both![everybody_holds_what_the_list_shows_in_the_end];

/// Runs on each database, unless the environment says otherwise.
const RUNS: u64 = 20;
/// Every so many runs the servers are processes.
const APART: u64 = 3;
const WRITERS: usize = 3;
/// How long everything may take that is not waiting for the end.
const LONGEST: Duration = Duration::from_mins(2);
/// How long it may take until everybody knows everything.
const SETTLING: Duration = Duration::from_secs(30);

const FILTERS: [&str; 4] = [
    "n < 10",
    "n > 2 && n < 14",
    "n != 4 && n < 100",
    "n < 100 && created_by != ''",
];
const FIELDS: &str = "n,stamp,phone,parent,topic";
/// References to records that nobody changes: what was told of them once is what is there in the
/// end.
const REFERENCES: Option<&str> = Some("topic.area");

/// Who listens, and to what. Only slow readers see what is huge.
fn listeners(world: &Arc<World>, dice: &mut Dice) -> Vec<Listener> {
    let slow = |is_stream| View {
        is_stream,
        manner: Manner::Slow,
        ..View::default()
    };
    let quick = |dice: &mut Dice, is_stream| View {
        is_stream,
        filter: Some(*dice.pick(&FILTERS)),
        ..View::default()
    };
    let account = Some(world.member.account_id.clone());
    let record = |dice: &mut Dice| Some(dice.pick(&world.anchors).clone());
    let projected = View {
        fields: Some(FIELDS),
        ..View::default()
    };
    let all: [(Who, View); 12] = [
        (
            |world| &world.admin,
            View {
                account: account.clone(),
                old: true,
                ..slow(false)
            },
        ),
        (|world| &world.admin, slow(true)),
        (
            |world| &world.member,
            View {
                expand: REFERENCES,
                ..slow(false)
            },
        ),
        (
            |world| &world.colleague,
            View {
                old: true,
                ..quick(dice, false)
            },
        ),
        (
            |world| &world.colleague,
            View {
                is_stream: true,
                expand: REFERENCES,
                ..projected.clone()
            },
        ),
        (
            |world| &world.colleague,
            View {
                record: record(dice),
                expand: REFERENCES,
                ..View::default()
            },
        ),
        (|world| &world.member, quick(dice, true)),
        (
            |world| &world.third,
            View {
                old: true,
                ..projected.clone()
            },
        ),
        (|world| &world.third, quick(dice, true)),
        (
            |world| &world.third,
            View {
                record: record(dice),
                is_stream: true,
                ..View::default()
            },
        ),
        (|world| &world.stranger, quick(dice, false)),
        (
            |world| &world.admin,
            View {
                account,
                manner: Manner::Nervous,
                expand: REFERENCES,
                ..projected.clone()
            },
        ),
    ];
    let each = all.into_iter().enumerate();
    each.map(|(number, (person, view))| Listener::new(world, number, person, view))
        .collect()
}

/// What the servers counted.
#[derive(Default)]
struct Counted {
    overflows: u64,
    rejoins: u64,
}

async fn simulate(backend: Backend, seed: u64) -> Counted {
    let start = Instant::now();
    let mut dice = Dice::new(seed);
    let apart = seed.is_multiple_of(APART);
    let cluster = if apart {
        Cluster::apart(backend).await
    } else {
        Cluster::here(backend).await
    };
    let world = Arc::new(World::new(cluster, &mut dice).await);
    let listeners = listeners(&world, &mut dice);
    let mut hearing = JoinSet::new();
    for listener in &listeners {
        hearing.spawn(listener.clone().listen(dice.split()));
    }
    let mut doing = JoinSet::new();
    for number in 0..WRITERS {
        let (world, dice) = (world.clone(), dice.split());
        doing.spawn(async move { writers::write(&world, number, dice).await });
    }
    let (everything, own, chances) = (
        world.clone(),
        listeners.clone(),
        [dice.split(), dice.split(), dice.split()],
    );
    doing.spawn(async move {
        let [flood, upset, crash] = chances;
        let flood = writers::flood(&everything, flood);
        tokio::join!(
            flood,
            upsets::upset(&everything, &own, upset),
            upsets::crash(&everything, crash)
        );
        everything.calm.store(true, Ordering::Relaxed);
    });
    let outcome = watch(&listeners, &mut hearing, &mut doing).await;
    if let Err(failure) = outcome {
        let path = world
            .trace
            .write(&format!("simulation-{backend:?}-{seed}"), &failure);
        panic!("seed {seed} on {backend:?}, see {path}\n{failure}");
    }
    let [overflows, rejoins] = world.cluster.counted().await;
    let heard: u64 = listeners.iter().map(Listener::heard).sum();
    hearing.shutdown().await;
    let (kind, time) = (
        if apart { "processes" } else { "in process" },
        start.elapsed().as_millis(),
    );
    eprintln!(
        "seed {seed} on {backend:?}, {kind}: {heard} events heard, {overflows} queues overflowed, {rejoins} joined \
         again, {time} ms"
    );
    Counted { overflows, rejoins }
}

/// Waits until all is done and everybody holds what is there. Says what went wrong.
async fn watch(
    listeners: &[Listener],
    hearing: &mut JoinSet<()>,
    doing: &mut JoinSet<()>,
) -> Result<(), String> {
    let mut deadline = Instant::now() + LONGEST;
    let mut settling = false;
    loop {
        if let Some(ended) = hearing.try_join_next() {
            return Err(format!("a listener has ended: {}", reason(ended)));
        }
        while let Some(ended) = doing.try_join_next() {
            if ended.is_err() {
                return Err(reason(ended));
            }
        }
        if doing.is_empty() && !settling {
            (deadline, settling) = (Instant::now() + SETTLING, true);
        }
        let is_late = Instant::now() > deadline;
        let mut differences = String::new();
        for listener in listeners.iter().filter(|_| settling) {
            differences.extend(listener.difference().await);
            // To ask everybody again and again would be most of the work.
            if !differences.is_empty() && !is_late {
                break;
            }
        }
        if settling && differences.is_empty() {
            return Ok(());
        }
        if is_late {
            return Err(if settling {
                differences
            } else {
                "it takes too long".to_owned()
            });
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

fn reason(ended: Result<(), tokio::task::JoinError>) -> String {
    let Err(error) = ended else {
        return "without a reason".to_owned();
    };
    if !error.is_panic() {
        return error.to_string();
    }
    let panic = error.into_panic();
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

async fn everybody_holds_what_the_list_shows_in_the_end(backend: Backend) {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    if let Some(seed) = number("SNACKBASE_TEST_SEED") {
        simulate(backend, seed).await;
        return;
    }
    let (mut all, runs) = (
        Counted::default(),
        number("SNACKBASE_TEST_SIMULATIONS").unwrap_or(RUNS),
    );
    for seed in 1..=runs {
        eprintln!("simulation with seed {seed} on {backend:?}");
        let counted = simulate(backend, seed).await;
        all.overflows += counted.overflows;
        all.rejoins += counted.rejoins;
    }
    // Otherwise nothing was learned about slow readers.
    let Counted { overflows, rejoins } = all;
    assert!(
        overflows >= runs && rejoins >= runs,
        "only {overflows} queues overflowed, {rejoins} joined again"
    );
}
