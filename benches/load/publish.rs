//! Creates numbered records from a thread of its own, so that the subscribers' work does not delay
//! the publishers and count as the server's latency.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::report::{Samples, float};
use crate::tally::{Tally, title};
use crate::wire::{Connection, Fallible};
use crate::world::World;

/// What the publishers saw.
#[derive(Debug, Default)]
pub struct Published {
    /// Time from each request to its response
    pub latencies: Samples,
    /// Requests that were not answered with success
    pub errors: usize,
    /// Time from the first request to the last response
    pub elapsed: Duration,
}

/// Creates the tally's `events`, evenly spread over its publishers, at a pace or as fast as they
/// are answered.
pub async fn publish(
    world: &World,
    tally: &Arc<Tally>,
    events: usize,
    pace: Option<f64>,
) -> Fallible<Published> {
    let (world, tally) = (world.clone(), Arc::clone(tally));
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("publishers".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let published = match runtime {
                Ok(runtime) => runtime.block_on(all(world, tally, events, pace)),
                Err(error) => Err(error.into()),
            };
            // Nobody waits any more only when the program is about to end.
            drop(sender.send(published));
        })?;
    receiver.await?
}

async fn all(
    world: World,
    tally: Arc<Tally>,
    events: usize,
    pace: Option<f64>,
) -> Fallible<Published> {
    let mut jobs = JoinSet::new();
    let begin = Instant::now();
    for number in 0..tally.publishers {
        let connection = Connection::open(&world.target).await?;
        let numbers = (number..events).step_by(tally.publishers);
        jobs.spawn(one(
            world.clone(),
            Arc::clone(&tally),
            connection,
            numbers,
            pace,
            begin,
        ));
    }
    let mut total = Published::default();
    while let Some(published) = jobs.join_next().await {
        let published = published??;
        total.latencies.absorb(published.latencies);
        total.errors += published.errors;
    }
    total.elapsed = begin.elapsed();
    Ok(total)
}

async fn one(
    world: World,
    tally: Arc<Tally>,
    mut connection: Connection,
    numbers: impl Iterator<Item = usize>,
    pace: Option<f64>,
    begin: Instant,
) -> Fallible<Published> {
    let mut published = Published::default();
    let (mut body, mut request) = (Vec::new(), Vec::new());
    let path = world.records_path();
    for number in numbers {
        if let Some(pace) = pace {
            tokio::time::sleep_until(
                (begin + Duration::from_secs_f64(float(number) / pace)).into(),
            )
            .await;
        }
        let event = tally.first + number;
        body.clear();
        request.clear();
        world.record_body(&mut body, event, &title(event))?;
        world.target.head(
            &mut request,
            "POST",
            &path,
            Some(&world.token),
            Some(body.len()),
        );
        request.extend_from_slice(&body);
        let sent = tally.now();
        let clock = Instant::now();
        match connection.exchange(&request).await {
            Ok(201) => {
                tally.answered(event, sent);
                published.latencies.add(clock.elapsed());
            }
            Ok(status) => {
                if published.errors == 0 {
                    eprintln!(
                        "a create was answered with {status} {}",
                        String::from_utf8_lossy(connection.body())
                    );
                }
                published.errors += 1;
            }
            Err(error) => {
                eprintln!("a create failed: {error}");
                published.errors += 1;
                connection = Connection::open(&world.target).await?;
            }
        }
    }
    Ok(published)
}
