//! Access and refresh tokens: JWTs, signed with HMAC-SHA256 and the server's secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use super::{AccountRef, one_time};
use crate::config::AuthConfig;
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::secret::Secret;

const ISSUER: &str = "snackbase";

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Shown with requests.
    Access,
    /// Exchanged for a new pair.
    Refresh,
}

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    sub: String,
    /// When it was made, in Unix seconds.
    pub iat: i64,
    /// When it expires, in Unix seconds.
    pub exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    /// The user.
    pub user_id: Uuid,
    /// The user's account.
    pub account_id: Uuid,
    /// The user's address when the token was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The user's role when the token was made; the server goes by the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: Use,
    /// The session.
    pub sid: Uuid,
}

impl Claims {
    /// The user.
    pub fn user(&self) -> UserId {
        UserId(self.user_id)
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        AccountId(self.account_id)
    }

    /// When the token expires.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.exp, 0)
    }
}

/// Why a token was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// It is none of ours.
    Invalid,
    /// It was ours.
    Expired,
    /// It is ours, for something else.
    WrongUse,
}

/// Whom a pair of tokens is made for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The user.
    pub user: UserId,
    /// The account.
    pub account: &'a AccountRef,
    /// The address.
    pub email: &'a str,
    /// The role.
    pub role: &'a str,
    /// The session.
    pub session: Uuid,
}

/// A pair of tokens.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// How long the access token is valid, in seconds.
    pub expires_in: i64,
}

/// Makes and checks tokens.
pub struct Jwt {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    secret: Secret<String>,
    access: TimeDelta,
    refresh: TimeDelta,
}

impl Jwt {
    /// With the server's secret and lifetimes.
    pub fn new(config: &AuthConfig) -> Self {
        let secret = match config.secret_key.expose() {
            // Anybody could sign with an empty one.
            empty if empty.is_empty() => {
                tracing::warn!(
                    "no secret key is configured: tokens are valid until the server stops"
                );
                Secret::new(one_time::random_token())
            }
            _ => config.secret_key.clone(),
        };
        let key = secret.expose().as_bytes();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        // Expiry is checked against our own clock, without leeway.
        validation.validate_exp = false;
        validation.validate_aud = false;
        Self {
            signing: EncodingKey::from_secret(key),
            checking: DecodingKey::from_secret(key),
            validation,
            secret,
            access: TimeDelta::seconds(config.access_token_seconds),
            refresh: TimeDelta::seconds(config.refresh_token_seconds),
        }
    }

    /// How long a session lives without being refreshed.
    pub fn session_lifetime(&self) -> TimeDelta {
        self.refresh
    }

    /// Makes a pair of tokens. `id` tells the refresh token from others of its second.
    pub fn pair(&self, subject: Subject<'_>, id: &str, now: DateTime<Utc>) -> Result<Pair> {
        self.pair_from(subject, id, now, now)
    }

