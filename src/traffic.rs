//! What the server did lately: its last requests, and figures for each minute of a day. In memory
//! only, since the start of this process; for the admin UI. What is to be kept belongs into
//! Prometheus.

mod minutes;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::request_facts::RequestFacts;
use minutes::Minutes;
pub use minutes::{Load, Minute};

/// So many requests are remembered.
const REMEMBERED: usize = 2_000;

/// What the server answered lately; cheap to clone.
#[derive(Clone)]
pub struct Traffic(Arc<Inner>);

struct Inner {
    clock: Clock,
    since: DateTime<Utc>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    last_number: u64,
    recent: VecDeque<Answered>,
    minutes: Minutes,
}

/// A request that was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Counts up; the newest has the highest.
    pub number: u64,
    /// When the answer was ready.
    pub at: DateTime<Utc>,
    /// Method, route, address and id. Paths and queries are not kept: they may hold tokens.
    pub request: Arc<RequestFacts>,
    /// The status of the answer.
    pub status: u16,
    /// How long it took.
    pub elapsed: Duration,
}

/// Which requests are asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only the method of this name.
    pub method: Option<String>,
    /// Only statuses from here.
    pub status_from: Option<u16>,
    /// Only statuses to here.
    pub status_to: Option<u16>,
    /// Only routes that contain this.
    pub route: Option<String>,
    /// Only what took at least this long.
    pub at_least: Duration,
    /// Only requests before this number.
    pub before: Option<u64>,
    /// Requests at most.
    pub limit: usize,
}

impl Wanted {
    fn fits(&self, answered: &Answered) -> bool {
        let (status, request) = (answered.status, &answered.request);
        self.method
            .as_ref()
            .is_none_or(|method| method.eq_ignore_ascii_case(request.method().name()))
            && self.status_from.is_none_or(|from| status >= from)
            && self.status_to.is_none_or(|to| status <= to)
            && self
                .route
                .as_ref()
                .is_none_or(|part| request.route().contains(part))
            && answered.elapsed >= self.at_least
            && self.before.is_none_or(|before| answered.number < before)
    }
}

impl Traffic {
    /// Nothing yet.
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner {
            since: clock.now(),
            clock,
            seen: Mutex::default(),
        }))
    }

    /// Remembers the answer to a request of the API.
    pub fn answered(&self, request: Arc<RequestFacts>, status: u16, elapsed: Duration) {
        let at = self.0.clock.now();
        let mut seen = self.seen();
        seen.minutes.count(at, status, elapsed);
        seen.last_number += 1;
        let number = seen.last_number;
        if seen.recent.len() == REMEMBERED {
            seen.recent.pop_front();
        }
        seen.recent.push_back(Answered {
            number,
            at,
            request,
            status,
            elapsed,
        });
    }

    /// Notes what the server carries at this moment.
    pub fn observe(&self, load: Load) {
        let at = self.0.clock.now();
        self.seen().minutes.observe(at, load);
    }

    /// The newest requests that fit, newest first.
    pub fn recent(&self, wanted: &Wanted) -> Vec<Answered> {
        let seen = self.seen();
        seen.recent
            .iter()
            .rev()
            .filter(|answered| wanted.fits(answered))
            .take(wanted.limit)
            .cloned()
            .collect()
    }

    /// The figures of each minute of the span that ends now; minutes in which nothing happened are
    /// there, too.
    pub fn minutes(&self, span: Duration) -> Vec<Minute> {
        let now = self.0.clock.now();
        self.seen().minutes.last(now, span)
    }

    /// When counting began.
    pub fn since(&self) -> DateTime<Utc> {
        self.0.since
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::request_facts::{RequestMethod, RequestOrigin};

    fn traffic(requests: &[(&str, u16)]) -> Traffic {
        let traffic = Traffic::new(Clock::Fixed(Arc::new(0.into())));
        for (route, status) in requests {
            let request =
                RequestFacts::new(RequestMethod::Get, Some(route), RequestOrigin::default());
            traffic.answered(Arc::new(request), *status, Duration::from_millis(1));
        }
        traffic
    }

    fn routes(requests: &[Answered]) -> Vec<&str> {
        requests
            .iter()
            .map(|answered| answered.request.route())
            .collect()
    }

    #[test]
    fn the_newest_requests_come_first_and_the_oldest_are_forgotten() {
        let many = vec![("/api/v1/x", 200); REMEMBERED + 5];
        let traffic = traffic(&many);
        let all = traffic.recent(&Wanted {
            limit: usize::MAX,
            ..Wanted::default()
        });
        assert_eq!(all.len(), REMEMBERED);
        assert_eq!(all[0].number, REMEMBERED as u64 + 5);
        assert_eq!(all.last().map(|request| request.number), Some(6));
    }

    #[test]
    fn requests_are_found_by_method_status_route_and_number() {
        let traffic = traffic(&[("/api/a", 200), ("/api/b", 404), ("/api/a", 500)]);
        let wanted = Wanted {
            limit: 9,
            ..Wanted::default()
        };
        let failed = Wanted {
            status_from: Some(400),
            ..wanted.clone()
        };
        assert_eq!(routes(&traffic.recent(&failed)), ["/api/a", "/api/b"]);
        let a = Wanted {
            route: Some("i/a".into()),
            before: Some(3),
            ..wanted.clone()
        };
        assert_eq!(routes(&traffic.recent(&a)), ["/api/a"]);
        assert_eq!(
            traffic
                .recent(&Wanted {
                    method: Some("get".into()),
                    ..wanted.clone()
                })
                .len(),
            3
        );
        assert!(
            traffic
                .recent(&Wanted {
                    method: Some("POST".into()),
                    ..wanted
                })
                .is_empty()
        );
    }
}
