//! What an API key may be used for.
//!
//! `records:secrets:read` adds a right that no key and no user has by itself, as published: a key
//! with this scope alone does everything else that its owner may do. All other scopes limit: a key
//! that names one of them does only what its scopes name.

use serde::{Deserialize, Serialize};

/// One thing that an API key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyScope {
    /// Reading records, and hearing of them over realtime.
    #[serde(rename = "records:read")]
    RecordsRead,
    /// Creating, changing and deleting records.
    #[serde(rename = "records:write")]
    RecordsWrite,
    /// Reading the plain values of encrypted fields, besides whatever else the key may be used for.
    #[serde(rename = "records:secrets:read")]
    SecretsRead,
    /// Reading files.
    #[serde(rename = "files:read")]
    FilesRead,
    /// Uploading and deleting files.
    #[serde(rename = "files:write")]
    FilesWrite,
    /// Everything else that the key's owner may do, except for what is left to people and to keys
    /// without limits: superadmins and keys that may do more.
    #[serde(rename = "admin")]
    Admin,
    /// Nothing by itself: it limits a key to what its other scopes name, even if these are
    /// `records:secrets:read` alone.
    #[serde(rename = "restricted")]
    Restricted,
}

impl KeyScope {
    /// Every scope.
    pub const ALL: [Self; 7] = [
        Self::RecordsRead,
        Self::RecordsWrite,
        Self::SecretsRead,
        Self::FilesRead,
        Self::FilesWrite,
        Self::Admin,
        Self::Restricted,
    ];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::RecordsRead => "records:read",
            Self::RecordsWrite => "records:write",
            Self::SecretsRead => "records:secrets:read",
            Self::FilesRead => "files:read",
            Self::FilesWrite => "files:write",
            Self::Admin => "admin",
            Self::Restricted => "restricted",
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

/// The scopes of a key. Without one that limits, a key may do what its owner may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyScopes(u8);

impl KeyScopes {
    /// Those that are named.
    pub fn of(named: &[KeyScope]) -> Self {
        Self(named.iter().fold(0, |bits, scope| bits | scope.bit()))
    }

    /// Reads the stored form. What this version does not know allows nothing.
    pub(super) fn stored(text: &str) -> Option<Self> {
        serde_json::from_str::<Vec<KeyScope>>(text)
            .ok()
            .map(|named| Self::of(&named))
    }

    /// The stored form.
    pub fn to_stored(self) -> String {
        serde_json::to_string(&self.list()).unwrap_or_default()
    }

    /// Each of them.
    pub fn list(self) -> Vec<KeyScope> {
        KeyScope::ALL
            .into_iter()
            .filter(|scope| self.names(*scope))
            .collect()
    }

    /// Whether the key may do only what its scopes name.
    pub fn are_limited(self) -> bool {
        self.0 & !KeyScope::SecretsRead.bit() != 0
    }

    /// Whether a key with these may do that.
    pub fn allow(self, scope: KeyScope) -> bool {
        self.names(scope) || (!self.are_limited() && scope != KeyScope::SecretsRead)
    }

    /// Whether a key with these may hand out a key with those.
    pub fn include(self, others: Self) -> bool {
        let allowed = self.0 | KeyScope::Restricted.bit();
        !self.are_limited() || (others.are_limited() && others.0 & !allowed == 0)
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
    fn the_scope_for_secrets_adds_and_every_other_limits() {
        let (none, secrets) = (
            KeyScopes::default(),
            KeyScopes::of(&[KeyScope::SecretsRead]),
        );
        for scope in KeyScope::ALL {
            assert_eq!(
                none.allow(scope),
                scope != KeyScope::SecretsRead,
                "{scope:?}"
            );
            assert!(secrets.allow(scope), "{scope:?}");
            for other in KeyScope::ALL
                .into_iter()
                .filter(|other| *other != KeyScope::SecretsRead)
            {
                let both = KeyScopes::of(&[other, KeyScope::SecretsRead]);
                assert!(both.are_limited() && KeyScopes::of(&[other]).are_limited());
                assert_eq!(
                    both.allow(scope),
                    scope == other || scope == KeyScope::SecretsRead,
                    "{scope:?} of {other:?}"
                );
                assert_eq!(
                    KeyScopes::of(&[other]).allow(scope),
                    scope == other,
                    "{scope:?} of {other:?}"
                );
            }
        }
        assert!(!none.are_limited() && !secrets.are_limited());
    }

    #[test]
    fn a_limited_key_hands_out_no_more_than_it_has() {
        use KeyScope::{Admin, RecordsRead, Restricted, SecretsRead};
        let of = KeyScopes::of;
        let some = of(&[RecordsRead, SecretsRead]);
        for all in [KeyScopes::default(), of(&[SecretsRead])] {
            assert!(all.include(some) && all.include(all) && all.include(of(&[SecretsRead])));
            assert!(
                !some.include(all)
                    && !of(&[Admin]).include(all)
                    && !of(&[Restricted, SecretsRead]).include(all)
            );
        }
        assert!(some.include(of(&[RecordsRead])) && some.include(of(&[Restricted, SecretsRead])));
        assert!(!some.include(of(&[SecretsRead])) && !some.include(of(&[RecordsRead, Admin])));
    }
}
