//! API keys: `sb_ak.<payload>.<signature>`. The payload says which row of `api_keys` a key is; the
//! signature lets nothing but our own keys reach the database, where the key's hash must match as
//! well.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::one_time;
use super::scope::KeyScopes;
use crate::config::AuthConfig;
use crate::db::{Batch, Db, Stmt};
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::secret::{Secret, constant_time_eq};

const PREFIX: &str = "sb_ak";
/// No key of ours is longer.
const LONGEST: usize = 1024;
/// How exact it is known when a key was used last.
const USE_SECONDS: i64 = 60;

/// What a key says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyClaims {
    version: u8,
    #[serde(rename = "type")]
    kind: String,
    /// The key's id.
    pub token_id: Uuid,
    /// Its owner.
    pub user_id: Uuid,
    /// The account that it acts in.
    pub account_id: Uuid,
    issued_at: i64,
    expires_at: Option<i64>,
    nonce: String,
}

/// A key that a caller has shown.
#[derive(Clone, Debug)]
pub struct KeyGrant {
    /// The key's id.
    pub id: Uuid,
    /// What it may be used for.
    pub scopes: KeyScopes,
    /// When its use was noted last, in milliseconds since the epoch.
    used: Arc<AtomicI64>,
}

impl KeyGrant {
    pub(super) fn new(id: Uuid, scopes: KeyScopes, last_used_at: Option<DateTime<Utc>>) -> Self {
        Self {
            id,
            scopes,
            used: Arc::new(AtomicI64::new(
                last_used_at.map_or(0, |at| at.timestamp_millis()),
            )),
        }
    }
}

/// Makes keys and tells which are ours.
pub struct Keys {
    secret: Secret<String>,
}

impl Keys {
    /// With the server's secret.
    pub fn new(config: &AuthConfig) -> Self {
        let secret = match config.token_secret.expose() {
            // Anybody could sign with an empty one.
            empty if empty.is_empty() => Secret::new(one_time::random_token()),
            _ => config.token_secret.clone(),
        };
        Self { secret }
    }

    /// Makes a key. It cannot be made again: part of it is random, and kept nowhere.
    pub fn issue(
        &self,
        id: Uuid,
        user: UserId,
        account: AccountId,
        now: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<String> {
        let claims = KeyClaims {
            version: 1,
            kind: "api_key".into(),
            token_id: id,
            user_id: user.0,
            account_id: account.0,
            issued_at: now.timestamp(),
            expires_at: expires_at.map(|at| at.timestamp()),
            nonce: one_time::random_token(),
        };
        let signed = format!(
            "{PREFIX}.{}",
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).map_err(Error::internal)?)
        );
        let signature = self.sign(&signed)?;
        Ok(format!("{signed}.{signature}"))
    }

    /// What a key says, if it is ours.
    pub(super) fn read(&self, key: &str) -> Option<KeyClaims> {
        if key.len() > LONGEST {
            return None;
        }
        let (signed, signature) = key.rsplit_once('.')?;
        let payload = signed.strip_prefix(PREFIX)?.strip_prefix('.')?;
        let ours = self.sign(signed).ok()?;
        if !constant_time_eq(ours.as_bytes(), signature.as_bytes()) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    fn sign(&self, text: &str) -> Result<String> {
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.expose().as_bytes())
            .map_err(Error::internal)?;
        Ok(URL_SAFE_NO_PAD.encode(mac.chain_update(text).finalize().into_bytes()))
    }
}

/// What lists show of a key.
pub fn mask(key: &str) -> String {
    format!(
        "{PREFIX}...{}",
        key.get(key.len().saturating_sub(4)..).unwrap_or_default()
    )
}

/// Keys that were used and whose rows do not say so yet.
#[derive(Default)]
pub(super) struct KeyUses {
    pending: Mutex<HashMap<Uuid, DateTime<Utc>>>,
    wake: Notify,
}

impl KeyUses {
    /// Notes that a key is used; costs nothing if that was noted within the last minute.
    pub(super) fn note(&self, key: &KeyGrant, now: DateTime<Utc>) {
        let (before, millis) = (key.used.load(Ordering::Relaxed), now.timestamp_millis());
        if millis - before < USE_SECONDS * 1000
            || key
                .used
                .compare_exchange(before, millis, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        self.pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.id, now);
        self.wake.notify_one();
    }

    /// Writes what was noted until the server stops.
    pub(super) async fn write(&self, db: &Db, stopping: &CancellationToken) {
        loop {
            tokio::select! {
                () = self.wake.notified() => {}
                () = stopping.cancelled() => {}
            }
            let noted =
                std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
            if !noted.is_empty() {
                let batch = noted
                    .into_iter()
                    .fold(Batch::new(), |batch, (id, at)| batch.with(used(id, at)));
                if let Err(error) = db.commit(batch).await {
                    tracing::warn!(%error, "when API keys were used last could not be written");
                }
            }
            if stopping.is_cancelled() {
                return;
            }
        }
    }
}

/// The statement that says when a key was used, unless another node has said so.
fn used(id: Uuid, at: DateTime<Utc>) -> Stmt {
    let update = "UPDATE api_keys SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at <= $3)";
    let before = at - TimeDelta::seconds(USE_SECONDS);
    Stmt::fixed(
        update,
        vec![at.into(), id.to_string().into(), before.into()],
    )
}

/// The statement that deletes keys that were revoked long ago.
pub fn prune(now: DateTime<Utc>) -> Stmt {
    Stmt::fixed(
        "DELETE FROM api_keys WHERE revoked_at <= $1",
        vec![(now - TimeDelta::days(90)).into()],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::new_id;

    #[test]
    fn keys_are_told_from_forged_ones_without_a_look_at_the_database() {
        let keys = Keys::new(&AuthConfig::default());
        let (id, user, account) = (new_id(), UserId::new(), AccountId::new());
        let key = keys
            .issue(id, user, account, DateTime::UNIX_EPOCH, None)
            .unwrap();
        let claims = keys.read(&key).unwrap();
        assert_eq!(
            (claims.token_id, claims.user_id, claims.account_id),
            (id, user.0, account.0)
        );
        assert_ne!(
            key,
            keys.issue(id, user, account, DateTime::UNIX_EPOCH, None)
                .unwrap()
        );
        let (signed, signature) = key.rsplit_once('.').unwrap();
        let forged = [
            String::new(),
            "sb_ak".into(),
            "sb_ak..".into(),
            signed.into(),
            format!("{signed}."),
            format!("{signed}.{signature}A"),
            format!("{}.{signature}", signed.replacen("sb_ak", "sb_pt", 1)),
            format!("{signed}A.{signature}"),
            format!("{key}.{}", "x".repeat(2000)),
        ];
        for key in forged {
            assert!(keys.read(&key).is_none(), "{key}");
        }
        assert!(
            Keys::new(&AuthConfig::default()).read(&key).is_none(),
            "no two servers share a secret"
        );
        assert!(mask(&key).len() < 16 && key.ends_with(mask(&key).rsplit('.').next().unwrap()));
    }
}
