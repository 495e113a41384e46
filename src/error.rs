//! The one error of the services. It knows nothing about HTTP: `http::error` turns it into a
//! response.

use serde_json::Value as Json;

use crate::db::DbError;

/// What services return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// The field, or a path such as `schema[0].name`.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// A slug for programs.
    pub code: String,
}

impl FieldError {
    /// A problem of a field.
    pub fn new(
        field: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            code: code.into(),
        }
    }
}

/// One place where a request does not have the shape that the endpoint takes.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Problem {
    /// A slug for programs: `missing`, `string_type`, `less_than_equal`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Where: `body`, `query` or `path`, then the keys that lead there.
    pub loc: Vec<Json>,
    /// What is wrong.
    pub msg: String,
    /// What was sent.
    pub input: Json,
    /// What would have been right: `{"min_length": 3}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Json>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(loc: Vec<Json>, kind: &str, msg: impl Into<String>, input: Json) -> Self {
        Self {
            kind: kind.into(),
            loc,
            msg: msg.into(),
            input,
            ctx: None,
        }
    }

    /// A problem with a key of the body.
    pub fn body(key: &str, kind: &str, msg: impl Into<String>, input: Json) -> Self {
        Self::at(vec!["body".into(), key.into()], kind, msg, input)
    }

    /// A list in the body that needs one more item.
    pub fn empty_list(key: &str) -> Self {
        let ctx = serde_json::json!({"field_type": "List", "min_length": 1, "actual_length": 0});
        let msg = "List should have at least 1 item after validation, not 0";
        Self::body(key, "too_short", msg, Json::Array(Vec::new())).with(ctx)
    }

    /// The same, with what would have been right.
    #[must_use]
    pub fn with(mut self, ctx: Json) -> Self {
        self.ctx = Some(ctx);
        self
    }

    /// A required key of the body that is not there.
    pub fn missing(key: &str) -> Self {
        Self::body(key, "missing", "Field required", Json::Null)
    }

    /// The same, as a problem of the key of the body that it is about.
    pub fn of_field(&self) -> FieldError {
        let keys = self.loc.iter().skip(1).filter_map(Json::as_str);
        FieldError::new(keys.collect::<Vec<_>>().join("."), &self.kind, &self.msg)
    }

    /// Where, and what is wrong.
    fn in_words(&self) -> String {
        match self.loc.get(1) {
            Some(Json::String(key)) => format!("{key}: {}", self.msg),
            _ => self.msg.clone(),
        }
    }

    /// A problem with a query parameter.
    pub fn query(key: &str, kind: &str, msg: impl Into<String>, input: impl Into<Json>) -> Self {
        Self::at(vec!["query".into(), key.into()], kind, msg, input.into())
    }
}

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or must look as if it did not.
    #[error("{0}")]
    NotFound(String),
    /// A collection that does not exist, for those who define collections.
    #[error("{0}")]
    CollectionNotFound(String),
    /// An error about one item of a batch.
    #[error("{error}")]
    InBatch {
        /// The place of the item in the batch, from 0.
        index: usize,
        /// The error, without a place.
        error: Box<Self>,
    },
    /// A request that is well formed but cannot be done. `label` names the kind for programs.
    #[error("{message}")]
    Refused {
        /// The `error` key: `Invalid filter expression`, `Invalid cursor`, …
        label: &'static str,
        /// What is wrong and what would be right.
        message: String,
    },
    /// Values that break a policy or a collection's definition.
    #[error("{}", join(fields))]
    Invalid {
        /// What is wrong, field by field.
        fields: Vec<FieldError>,
    },
    /// A new password that breaks the policy, where clients know the problems below `detail`.
    #[error("{}", join(fields))]
    WeakPassword {
        /// What is wrong.
        fields: Vec<FieldError>,
    },
    /// The request does not have the shape that the endpoint takes.
    #[error("{}", problems.first().map_or_else(|| "Malformed request".into(), Problem::in_words))]
    Malformed {
        /// What is wrong, place by place.
        problems: Vec<Problem>,
    },
    /// A request of the right shape that a rule of the server forbids: a default role cannot be
    /// deleted.
    #[error("{message}")]
    Unprocessable {
        /// What it is about: a key of the body, or `id`.
        field: &'static str,
        /// What is wrong.
        message: String,
    },
    /// Fields that the caller may not write.
    #[error("{message}")]
    FieldAccess {
        /// What is wrong.
        message: String,
        /// The fields that were refused.
        fields: Vec<String>,
        /// The fields that would be taken, if a field list says so.
        allowed: Option<Vec<String>>,
    },
    /// No credentials, or credentials that are not valid (any more).
    #[error("{0}")]
    Unauthenticated(String),
    /// A sign-in or a refresh that was refused.
    #[error("{0}")]
    SignInRefused(String),
    /// The caller is known and may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// It clashes with what is there.
    #[error("{message}")]
    Conflict {
        /// What clashes.
        message: String,
        /// The field, where there is one.
        field: Option<String>,
    },
    /// The body is larger than allowed.
    #[error("{0}")]
    TooLarge(String),
    /// A record that would be larger than allowed.
    #[error("{message}")]
    RecordTooLarge {
        /// What is too large, and the limit.
        message: String,
        /// The largest field that was sent, where there is one.
        field: Option<String>,
    },
    /// The disk is full, or nearly so.
    #[error("{0}")]
    InsufficientStorage(String),
    /// More than one account may have.
    #[error("{message}")]
    QuotaExceeded {
        /// What is too much, and what to do.
        message: String,
        /// The quota: `records`, `bytes`.
        quota: &'static str,
        /// Its limit.
        limit: u64,
    },
    /// Too many requests; try again after so many seconds.
    #[error("Too many requests. Try again in {retry_after} seconds.")]
    RateLimited {
        /// Seconds to wait, at least 1.
        retry_after: u64,
    },
    /// A hook refused it.
    #[error("{message}")]
    Aborted {
        /// The hook's message.
        message: String,
        /// The hook's status, 400 to 499.
        status: u16,
    },
    /// The definition of a collection changed between planning a statement and running it.
    #[error("The collection was changed meanwhile. Try again.")]
    DefinitionChanged,
    /// The server cannot do this now: it shuts down, or the database is away.
    #[error("{0}")]
    Unavailable(String),
    /// A defect or a broken environment; the text is for the log, not for the client.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// Something that does not exist: `Error::not_found("Record not found")`.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::NotFound(message.into())
    }

    /// A request that cannot be done.
    pub fn refused(label: &'static str, message: impl Into<String>) -> Self {
        Self::Refused {
            label,
            message: message.into(),
        }
    }

    /// An answer with more bytes than one may have.
    pub fn answer_too_large() -> Self {
        let message = "The answer would be too large: take a smaller page, or fewer fields";
        Self::refused("Answer too large", message)
    }

    /// One field that is wrong.
    pub fn invalid(
        field: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            fields: vec![FieldError::new(field, code, message)],
        }
    }

    /// Fields that are wrong.
    pub fn invalid_fields(fields: Vec<FieldError>) -> Self {
        Self::Invalid { fields }
    }

    /// A clash with what is there.
    pub fn conflict(message: impl Into<String>, field: Option<&str>) -> Self {
        Self::Conflict {
            message: message.into(),
            field: field.map(Into::into),
        }
    }

    /// A defect: the text goes to the log.
    pub fn internal(message: impl std::fmt::Display) -> Self {
        Self::Internal(message.to_string())
    }

    /// One place where the request is malformed.
    pub fn malformed(problem: Problem) -> Self {
        Self::Malformed {
            problems: vec![problem],
        }
    }
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unique { .. } => Self::conflict("This value is taken already", None),
            DbError::ForeignKey => Self::conflict("Other data refers to this", None),
            DbError::SchemaChanged => Self::DefinitionChanged,
            DbError::Busy => Self::Unavailable("The database is busy. Try again.".into()),
            DbError::Full => Self::InsufficientStorage("the disk of the database is full".into()),
            DbError::RecordTooLarge => Self::RecordTooLarge {
                message: "the record would be larger than this server stores".into(),
                field: None,
            },
            DbError::SerializationFailure => {
                Self::Unavailable("Too many others change the same records. Try again.".into())
            }
            DbError::Unreachable(cause) => {
                Self::Unavailable(format!("The database cannot be reached: {cause}"))
            }
            DbError::ReadOnly => Self::Unavailable(
                "The database takes no writes at the moment. Try again later.".into(),
            ),
            DbError::TooLongForIndex { .. } => {
                Self::refused("Validation error", "A value is too long for an index")
            }
            DbError::BadText => {
                Self::refused("Bad request", "Text must not contain NUL characters")
            }
            DbError::TooLarge => Self::answer_too_large(),
            DbError::Gone => Self::not_found("Not found"),
            DbError::Closed => {
                Self::Unavailable("The database is closed: the server is stopping".into())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<crate::db::CommitError> for Error {
    fn from(error: crate::db::CommitError) -> Self {
        error.source.into()
    }
}

fn join(fields: &[FieldError]) -> String {
    fields
        .iter()
        .map(|f| format!("{}: {}", f.field, f.message))
        .collect::<Vec<_>>()
        .join("; ")
}
