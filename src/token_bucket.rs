//! A token bucket for one sender: it is full at first, each message takes a token, and time fills it
//! again.

use tokio::time::Instant;

/// See the module.
#[derive(Debug)]
pub struct TokenBucket {
    per_second: f64,
    capacity: f64,
    tokens: f64,
    at: Instant,
}

impl TokenBucket {
    /// A full bucket that gains `per_second` tokens in a second, and holds as many as it gains in
    /// `burst_seconds`.
    pub fn new(per_second: u32, burst_seconds: f64, now: Instant) -> Self {
        let per_second = f64::from(per_second);
        let capacity = per_second * burst_seconds;
        Self {
            per_second,
            capacity,
            tokens: capacity,
            at: now,
        }
    }

    /// Takes a token; `false` if there is none.
    pub fn take(&mut self, now: Instant) -> bool {
        let gained = now.duration_since(self.at).as_secs_f64() * self.per_second;
        self.at = now;
        self.tokens = (self.tokens + gained).min(self.capacity);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_bounded_and_time_fills_the_bucket() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(2, 3.0, start);
        let taken = (0..10).filter(|_| bucket.take(start)).count();
        assert_eq!(taken, 6);
        let later = start + Duration::from_millis(1_100);
        assert!(bucket.take(later) && bucket.take(later) && !bucket.take(later));
        let much_later = start + Duration::from_secs(1_000);
        assert_eq!((0..10).filter(|_| bucket.take(much_later)).count(), 6);
    }
}
