//! What keeps the bytes: a local folder, or a bucket. A key is `<account>/<id><extension>`.
//!
//! An object appears whole or not at all, and once [`ObjectWriter::finish`] has returned it
//! survives a power loss, as far as the store's settings say so.

use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::digest::ContentDigest;
use super::local::{LocalStore, LocalWriter};
use super::s3::{S3Store, S3Writer};
use crate::config::{FileStore, FilesConfig};
use crate::error::{Error, Result};

/// Bytes that are read or written at once.
pub const BLOCK_BYTES: usize = 256 * 1024;

/// The bytes of an object, block by block.
pub type ByteStream = BoxStream<'static, std::io::Result<Bytes>>;

/// Which store holds an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreName {
    /// The folder.
    Local,
    /// The bucket.
    S3,
}

impl StoreName {
    /// The name in the registry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::S3 => "s3",
        }
    }

    /// The store of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Local, Self::S3]
            .into_iter()
            .find(|store| store.as_str() == name)
    }
}

/// An object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written.
    pub modified: SystemTime,
}

/// The stores of an installation; cheap to clone.
#[derive(Clone, Debug)]
pub struct Stores {
    local: LocalStore,
    s3: Option<S3Store>,
    /// Where new objects go.
    writes_to: StoreName,
}

impl Stores {
    /// The stores that are configured. `is_durable` says whether writes wait for the disk.
    ///
    /// # Errors
    ///
    /// If the bucket's settings make no client.
    pub fn open(
        config: &FilesConfig,
        data_dir: &std::path::Path,
        is_durable: bool,
    ) -> Result<Self> {
        let s3 = if config.has_bucket() {
            Some(S3Store::new(config)?)
        } else {
            None
        };
        Ok(Self {
            local: LocalStore::new(config.folder(data_dir), is_durable),
            s3,
            writes_to: match config.store {
                FileStore::Local => StoreName::Local,
                FileStore::S3 => StoreName::S3,
            },
        })
    }

    /// Where new objects go.
    pub fn writes_to(&self) -> StoreName {
        self.writes_to
    }

    /// The stores that there are.
    pub fn names(&self) -> Vec<StoreName> {
        let s3 = self.s3.iter().map(|_| StoreName::S3);
        std::iter::once(StoreName::Local).chain(s3).collect()
    }

    /// Begins an object.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the store cannot be reached, [`Error::InsufficientStorage`] if its
    /// disk is full.
    pub async fn create(&self, store: StoreName, key: &str) -> Result<ObjectWriter> {
        Ok(match store {
            StoreName::Local => ObjectWriter::Local(self.local.create(key).await?),
            StoreName::S3 => ObjectWriter::S3(self.s3()?.create(key)),
        })
    }

    /// The bytes of a part of an object.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such object.
    pub async fn read(&self, store: StoreName, key: &str, range: Range<u64>) -> Result<ByteStream> {
        match store {
            StoreName::Local => self.local.read(key, range).await,
            StoreName::S3 => self.s3()?.read(key, range).await,
        }
    }

    /// All bytes of a small object; `None` if it is not there.
    ///
    /// # Errors
    ///
    /// What the store fails with.
    pub async fn read_all(&self, store: StoreName, key: &str) -> Result<Option<Bytes>> {
        match store {
            StoreName::Local => self.local.read_all(key).await,
            StoreName::S3 => self.s3()?.read_all(key).await,
        }
    }

    /// Deletes an object; one that is not there is gone already.
    ///
    /// # Errors
    ///
    /// If it may still be there.
    pub async fn delete(&self, store: StoreName, key: &str) -> Result<()> {
        match store {
            StoreName::Local => self.local.delete(key).await,
            StoreName::S3 => self.s3()?.delete(key).await,
        }
    }

    /// The objects whose key begins with a folder's name; all of them for an empty one.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub async fn list(&self, store: StoreName, folder: &str) -> Result<Vec<ListedObject>> {
        match store {
            StoreName::Local => self.local.list(folder).await,
            StoreName::S3 => self.s3()?.list(folder).await,
        }
    }

    /// Removes what interrupted writes have left, if it is older than `before`.
    pub async fn sweep_unfinished(&self, before: SystemTime) {
        self.local.sweep_unfinished(before).await;
    }

    fn s3(&self) -> Result<&S3Store> {
        let missing = "files are in a bucket, but no bucket is configured (files.s3_bucket)";
        self.s3.as_ref().ok_or_else(|| Error::internal(missing))
    }
}

/// An object that is being written. Dropped before it is finished, it does not appear.
#[derive(Debug)]
pub enum ObjectWriter {
    /// A file with a temporary name.
    Local(LocalWriter),
    /// An upload in parts.
    S3(S3Writer),
}

impl ObjectWriter {
    /// Writes the next block and takes it into the digest.
    ///
    /// # Errors
    ///
    /// As [`Stores::create`].
    pub async fn write(&mut self, block: Bytes, digest: ContentDigest) -> Result<ContentDigest> {
        match self {
            Self::Local(writer) => writer.write(block, digest).await,
            Self::S3(writer) => writer.write(block, digest).await,
        }
    }

    /// Lets the object appear.
    ///
    /// # Errors
    ///
    /// As [`Stores::create`]; then it may appear or not.
    pub async fn finish(self) -> Result<()> {
        match self {
            Self::Local(writer) => writer.finish().await,
            Self::S3(writer) => writer.finish().await,
        }
    }
}
