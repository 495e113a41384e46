//! The scope that an endpoint demands of an API key.
//!
//! Every route names one of the constants below when it is declared; there is no default. A key
//! without scopes that limit it may do whatever its owner may do, see [`KeyScopes`].
//!
//! [`KeyScopes`]: crate::auth::KeyScopes

use crate::auth::{KeyScope, Principal};
use crate::error::Result;

/// What an API key must be made for to be let in. Access tokens of users are not concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiKeyRequirement(Option<KeyScope>);

/// Every valid key is let in.
pub const ANY_KEY: ApiKeyRequirement = ApiKeyRequirement(None);
/// Reading records and listening to them.
pub const RECORDS_READ: ApiKeyRequirement = ApiKeyRequirement(Some(KeyScope::RecordsRead));
/// Changing records and publishing in rooms.
pub const RECORDS_WRITE: ApiKeyRequirement = ApiKeyRequirement(Some(KeyScope::RecordsWrite));
/// Reading the plain values of encrypted fields.
pub const SECRETS_READ: ApiKeyRequirement = ApiKeyRequirement(Some(KeyScope::SecretsRead));
/// Reading files.
pub const FILES_READ: ApiKeyRequirement = ApiKeyRequirement(Some(KeyScope::FilesRead));
/// Uploading and deleting files.
pub const FILES_WRITE: ApiKeyRequirement = ApiKeyRequirement(Some(KeyScope::FilesWrite));
/// Everything that is not about records and files.
pub const ADMIN: ApiKeyRequirement = ApiKeyRequirement(Some(KeyScope::Admin));

impl ApiKeyRequirement {
    /// The scope that a key must have; none if every key is let in.
    pub fn scope(self) -> Option<KeyScope> {
        self.0
    }

    /// Lets a caller in.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`](crate::error::Error::Forbidden) if the caller shows an API key that
    /// lacks the scope.
    pub fn permit(self, principal: &Principal) -> Result<()> {
        self.0.map_or(Ok(()), |scope| principal.require(scope))
    }
}
