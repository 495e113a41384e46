//! Taking a file in, block by block: whatever its size, it needs a few blocks of memory.
//!
//! ```text
//! head ──► type allowed? ──► row 'pending' ─┬─► blocks into the store ──► object appears ──► row 'stored'
//!            │ no: 4xx                      │ broken off, too large, no text: row goes, then the bytes
//! ```

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};

use super::content_type::{self, HEAD_BYTES, Mismatch};
use super::digest::ContentDigest;
use super::name;
use super::registry::{Content, PendingFile, StoredFile, key_of};
use super::store::{BLOCK_BYTES, StoreName};
use super::{Files, human_bytes};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::id::{AccountId, new_id};

/// A file that a client sends.
#[derive(Clone, Debug)]
pub struct NewFile<'a> {
    /// Whose file it becomes.
    pub account: AccountId,
    /// The part of the request, or the field of the record, that messages name.
    pub field: &'a str,
    /// The name that the client gives it.
    pub name: &'a str,
    /// The media type that the client declares.
    pub declared: Option<&'a str>,
    /// Its size in bytes, if the client announces it.
    pub announced: Option<u64>,
    /// What the field takes besides what the server does.
    pub limits: FileLimits<'a>,
}

/// What is taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileLimits<'a> {
    /// The largest file in bytes, if it is less than the server's.
    pub max_bytes: Option<u64>,
    /// Patterns of media types that are taken, of those that the server takes.
    pub types: Option<&'a [String]>,
}

impl Files {
    /// Takes a file in. It belongs to no record yet.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with the field's name and the limit for a file that is too large or of a
    /// type that is not taken, [`Error::QuotaExceeded`], whatever the body fails with, and what the
    /// store fails with. Nothing is kept then.
    pub async fn store(
        &self,
        caller: &Caller,
        new: NewFile<'_>,
        body: impl Stream<Item = Result<Bytes>>,
    ) -> Result<StoredFile> {
        let most = self.max_bytes(&new);
        self.check_announced(&new).await?;
        let mut body = pin!(body);
        let (mut buffer, mut size) = (BytesMut::new(), 0);
        let head = next_block(&mut body, &mut buffer)
            .await?
            .unwrap_or_default();
        let (file, must_be_text) = self.pending(caller, &new, &head)?;
        let unfinished = Unfinished::new(self, &file.path);
        let create = self.stores.create(file.store, key_of(&file.path));
        let ((), mut writer) = tokio::try_join!(self.register(&file), create)?;
        let mut digest = ContentDigest::new(must_be_text);
        let dimensions = super::picture::dimensions(&file.mime_type, &head);
        let mut block = Some(head);
        while let Some(next) = block {
            size += next.len() as u64;
            if size > most {
                return Err(too_large(new.field, most));
            }
            digest = writer.write(next, digest).await?;
            block = next_block(&mut body, &mut buffer).await?;
        }
        if !digest.is_text() {
            return Err(not_text(new.field, &file.mime_type));
        }
        writer.finish().await?;
        let content = Content {
            size: digest.size(),
            sha256: digest.sha256(),
            dimensions,
        };
        let stored = self.complete(caller, &file, content).await?;
        unfinished.done();
        Ok(stored)
    }

    /// The row of a file that begins like this, and whether it has to be text.
    fn pending(
        &self,
        caller: &Caller,
        new: &NewFile<'_>,
        head: &[u8],
    ) -> Result<(PendingFile, bool)> {
        let name = name::clean(new.name);
        let declared = new.declared.map(content_type::essence);
        let head = &head[..head.len().min(HEAD_BYTES)];
        let detected = content_type::detect(head, declared.as_deref(), &name)
            .map_err(|mismatch| wrong_content(new.field, &mismatch))?;
        if !self.takes(new, &detected.media_type) {
            return Err(self.type_refused(new, &detected.media_type));
        }
        let (id, store) = (new_id().to_string(), self.stores.writes_to());
        let key = format!("{}/{id}{}", new.account, detected.extension);
        let path = match store {
            StoreName::Local => key,
            StoreName::S3 => format!("s3/{key}"),
        };
        let file = PendingFile {
            path,
            id,
            account: new.account,
            uploaded_by: caller.actor().to_owned(),
            store,
            name,
            mime_type: detected.media_type,
        };
        Ok((file, detected.must_be_text))
    }

