//! Page cursors: the sort values of the record at the edge of a page, signed.
//!
//! A cursor is opaque to clients. It is valid for the collection, the order and the account it was
//! made for; another one is refused instead of leading somewhere unexpected. Every page is checked
//! with the caller's rights of now.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value as Json;
use sha2::Sha256;

use crate::id::{AccountId, CollectionId};
use crate::secret::{Secret, constant_time_eq};

/// Bytes of a signature: enough that nobody guesses one.
const TAG: usize = 16;

/// What a cursor belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'a> {
    pub collection: CollectionId,
    /// The account whose records are listed; `None` for all.
    pub account: Option<AccountId>,
    /// The order, in its one spelling.
    pub sort: &'a str,
}

/// Makes cursors, and knows its own again.
#[derive(Clone)]
pub(super) struct Signer {
    mac: Hmac<Sha256>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// With a key that follows from the server's secret, so that every node knows the cursors of
    /// the others.
    pub fn new(secret: &Secret<String>) -> Self {
        let mut key = [0_u8; 64];
        if secret.expose().is_empty() {
            // Anybody could sign with an empty one: cursors are valid until the server stops.
            key = rand::random();
        } else if let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) {
            key[..32].copy_from_slice(&mac.chain_update("record cursors").finalize().into_bytes());
        }
        Self {
            mac: Hmac::new(&key.into()),
        }
    }

    /// The cursor at some sort values.
    pub fn seal(&self, walk: Walk<'_>, values: &[Json]) -> String {
        // Text, numbers and booleans can always be written.
        let payload = serde_json::to_vec(values).unwrap_or_default();
        let mut bytes = self.tag(walk, &payload).to_vec();
        bytes.extend(payload);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The sort values of a cursor; `None` if it is none, or belongs to another walk.
    pub fn open(&self, walk: Walk<'_>, cursor: &str) -> Option<Vec<Json>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, payload) = bytes.split_at_checked(TAG)?;
        constant_time_eq(tag, &self.tag(walk, payload))
            .then(|| serde_json::from_slice(payload).ok())?
    }

    fn tag(&self, walk: Walk<'_>, payload: &[u8]) -> [u8; TAG] {
        let mut mac = self.mac.clone();
        mac.update(walk.collection.0.as_bytes());
        match &walk.account {
            Some(account) => mac.update(account.0.as_bytes()),
            None => mac.update(&[0xff; 16]),
        }
        mac.update(&walk.sort.len().to_be_bytes());
        mac.update(walk.sort.as_bytes());
        mac.update(payload);
        let mut tag = [0; TAG];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_only_where_it_was_made() {
        let signer = Signer::new(&Secret::new("0123456789abcdef0123456789abcdef".into()));
        let walk = Walk {
            collection: CollectionId::new(),
            account: Some(AccountId::new()),
            sort: "+n,+id",
        };
        let values = vec![Json::from(1.5), Json::Null, "a'b".into()];
        let cursor = signer.seal(walk, &values);
        assert_eq!(signer.open(walk, &cursor), Some(values));
        for other in [
            Walk {
                collection: CollectionId::new(),
                ..walk
            },
            Walk {
                account: Some(AccountId::new()),
                ..walk
            },
            Walk {
                account: None,
                ..walk
            },
            Walk {
                sort: "-n,-id",
                ..walk
            },
        ] {
            assert_eq!(signer.open(other, &cursor), None);
        }
        let stranger = Signer::new(&Secret::new("another secret of sufficient length".into()));
        assert_eq!(stranger.open(walk, &cursor), None);
        for index in 0..cursor.len() {
            let mut forged = cursor.clone().into_bytes();
            forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            // The last character may have bits that say nothing.
            assert!(
                signer.open(walk, &forged).is_none() || index + 1 == cursor.len(),
                "{index}"
            );
        }
    }
}