    /// The same with a refresh token that was made before; equal arguments make an equal refresh
    /// token.
    pub fn pair_from(
        &self,
        subject: Subject<'_>,
        id: &str,
        refresh_from: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Pair> {
        let claims = |kind, from: DateTime<Utc>, lifetime: TimeDelta| Claims {
            iss: ISSUER.to_owned(),
            sub: subject.user.to_string(),
            iat: from.timestamp(),
            exp: (from + lifetime).timestamp(),
            jti: None,
            user_id: subject.user.0,
            account_id: subject.account.id.0,
            email: None,
            role: None,
            kind,
            sid: subject.session,
        };
        let access = self.sign(&Claims {
            email: Some(subject.email.to_owned()),
            role: Some(subject.role.to_owned()),
            ..claims(Use::Access, now, self.access)
        })?;
        let refresh = self.sign(&Claims {
            jti: Some(id.to_owned()),
            ..claims(Use::Refresh, refresh_from, self.refresh)
        })?;
        Ok(Pair {
            access,
            refresh,
            expires_in: self.access.num_seconds(),
        })
    }

    /// The id of the refresh token that follows one (given by its hash) in a session, after
    /// `reissued` others that were replaced. Only this server can tell it.
    pub fn successor_id(&self, session: Uuid, shown: &str, reissued: i64) -> Result<String> {
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.expose().as_bytes())
            .map_err(Error::internal)?;
        let mac = mac
            .chain_update("refresh token")
            .chain_update(session.as_bytes())
            .chain_update(shown);
        let mac = if reissued == 0 {
            mac
        } else {
            mac.chain_update(reissued.to_be_bytes())
        };
        Ok(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// A text that only this server can make of another, for one purpose.
    pub fn proof(&self, purpose: &str, text: &str) -> Result<String> {
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.expose().as_bytes())
            .map_err(Error::internal)?;
        let mac = mac
            .chain_update(purpose)
            .chain_update([0])
            .chain_update(text);
        Ok(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// What a token of ours says, whatever its use and even if it has expired.
    pub fn read(&self, token: &str) -> Result<Claims, Rejection> {
        let read = jsonwebtoken::decode::<Claims>(token, &self.checking, &self.validation);
        read.map(|token| token.claims)
            .map_err(|_| Rejection::Invalid)
    }

    /// Checks a token.
    pub fn check(&self, token: &str, kind: Use, now: DateTime<Utc>) -> Result<Claims, Rejection> {
        let claims = self.read(token)?;
        if claims.kind != kind {
            return Err(Rejection::WrongUse);
        }
        if claims.exp <= now.timestamp() {
            return Err(Rejection::Expired);
        }
        Ok(claims)
    }

    fn sign(&self, claims: &Claims) -> Result<String> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.signing)
            .map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::new_id;

    fn subject(account: &AccountRef) -> Subject<'_> {
        let session = Uuid::nil();
        Subject {
            user: UserId(Uuid::nil()),
            account,
            email: "ann@example.com",
            role: "admin",
            session,
        }
    }

    fn account() -> AccountRef {
        let (code, slug, name) = ("AA0001".to_owned(), "acme".to_owned(), "Acme".to_owned());
        AccountRef::new(AccountId(new_id()), code, slug, name, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn access_tokens_carry_the_published_claims() {
        let (account, jwt) = (account(), Jwt::new(&AuthConfig::default()));
        let pair = jwt
            .pair(subject(&account), "id", DateTime::UNIX_EPOCH)
            .unwrap();
        let claims = |token: &str| {
            let payload = URL_SAFE_NO_PAD
                .decode(token.split('.').nth(1).unwrap())
                .unwrap();
            serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&payload).unwrap()
        };
        let access = claims(&pair.access);
        let keys: Vec<&str> = access.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "iss",
                "sub",
                "iat",
                "exp",
                "user_id",
                "account_id",
                "email",
                "role",
                "type",
                "sid"
            ]
        );
        assert_eq!(
            (&access["iss"], &access["type"], &access["exp"]),
            (&"snackbase".into(), &"access".into(), &3600.into())
        );
        let refresh = claims(&pair.refresh);
        let keys: Vec<&str> = refresh.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "iss",
                "sub",
                "iat",
                "exp",
                "jti",
                "user_id",
                "account_id",
                "type",
                "sid"
            ]
        );
    }

    #[test]
    fn foreign_tokens_are_refused() {
        let (account, now) = (account(), DateTime::UNIX_EPOCH);
        let ours = Jwt::new(&AuthConfig::default());
        let theirs = Jwt::new(&AuthConfig::default());
        let token = theirs.pair(subject(&account), "id", now).unwrap().access;
        assert!(theirs.check(&token, Use::Access, now).is_ok());
        assert_eq!(
            ours.check(&token, Use::Access, now).unwrap_err(),
            Rejection::Invalid,
            "no two servers share a key"
        );
        let payload = token.split('.').nth(1).unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        for forged in [
            format!("{none}.{payload}."),
            format!("{none}.{payload}"),
            String::new(),
            "a.b.c".into(),
        ] {
            assert_eq!(
                theirs.check(&forged, Use::Access, now).unwrap_err(),
                Rejection::Invalid
            );
        }
    }
}
