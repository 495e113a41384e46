//! The closed loop: each connection sends its next request when the last one was answered.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::report::{Run, Samples, float};
use crate::wire::{Connection, Fallible, Target};

/// Time before a run that is not counted, for caches, pools and the processor's clock.
const WARM_UP: Duration = Duration::from_millis(500);

/// Produces the requests of one connection.
pub trait Work: Send + 'static {
    /// Writes the next request into the empty `out`; returns its class, an index into the result's
    /// samples.
    fn next(&mut self, out: &mut Vec<u8>) -> Fallible<usize>;
}

/// Latencies by class of request.
#[derive(Debug)]
pub struct Outcome {
    /// One per class
    pub samples: [Samples; 2],
    /// Failed requests
    pub errors: usize,
    window: Duration,
    first_failure: Option<String>,
}

impl Outcome {
    fn new(window: Duration) -> Self {
        Self {
            samples: [Samples::default(), Samples::default()],
            errors: 0,
            window,
            first_failure: None,
        }
    }

    /// Requests per second of one class.
    pub fn rate(&self, class: usize) -> f64 {
        float(self.samples.get(class).map_or(0, Samples::len)) / self.window.as_secs_f64()
    }

    /// Rate and percentiles of the first class.
    pub fn describe(self, run: &mut Run) {
        run.set("rate", self.rate(0));
        run.count("errors", self.errors);
        let [first, _] = self.samples;
        first.describe(run);
    }

    fn absorb(&mut self, other: Self) {
        for (mine, theirs) in self.samples.iter_mut().zip(other.samples) {
            mine.absorb(theirs);
        }
        self.errors += other.errors;
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }

    fn fail(&mut self, reason: String) {
        self.errors += 1;
        self.first_failure.get_or_insert(reason);
    }
}

/// Runs one worker per connection for the given time.
pub async fn run<W: Work>(target: &Target, workers: Vec<W>, seconds: f64) -> Fallible<Outcome> {
    let window = Duration::from_secs_f64(seconds);
    let begin = Instant::now() + WARM_UP;
    let mut jobs = JoinSet::new();
    for work in workers {
        let connection = Connection::open(target).await?;
        jobs.spawn(drive(target.clone(), connection, work, begin, window));
    }
    let mut total = Outcome::new(window);
    while let Some(outcome) = jobs.join_next().await {
        total.absorb(outcome??);
    }
    if let Some(reason) = &total.first_failure {
        eprintln!(
            "{} of the requests failed, the first with {reason}",
            total.errors
        );
    }
    Ok(total)
}

async fn drive<W: Work>(
    target: Target,
    mut connection: Connection,
    mut work: W,
    begin: Instant,
    window: Duration,
) -> Fallible<Outcome> {
    let mut outcome = Outcome::new(window);
    let mut request = Vec::new();
    let end = begin + window;
    loop {
        request.clear();
        let class = work.next(&mut request)?;
        let sent = Instant::now();
        if sent >= end {
            return Ok(outcome);
        }
        let answer = connection.exchange(&request).await;
        let answered = Instant::now();
        let counts = answered >= begin && answered < end;
        match answer {
            Ok(200..300) if counts => {
                if let Some(samples) = outcome.samples.get_mut(class) {
                    samples.add(answered - sent);
                }
            }
            Ok(200..300) => {}
            Ok(status) => {
                outcome.fail(format!(
                    "{status} {}",
                    String::from_utf8_lossy(connection.body())
                ));
            }
            Err(error) => {
                outcome.fail(error.to_string());
                connection = Connection::open(&target).await?;
            }
        }
    }
}
