//! Uploads that are sent in pieces: what was received stays when a connection breaks.
//!
//! ```text
//! begin ──► row, 0 received ──► pieces in the store, each noted when it is there ──► all there ──► a file
//!                    ▲ what broke off is kept up to the last whole block ┘                └─ pieces go
//! ```
//!
//! A piece is noted with the place where it begins: of two that are sent at once for the same place,
//! one is refused. Uploads that nobody goes on with are removed after a day.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};

use super::digest::ContentDigest;
use super::registry::{StoredFile, key_of, store_of};
use super::store::BLOCK_BYTES;
use super::upload::{FileLimits, NewFile};
use super::{Files, name, upload};
use crate::auth::Caller;
use crate::db::{Batch, CommitError, DbError, Kind, Stmt, Value};
use crate::error::{Error, Result};
use crate::id::{AccountId, SYSTEM_ACCOUNT, new_id};

/// The folder of the pieces in a store; no account has this name.
const FOLDER: &str = "parts";
/// Size of a piece in bytes, from which on it is noted and another one begins: what a crash of the
/// server costs at most.
const PART_BYTES: u64 = 16 * 1024 * 1024;
/// The part of the request that messages name.
const FIELD: &str = "file";

/// An upload that is under way, or has become a file.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ResumableUpload {
    /// Its id, a UUID.
    pub id: String,
    account_id: String,
    uploaded_by: String,
    store: String,
    name: String,
    declared: Option<String>,
    /// Bytes of the whole file.
    pub size: i64,
    /// Bytes that are there.
    pub received: i64,
    /// The path of the file that it became.
    pub path: Option<String>,
    /// When something of it was received last.
    pub active_at: DateTime<Utc>,
}