    /// Refuses what cannot be taken, as far as the client says what it will be.
    pub(super) async fn check_announced(&self, new: &NewFile<'_>) -> Result<()> {
        let most = self.max_bytes(new);
        if new.announced.is_some_and(|announced| announced > most) {
            return Err(too_large(new.field, most));
        }
        let declared = new.declared.map(content_type::essence);
        if let Some(declared) = declared.filter(|declared| !self.may_be(new, declared)) {
            return Err(self.type_refused(new, &declared));
        }
        self.check_quota(new).await
    }

    /// Whether a declared type is taken, or says nothing.
    fn may_be(&self, new: &NewFile<'_>, declared: &str) -> bool {
        declared.is_empty() || declared == content_type::UNKNOWN || self.takes(new, declared)
    }

    fn takes(&self, new: &NewFile<'_>, media_type: &str) -> bool {
        content_type::is_allowed(media_type, &self.config.allowed_types)
            && new
                .limits
                .types
                .is_none_or(|types| content_type::is_allowed(media_type, types))
    }

    fn type_refused(&self, new: &NewFile<'_>, media_type: &str) -> Error {
        let allowed = new.limits.types.unwrap_or(&self.config.allowed_types);
        type_not_allowed(new.field, media_type, allowed)
    }

    fn max_bytes(&self, new: &NewFile<'_>) -> u64 {
        let own = self.config.max_bytes;
        new.limits
            .max_bytes
            .map_or(own, |of_field| of_field.min(own))
    }

    /// Refuses early what would not fit in the end.
    async fn check_quota(&self, new: &NewFile<'_>) -> Result<()> {
        let limit = self.config.account_bytes;
        if limit == 0 {
            return Ok(());
        }
        let used = self.used_bytes(new.account).await?;
        if used.saturating_add(new.announced.unwrap_or(1)) > limit {
            return Err(self.quota_exceeded());
        }
        Ok(())
    }
}

/// The next block of a body: [`BLOCK_BYTES`] or a little more, less at the end only; `None` after
/// it.
pub(super) async fn next_block(
    body: &mut (impl Stream<Item = Result<Bytes>> + Unpin),
    buffer: &mut BytesMut,
) -> Result<Option<Bytes>> {
    while buffer.len() < BLOCK_BYTES {
        match body.next().await {
            Some(chunk) => buffer.extend_from_slice(&chunk?),
            None => break,
        }
    }
    Ok(Some(buffer.split().freeze()).filter(|block| !block.is_empty()))
}

/// Clears away what an upload left that did not come to its end, also if nobody waits for it any
/// more.
struct Unfinished {
    files: Files,
    path: Option<String>,
}

impl Unfinished {
    fn new(files: &Files, path: &str) -> Self {
        Self {
            files: files.clone(),
            path: Some(path.to_owned()),
        }
    }

    fn done(mut self) {
        self.path = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let (Some(path), Ok(runtime)) = (self.path.take(), tokio::runtime::Handle::try_current())
        {
            let files = self.files.clone();
            runtime.spawn(async move {
                let cleared = async {
                    files.abandon(&path).await?;
                    files.collect_garbage_of(&path).await
                };
                // The sweep finds it, too.
                if let Err(error) = cleared.await {
                    tracing::debug!(%error, "an unfinished upload is left to the sweep");
                }
            });
        }
    }
}

fn too_large(field: &str, most: u64) -> Error {
    let message = format!(
        "The file exceeds the maximum allowed size ({})",
        human_bytes(most)
    );
    Error::invalid(field, "file_too_large", message)
}

fn type_not_allowed(field: &str, media_type: &str, allowed: &[String]) -> Error {
    let message = format!(
        "File type '{}' is not allowed. Allowed types: {}",
        shown(media_type),
        allowed.join(", ")
    );
    Error::invalid(field, "file_type_not_allowed", message)
}

fn wrong_content(field: &str, mismatch: &Mismatch) -> Error {
    let Mismatch { declared, found } = mismatch;
    let found = if found == content_type::UNKNOWN {
        "it is not".to_owned()
    } else {
        format!("it is {found}")
    };
    let message = format!("The file was sent as {}, but {found}", shown(declared));
    Error::invalid(field, "file_type_mismatch", message)
}

fn not_text(field: &str, media_type: &str) -> Error {
    let message = format!("A file of type {media_type} must be UTF-8 text without NUL characters");
    Error::invalid(field, "file_not_text", message)
}

/// What a client sent, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}
