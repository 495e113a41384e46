//! Who tries too often has to wait: sign-in, registration, links in mails.
//!
//! Wrong passwords count for the identity *and* the network they come from, so that nobody locks
//! out somebody else. What happens to one more attempt, with the limits of the configuration:
//!
//! | Counted before | |
//! |---|---|
//! | fewer than the limits | looked at |
//! | the limit for this identity from this network, or for this network | refused; where the user has signed in from this network before, looked at after a pause, one at a time, up to the limit again |
//! | five times the limit for this identity, from all networks | looked at after a pause, one at a time |

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::bucket::{Buckets, Key, Rate, key, network};
use crate::clock::Clock;
use crate::config::LimitsConfig;
use crate::error::{Error, Result};

/// Failures of one identity from all networks, in limits for one network, from which attempts are
/// slowed down.
const BRAKE_FACTOR: u32 = 5;
/// Further attempts of clients that are known, in limits for one network.
const KNOWN_CLIENT_FACTOR: u32 = 1;
/// How long an attempt that is slowed down waits before it is looked at.
const PAUSE: Duration = if cfg!(test) {
    Duration::from_millis(10)
} else {
    Duration::from_secs(1)
};
/// Slowed attempts for one identity that wait for their turn.
const MAX_WAITING: usize = 8;
/// Identities whose attempts are slowed down at once.
const MAX_QUEUES: u64 = 10_000;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// Guessing a password or a token; only failures count. An identity counts apart for each
    /// network.
    Guess,
    /// Guessing the password of one identity from anywhere.
    GuessFromAnywhere,
    /// Signing in from a network that is known, after too many failures.
    KnownClient,
    /// Signing in; only successes count.
    SignIn,
    /// Registering.
    Register,
    /// Having a mail sent.
    Mail,
    /// Being written down as somebody who has to wait.
    Notice,
}

/// How a sign-in is treated, going by those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is looked at.
    Open,
    /// It is looked at after a pause: too many others have failed for this identity.
    Braked,
    /// It is refused for so many seconds, unless the client is known.
    OverLimit(u64),
}

/// A slowed attempt whose turn it is; the next one's comes when this goes away.
#[derive(Debug)]
pub struct SlowTurn {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

/// Slowed attempts of one kind: one at a time, and few wait.
#[derive(Clone)]
struct SlowQueue {
    places: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

/// Counts attempts for each address and each identity; cheap to clone.
///
/// Every counter is a bucket of tokens that is full at first and is refilled within the window.
/// Memory is bounded.
#[derive(Clone)]
pub struct Throttle {
    limits: Arc<LimitsConfig>,
    buckets: Buckets,
    queues: Cache<Key, SlowQueue>,
}

impl Throttle {
    /// With the configured numbers.
    pub fn new(limits: &LimitsConfig, clock: Clock) -> Self {
        let window = Duration::from_secs(limits.throttle_window_seconds.into());
        let queues = Cache::builder()
            .max_capacity(MAX_QUEUES)
            .time_to_idle(Duration::from_mins(1))
            .build();
        Self {
            limits: Arc::new(limits.clone()),
            buckets: Buckets::new(clock, window),
            queues,
        }
    }

    /// How a sign-in is to be treated.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if the identity has signed in too often.
    pub fn admit(&self, address: Option<IpAddr>, identity: &str) -> Result<Admission> {
        self.check(Door::SignIn, None, Some(identity))?;
        let by_address = self.check(Door::SignIn, address, None);
        Ok(
            match by_address.and_then(|()| self.check(Door::Guess, address, Some(identity))) {
                Err(Error::RateLimited { retry_after }) => Admission::OverLimit(retry_after),
                _ if self
                    .check(Door::GuessFromAnywhere, None, Some(identity))
                    .is_err() =>
                {
                    Admission::Braked
                }
                _ => Admission::Open,
            },
        )
    }

    /// What a wrong token is answered: it counts, and beyond the limit whoever guesses has to wait.
    /// Right tokens never have to, whatever others guess from the same network: there is nothing to
    /// be gained by guessing at them.
    pub fn wrong_token(&self, address: Option<IpAddr>, refusal: Error) -> Error {
        self.enter(Door::Guess, address, None)
            .err()
            .unwrap_or(refusal)
    }

    /// Counts a wrong password.
    pub fn count_failure(&self, address: Option<IpAddr>, identity: &str) {
        self.count(Door::Guess, address, Some(identity));
        self.count(Door::GuessFromAnywhere, None, Some(identity));
    }