impl Files {
    /// Begins an upload of so many bytes.
    ///
    /// # Errors
    ///
    /// As [`Self::store`] for what is known by now: the size, the declared type, the quota.
    pub async fn begin_upload(
        &self,
        caller: &Caller,
        name: &str,
        declared: Option<&str>,
        size: u64,
    ) -> Result<ResumableUpload> {
        let account = caller.account_id().unwrap_or(SYSTEM_ACCOUNT);
        let new = new_file(account, name, declared, size);
        self.check_announced(&new).await?;
        let upload = ResumableUpload {
            id: new_id().to_string(),
            account_id: account.to_string(),
            uploaded_by: caller.actor().to_owned(),
            store: self.stores.writes_to().as_str().to_owned(),
            name: name::clean(name),
            declared: declared.map(str::to_owned),
            size: i64::try_from(size).map_err(Error::internal)?,
            received: 0,
            path: None,
            active_at: self.clock.now(),
        };
        let insert = "INSERT INTO file_uploads (id, account_id, uploaded_by, store, name, declared, size, active_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let declared = match &upload.declared {
            Some(declared) => Value::Text(declared.replace('\0', "")),
            None => Value::Null(Kind::Text),
        };
        let args = vec![
            (&upload.id).into(),
            (&upload.account_id).into(),
            (&upload.uploaded_by).into(),
            (&upload.store).into(),
            (&upload.name).into(),
            declared,
            upload.size.into(),
            upload.active_at.into(),
        ];
        self.db.execute(Stmt::fixed(insert, args)).await?;
        Ok(upload)
    }

    /// An upload of the caller's.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for one that is not there, or is somebody else's.
    pub async fn upload(&self, caller: &Caller, id: &str) -> Result<ResumableUpload> {
        let found = "SELECT id, account_id, uploaded_by, store, name, declared, size, received, path, active_at \
                     FROM file_uploads WHERE id = $1 AND uploaded_by = $2";
        let args = vec![id.into(), caller.actor().into()];
        let upload = self.db.row(Stmt::fixed(found, args)).await?;
        upload.ok_or_else(|| Error::not_found("There is no such upload"))
    }

    /// Takes in what follows a place, and makes a file of the upload once it is whole.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if the upload is at another place, what the body fails with (what came
    /// before stays), and what [`Self::store`] refuses the whole file for; then the upload is gone.
    pub async fn continue_upload(
        &self,
        caller: &Caller,
        upload: &ResumableUpload,
        offset: u64,
        body: impl Stream<Item = Result<Bytes>>,
    ) -> Result<ResumableUpload> {
        let mut upload = upload.clone();
        if upload.path.is_some() || u64::try_from(upload.received).ok() != Some(offset) {
            return Err(elsewhere(&upload));
        }
        let mut body = pin!(body);
        loop {
            let end = self.take_part(&mut upload, &mut body).await?;
            self.finish_if_whole(caller, &mut upload).await?;
            if end {
                return Ok(upload);
            }
        }
    }

    /// Makes a file of an upload of which all is there: also of one whose last request was
    /// interrupted after it was received.
    ///
    /// # Errors
    ///
    /// As [`Self::continue_upload`].
    pub async fn finish_if_whole(
        &self,
        caller: &Caller,
        upload: &mut ResumableUpload,
    ) -> Result<()> {
        if upload.received == upload.size && upload.path.is_none() {
            let file = self.finish_upload(caller, upload).await?;
            upload.path = Some(file.path);
        }
        Ok(())
    }

    /// Gives an upload up.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn cancel_upload(&self, upload: &ResumableUpload) -> Result<()> {
        let parts = self.parts_of(upload).await?;
        let delete = "DELETE FROM file_uploads WHERE id = $1";
        self.db
            .execute(Stmt::fixed(delete, vec![(&upload.id).into()]))
            .await?;
        for (path, _) in parts {
            self.collect_garbage_of(&path).await?;
        }
        Ok(())
    }

    /// Forgets uploads that nobody goes on with, and says how many.
    pub(super) async fn cancel_expired_uploads(&self, before: DateTime<Utc>) -> Result<usize> {
        let expired = "SELECT id FROM file_uploads WHERE active_at <= $1 LIMIT 1000";
        let expired: Vec<(String,)> = self
            .db
            .rows(Stmt::fixed(expired, vec![before.into()]))
            .await?;
        for (id,) in &expired {
            let delete = "DELETE FROM file_uploads WHERE id = $1 AND active_at <= $2";
            let args = vec![id.into(), before.into()];
            self.db.execute(Stmt::fixed(delete, args)).await?;
        }
        Ok(expired.len())
    }

    /// Takes in one piece. Returns whether the body has ended; if it broke off, what came is kept
    /// and the error told.
    async fn take_part(
        &self,
        upload: &mut ResumableUpload,
        body: &mut (impl Stream<Item = Result<Bytes>> + Unpin),
    ) -> Result<bool> {
        let left = u64::try_from(upload.size - upload.received).unwrap_or_default();
        let mut buffer = BytesMut::new();
        let first = upload::next_block(body, &mut buffer).await?;
        let Some(first) = first else { return Ok(true) };
        let store = store_of(&upload.store)?;
        let path = format!("{FOLDER}/{}/{}", upload.id, new_id());
        let insert =
            "INSERT INTO file_upload_parts (path, upload_id, store, start) VALUES ($1, $2, $3, $4)";
        let args = vec![
            (&path).into(),
            (&upload.id).into(),
            (&upload.store).into(),
            upload.received.into(),
        ];
        let insert = Batch::new().require(Stmt::fixed(insert, args));
        self.db
            .commit(insert)
            .await
            .map_err(|error| match error.source {
                DbError::ForeignKey => Error::not_found("There is no such upload"),
                other => other.into(),
            })?;
        let mut writer = self.stores.create(store, &path).await?;
        let mut digest = ContentDigest::new(false);
        let mut next = Ok(Some(first));
        let end = loop {
            match next {
                Ok(Some(block)) => {
                    if digest.size() + block.len() as u64 > left {
                        drop(writer);
                        self.drop_part(&path).await?;
                        let message = "More was sent than the upload's length";
                        return Err(Error::invalid(FIELD, "file_too_large", message));
                    }
                    digest = writer.write(block, digest).await?;
                }
                Ok(None) => break Ok(true),
                Err(error) => break Err(error),
            }
            if digest.size() >= PART_BYTES {
                break Ok(false);
            }
            next = upload::next_block(body, &mut buffer).await;
        };
        writer.finish().await?;
        self.note_part(upload, &path, digest.size()).await?;
        end
    }

    /// Notes that a piece is there, if the upload is still where the piece begins.
    async fn note_part(&self, upload: &mut ResumableUpload, path: &str, size: u64) -> Result<()> {
        let size = i64::try_from(size).map_err(Error::internal)?;
        let now = self.clock.now();
        let advance = "UPDATE file_uploads SET received = received + $1, active_at = $2 \
                       WHERE id = $3 AND received = $4 AND path IS NULL";
        let args = vec![
            size.into(),
            now.into(),
            (&upload.id).into(),
            upload.received.into(),
        ];
        let measure = "UPDATE file_upload_parts SET size = $1 WHERE path = $2";
        let batch = Batch::new()
            .require(Stmt::fixed(advance, args))
            .require(Stmt::fixed(measure, vec![size.into(), path.into()]));
        match self.db.commit(batch).await {
            Ok(_) => {
                upload.received += size;
                upload.active_at = now;
                Ok(())
            }
            Err(CommitError {
                source: DbError::Gone,
                ..
            }) => {
                self.drop_part(path).await?;
                Err(elsewhere(upload))
            }
            Err(error) => Err(error.source.into()),
        }
    }

    async fn drop_part(&self, path: &str) -> Result<()> {
        let delete = "DELETE FROM file_upload_parts WHERE path = $1";
        self.db
            .execute(Stmt::fixed(delete, vec![path.into()]))
            .await?;
        self.collect_garbage_of(path).await
    }

    /// Makes a file of the pieces. One that is refused takes the upload with it.
    async fn finish_upload(&self, caller: &Caller, upload: &ResumableUpload) -> Result<StoredFile> {
        let parts = self.parts_of(upload).await?;
        let account = AccountId::parse(&upload.account_id).unwrap_or(SYSTEM_ACCOUNT);
        let size = u64::try_from(upload.size).unwrap_or_default();
        let new = new_file(account, &upload.name, upload.declared.as_deref(), size);
        let store = store_of(&upload.store)?;
        let stores = self.stores.clone();
        // The pieces are read one after the other, while the file is written.
        let pieces = stream::iter(parts.clone()).then(move |(path, size)| {
            let stores = stores.clone();
            async move {
                let size = u64::try_from(size).unwrap_or_default();
                let blocks = stores.read(store, key_of(&path), 0..size).await?;
                Ok::<_, Error>(blocks.map_err(Error::internal))
            }
        });
        let outcome = self.store(caller, new, pieces.try_flatten().boxed()).await;
        let file = match outcome {
            Ok(file) => file,
            // Another try would end alike.
            Err(error @ (Error::Invalid { .. } | Error::QuotaExceeded { .. })) => {
                self.cancel_upload(upload).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let note =
            "UPDATE file_uploads SET path = $1, active_at = $2 WHERE id = $3 AND path IS NULL";
        let args = vec![
            (&file.path).into(),
            self.clock.now().into(),
            (&upload.id).into(),
        ];
        let clear = "DELETE FROM file_upload_parts WHERE upload_id = $1";
        let batch = Batch::new()
            .require(Stmt::fixed(note, args))
            .with(Stmt::fixed(clear, vec![(&upload.id).into()]));
        if let Err(error) = self.db.commit(batch).await {
            self.discard(&file).await?;
            return Err(match error.source {
                DbError::Gone => elsewhere(upload),
                other => other.into(),
            });
        }
        for (path, _) in parts {
            self.collect_garbage_of(&path).await?;
        }
        Ok(file)
    }

    /// The paths and sizes of an upload's pieces, in their order.
    async fn parts_of(&self, upload: &ResumableUpload) -> Result<Vec<(String, i64)>> {
        let parts = "SELECT path, coalesce(size, 0) FROM file_upload_parts WHERE upload_id = $1 AND size IS NOT NULL \
                     ORDER BY start";
        let parts = Stmt::fixed(parts, vec![(&upload.id).into()]);
        Ok(self.db.rows(parts).await?)
    }
}

fn new_file<'a>(
    account: AccountId,
    name: &'a str,
    declared: Option<&'a str>,
    size: u64,
) -> NewFile<'a> {
    NewFile {
        account,
        field: FIELD,
        name,
        declared,
        announced: Some(size),
        limits: FileLimits::default(),
    }
}

fn elsewhere(upload: &ResumableUpload) -> Error {
    let message = format!(
        "The upload goes on at byte {}, or was finished by another request",
        upload.received
    );
    Error::conflict(message, Some("Upload-Offset"))
}

/// Pieces that are smaller than a block need no memory to speak of.
const _: () = assert!(PART_BYTES > BLOCK_BYTES as u64);
