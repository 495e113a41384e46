//! Driver errors, sorted by what a caller can do about them.

/// The message of the trigger that refuses a record that is too large.
pub(super) const TOO_LARGE: &str = "record too large";
/// The same as an SQLSTATE, for PostgreSQL.
pub(super) const TOO_LARGE_STATE: &str = "SB413";

/// What the message of the trigger that refuses more than a quota begins with; the quota's name
/// follows.
pub(super) const QUOTA_EXCEEDED: &str = "quota exceeded: ";
/// The same as an SQLSTATE, for PostgreSQL.
pub(super) const QUOTA_STATE: &str = "SB403";

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A unique constraint. `hint` is the constraint's name on PostgreSQL; on SQLite the last
    /// column's, or the name of an index over an expression.
    #[error("unique constraint: {hint}")]
    Unique {
        /// What the driver says about where.
        hint: String,
    },
    /// A reference to nothing, or a delete of something that is referred to.
    #[error("foreign key constraint")]
    ForeignKey,
    /// A NULL where none may be.
    #[error("not null constraint: {column}")]
    NotNull {
        /// The column.
        column: String,
    },
    /// A check constraint, or a value out of the column's range.
    #[error("check constraint: {0}")]
    Check(String),
    /// The disk is full.
    #[error("disk full")]
    Full,
    /// A record that would be larger than the configured limit, and larger than it was.
    #[error("record too large")]
    RecordTooLarge,
    /// More than the records of one account may be: `records` or `bytes`.
    #[error("quota exceeded: {0}")]
    Quota(&'static str),
    /// A value that is too long for an index: PostgreSQL takes 2,704 bytes after compression.
    #[error("a value is too long for the index {index}")]
    TooLongForIndex {
        /// The index; empty where PostgreSQL does not name it, for values of more than 8 KiB.
        index: String,
    },
    /// Text that PostgreSQL does not take: with a NUL character in it.
    #[error("text with a NUL character")]
    BadText,
    /// The database is locked or has no free connection: try again.
    #[error("database busy")]
    Busy,
    /// The database gave the transaction up for the sake of another one, and wrote nothing of it:
    /// run it again.
    #[error("serialization failure")]
    SerializationFailure,
    /// The database cannot be reached, or its answer was lost; the text says why.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The database takes no writes: a standby server, a file system without write access.
    #[error("read-only")]
    ReadOnly,
    /// The server cannot be used as it is set up; the text says what to change.
    #[error("{0}")]
    Unsuitable(String),
    /// The table or a column is not there (any more) or has another type: the schema changed after
    /// the statement was written.
    #[error("the schema has changed")]
    SchemaChanged,
    /// A read has more bytes than it may have.
    #[error("too many bytes for one read")]
    TooLarge,
    /// A statement that had to touch a row touched none.
    #[error("no such row")]
    Gone,
    /// Anything else: a defect.
    #[error(transparent)]
    Other(sqlx::Error),
    /// The database is shut down.
    #[error("the database is closed")]
    Closed,
    /// The system tables cannot be migrated.
    #[error("migration failed: {0}")]
    Migration(String),
}

/// A batch that failed: which statement, and why. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
#[error("statement {index}: {source}")]
pub struct CommitError {
    /// The statement, counted from 0.
    pub index: usize,
    /// Why.
    pub source: DbError,
}

impl From<CommitError> for DbError {
    fn from(error: CommitError) -> Self {
        error.source
    }
}

impl DbError {
    /// The same error for one more caller.
    pub(super) fn duplicate(&self) -> Self {
        match self {
            Self::Unique { hint } => Self::Unique { hint: hint.clone() },
            Self::ForeignKey => Self::ForeignKey,
            Self::NotNull { column } => Self::NotNull {
                column: column.clone(),
            },
            Self::Check(message) => Self::Check(message.clone()),
            Self::BadText => Self::BadText,
            Self::Busy => Self::Busy,
            Self::SerializationFailure => Self::SerializationFailure,
            Self::Unreachable(cause) => Self::Unreachable(cause.clone()),
            Self::ReadOnly => Self::ReadOnly,
            Self::Full => Self::Full,
            Self::TooLongForIndex { index } => Self::TooLongForIndex {
                index: index.clone(),
            },
            Self::RecordTooLarge => Self::RecordTooLarge,
            Self::Quota(quota) => Self::Quota(quota),
            Self::Unsuitable(message) => Self::Unsuitable(message.clone()),
            Self::SchemaChanged => Self::SchemaChanged,
            Self::TooLarge => Self::TooLarge,
            Self::Gone => Self::Gone,
            Self::Other(error) => Self::Other(sqlx::Error::Protocol(error.to_string())),
            Self::Closed => Self::Closed,
            Self::Migration(message) => Self::Migration(message.clone()),
        }
    }

