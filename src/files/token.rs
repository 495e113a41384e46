//! Tokens for URLs: what stands in a URL ends up in logs and histories, so it is good for reading
//! files alone, and not for long.
//!
//! A token is a JSON object and its HMAC-SHA-256, each in base64url. With a path it opens that file
//! for whoever has it; without one it stands for the user who asked for it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::secret::Secret;

/// What a token for files begins with, to tell it from others.
pub const PREFIX: &str = "sbf_";
/// How long a token for all of a user's files is good, in seconds.
pub const TOKEN_SECONDS: i64 = 300;
/// How long a link to one file can be good, in seconds: a week.
pub const MAX_LINK_SECONDS: i64 = 7 * 86_400;
/// Before the server's secret when the key is made of it.
const KEY_CONTEXT: &[u8] = b"snackbase file token";

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileGrant {
    /// The user who asked for it.
    pub user: Uuid,
    /// The user's account.
    pub account: Uuid,
    /// The file that it opens; without one it opens what the user may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// When it ends, in seconds since the epoch.
    pub exp: i64,
}

impl FileGrant {
    /// What a user may do until then.
    pub fn new(
        user: UserId,
        account: AccountId,
        path: Option<String>,
        until: DateTime<Utc>,
    ) -> Self {
        Self {
            user: user.0,
            account: account.0,
            path,
            exp: until.timestamp(),
        }
    }
}

/// Makes tokens and checks them; cheap to clone.
#[derive(Clone, Debug)]
pub struct FileTokens {
    key: Secret<Vec<u8>>,
}

impl FileTokens {
    /// With a key that is made of the server's secret.
    pub fn new(secret: &Secret<String>) -> Self {
        let key = mac(secret.expose().as_bytes(), KEY_CONTEXT).unwrap_or_default();
        Self {
            key: Secret::new(key),
        }
    }

    /// A token that says this.
    ///
    /// # Errors
    ///
    /// None that is foreseen.
    pub fn sign(&self, grant: &FileGrant) -> Result<String> {
        let said = serde_json::to_vec(grant).map_err(Error::internal)?;
        let said = URL_SAFE_NO_PAD.encode(said);
        let code = mac(self.key.expose(), said.as_bytes())
            .ok_or_else(|| Error::internal("a token could not be signed"))?;
        Ok(format!("{PREFIX}{said}.{}", URL_SAFE_NO_PAD.encode(code)))
    }

    /// What a token says, if it is ours and has not ended.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] otherwise.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<FileGrant> {
        let invalid =
            || Error::Unauthenticated("The file token is not valid, or not any more".into());
        let (said, code) = token
            .strip_prefix(PREFIX)
            .and_then(|token| token.split_once('.'))
            .ok_or_else(invalid)?;
        let code = URL_SAFE_NO_PAD.decode(code).map_err(|_| invalid())?;
        let checked = Hmac::<Sha256>::new_from_slice(self.key.expose()).map_err(|_| invalid())?;
        // In constant time.
        checked
            .chain_update(said)
            .verify_slice(&code)
            .map_err(|_| invalid())?;
        let said = URL_SAFE_NO_PAD.decode(said).map_err(|_| invalid())?;
        let grant: FileGrant = serde_json::from_slice(&said).map_err(|_| invalid())?;
        if grant.exp <= now.timestamp() {
            return Err(invalid());
        }
        Ok(grant)
    }
}

/// The end of something that is good for so many seconds.
pub fn until(now: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    now + TimeDelta::try_seconds(seconds).unwrap_or_default()
}

fn mac(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    Some(mac.chain_update(text).finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(until: i64) -> FileGrant {
        FileGrant {
            user: Uuid::nil(),
            account: Uuid::nil(),
            path: Some("a/b.png".into()),
            exp: until,
        }
    }

    #[test]
    fn a_token_is_read_back_until_it_ends() {
        let tokens = FileTokens::new(&Secret::new("secret".into()));
        let token = tokens.sign(&grant(100)).unwrap();
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        assert_eq!(tokens.verify(&token, at(99)).unwrap(), grant(100));
        assert!(tokens.verify(&token, at(100)).is_err());
    }

    #[test]
    fn whatever_was_changed_or_made_elsewhere_is_refused() {
        let tokens = FileTokens::new(&Secret::new("secret".into()));
        let others = FileTokens::new(&Secret::new("another".into()));
        let now = DateTime::UNIX_EPOCH;
        let token = tokens.sign(&grant(100)).unwrap();
        assert!(
            tokens
                .verify(&others.sign(&grant(100)).unwrap(), now)
                .is_err()
        );
        for index in PREFIX.len()..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last letter of base64 holds bits that mean nothing; those are refused, too.
            assert!(tokens.verify(&changed, now).is_err(), "{index}");
        }
        for odd in ["", "sbf_", "sbf_.", "sbf_a.b", "x"] {
            assert!(tokens.verify(odd, now).is_err(), "{odd}");
        }
    }
}
