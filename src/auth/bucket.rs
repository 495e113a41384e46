//! Buckets of tokens: each is full at first, whoever does something takes from it, and time fills
//! it again.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::clock::Clock;

/// Buckets that are remembered.
const REMEMBERED: u64 = 100_000;

/// What a bucket is known by: a digest, so that no address or token is kept.
pub type Key = [u8; 16];

/// How many tokens fit into a bucket, and how many are added in a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The most tokens.
    pub capacity: f64,
    /// Tokens added in a second.
    pub per_second: f64,
}

/// The state of a bucket after something was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Seconds until there is a token; 0 if there was one, else at least 1.
    pub wait: u64,
    /// Whole tokens that are left.
    pub remaining: u64,
    /// Seconds until the bucket is full.
    pub full_in: u64,
}

/// Buckets by key; cheap to clone. Memory is bounded.
#[derive(Clone)]
pub struct Buckets {
    clock: Clock,
    buckets: Cache<Key, Arc<Mutex<Bucket>>>,
}

struct Bucket {
    tokens: f64,
    at: DateTime<Utc>,
}

impl Buckets {
    /// No buckets yet. `idle` is how long it takes at most until an empty bucket is full: then it
    /// may be forgotten.
    pub fn new(clock: Clock, idle: Duration) -> Self {
        // The least recently used go first: a new bucket is never refused in favour of old ones.
        let buckets = Cache::builder()
            .max_capacity(REMEMBERED)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(idle.max(Duration::from_secs(1)))
            .build();
        Self { clock, buckets }
    }

    /// Whether something was ever taken from this bucket.
    pub fn knows(&self, key: &Key) -> bool {
        self.buckets.contains_key(key)
    }

    /// Takes a token if there is one; `wait` says whether there was. A refusal costs nothing.
    pub fn take(&self, key: Key, rate: Rate) -> Level {
        self.change(
            key,
            rate,
            |tokens| if tokens >= 1.0 { tokens - 1.0 } else { tokens },
        )
    }

    /// Takes so many tokens, or what is left of one.
    pub fn drain(&self, key: Key, rate: Rate, taken: f64) -> Level {
        self.change(key, rate, |tokens| (tokens - taken).max(0.0))
    }

    fn change(&self, key: Key, rate: Rate, take: impl FnOnce(f64) -> f64) -> Level {
        let now = self.clock.now();
        let fresh = || {
            Arc::new(Mutex::new(Bucket {
                tokens: rate.capacity,
                at: now,
            }))
        };
        let bucket = self.buckets.get_with(key, fresh);
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = (now - bucket.at).as_seconds_f64().max(0.0);
        let tokens = (bucket.tokens + elapsed * rate.per_second).min(rate.capacity);
        *bucket = Bucket {
            tokens: take(tokens),
            at: now,
        };
        let wait = if tokens >= 1.0 {
            0.0
        } else {
            ((1.0 - tokens) / rate.per_second).ceil().max(1.0)
        };
        let full_in = ((rate.capacity - bucket.tokens) / rate.per_second).ceil();
        Level {
            wait: whole(wait),
            remaining: whole(bucket.tokens),
            full_in: whole(full_in),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never negative, and casts saturate"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

/// The key of something of a kind.
pub fn key(kind: &[u8], what: &[u8]) -> Key {
    let hash = Sha256::new()
        .chain_update(kind)
        .chain_update(what)
        .finalize();
    let mut key = [0; 16];
    key.copy_from_slice(&hash[..16]);
    key
}

/// The part of an address that counts: an IPv6 customer has a whole network of addresses, so the
/// first half.
pub fn network(address: IpAddr) -> [u8; 8] {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            [0, 0, 0, 0, a, b, c, d]
        }
        IpAddr::V6(v6) => {
            let mut half = [0; 8];
            half.copy_from_slice(&v6.octets()[..8]);
            half
        }
    }
}
