//! Requests and load by the minute, for a day.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};

/// A day.
const KEPT: i64 = 24 * 60;
/// Each doubling of the time is divided into so many buckets.
const STEPS: u32 = 4;
/// Enough for 2^28 microseconds, four and a half minutes.
const BUCKETS: usize = 28 * STEPS as usize;

/// What happened in one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minute {
    /// Its beginning.
    pub at: DateTime<Utc>,
    /// Requests that were answered.
    pub requests: u64,
    /// Among them those with a 4xx.
    pub client_errors: u64,
    /// Among them those with a 5xx.
    pub server_errors: u64,
    /// Half of them took at most this long; `None` without requests.
    pub median: Option<Duration>,
    /// 19 of 20 took at most this long.
    pub p95: Option<Duration>,
    /// The most realtime connections that were seen at once; `None` if nobody looked.
    pub connections: Option<usize>,
    /// Events that were handed to realtime connections.
    pub deliveries: u64,
    /// How large the database was, in bytes, when somebody looked last; `None` if nobody did.
    pub database_bytes: Option<i64>,
}

/// What the server carries at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Realtime connections.
    pub connections: usize,
    /// Events that were handed to realtime connections since the start.
    pub delivered: u64,
    /// How large the database is, in bytes, where that was asked for.
    pub database_bytes: Option<i64>,
}

/// The minutes in which something happened, oldest first.
#[derive(Debug, Default)]
pub(super) struct Minutes {
    counts: VecDeque<Counts>,
    /// As of the last look.
    delivered: u64,
}

#[derive(Debug)]
struct Counts {
    minute: i64,
    requests: u64,
    client_errors: u64,
    server_errors: u64,
    times: Box<[u32; BUCKETS]>,
    connections: Option<usize>,
    deliveries: u64,
    database_bytes: Option<i64>,
}

impl Minutes {
    /// Counts an answer.
    pub(super) fn count(&mut self, at: DateTime<Utc>, status: u16, elapsed: Duration) {
        let counts = self.at(at);
        counts.requests += 1;
        counts.client_errors += u64::from((400..500).contains(&status));
        counts.server_errors += u64::from((500..600).contains(&status));
        counts.times[bucket(elapsed)] += 1;
    }

    /// Notes what the server carries.
    pub(super) fn observe(&mut self, at: DateTime<Utc>, load: Load) {
        let fresh = load.delivered.saturating_sub(self.delivered);
        self.delivered = load.delivered;
        let counts = self.at(at);
        counts.connections = counts.connections.max(Some(load.connections));
        counts.deliveries += fresh;
        counts.database_bytes = load.database_bytes.or(counts.database_bytes);
    }

    /// The minute of a time; a clock that was set back counts into the newest one.
    fn at(&mut self, at: DateTime<Utc>) -> &mut Counts {
        let minute = number_of(at);
        if self
            .counts
            .back()
            .is_none_or(|newest| newest.minute < minute)
        {
            while self
                .counts
                .front()
                .is_some_and(|oldest| oldest.minute <= minute - KEPT)
            {
                self.counts.pop_front();
            }
            self.counts.push_back(Counts::new(minute));
        }
        let newest = self.counts.len() - 1;
        &mut self.counts[newest]
    }

    /// Each minute of the span that ends at `now`.
    pub(super) fn last(&self, now: DateTime<Utc>, span: Duration) -> Vec<Minute> {
        let newest = number_of(now);
        let wanted = i64::try_from(span.as_secs() / 60)
            .unwrap_or(i64::MAX)
            .clamp(1, KEPT);
        let mut counts = self.counts.iter().peekable();
        let minutes = newest - wanted + 1..=newest;
        let of_minute = |minute| {
            while counts.peek().is_some_and(|counts| counts.minute < minute) {
                counts.next();
            }
            counts
                .next_if(|counts| counts.minute == minute)
                .map_or_else(|| quiet(minute), Counts::summary)
        };
        minutes.map(of_minute).collect()
    }
}

impl Counts {
    fn new(minute: i64) -> Self {
        Self {
            minute,
            requests: 0,
            client_errors: 0,
            server_errors: 0,
            times: Box::new([0; BUCKETS]),
            connections: None,
            deliveries: 0,
            database_bytes: None,
        }
    }