    /// Whether SQLite has undone the failed statement alone, so that its transaction can go on.
    /// After other errors the transaction may be gone.
    pub(super) fn spares_transaction(&self) -> bool {
        match self {
            Self::Unique { .. }
            | Self::ForeignKey
            | Self::NotNull { .. }
            | Self::Check(_)
            | Self::BadText
            | Self::RecordTooLarge
            | Self::Quota(_)
            | Self::SchemaChanged
            | Self::Gone => true,
            Self::Other(sqlx::Error::Database(error)) => {
                matches!(
                    sqlite_primary_code(&error.code().unwrap_or_default()),
                    Some(1 | 18 | 19 | 20 | 21 | 25)
                )
            }
            Self::Other(error) => matches!(
                error,
                sqlx::Error::ColumnDecode { .. }
                    | sqlx::Error::ColumnIndexOutOfBounds { .. }
                    | sqlx::Error::Decode(_)
                    | sqlx::Error::Encode(_)
            ),
            _ => false,
        }
    }
}

/// The primary part of one of SQLite's extended result codes; `None` for an SQLSTATE, which has
/// five characters.
fn sqlite_primary_code(code: &str) -> Option<u32> {
    if code.len() >= 5 {
        None
    } else {
        code.parse::<u32>().ok().map(|code| code & 0xff)
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let database = match &error {
            sqlx::Error::PoolTimedOut => return Self::Busy,
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => return Self::Closed,
            sqlx::Error::Io(error) => return Self::Unreachable(error.kind().to_string()),
            sqlx::Error::Tls(error) => return Self::Unreachable(error.to_string()),
            sqlx::Error::Database(database) => database,
            _ => return Self::Other(error),
        };
        let last_column = || {
            let message = database.message();
            // An index over an expression is named in quotes.
            message
                .rsplit(['.', ' '])
                .next()
                .unwrap_or_default()
                .trim_matches('\'')
                .to_owned()
        };
        if let Some(quota) = exceeded_quota(database.message()) {
            return Self::Quota(quota);
        }
        let code = database.code().unwrap_or_default();
        // SQLite's extended result codes, and PostgreSQL's SQLSTATEs.
        match code.as_ref() {
            "2067" | "1555" => Self::Unique {
                hint: last_column(),
            },
            "23505" => Self::Unique {
                hint: database.constraint().unwrap_or_default().to_owned(),
            },
            "1811" if database.message() == TOO_LARGE => Self::RecordTooLarge,
            TOO_LARGE_STATE => Self::RecordTooLarge,
            "787" | "1811" | "23503" | "23001" => Self::ForeignKey,
            "1299" | "23502" => Self::NotNull {
                column: last_column(),
            },
            "275" | "23514" | "22003" | "22001" => Self::Check(database.message().to_owned()),
            "54000" if database.message().starts_with("index row ") => Self::TooLongForIndex {
                index: database.constraint().unwrap_or_default().to_owned(),
            },
            "22021" => Self::BadText,
            "42P01" | "42703" | "42804" => Self::SchemaChanged,
            "0A000" if database.message().starts_with("cached plan") => Self::SchemaChanged,
            // SQLite's general error.
            "1" if is_about_the_schema(database.message()) => Self::SchemaChanged,
            "40001" | "40P01" => Self::SerializationFailure,
            "55P03" => Self::Busy,
            "53100" => Self::Full,
            "25006" => Self::ReadOnly,
            "53300" => Self::Unreachable("it has no connection left".into()),
            "57P03" => Self::Unreachable("it is starting up or shutting down".into()),
            "57P01" | "57P02" | "57P05" | "25P03" => {
                Self::Unreachable("the connection was closed".into())
            }
            "58030" => Self::Unreachable("input/output error".into()),
            _ if code.len() == 5 && code.starts_with("08") => {
                Self::Unreachable("the connection was closed".into())
            }
            _ => match sqlite_primary_code(&code) {
                Some(5 | 6) => Self::Busy,
                Some(8) => Self::ReadOnly,
                Some(10 | 14) => Self::Unreachable(database.message().to_owned()),
                Some(13) => Self::Full,
                Some(17) => Self::SchemaChanged,
                _ => Self::Other(error),
            },
        }
    }
}

/// The quota that a trigger's message names.
fn exceeded_quota(message: &str) -> Option<&'static str> {
    let name = message.strip_prefix(QUOTA_EXCEEDED)?;
    ["records", "bytes"]
        .into_iter()
        .find(|quota| *quota == name)
}

/// Whether SQLite found no such table or column.
fn is_about_the_schema(message: &str) -> bool {
    message.starts_with("no such ")
        || (message.starts_with("table ") && message.contains(" has no column named "))
}
