//! From single measurements to one JSON line: percentiles within a run, medians over the runs.

use std::time::Duration;

use serde_json::{Map, Value};

/// Latencies of one run.
#[derive(Debug, Default)]
pub struct Samples {
    nanos: Vec<u64>,
}

impl Samples {
    /// Adds one latency.
    pub fn add(&mut self, latency: Duration) {
        self.nanos
            .push(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Takes over another worker's latencies.
    pub fn absorb(&mut self, other: Self) {
        self.nanos.extend(other.nanos);
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.nanos.len()
    }

    /// Adds p50, p90, p99 and the maximum to a run, in milliseconds.
    pub fn describe(mut self, run: &mut Run) {
        self.nanos.sort_unstable();
        run.set("p50_ms", self.quantile(50));
        run.set("p90_ms", self.quantile(90));
        run.set("p99_ms", self.quantile(99));
        run.set("max_ms", self.quantile(100));
    }

    /// Adds p50 and p99 under names of their own.
    pub fn describe_as(mut self, run: &mut Run, p50: &'static str, p99: &'static str) {
        self.nanos.sort_unstable();
        run.set(p50, self.quantile(50));
        run.set(p99, self.quantile(99));
    }

    /// Nearest rank, in milliseconds; needs sorted samples.
    fn quantile(&self, percent: usize) -> f64 {
        let rank = (self.nanos.len() * percent).div_ceil(100).saturating_sub(1);
        self.nanos.get(rank).map_or(0.0, |&nanos| {
            Duration::from_nanos(nanos).as_secs_f64() * 1e3
        })
    }
}

/// What one run found, by name.
#[derive(Debug, Default, Clone)]
pub struct Run {
    values: Vec<(&'static str, f64)>,
}

impl Run {
    /// Sets a value.
    pub fn set(&mut self, name: &'static str, value: f64) {
        self.values.push((name, value));
    }

    /// Sets a count.
    pub fn count(&mut self, name: &'static str, count: usize) {
        self.set(name, float(count));
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.values
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value)
    }
}

/// One line of output: what was measured, and its runs.
#[derive(Debug)]
pub struct Line {
    labels: Map<String, Value>,
    runs: Vec<Run>,
}

impl Line {
    /// A line without runs.
    pub fn new(scenario: &str, connections: usize) -> Self {
        let mut line = Self {
            labels: Map::new(),
            runs: Vec::new(),
        };
        line.label("scenario", scenario);
        line.label("connections", connections);
        line
    }

    /// Says more about what was measured.
    pub fn label(&mut self, name: &str, value: impl Into<Value>) {
        self.labels.insert(name.to_owned(), value.into());
    }

    /// Adds a run.
    pub fn push(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// Prints the medians. The single rates stay visible, since their spread tells how far to trust
    /// the median; failures are added up, since a median would hide them.
    pub fn print(self) {
        let mut line = self.labels;
        line.insert("runs".to_owned(), self.runs.len().into());
        for (name, _) in self
            .runs
            .first()
            .map(|run| run.values.as_slice())
            .unwrap_or_default()
        {
            let values: Vec<f64> = self.runs.iter().filter_map(|run| run.get(name)).collect();
            let value = match *name {
                "errors" | "lost" | "duplicates" | "out_of_order" | "closed" => values.iter().sum(),
                "orders" => values.iter().copied().fold(0.0, f64::max),
                _ => median(values.clone()),
            };
            line.insert((*name).to_owned(), number(value));
            if *name == "rate" {
                line.insert("rates".to_owned(), values.into_iter().map(number).collect());
            }
        }
        println!("{}", Value::Object(line));
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Three decimals are more than a shared machine can repeat.
fn number(value: f64) -> Value {
    let rounded = (value * 1e3).round() / 1e3;
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
        // Goes through text because there is no lossless cast from a float to an integer.
        return format!("{rounded:.0}")
            .parse::<i64>()
            .map_or(Value::Null, Value::from);
    }
    Value::from(rounded)
}

/// A count as a number to divide.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub const fn float(count: usize) -> f64 {
    count as f64
}
