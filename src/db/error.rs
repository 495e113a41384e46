//! Driver errors, sorted by what a caller can do about them.

/// The message of the trigger that refuses a record that is too large.
pub(super) const TOO_LARGE: &str = "record too large";
/// The same as an SQLSTATE, for PostgreSQL.
pub(super) const TOO_LARGE_STATE: &str = "SB413";

/// What the message of the trigger that refuses more than a quota begins with; the quota's name follows.
pub(super) const QUOTA_EXCEEDED: &str = "quota exceeded: ";
/// The same as an SQLSTATE, for PostgreSQL.
pub(super) const QUOTA_STATE: &str = "SB403";

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A unique constraint. `hint` is the constraint's name on PostgreSQL; on SQLite the last column's, or the
    /// name of an index over an expression.
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
    /// Text that PostgreSQL does not take: with a NUL character in it.
    #[error("text with a NUL character")]
    BadText,
    /// The database is locked, has no free connection, or gave up on a conflict: try again.
    #[error("database busy")]
    Busy,
    /// The table or a column is not there (any more) or has another type: the schema changed after the statement was written.
    #[error("the schema has changed")]
    SchemaChanged,
    /// A read has more bytes than it may have.
    #[error("too many bytes for one read")]
    TooLarge,
    /// A statement that had to touch a row touched none.
    #[error("no such row")]
    Gone,
    /// Anything else: a defect, a full disk, a lost connection.
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

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let database = match &error {
            sqlx::Error::PoolTimedOut => return Self::Busy,
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => return Self::Closed,
            sqlx::Error::Database(database) => database,
            _ => return Self::Other(error),
        };
        let last_column = || {
            let message = database.message();
            // An index over an expression is named in quotes.
            message.rsplit(['.', ' ']).next().unwrap_or_default().trim_matches('\'').to_owned()
        };
        if let Some(quota) = exceeded_quota(database.message()) {
            return Self::Quota(quota);
        }
        let code = database.code().unwrap_or_default();
        // SQLite's extended result codes, and PostgreSQL's SQLSTATEs.
        match code.as_ref() {
            "2067" | "1555" => Self::Unique { hint: last_column() },
            "23505" => Self::Unique { hint: database.constraint().unwrap_or_default().to_owned() },
            "1811" if database.message() == TOO_LARGE => Self::RecordTooLarge,
            TOO_LARGE_STATE => Self::RecordTooLarge,
            "787" | "1811" | "23503" | "23001" => Self::ForeignKey,
            "1299" | "23502" => Self::NotNull { column: last_column() },
            "275" | "23514" | "22003" | "22001" => Self::Check(database.message().to_owned()),
            "22021" => Self::BadText,
            "42P01" | "42703" | "42804" => Self::SchemaChanged,
            // SQLite's general error.
            "1" if database.message().starts_with("no such ") => Self::SchemaChanged,
            "13" | "53100" => Self::Full,
            "5" | "6" | "517" | "40001" | "40P01" | "53300" | "55P03" => Self::Busy,
            _ => Self::Other(error),
        }
    }
}

/// The quota that a trigger's message names.
fn exceeded_quota(message: &str) -> Option<&'static str> {
    let name = message.strip_prefix(QUOTA_EXCEEDED)?;
    ["records", "bytes"].into_iter().find(|quota| *quota == name)
}