    fn summary(&self) -> Minute {
        Minute {
            requests: self.requests,
            client_errors: self.client_errors,
            server_errors: self.server_errors,
            median: self.quantile(1, 2),
            p95: self.quantile(19, 20),
            connections: self.connections,
            deliveries: self.deliveries,
            database_bytes: self.database_bytes,
            ..quiet(self.minute)
        }
    }

    /// The time that this share of the requests did not exceed.
    fn quantile(&self, part: u64, of: u64) -> Option<Duration> {
        let rank = (self.requests * part).div_ceil(of);
        let mut below = 0;
        let found = self.times.iter().position(|&count| {
            below += u64::from(count);
            below >= rank && below > 0
        });
        found.map(upper_bound)
    }
}

fn quiet(minute: i64) -> Minute {
    let at = DateTime::from_timestamp(minute * 60, 0).unwrap_or_default();
    Minute {
        at,
        requests: 0,
        client_errors: 0,
        server_errors: 0,
        median: None,
        p95: None,
        connections: None,
        deliveries: 0,
        database_bytes: None,
    }
}

fn number_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(60)
}

/// The bucket of a time: the power of two of its microseconds, and the two bits behind the highest.
fn bucket(elapsed: Duration) -> usize {
    let micros = u32::try_from(elapsed.as_micros())
        .unwrap_or(u32::MAX)
        .max(STEPS);
    let power = micros.ilog2();
    let step = (micros >> (power - STEPS.ilog2())) & (STEPS - 1);
    ((power * STEPS + step) as usize).min(BUCKETS - 1)
}

/// The longest time of a bucket.
fn upper_bound(bucket: usize) -> Duration {
    let (power, step) = (bucket / STEPS as usize, bucket % STEPS as usize);
    let width = (1_u64 << power) / u64::from(STEPS);
    Duration::from_micros((1 << power) + width * (step as u64 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("a time")
    }

    #[test]
    fn a_time_is_at_most_a_quarter_below_the_bound_of_its_bucket() {
        for micros in (4..2_000_000).step_by(37) {
            let time = Duration::from_micros(micros);
            let bound = upper_bound(bucket(time));
            assert!(
                time <= bound && bound <= time * 5 / 4 + Duration::from_micros(1),
                "{time:?}: {bound:?}"
            );
        }
        assert_eq!(bucket(Duration::ZERO), bucket(Duration::from_micros(4)));
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn every_minute_of_the_span_is_there() {
        let mut minutes = Minutes::default();
        minutes.count(at(60), 200, Duration::from_millis(1));
        minutes.count(at(119), 404, Duration::from_millis(100));
        minutes.count(at(241), 500, Duration::from_millis(1));
        let last = minutes.last(at(250), Duration::from_mins(5));
        let seen: Vec<_> = last
            .iter()
            .map(|m| {
                (
                    m.at.timestamp(),
                    m.requests,
                    m.client_errors,
                    m.server_errors,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                (0, 0, 0, 0),
                (60, 2, 1, 0),
                (120, 0, 0, 0),
                (180, 0, 0, 0),
                (240, 1, 0, 1)
            ]
        );
        assert!(
            last[1].median < Some(Duration::from_millis(2))
                && last[1].p95 >= Some(Duration::from_millis(100))
        );
        assert_eq!(last[2].median, None);
    }

    #[test]
    fn only_a_day_is_kept() {
        let mut minutes = Minutes::default();
        for minute in 0..2 * KEPT {
            minutes.count(at(minute * 60), 200, Duration::from_millis(1));
        }
        assert_eq!(minutes.counts.len(), 24 * 60);
    }

    #[test]
    fn a_minute_tells_the_most_connections_all_deliveries_and_the_last_size() {
        let mut minutes = Minutes::default();
        let looks = [
            (0, 2, 10, Some(4096)),
            (20, 5, 25, None),
            (50, 1, 30, Some(8192)),
            (130, 0, 31, None),
        ];
        for (seconds, connections, delivered, database_bytes) in looks {
            minutes.observe(
                at(seconds),
                Load {
                    connections,
                    delivered,
                    database_bytes,
                },
            );
        }
        let seen: Vec<_> = minutes
            .last(at(130), Duration::from_mins(3))
            .iter()
            .map(|minute| (minute.connections, minute.deliveries, minute.database_bytes))
            .collect();
        assert_eq!(
            seen,
            [
                (Some(5), 30, Some(8192)),
                (None, 0, None),
                (Some(0), 1, None)
            ]
        );
    }
}
