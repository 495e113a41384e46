//! Argon2id with buffers that are used again while sign-ins keep coming.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::secret::constant_time_eq;

const HASH_BYTES: usize = 32;

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Cost {
    /// The stored form of a hash.
    pub(super) fn encode(self, salt: &[u8], hash: &[u8]) -> String {
        let Self {
            memory_kib: m,
            iterations: t,
            parallelism: p,
        } = self;
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
        format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${hash}")
    }
}

/// A hash as it is stored.
struct Stored {
    algorithm: Algorithm,
    version: Version,
    cost: Cost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('$')?.split('$');
        let algorithm = parts.next()?.parse().ok()?;
        let version = match parts.next()?.strip_prefix("v=")? {
            "19" => Version::V0x13,
            "16" => Version::V0x10,
            _ => return None,
        };
        let mut cost = Cost {
            memory_kib: 0,
            iterations: 0,
            parallelism: 0,
        };
        for parameter in parts.next()?.split(',') {
            let (name, value) = parameter.split_once('=')?;
            let value = value.parse().ok()?;
            match name {
                "m" => cost.memory_kib = value,
                "t" => cost.iterations = value,
                "p" => cost.parallelism = value,
                _ => return None,
            }
        }
        let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let hash = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        parts.next().is_none().then_some(Self {
            algorithm,
            version,
            cost,
            salt,
            hash,
        })
    }
}

/// Memory for hashing. Fresh memory costs a page fault every 4 KiB, a good part of a hash; under
/// load it is kept.
#[derive(Default)]
pub(super) struct Buffers {
    free: Mutex<Vec<Vec<Block>>>,
    uses: AtomicU64,
}

impl Buffers {
    pub(super) fn hash(
        &self,
        cost: Cost,
        password: &str,
        salt: &[u8],
    ) -> Result<String, argon2::Error> {
        let hash = self.compute(
            Algorithm::Argon2id,
            Version::V0x13,
            cost,
            password,
            salt,
            HASH_BYTES,
        )?;
        Ok(cost.encode(salt, &hash))
    }

    /// Whether the password is the stored one, and what the stored one cost.
    pub(super) fn verify(&self, password: &str, stored: &str) -> Result<(bool, Cost), String> {
        let stored = Stored::parse(stored).ok_or("a stored password hash is damaged")?;
        let Stored {
            algorithm,
            version,
            cost,
            salt,
            hash,
        } = stored;
        let computed = self
            .compute(algorithm, version, cost, password, &salt, hash.len())
            .map_err(|error| format!("a stored password hash cannot be used: {error}"))?;
        Ok((constant_time_eq(&computed, &hash), cost))
    }

    /// How often the memory was used.
    pub(super) fn uses(&self) -> u64 {
        self.uses.load(Ordering::Relaxed)
    }

    /// Gives the memory back if it was not used since it had been used so often.
    pub(super) fn release_unless_used_since(&self, uses: u64) {
        if self.uses() == uses {
            self.free().clear();
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn compute(
        &self,
        algorithm: Algorithm,
        version: Version,
        cost: Cost,
        password: &str,
        salt: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, argon2::Error> {
        let params = Params::new(
            cost.memory_kib,
            cost.iterations,
            cost.parallelism,
            Some(length),
        )?;
        let blocks = params.block_count();
        self.uses.fetch_add(1, Ordering::Relaxed);
        let mut buffer = self.free().pop().unwrap_or_default();
        buffer.resize(blocks, Block::new());
        let mut hash = vec![0; length];
        let hasher = Argon2::new(algorithm, version, params);
        hasher.hash_password_into_with_memory(password.as_bytes(), salt, &mut hash, &mut buffer)?;
        self.free().push(buffer);
        Ok(hash)
    }
}
