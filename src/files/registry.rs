//! The rows of the table `files`: one for each upload, from its first byte on.

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use super::Files;
use super::store::StoreName;
use crate::audit::Event;
use crate::auth::Caller;
use crate::clock::canonical_time;
use crate::db::{Batch, CommitError, DbError, Stmt, Value};
use crate::error::{Error, Result};
use crate::id::AccountId;

/// A statement that yields [`StoredFile`]s.
macro_rules! select_files {
    ($rest:literal) => {
        concat!(
            "SELECT path, id, account_id, uploaded_by, store, name, mime_type, size, sha256, width, height, created_at, \
             unclaimed_since FROM files ",
            $rest
        )
    };
}
pub(super) use select_files;

/// The table's name in the audit trail.
const TABLE: &str = "files";

/// A file whose bytes are all there.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredFile {
    /// What records and clients name: `<account>/<id><extension>`, behind `s3/` if it was uploaded
    /// into a bucket.
    pub path: String,
    /// Its id, a UUID.
    pub id: String,
    /// The account that it belongs to.
    pub account_id: String,
    /// The id of the user who uploaded it, or `anonymous`.
    pub uploaded_by: String,
    pub(super) store: String,
    /// The name that the client gave it.
    pub name: String,
    /// The media type that was found in its bytes.
    pub mime_type: String,
    /// Its size in bytes.
    pub size: i64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: Option<String>,
    /// For a picture that can be read: its width in pixels.
    pub width: Option<i64>,
    /// For a picture that can be read: its height in pixels.
    pub height: Option<i64>,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
    /// Since when no record names it.
    pub unclaimed_since: Option<DateTime<Utc>>,
}

impl StoredFile {
    /// What a record holds of it: `filename`, `size`, `mime_type` and `path`.
    pub fn description(&self) -> Json {
        json!({"filename": self.name, "size": self.size, "mime_type": self.mime_type, "path": self.path})
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        u64::try_from(self.size).unwrap_or_default()
    }

    /// Its key in its store.
    pub fn key(&self) -> &str {
        key_of(&self.path)
    }

    /// The store that holds it.
    ///
    /// # Errors
    ///
    /// If this version does not know it.
    pub fn store(&self) -> Result<StoreName> {
        store_of(&self.store)
    }

    /// What the audit trail says of it.
    fn details(&self) -> Json {
        json!({"path": self.path, "name": self.name, "mime_type": self.mime_type, "size": self.size,
            "sha256": self.sha256, "uploaded_by": self.uploaded_by, "created_at": canonical_time(self.created_at)})
    }
}

/// The key of a path.
pub(super) fn key_of(path: &str) -> &str {
    path.strip_prefix("s3/").unwrap_or(path)
}

pub(super) fn store_of(name: &str) -> Result<StoreName> {
    StoreName::parse(name).ok_or_else(|| Error::internal(format!("unknown store '{name}'")))
}

/// A file that is being uploaded.
#[derive(Clone, Debug)]
pub(super) struct PendingFile {
    pub path: String,
    pub id: String,
    pub account: AccountId,
    pub uploaded_by: String,
    pub store: StoreName,
    pub name: String,
    pub mime_type: String,
}

/// What is known of a file once all of it is there.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub size: u64,
    pub sha256: String,
    /// Width and height in pixels.
    pub dimensions: Option<(u32, u32)>,
}

