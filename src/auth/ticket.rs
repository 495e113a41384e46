//! One-time tickets: a URL ends up in logs, so a client exchanges its credential for something that
//! is good once, and soon for nothing.
//!
//! The database holds a ticket's hash and the credential behind it, encrypted with a key that only
//! the ticket gives.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Credential, one_time};
use crate::clock::Clock;
use crate::db::{Batch, CommitError, Db, DbError, Stmt};
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};

/// The time for which a ticket is good, in seconds.
pub const TICKET_LIFETIME_SECONDS: i64 = 30;
/// Comes before the ticket's bytes when the key is derived from them.
const KEY_CONTEXT: &[u8] = b"snackbase realtime ticket key";

/// A ticket that was issued.
#[derive(Debug)]
pub struct IssuedTicket {
    /// The text to connect with. It is good once.
    pub ticket: String,
    /// The time until which it is good.
    pub expires_at: DateTime<Utc>,
}

/// The credential for which a ticket stands.
#[derive(Debug)]
pub enum TicketCredential {
    /// An access token.
    Bearer(Box<str>),
    /// An API key.
    ApiKey(Box<str>),
}

/// The meaning of a ticket.
#[derive(Debug)]
pub struct TicketGrant {
    /// The credential for which it was issued.
    pub credential: TicketCredential,
    /// The user in whose place the owner of the credential acts, and the user's account.
    pub on_behalf_of: Option<(UserId, AccountId)>,
}

/// The content of a ticket, as it is encrypted.
#[derive(Serialize, Deserialize)]
struct TicketContent {
    is_key: bool,
    credential: String,
    /// The user and the account in whose place the owner of the credential acts.
    place: Option<(Uuid, Uuid)>,
}

/// Issues tickets and redeems them; cheap to clone.
#[derive(Clone, Debug)]
pub struct Tickets {
    db: Db,
    clock: Clock,
}

impl Tickets {
    /// Tickets in a database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Issues a ticket for a credential, which was checked before. `entries` are written with it.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn issue(
        &self,
        credential: Credential<'_>,
        on_behalf_of: Option<(UserId, AccountId)>,
        entries: impl IntoIterator<Item = Stmt>,
    ) -> Result<IssuedTicket> {
        let (ticket, now) = (one_time::random_token(), self.clock.now());
        let expires_at = now + TimeDelta::seconds(TICKET_LIFETIME_SECONDS);
        let (is_key, text) = match credential {
            Credential::Bearer(token) => (false, token),
            Credential::ApiKey(key) => (true, key),
        };
        let content = TicketContent {
            is_key,
            credential: text.to_owned(),
            place: on_behalf_of.map(|(user, account)| (user.0, account.0)),
        };
        let content = serde_json::to_vec(&content).map_err(Error::internal)?;
        let encrypted = cipher(&ticket)
            .encrypt(&Nonce::default(), content.as_slice())
            .map_err(|_| Error::internal("a ticket could not be encrypted"))?;
        let insert = Stmt::fixed(
            "INSERT INTO realtime_tickets (token_hash, credential, expires_at) VALUES ($1, $2, $3)",
            vec![
                one_time::hash(&ticket).into(),
                URL_SAFE_NO_PAD.encode(&encrypted).into(),
                expires_at.into(),
            ],
        );
        let delete_expired = Stmt::fixed(
            "DELETE FROM realtime_tickets WHERE expires_at <= $1",
            vec![now.into()],
        );
        let batch = entries.into_iter().fold(
            Batch::new().with(delete_expired).require(insert),
            Batch::with,
        );
        self.db.commit(batch).await.map_err(|error| error.source)?;
        Ok(IssuedTicket { ticket, expires_at })
    }

    /// The credential behind a ticket, which is used up by this.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] if the ticket is invalid, expired or used.
    pub async fn redeem(&self, ticket: &str) -> Result<TicketGrant> {
        let delete = "DELETE FROM realtime_tickets WHERE token_hash = $1 AND expires_at > $2 RETURNING credential";
        let delete = Stmt::fixed(
            delete,
            vec![one_time::hash(ticket).into(), self.clock.now().into()],
        );
        let encrypted = match self.db.commit(Batch::new().require(delete)).await {
            Ok(rows) => rows.into_iter().next().flatten(),
            Err(CommitError {
                source: DbError::Gone,
                ..
            }) => None,
            Err(error) => return Err(error.source.into()),
        };
        encrypted
            .and_then(|encrypted| decrypt(ticket, &encrypted))
            .ok_or_else(|| Error::Unauthenticated("Invalid or expired ticket".into()))
    }
}

fn decrypt(ticket: &str, encrypted: &str) -> Option<TicketGrant> {
    let encrypted = URL_SAFE_NO_PAD.decode(encrypted).ok()?;
    let content = cipher(ticket)
        .decrypt(&Nonce::default(), encrypted.as_slice())
        .ok()?;
    let TicketContent {
        is_key,
        credential,
        place,
    } = serde_json::from_slice(&content).ok()?;
    let credential = credential.into();
    Some(TicketGrant {
        credential: if is_key {
            TicketCredential::ApiKey(credential)
        } else {
            TicketCredential::Bearer(credential)
        },
        on_behalf_of: place.map(|(user, account)| (UserId(user), AccountId(account))),
    })
}

/// The cipher of a ticket. It encrypts one credential, so one nonce is enough.
fn cipher(ticket: &str) -> ChaCha20Poly1305 {
    let key = Sha256::new()
        .chain_update(KEY_CONTEXT)
        .chain_update(ticket.as_bytes())
        .finalize();
    ChaCha20Poly1305::new(&<[u8; 32]>::from(key).into())
}
