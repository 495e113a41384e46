//! What the server did lately: its last requests, and figures for each minute of a day. In memory only, since the
//! start of this process; for the admin UI. What is to be kept belongs into Prometheus.

mod minutes;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{HeaderValue, Method, StatusCode};
use chrono::{DateTime, Utc};

use crate::clock::Clock;
use minutes::Minutes;
pub use minutes::{Load, Minute};

/// So many requests are remembered.
const REMEMBERED: usize = 2_000;
/// A longer path is cut here.
const MAX_PATH: usize = 512;

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

/// A request that was answered. Its query is not kept: it may hold a token.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Counts up; the newest has the highest.
    pub number: u64,
    /// When the answer was ready.
    pub at: DateTime<Utc>,
    /// The method.
    pub method: Method,
    /// The path, without the query.
    pub path: String,
    /// The status of the answer.
    pub status: StatusCode,
    /// How long it took.
    pub elapsed: Duration,
    /// Where it came from, as far as that is known.
    pub address: Option<IpAddr>,
    /// The id that the answer and the log carry.
    pub correlation_id: HeaderValue,
}

/// A request, as it comes.
#[derive(Debug)]
pub struct Asked {
    method: Method,
    path: String,
    address: Option<IpAddr>,
}

impl Asked {
    /// What is remembered of a request; `None` for those that tell nobody anything: health checks and static files.
    pub fn worth_remembering(method: &Method, path: &str, address: Option<IpAddr>) -> Option<Self> {
        if !path.starts_with("/api/") {
            return None;
        }
        let end = path.floor_char_boundary(MAX_PATH);
        Some(Self { method: method.clone(), path: path[..end].to_owned(), address })
    }
}

/// Which requests are asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only this method.
    pub method: Option<Method>,
    /// Only statuses from here.
    pub status_from: Option<u16>,
    /// Only statuses to here.
    pub status_to: Option<u16>,
    /// Only paths that contain this.
    pub path: Option<String>,
    /// Only what took at least this long.
    pub at_least: Duration,
    /// Only requests before this number.
    pub before: Option<u64>,
    /// Requests at most.
    pub limit: usize,
}

impl Wanted {
    fn fits(&self, request: &Answered) -> bool {
        let status = request.status.as_u16();
        self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.status_from.is_none_or(|from| status >= from)
            && self.status_to.is_none_or(|to| status <= to)
            && self.path.as_ref().is_none_or(|part| request.path.contains(part))
            && request.elapsed >= self.at_least
            && self.before.is_none_or(|before| request.number < before)
    }
}

impl Traffic {
    /// Nothing yet.
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner { since: clock.now(), clock, seen: Mutex::default() }))
    }

    /// Remembers an answer.
    pub fn answered(&self, asked: Asked, status: StatusCode, elapsed: Duration, correlation_id: &HeaderValue) {
        let at = self.0.clock.now();
        let mut seen = self.seen();
        seen.minutes.count(at, status, elapsed);
        seen.last_number += 1;
        let number = seen.last_number;
        let Asked { method, path, address } = asked;
        let correlation_id = correlation_id.clone();
        if seen.recent.len() == REMEMBERED {
            seen.recent.pop_front();
        }
        seen.recent.push_back(Answered { number, at, method, path, status, elapsed, address, correlation_id });
    }

    /// Notes what the server carries at this moment.
    pub fn observe(&self, load: Load) {
        let at = self.0.clock.now();
        self.seen().minutes.observe(at, load);
    }

    /// The newest requests that fit, newest first.
    pub fn recent(&self, wanted: &Wanted) -> Vec<Answered> {
        let seen = self.seen();
        seen.recent.iter().rev().filter(|request| wanted.fits(request)).take(wanted.limit).cloned().collect()
    }

    /// The figures of each minute of the span that ends now; minutes in which nothing happened are there, too.
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

    fn traffic(requests: &[(&str, u16)]) -> Traffic {
        let traffic = Traffic::new(Clock::Fixed(Arc::new(0.into())));
        for (path, status) in requests {
            let asked = Asked::worth_remembering(&Method::GET, path, None).expect("an API path");
            let status = StatusCode::from_u16(*status).expect("a status");
            traffic.answered(asked, status, Duration::from_millis(1), &HeaderValue::from_static("cid"));
        }
        traffic
    }

    fn paths(requests: &[Answered]) -> Vec<&str> {
        requests.iter().map(|request| request.path.as_str()).collect()
    }

    #[test]
    fn the_newest_requests_come_first_and_the_oldest_are_forgotten() {
        let many = vec![("/api/v1/x", 200); REMEMBERED + 5];
        let traffic = traffic(&many);
        let all = traffic.recent(&Wanted { limit: usize::MAX, ..Wanted::default() });
        assert_eq!(all.len(), REMEMBERED);
        assert_eq!(all[0].number, REMEMBERED as u64 + 5);
        assert_eq!(all.last().map(|request| request.number), Some(6));
    }

    #[test]
    fn requests_are_found_by_status_path_and_number() {
        let traffic = traffic(&[("/api/a", 200), ("/api/b", 404), ("/api/a", 500)]);
        let wanted = Wanted { limit: 9, ..Wanted::default() };
        let failed = Wanted { status_from: Some(400), ..wanted.clone() };
        assert_eq!(paths(&traffic.recent(&failed)), ["/api/a", "/api/b"]);
        let a = Wanted { path: Some("i/a".into()), before: Some(3), ..wanted.clone() };
        assert_eq!(paths(&traffic.recent(&a)), ["/api/a"]);
        assert!(traffic.recent(&Wanted { method: Some(Method::POST), ..wanted }).is_empty());
    }

    #[test]
    fn health_checks_and_files_are_not_remembered_and_long_paths_are_cut() {
        for path in ["/health", "/metrics", "/admin/assets/x.js"] {
            assert!(Asked::worth_remembering(&Method::GET, path, None).is_none(), "{path}");
        }
        let long = format!("/api/{}", "ä".repeat(MAX_PATH));
        let asked = Asked::worth_remembering(&Method::GET, &long, None).expect("an API path");
        assert!(asked.path.len() <= MAX_PATH);
    }
}
