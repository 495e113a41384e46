//! Files: taking them in, keeping them, handing them out, and taking their room back.
//!
//! A file has a row in the registry (the table `files`) and an object in a store; the row comes
//! first and goes first, so that no object is ever unknown. Which records name a file is kept by
//! the triggers of the collections' tables (`file_uses`), in the transaction of the record's change:
//! a file that a record names is never removed.
//!
//! | Part | |
//! |---|---|
//! | `upload`, `content_type`, `digest`, `name` | from a client's bytes to a file |
//! | `resumable` | from pieces of it |
//! | `store`, `local`, `s3` | what keeps the bytes |
//! | `registry` | the rows |
//! | `claim`, `token` | who may see a file |
//! | `library` | listing files |
//! | `picture`, `thumbnail` | smaller pictures |
//! | `reclaim` | what nobody needs any longer |
//! | `check` | comparing the registry with the stores, and moving files between these |

mod check;
mod claim;
pub mod content_type;
mod digest;
mod library;
mod local;
mod name;
mod picture;
mod reclaim;
mod registry;
mod resumable;
mod s3;
mod store;
mod thumbnail;
pub mod token;
mod upload;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

pub use check::{CheckReport, FileProblem};
pub use claim::paths;
pub use library::{FileList, FileQuery, ListedFile};
pub use registry::StoredFile;
pub use resumable::ResumableUpload;
pub use store::{ByteStream, ListedObject, StoreName, Stores};
pub use thumbnail::Thumbnail;
pub use upload::{FileLimits, NewFile};

use crate::auth::Caller;
use crate::clock::Clock;
use crate::config::{Config, DatabaseTarget, FilesConfig};
use crate::db::{Db, Synchronous};
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::schema::CatalogHandle;
use thumbnail::Thumbnails;
use token::FileTokens;

/// The files service; cheap to clone.
#[derive(Clone, Debug)]
pub struct Files {
    db: Db,
    catalog: CatalogHandle,
    clock: Clock,
    stores: Stores,
    tokens: FileTokens,
    thumbnails: Thumbnails,
    config: Arc<FilesConfig>,
}

impl Files {
    /// A service over a database and the configured stores.
    ///
    /// # Errors
    ///
    /// If the settings of the bucket make no client.
    pub fn open(db: Db, catalog: CatalogHandle, clock: Clock, config: &Config) -> Result<Self> {
        // Files are as durable as what names them.
        let is_durable = match config.database.target(&config.server.data_dir) {
            DatabaseTarget::Sqlite(options) => options.synchronous == Synchronous::Full,
            DatabaseTarget::Postgres(_) => true,
        };
        let stores = Stores::open(&config.files, &config.server.data_dir, is_durable)?;
        Ok(Self {
            db,
            catalog,
            clock,
            stores,
            tokens: FileTokens::new(&config.auth.token_secret),
            thumbnails: Thumbnails::new(config.files.thumb_workers),
            config: config.files.clone().into(),
        })
    }

    /// Makes and checks tokens for URLs.
    pub fn tokens(&self) -> &FileTokens {
        &self.tokens
    }

    /// The stores.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// The settings.
    pub fn config(&self) -> &FilesConfig {
        &self.config
    }

    /// How long a client may send nothing of a file.
    pub fn idle_timeout(&self) -> Duration {
        Duration::from_secs(self.config.idle_seconds)
    }

    /// A file that the caller may see.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] and [`Error::NotFound`], as [`Self::find_own`], and forbidden for what
    /// the caller did not upload and sees in no record.
    pub async fn open_for(&self, caller: &Caller, path: &str, of_any: bool) -> Result<StoredFile> {
        let file = self.find_own(caller, path, of_any).await?;
        if of_any || self.may_view(caller, &file).await? {
            Ok(file)
        } else {
            Err(Error::Forbidden(
                "You may view no record that names this file".into(),
            ))
        }
    }

