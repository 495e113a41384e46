//! What an expression can know about the caller.

use std::collections::BTreeSet;

/// The caller of a request; an anonymous one has no attributes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Auth<'a> {
    /// The user's id.
    pub id: Option<&'a str>,
    /// The user's e-mail address.
    pub email: Option<&'a str>,
    /// The name of the user's role.
    pub role: Option<&'a str>,
    /// The id of the user's account.
    pub account_id: Option<&'a str>,
    /// The names of the groups that the user is in.
    pub groups: &'a [String],
}

/// One of the caller's attributes, `@request.auth.<name>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// `@request.auth.id`
    Id,
    /// `@request.auth.email`
    Email,
    /// `@request.auth.role`
    Role,
    /// `@request.auth.account_id`
    AccountId,
}

impl Attribute {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "id" => Some(Self::Id),
            "email" => Some(Self::Email),
            "role" => Some(Self::Role),
            "account_id" => Some(Self::AccountId),
            _ => None,
        }
    }

    /// The caller's value of this attribute.
    pub fn of<'a>(self, auth: &Auth<'a>) -> Option<&'a str> {
        match self {
            Self::Id => auth.id,
            Self::Email => auth.email,
            Self::Role => auth.role,
            Self::AccountId => auth.account_id,
        }
    }
}

/// The caller's attributes that an expression reads: callers who have these in common get the same
/// answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of four attributes")]
pub struct Reads {
    /// Reads `@request.auth.id`.
    pub id: bool,
    /// Reads `@request.auth.email`.
    pub email: bool,
    /// Reads `@request.auth.role`.
    pub role: bool,
    /// Reads `@request.auth.account_id`.
    pub account_id: bool,
    /// The groups whose membership it asks for.
    pub groups: BTreeSet<String>,
}

impl Reads {
    /// Whether every caller gets the same answer.
    pub fn nothing(&self) -> bool {
        self == &Self::default()
    }

    pub(super) fn add(&mut self, attribute: Attribute) {
        match attribute {
            Attribute::Id => self.id = true,
            Attribute::Email => self.email = true,
            Attribute::Role => self.role = true,
            Attribute::AccountId => self.account_id = true,
        }
    }

    /// Adds what another expression reads.
    pub(super) fn merge(&mut self, other: Self) {
        self.id |= other.id;
        self.email |= other.email;
        self.role |= other.role;
        self.account_id |= other.account_id;
        self.groups.extend(other.groups);
    }

    pub(super) fn key(&self, auth: &Auth<'_>) -> CallerKey {
        let attributes = [
            (self.id, Attribute::Id),
            (self.email, Attribute::Email),
            (self.role, Attribute::Role),
            (self.account_id, Attribute::AccountId),
        ];
        let read = attributes.into_iter().filter(|(read, _)| *read);
        CallerKey {
            attributes: read
                .map(|(_, attribute)| attribute.of(auth).map(Box::from))
                .collect(),
            groups: self
                .groups
                .iter()
                .map(|group| auth.groups.contains(group))
                .collect(),
        }
    }
}

/// The values of the attributes that one expression reads. Keys of different expressions do not
/// compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallerKey {
    attributes: Box<[Option<Box<str>>]>,
    groups: Box<[bool]>,
}
