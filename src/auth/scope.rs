//! What an API key may be used for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that an API key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum KeyScope {
    /// Reading records, and hearing of them over realtime.
    #[serde(rename = "records:read")]
    RecordsRead,
    /// Creating, changing and deleting records.
    #[serde(rename = "records:write")]
    RecordsWrite,
    /// Reading the plain values of encrypted fields; no key may unless it names this.
    #[serde(rename = "records:secrets:read")]
    SecretsRead,
    /// Reading files.
    #[serde(rename = "files:read")]
    FilesRead,
    /// Uploading and deleting files.
    #[serde(rename = "files:write")]
    FilesWrite,
    /// Everything else that the key's owner may do.
    #[serde(rename = "admin")]
    Admin,
}

impl KeyScope {
    /// Every scope.
    pub const ALL: [Self; 6] =
        [Self::RecordsRead, Self::RecordsWrite, Self::SecretsRead, Self::FilesRead, Self::FilesWrite, Self::Admin];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::RecordsRead => "records:read",
            Self::RecordsWrite => "records:write",
            Self::SecretsRead => "records:secrets:read",
            Self::FilesRead => "files:read",
            Self::FilesWrite => "files:write",
            Self::Admin => "admin",
        }
    }

    /// The scope of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The scopes of a key. Without any, a key may do what its owner may, except for reading secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyScopes(u8);

impl KeyScopes {
    /// Those that are named.
    pub fn of(named: &[KeyScope]) -> Self {
        Self(named.iter().fold(0, |bits, scope| bits | scope.bit()))
    }

    /// Reads the stored form. What this version does not know allows nothing.
    pub(super) fn stored(text: &str) -> Option<Self> {
        serde_json::from_str::<Vec<KeyScope>>(text).ok().map(|named| Self::of(&named))
    }

    /// The stored form.
    pub fn to_stored(self) -> String {
        serde_json::to_string(&self.list()).unwrap_or_default()
    }

    /// Each of them.
    pub fn list(self) -> Vec<KeyScope> {
        KeyScope::ALL.into_iter().filter(|scope| self.names(*scope)).collect()
    }

    /// Whether there are limits.
    pub fn are_limited(self) -> bool {
        self.0 != 0
    }

    /// Whether a key with these may do that.
    pub fn allow(self, scope: KeyScope) -> bool {
        self.names(scope) || (!self.are_limited() && scope != KeyScope::SecretsRead)
    }

    /// Whether a key with these may hand out a key with those.
    pub fn include(self, others: Self) -> bool {
        !self.are_limited() || (others.are_limited() && others.0 & !self.0 == 0)
    }

    fn names(self, scope: KeyScope) -> bool {
        self.0 & scope.bit() != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_survive_storing_under_their_names() {
        for scope in KeyScope::ALL {
            let text = KeyScopes::of(&[scope]).to_stored();
            assert_eq!(text, format!("[\"{}\"]", scope.name()));
            assert_eq!(KeyScopes::stored(&text), Some(KeyScopes::of(&[scope])));
            assert_eq!(KeyScope::parse(scope.name()), Some(scope));
        }
        assert_eq!(KeyScopes::stored("[]"), Some(KeyScopes::default()));
        assert_eq!(KeyScopes::stored(r#"["unheard:of"]"#), None);
    }

    #[test]
    fn a_key_without_scopes_may_everything_but_read_secrets() {
        let (all, some) = (KeyScopes::default(), KeyScopes::of(&[KeyScope::RecordsRead, KeyScope::SecretsRead]));
        for scope in KeyScope::ALL {
            assert_eq!(all.allow(scope), scope != KeyScope::SecretsRead);
            assert_eq!(some.allow(scope), matches!(scope, KeyScope::RecordsRead | KeyScope::SecretsRead));
        }
        assert!(all.include(some) && all.include(all) && some.include(KeyScopes::of(&[KeyScope::RecordsRead])));
        assert!(!some.include(all) && !some.include(KeyScopes::of(&[KeyScope::RecordsRead, KeyScope::Admin])));
    }
}
