//! Encryption of fields: XChaCha20-Poly1305, bound to the place of the value.
//!
//! A stored value is `sb1:<key>:<nonce and ciphertext, base64>`. The key's id says which of the
//! configured keys it was encrypted with; account, collection, record and field are authenticated
//! with it, so that a value that is copied to another place cannot be read there.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::error::{Error, Result};
use crate::id::{AccountId, CollectionId, RecordId};
use crate::secret::Secret;

const VERSION: &str = "sb1";
const NONCE: usize = 24;

/// Where a value is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub account: AccountId,
    pub collection: CollectionId,
    pub record: RecordId,
    pub field: &'a str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        let ids = [self.account.0, self.collection.0, self.record.0];
        // The ids have one length each, so no two places read the same.
        let mut bytes: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
        bytes.extend(self.field.as_bytes());
        bytes
    }
}

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// The keys: the first one encrypts, all of them decrypt.
pub(super) struct Vault(Vec<Key>);

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// With the configured keys; empty ones are none.
    pub fn new<'k>(keys: impl IntoIterator<Item = &'k Secret<String>>) -> Self {
        Self(
            keys.into_iter()
                .filter_map(|key| derive(key.expose()))
                .collect(),
        )
    }

    /// Encrypts a value.
    pub fn seal(&self, place: Place<'_>, plain: &str) -> Result<String> {
        let Some(key) = self.0.first() else {
            let message = "No key is configured to encrypt with: set auth.encryption_key";
            return Err(Error::refused("Cannot encrypt", message));
        };
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload {
            msg: plain.as_bytes(),
            aad: &place.bytes(),
        };
        let sealed = key
            .cipher
            .encrypt(&nonce.into(), payload)
            .map_err(|_| Error::internal("a value is too long"))?;
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        Ok(format!(
            "{VERSION}:{}:{}",
            key.id,
            BASE64_STANDARD_NO_PAD.encode(bytes)
        ))
    }

    /// Decrypts a value.
    pub fn open(&self, place: Place<'_>, stored: &str) -> Result<String> {
        let unreadable = |why: String| {
            let message = format!("The value of '{}' cannot be decrypted: {why}", place.field);
            tracing::error!(record = %place.record, reason = message, "a stored secret is unreadable");
            Error::refused("Cannot decrypt", message)
        };
        let damaged = || unreadable("it is damaged, or was copied from another place".into());
        let mut parts = stored.splitn(3, ':');
        let (Some(VERSION), Some(id), Some(text)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(damaged());
        };
        let Some(key) = self.0.iter().find(|key| key.id == id) else {
            let why = format!(
                "its key {id} is not configured any more: add it to auth.old_encryption_keys"
            );
            return Err(unreadable(why));
        };
        let bytes = BASE64_STANDARD_NO_PAD.decode(text).map_err(|_| damaged())?;
        let Some((nonce, sealed)) = bytes.split_first_chunk::<NONCE>() else {
            return Err(damaged());
        };
        let payload = Payload {
            msg: sealed,
            aad: &place.bytes(),
        };
        let plain = key
            .cipher
            .decrypt(&(*nonce).into(), payload)
            .map_err(|_| damaged())?;
        String::from_utf8(plain).map_err(|_| damaged())
    }

    /// Whether a stored value was encrypted with the key that encrypts now.
    pub fn is_current(&self, stored: &str) -> bool {
        self.0
            .first()
            .is_some_and(|key| stored.split(':').nth(1) == Some(&key.id))
    }
}

fn derive(secret: &str) -> Option<Key> {
    if secret.is_empty() {
        return None;
    }
    let mac = |purpose: &str| -> Option<[u8; 32]> {
        let mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(secret.as_bytes()).ok()?;
        Some(mac.chain_update(purpose).finalize().into_bytes().into())
    };
    let mut id = String::new();
    for byte in &mac("field encryption: id")?[..4] {
        // Writing to a String does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    Some(Key {
        id,
        cipher: XChaCha20Poly1305::new(&mac("field encryption: key")?.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Secret<String> {
        Secret::new(text.into())
    }

    fn place(field: &str) -> Place<'_> {
        let id = uuid::Uuid::from_u128;
        Place {
            account: AccountId(id(1)),
            collection: CollectionId(id(2)),
            record: RecordId(id(3)),
            field,
        }
    }

    #[test]
    fn a_value_opens_in_its_place_only() {
        let vault = Vault::new([&key("one key"), &key("")]);
        let sealed = vault.seal(place("pin"), "1234").unwrap();
        assert_eq!(vault.open(place("pin"), &sealed).unwrap(), "1234");
        assert!(!sealed.contains("1234"));
        assert_ne!(sealed, vault.seal(place("pin"), "1234").unwrap());
        let id = uuid::Uuid::from_u128(9);
        for other in [
            place("pin2"),
            Place {
                account: AccountId(id),
                ..place("pin")
            },
            Place {
                collection: CollectionId(id),
                ..place("pin")
            },
            Place {
                record: RecordId(id),
                ..place("pin")
            },
        ] {
            assert!(vault.open(other, &sealed).is_err());
        }
        for damaged in [
            "",
            "sb1",
            "sb1:x:y",
            "1234",
            &sealed[..sealed.len() - 4],
            &sealed.replacen("sb1", "sb2", 1),
        ] {
            assert!(vault.open(place("pin"), damaged).is_err(), "{damaged}");
        }
    }

    #[test]
    fn old_keys_decrypt_and_the_first_encrypts() {
        let (old, new) = (key("old key"), key("new key"));
        let sealed = Vault::new([&old]).seal(place("pin"), "ä").unwrap();
        let both = Vault::new([&new, &old]);
        assert_eq!(both.open(place("pin"), &sealed).unwrap(), "ä");
        assert!(!both.is_current(&sealed));
        let renewed = both.seal(place("pin"), "ä").unwrap();
        assert!(both.is_current(&renewed));
        assert_eq!(
            Vault::new([&new]).open(place("pin"), &renewed).unwrap(),
            "ä"
        );
        let lost = Vault::new([&new])
            .open(place("pin"), &sealed)
            .unwrap_err()
            .to_string();
        assert!(lost.contains("old_encryption_keys"), "{lost}");
        assert!(Vault::new([]).seal(place("pin"), "x").is_err());
    }
}