    /// A file for whoever has a link to it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it is gone.
    pub async fn linked(&self, path: &str) -> Result<StoredFile> {
        self.find(path).await?.ok_or_else(|| not_found(path))
    }

    /// Gives up a file that was just taken in.
    ///
    /// # Errors
    ///
    /// If the database cannot be written; then the sweep finds it.
    pub async fn discard(&self, file: &StoredFile) -> Result<()> {
        if self.forget(file, None).await? {
            self.collect_garbage_of(&file.path).await?;
        }
        Ok(())
    }

    /// The bytes of a part of a file.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the store has lost it, and what the store fails with.
    pub async fn read(&self, file: &StoredFile, range: Range<u64>) -> Result<ByteStream> {
        self.stores.read(file.store()?, file.key(), range).await
    }

    /// Deletes a file that no record names. Its uploader may, and who administers its account or
    /// the server.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`], [`Error::NotFound`], and [`Error::Conflict`] while a record names it.
    pub async fn delete(&self, caller: &Caller, path: &str) -> Result<()> {
        let file = self.find_own(caller, path, caller.is_superadmin()).await?;
        let may = caller.is_account_admin()
            || caller.principal().is_some() && caller.actor() == file.uploaded_by;
        if !may {
            return Err(Error::Forbidden(
                "Only who uploaded a file, or an admin of its account, may delete it".into(),
            ));
        }
        if !self.forget(&file, Some(caller)).await? {
            let message = "Records name this file: take it out of them first";
            return Err(match self.find(path).await? {
                Some(_) => Error::conflict(message, None),
                None => not_found(path),
            });
        }
        // The sweep finds it, too.
        if let Err(error) = self.collect_garbage_of(path).await {
            tracing::warn!(%error, "a deleted file is left to the sweep");
        }
        Ok(())
    }

    /// A file of the caller's account; of any account if `of_any`.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] for a path of another account, [`Error::NotFound`] for one that nothing
    /// has.
    pub async fn find_own(&self, caller: &Caller, path: &str, of_any: bool) -> Result<StoredFile> {
        let account = caller.account_id();
        let is_own = |id: AccountId| of_any || Some(id) == account;
        if let Some(id) = account_of(path)
            && !is_own(id)
        {
            return Err(Error::Forbidden(
                "Invalid file path: does not belong to this account".into(),
            ));
        }
        let file = self.find(path).await?.ok_or_else(|| not_found(path))?;
        match AccountId::parse(&file.account_id) {
            Some(id) if is_own(id) => Ok(file),
            _ => Err(not_found(path)),
        }
    }
}

/// The account that a path belongs to, as far as the path says so.
pub fn account_of(path: &str) -> Option<AccountId> {
    let key = registry::key_of(path);
    AccountId::parse(key.split('/').next()?)
}

/// Whether a path has the form of those of this server: `<UUID>/<UUID><extension>`, behind `s3/` or
/// not.
pub fn is_path(path: &str) -> bool {
    let Some((account, name)) = registry::key_of(path).split_once('/') else {
        return false;
    };
    let (id, extension) = name.split_once('.').unwrap_or((name, ""));
    let is_uuid = |text: &str| text.len() == 36 && uuid::Uuid::try_parse(text).is_ok();
    is_uuid(account)
        && is_uuid(id)
        && extension
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

fn not_found(path: &str) -> Error {
    let shown: String = path.chars().take(200).collect();
    Error::not_found(format!("File not found: {shown}"))
}

/// A number of bytes for people: `10.00MB`.
fn human_bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
    let bytes = bytes as f64;
    match bytes {
        kilo if kilo < 1024.0 => format!("{kilo} bytes"),
        kilo if kilo < 1024.0 * 1024.0 => format!("{:.2}KB", kilo / 1024.0),
        mega => format!("{:.2}MB", mega / 1024.0 / 1024.0),
    }
}
