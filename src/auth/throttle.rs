//! Who tries too often has to wait: sign-in, registration, links in mails.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::bucket::{Buckets, Key, Rate, key, network};
use crate::clock::Clock;
use crate::config::LimitsConfig;
use crate::error::{Error, Result};

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// Guessing a password or a token; only failures count.
    Guess,
    /// Registering.
    Register,
    /// Having a mail sent.
    Mail,
    /// Being written down as somebody who has to wait.
    Notice,
}

/// Counts attempts for each address and each identity; cheap to clone.
///
/// Every counter is a bucket of tokens that is full at first and is refilled within the window. Memory is bounded.
#[derive(Clone)]
pub struct Throttle {
    limits: Arc<LimitsConfig>,
    buckets: Buckets,
}

impl Throttle {
    /// With the configured numbers.
    pub fn new(limits: &LimitsConfig, clock: Clock) -> Self {
        let window = Duration::from_secs(limits.throttle_window_seconds.into());
        Self { limits: Arc::new(limits.clone()), buckets: Buckets::new(clock, window) }
    }

    /// Refuses if too many attempts were counted already.
    pub fn check(&self, door: Door, address: Option<IpAddr>, identity: Option<&str>) -> Result<()> {
        self.each(door, address, identity, 0.0)
    }

    /// Counts an attempt.
    pub fn count(&self, door: Door, address: Option<IpAddr>, identity: Option<&str>) {
        // Whether that was one too many is asked before the next.
        let _ = self.each(door, address, identity, 1.0);
    }

    /// Refuses if too many attempts were counted already, and counts this one.
    pub fn enter(&self, door: Door, address: Option<IpAddr>, identity: Option<&str>) -> Result<()> {
        self.check(door, address, identity)?;
        self.count(door, address, identity);
        Ok(())
    }

    /// Whether a refusal is worth being written down: the first within the window for this address and for this identity.
    /// More would let whoever is refused fill the disk.
    pub fn is_news(&self, address: Option<IpAddr>, identity: &str) -> bool {
        self.enter(Door::Notice, address, Some(identity)).is_ok()
    }

    fn each(&self, door: Door, address: Option<IpAddr>, identity: Option<&str>, taken: f64) -> Result<()> {
        if !self.limits.throttle_enabled {
            return Ok(());
        }
        let (per_address, per_identity) = match door {
            Door::Guess => (self.limits.login_failures_per_address, self.limits.login_failures_per_identity),
            Door::Register => (self.limits.registrations_per_address, self.limits.registrations_per_address),
            Door::Mail => (self.limits.mails_per_address, self.limits.mails_per_identity),
            Door::Notice => (1, 1),
        };
        let by_address = address.map(|address| (key(&[door as u8, b'a'], &network(address)), per_address));
        let by_identity = identity.map(|identity| (key(&[door as u8, b'i'], identity.as_bytes()), per_identity));
        let waits = by_address.into_iter().chain(by_identity).map(|(key, limit)| self.take(key, limit, taken));
        match waits.max() {
            Some(wait) if wait > 0 => Err(Error::RateLimited { retry_after: wait }),
            _ => Ok(()),
        }
    }

    /// Takes from a bucket; the answer is the number of seconds until there is a token again.
    fn take(&self, key: Key, limit: u32, taken: f64) -> u64 {
        let limit = f64::from(limit);
        let rate = Rate { capacity: limit, per_second: limit / f64::from(self.limits.throttle_window_seconds) };
        if taken == 0.0 && !self.buckets.knows(&key) {
            return 0;
        }
        self.buckets.drain(key, rate, taken).wait
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[test]
    fn failures_count_by_identity_and_by_address_and_are_forgiven_with_time() {
        let time = Arc::new(AtomicI64::new(0));
        let limits = LimitsConfig {
            login_failures_per_identity: 2,
            login_failures_per_address: 4,
            throttle_window_seconds: 60,
            ..LimitsConfig::default()
        };
        let throttle = Throttle::new(&limits, Clock::Fixed(time.clone()));
        let address = Some("192.0.2.1".parse().unwrap());
        let other = Some("2001:db8::1".parse().unwrap());
        let neighbour = Some("2001:db8::2".parse().unwrap());
        for _ in 0..2 {
            throttle.check(Door::Guess, address, Some("ann")).unwrap();
            throttle.count(Door::Guess, address, Some("ann"));
        }
        let refused = throttle.check(Door::Guess, other, Some("ann"));
        assert!(matches!(refused, Err(Error::RateLimited { retry_after: 30 })), "{refused:?}");
        throttle.check(Door::Guess, address, Some("bob")).unwrap();
        throttle.check(Door::Mail, address, Some("ann")).unwrap();
        for identity in ["bob", "cid"] {
            throttle.count(Door::Guess, address, Some(identity));
        }
        assert!(throttle.check(Door::Guess, address, None).is_err());
        for _ in 0..4 {
            throttle.count(Door::Guess, other, None);
        }
        assert!(throttle.check(Door::Guess, neighbour, None).is_err());
        assert!(throttle.is_news(address, "ann"));
        assert!(!throttle.is_news(address, "bob") && !throttle.is_news(None, "ann"));
        assert!(throttle.is_news(other, "cid"));
        time.store(30_000, Ordering::Relaxed);
        throttle.check(Door::Guess, address, Some("ann")).unwrap();
    }
}