    /// Waits for the turn of an attempt for an identity that others have guessed at, and pauses.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if too many wait already.
    pub async fn brake(&self, identity: &str) -> Result<SlowTurn> {
        self.slow(key(b"brake", identity.as_bytes()), MAX_WAITING)
            .await
    }

    /// Lets an attempt pass that is over the limit, from a client that is known, after a pause.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if there were too many of these as well, or another is being looked
    /// at.
    pub async fn let_known_client_through(
        &self,
        address: Option<IpAddr>,
        identity: &str,
    ) -> Result<SlowTurn> {
        self.check(Door::KnownClient, address, Some(identity))?;
        let turn = self
            .slow(pair_key(b"known client", address, identity), 1)
            .await?;
        self.enter(Door::KnownClient, address, Some(identity))?;
        Ok(turn)
    }

    async fn slow(&self, key: Key, places: usize) -> Result<SlowTurn> {
        let queue = self.queues.get_with(key, || SlowQueue {
            places: Arc::new(Semaphore::new(places)),
            turn: Arc::new(Semaphore::new(1)),
        });
        let busy = |_| Error::RateLimited {
            retry_after: PAUSE.as_secs().max(1),
        };
        let place = queue.places.try_acquire_owned().map_err(busy)?;
        let turn = queue.turn.acquire_owned().await.map_err(Error::internal)?;
        tokio::time::sleep(PAUSE).await;
        Ok(SlowTurn {
            _place: place,
            _turn: turn,
        })
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

    /// Whether a refusal is worth being written down: the first within the window for this address
    /// and for this identity. More would let whoever is refused fill the disk.
    pub fn is_news(&self, address: Option<IpAddr>, identity: &str) -> bool {
        self.enter(Door::Notice, address, Some(identity)).is_ok()
    }

    fn each(
        &self,
        door: Door,
        address: Option<IpAddr>,
        identity: Option<&str>,
        taken: f64,
    ) -> Result<()> {
        if !self.limits.throttle_enabled {
            return Ok(());
        }
        let limits = &*self.limits;
        let (per_address, per_identity) = match door {
            Door::Guess => (
                Some(limits.login_failures_per_address),
                limits.login_failures_per_identity,
            ),
            Door::GuessFromAnywhere => (
                None,
                limits
                    .login_failures_per_identity
                    .saturating_mul(BRAKE_FACTOR),
            ),
            Door::KnownClient => (
                None,
                limits
                    .login_failures_per_identity
                    .saturating_mul(KNOWN_CLIENT_FACTOR),
            ),
            Door::SignIn => (
                Some(limits.sign_ins_per_address),
                limits.sign_ins_per_identity,
            ),
            Door::Register => (
                Some(limits.registrations_per_address),
                limits.registrations_per_address,
            ),
            Door::Mail => (Some(limits.mails_per_address), limits.mails_per_identity),
            Door::Notice => (Some(1), 1),
        };
        let by_address = address
            .zip(per_address)
            .map(|(address, limit)| (key(&[door as u8, b'a'], &network(address)), limit));
        let by_identity = identity.map(|identity| match door {
            Door::Guess | Door::KnownClient => (
                pair_key(&[door as u8, b'p'], address, identity),
                per_identity,
            ),
            _ => (key(&[door as u8, b'i'], identity.as_bytes()), per_identity),
        });
        let waits = by_address
            .into_iter()
            .chain(by_identity)
            .map(|(key, limit)| self.take(key, limit, taken));
        match waits.max() {
            Some(wait) if wait > 0 => Err(Error::RateLimited { retry_after: wait }),
            _ => Ok(()),
        }
    }

    /// Takes from a bucket; the answer is the number of seconds until there is a token again.
    fn take(&self, key: Key, limit: u32, taken: f64) -> u64 {
        let limit = f64::from(limit);
        let rate = Rate {
            capacity: limit,
            per_second: limit / f64::from(self.limits.throttle_window_seconds),
        };
        if taken == 0.0 && !self.buckets.knows(&key) {
            return 0;
        }
        self.buckets.drain(key, rate, taken).wait
    }
}

/// The key of an identity together with a network.
fn pair_key(kind: &[u8], address: Option<IpAddr>, identity: &str) -> Key {
    let mut pair = address.map_or([0xff; 8], network).to_vec();
    pair.extend_from_slice(identity.as_bytes());
    key(kind, &pair)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn throttle(time: &Arc<AtomicI64>) -> Throttle {
        let limits = LimitsConfig {
            login_failures_per_identity: 2,
            login_failures_per_address: 4,
            sign_ins_per_identity: 3,
            throttle_window_seconds: 60,
            ..LimitsConfig::default()
        };
        Throttle::new(&limits, Clock::Fixed(time.clone()))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn failures_count_by_identity_and_network_and_are_forgiven_with_time() {
        let time = Arc::new(AtomicI64::new(0));
        let throttle = throttle(&time);
        let [here, there, neighbour] =
            ["192.0.2.1", "2001:db8::1", "2001:db8::2"].map(|text| Some(address(text)));
        for _ in 0..2 {
            assert_eq!(throttle.admit(here, "ann").unwrap(), Admission::Open);
            throttle.count_failure(here, "ann");
        }
        assert_eq!(
            throttle.admit(here, "ann").unwrap(),
            Admission::OverLimit(30)
        );
        assert_eq!(
            throttle.admit(there, "ann").unwrap(),
            Admission::Open,
            "others are not locked out"
        );
        assert_eq!(throttle.admit(here, "bob").unwrap(), Admission::Open);
        throttle.check(Door::Mail, here, Some("ann")).unwrap();
        for identity in ["bob", "cid"] {
            throttle.count_failure(here, identity);
        }
        assert!(
            matches!(
                throttle.admit(here, "dan").unwrap(),
                Admission::OverLimit(_)
            ),
            "too many from one network"
        );
        assert!(throttle.check(Door::Guess, here, None).is_err());
        for _ in 0..4 {
            throttle.count(Door::Guess, there, None);
        }
        assert!(
            throttle.check(Door::Guess, neighbour, None).is_err(),
            "half of an IPv6 address is a network"
        );
        assert!(throttle.is_news(here, "ann"));
        assert!(!throttle.is_news(here, "bob") && !throttle.is_news(None, "ann"));
        assert!(throttle.is_news(there, "cid"));
        time.store(30_000, Ordering::Relaxed);
        assert_eq!(throttle.admit(here, "ann").unwrap(), Admission::Open);
    }

    #[test]
    fn guesses_from_many_networks_are_slowed_down_and_never_refused() {
        let time = Arc::new(AtomicI64::new(0));
        let throttle = throttle(&time);
        let elsewhere = Some(address("192.0.2.99"));
        for network in 0..10 {
            throttle.count_failure(Some(address(&format!("192.0.2.{network}"))), "ann");
        }
        assert_eq!(throttle.admit(elsewhere, "ann").unwrap(), Admission::Braked);
        assert_eq!(throttle.admit(elsewhere, "bob").unwrap(), Admission::Open);
        time.store(60_000, Ordering::Relaxed);
        assert_eq!(throttle.admit(elsewhere, "ann").unwrap(), Admission::Open);
    }

    #[tokio::test]
    async fn known_clients_pass_one_at_a_time_and_so_many_times() {
        let time = Arc::new(AtomicI64::new(0));
        let throttle = throttle(&time);
        let (here, there) = (Some(address("192.0.2.1")), Some(address("192.0.2.2")));
        let first = throttle
            .let_known_client_through(here, "ann")
            .await
            .unwrap();
        assert!(
            throttle
                .let_known_client_through(here, "ann")
                .await
                .is_err(),
            "another is being looked at"
        );
        throttle
            .let_known_client_through(there, "ann")
            .await
            .unwrap();
        drop(first);
        throttle
            .let_known_client_through(here, "ann")
            .await
            .unwrap();
        assert!(
            throttle
                .let_known_client_through(here, "ann")
                .await
                .is_err(),
            "twice was the limit"
        );
    }

    #[tokio::test]
    async fn few_wait_for_a_turn_when_an_identity_is_guessed_at() {
        let throttle = throttle(&Arc::new(AtomicI64::new(0)));
        let attempts = (0..MAX_WAITING + 3).map(|_| async { throttle.brake("ann").await.is_ok() });
        let turns = futures_util::future::join_all(attempts).await;
        assert_eq!(turns.iter().filter(|passed| **passed).count(), MAX_WAITING);
    }

    #[test]
    fn sign_ins_that_succeed_count_as_well() {
        let throttle = throttle(&Arc::new(AtomicI64::new(0)));
        for _ in 0..3 {
            throttle.admit(None, "ann").unwrap();
            throttle.count(Door::SignIn, None, Some("ann"));
        }
        assert!(throttle.admit(None, "ann").is_err());
        throttle.admit(None, "bob").unwrap();
    }
}
