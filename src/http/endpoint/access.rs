//! The declaration of a route: the callers that it lets in.

use crate::access::ApiKeyRequirement;

/// The callers that an endpoint lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerLevel {
    /// Everybody. Credentials in headers are not read.
    Everyone,
    /// Everybody. Valid credentials tell who is calling, others count as none.
    EveryoneKnown,
    /// Callers without credentials, as far as rules of collections let them in, and callers with
    /// valid ones.
    Visitor,
    /// Callers with valid credentials.
    SignedIn,
    /// Users of the system account.
    Superadmin,
    /// The endpoint itself checks the credential, which may stand in the URL or in the body: the
    /// handshakes of the realtime protocols.
    Handshake,
}

impl CallerLevel {
    /// The name in the route table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::EveryoneKnown => "everyone, known",
            Self::Visitor => "visitor",
            Self::SignedIn => "signed in",
            Self::Superadmin => "superadmin",
            Self::Handshake => "handshake",
        }
    }

    /// True if a request without credentials, or with wrong ones, can be refused.
    pub(super) fn refuses_credentials(self) -> bool {
        matches!(self, Self::Visitor | Self::SignedIn | Self::Superadmin)
    }
}

/// The declaration of a route: who may call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointAccess {
    /// The callers that are let in.
    pub level: CallerLevel,
    /// The scope that an API key needs.
    pub api_key: ApiKeyRequirement,
}
