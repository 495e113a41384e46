//! Identifiers: made in one place, parsed once.

use std::fmt;

use uuid::Uuid;

/// The account whose users administer the whole server: the nil UUID.
pub const SYSTEM_ACCOUNT: AccountId = AccountId(Uuid::nil());

/// The author of writes without credentials.
pub const ANONYMOUS: &str = "anonymous";

/// A new id: version 7, so that new rows stay at the end of an index.
pub fn new_id() -> Uuid {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that makes ids"
    )]
    Uuid::now_v7()
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id.
            pub fn new() -> Self {
                Self(new_id())
            }

            /// Reads an id; `None` if the text is no UUID.
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::try_parse(text).ok().map(Self)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id_type!(
    /// The id of an account.
    AccountId
);
id_type!(
    /// The id of a user.
    UserId
);
id_type!(
    /// The id of a collection.
    CollectionId
);
id_type!(
    /// The id of a record.
    RecordId
);

impl AccountId {
    /// Whether this is the system account.
    pub fn is_system(self) -> bool {
        self == SYSTEM_ACCOUNT
    }
}
