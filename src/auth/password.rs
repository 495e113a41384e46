//! Passwords: the policy, and Argon2id on a bounded number of threads.

mod argon;
mod policy;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use unicode_normalization::UnicodeNormalization as _;

pub use argon::Cost;
pub use policy::{check as check_policy, check_new as check_new_password};

use argon::Buffers;

use crate::config::AuthConfig;
use crate::error::{Error, Result};

/// How long memory for hashing is kept after the last hash.
const KEEP: Duration = Duration::from_secs(2);
/// Longer passwords are wrong.
const MAX_BYTES: usize = 4096;

/// What became of a password that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the wrong one.
    Wrong,
    /// It is the right one.
    Right,
    /// It is the right one, and should be hashed again: with today's parameters, in its normal
    /// form.
    Outdated,
}

/// Hashes and checks passwords; cheap to clone.
///
/// Only so many run at once, on threads of their own, so that a storm of sign-ins slows sign-ins
/// and nothing else. A hash that has begun keeps its place until it ends, even if nobody waits for
/// it any more.
#[derive(Clone)]
pub struct Passwords {
    cost: Cost,
    places: Arc<Semaphore>,
    buffers: Arc<Buffers>,
    /// What the password of a user who does not exist is compared with.
    dummy: Arc<str>,
}

impl Passwords {
    /// With the configured cost.
    pub fn new(config: &AuthConfig) -> Self {
        let cost = Cost {
            memory_kib: config.argon2_memory_kib,
            iterations: config.argon2_iterations,
            parallelism: config.argon2_parallelism,
        };
        // One core is left for everything else.
        let spare = || {
            std::thread::available_parallelism()
                .map_or(1, |cores| cores.get().saturating_sub(1).max(1))
        };
        let workers = if config.password_workers == 0 {
            spare()
        } else {
            config.password_workers
        };
        Self {
            cost,
            places: Arc::new(Semaphore::new(workers)),
            buffers: Arc::default(),
            dummy: cost.encode(&[0x5a; 16], &[0xa5; 32]).into(),
        }
    }

    /// Hashes a password, in its normal form.
    pub async fn hash(&self, password: String) -> Result<String> {
        let cost = self.cost;
        let salt: [u8; 16] = rand::random();
        let password = normalize(&password);
        self.run(
            || Ok(()),
            move |buffers| buffers.hash(cost, &password, &salt),
        )
        .await?
        .map_err(Error::internal)
    }

    /// Compares a password with a stored hash; without one, takes as long and says that it is
    /// wrong.
    ///
    /// `allowed` is asked when the turn has come: whoever ran out of attempts while waiting is
    /// turned away there.
    pub async fn verify(
        &self,
        password: String,
        stored: Option<String>,
        allowed: impl FnOnce() -> Result<()>,
    ) -> Result<Verdict> {
        let cost = self.cost;
        // Nobody has such a password: it is not worth hashing megabytes.
        let (password, stored) = if password.len() > MAX_BYTES {
            (String::new(), None)
        } else {
            (password, stored)
        };
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.to_string());
        let checked = self.run(allowed, move |buffers| {
            let normal = normalize(&password);
            let (right, used) = buffers.verify(&normal, &stored)?;
            if right || normal == password {
                return Ok((right, used == cost));
            }
            // Once passwords were hashed as they came.
            buffers
                .verify(&password, &stored)
                .map(|(right, _)| (right, false))
        });
        let (right, is_up_to_date) = checked.await?.map_err(Error::internal)?;
        Ok(match (known && right, is_up_to_date) {
            (false, _) => Verdict::Wrong,
            (true, true) => Verdict::Right,
            (true, false) => Verdict::Outdated,
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        allowed: impl FnOnce() -> Result<()>,
        work: impl FnOnce(&Buffers) -> T + Send + 'static,
    ) -> Result<T> {
        let place = self
            .places
            .clone()
            .acquire_owned()
            .await
            .map_err(Error::internal)?;
        allowed()?;
        let buffers = self.buffers.clone();
        let done = spawn_blocking(move || {
            let result = work(&buffers);
            drop(place);
            let uses = buffers.uses();
            tokio::spawn(async move {
                tokio::time::sleep(KEEP).await;
                buffers.release_unless_used_since(uses);
            });
            result
        });
        done.await.map_err(Error::internal)
    }
}

/// The normal form of a password: keyboards compose letters in different ways. NFKC, as NIST SP
/// 800-63B recommends.
fn normalize(password: &str) -> String {
    password.nfkc().collect()
}

#[cfg(test)]
mod tests;