impl Files {
    /// A file by its path.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn find(&self, path: &str) -> Result<Option<StoredFile>> {
        let found = select_files!("WHERE path = $1 AND state = 'stored'");
        Ok(self.db.row(Stmt::fixed(found, vec![path.into()])).await?)
    }

    /// Bytes of the files of an account.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn used_bytes(&self, account: AccountId) -> Result<u64> {
        let sum = "SELECT bytes FROM file_usage WHERE account_id = $1";
        let sum = self
            .db
            .count(Stmt::fixed(sum, vec![account.into()]))
            .await?;
        Ok(u64::try_from(sum).unwrap_or_default())
    }

    /// Notes that a file is coming, before any of it is in a store: a crash leaves nothing that is
    /// not known of.
    pub(super) async fn register(&self, file: &PendingFile) -> Result<()> {
        let insert = "INSERT INTO files (path, id, account_id, uploaded_by, store, name, mime_type, state, created_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8)";
        let args = vec![
            (&file.path).into(),
            (&file.id).into(),
            file.account.into(),
            (&file.uploaded_by).into(),
            file.store.as_str().into(),
            (&file.name).into(),
            (&file.mime_type).into(),
            self.clock.now().into(),
        ];
        let batch = Batch::new().require(Stmt::fixed(insert, args));
        self.db
            .commit(batch)
            .await
            .map_err(|error| match error.source {
                DbError::ForeignKey => Error::not_found("The account does not exist"),
                other => other.into(),
            })?;
        Ok(())
    }

    /// Notes that all of a file is there.
    pub(super) async fn complete(
        &self,
        caller: &Caller,
        file: &PendingFile,
        content: Content,
    ) -> Result<StoredFile> {
        let now = self.clock.now();
        let limit = self.config.account_bytes;
        let size = i64::try_from(content.size).map_err(Error::internal)?;
        let quota_exceeded = || self.quota_exceeded();
        if limit > 0 && content.size > limit {
            return Err(quota_exceeded());
        }
        let most = if limit == 0 { u64::MAX } else { limit };
        let count = "INSERT INTO file_usage (account_id, bytes) VALUES ($1, $2) ON CONFLICT (account_id) DO UPDATE \
                     SET bytes = file_usage.bytes + excluded.bytes WHERE file_usage.bytes + excluded.bytes <= $3";
        let count = Stmt::fixed(
            count,
            vec![
                file.account.into(),
                size.into(),
                i64::try_from(most).unwrap_or(i64::MAX).into(),
            ],
        );
        let update = "UPDATE files SET state = 'stored', size = $1, sha256 = $2, width = $3, height = $4, \
                      unclaimed_since = $5 WHERE path = $6 AND state = 'pending'";
        let dimension = |pixels: Option<u32>| match pixels {
            Some(pixels) => Value::Int(pixels.into()),
            None => Value::Null(crate::db::Kind::Int),
        };
        let (width, height) = content.dimensions.unzip();
        let args = vec![
            size.into(),
            (&content.sha256).into(),
            dimension(width),
            dimension(height),
            now.into(),
            (&file.path).into(),
        ];
        let stored = StoredFile {
            path: file.path.clone(),
            id: file.id.clone(),
            account_id: file.account.to_string(),
            uploaded_by: file.uploaded_by.clone(),
            store: file.store.as_str().to_owned(),
            name: file.name.clone(),
            mime_type: file.mime_type.clone(),
            size,
            sha256: Some(content.sha256),
            width: width.map(i64::from),
            height: height.map(i64::from),
            created_at: now,
            unclaimed_since: Some(now),
        };
        let event = Event::create(TABLE, &stored.id, stored.details());
        let batch = Batch::new()
            .require(count)
            .require(Stmt::fixed(update, args))
            .with(event.of(file.account).by(caller).entry(now));
        match self.db.commit(batch).await {
            Ok(_) => Ok(stored),
            Err(CommitError {
                index: 0,
                source: DbError::Gone,
            }) => Err(quota_exceeded()),
            Err(CommitError {
                source: DbError::Gone,
                ..
            }) => {
                let message = "The upload took too long, and its file was given up";
                Err(Error::refused("Upload expired", message))
            }
            Err(error) => Err(error.source.into()),
        }
    }

    /// Forgets an upload that came to nothing, or a file that no record names. What held its bytes
    /// is noted as garbage by the database. Returns whether it was forgotten.
    pub(super) async fn forget(&self, file: &StoredFile, caller: Option<&Caller>) -> Result<bool> {
        let delete = "DELETE FROM files WHERE path = $1 AND state = 'stored' AND unclaimed_since IS NOT NULL \
                      AND NOT EXISTS (SELECT 1 FROM file_uses u WHERE u.path = $2)";
        let delete = Stmt::fixed(delete, vec![(&file.path).into(), (&file.path).into()]);
        let mut event = Event::delete(TABLE, &file.id, file.details());
        if let Some(account) = AccountId::parse(&file.account_id) {
            event = event.of(account);
        }
        if let Some(caller) = caller {
            event = event.by(caller);
        }
        let batch = Batch::new()
            .require(delete)
            .with(event.entry(self.clock.now()));
        match self.db.commit(batch).await {
            Ok(_) => Ok(true),
            Err(CommitError {
                source: DbError::Gone,
                ..
            }) => Ok(false),
            Err(error) => Err(error.source.into()),
        }
    }

    /// Forgets an upload that came to nothing.
    pub(super) async fn abandon(&self, path: &str) -> Result<()> {
        let delete = "DELETE FROM files WHERE path = $1 AND state = 'pending'";
        self.db
            .execute(Stmt::fixed(delete, vec![path.into()]))
            .await?;
        Ok(())
    }

    pub(super) fn quota_exceeded(&self) -> Error {
        let limit = self.config.account_bytes;
        let message = format!(
            "the account may have {limit} bytes of files; delete some, or ask those who run the server for more"
        );
        Error::QuotaExceeded {
            message,
            quota: "file_bytes",
            limit,
        }
    }
}
