//! Smaller pictures: made once, kept beside the file, and gone with it.
//!
//! There are as many sizes as the configuration and the definitions of file fields name, so a client
//! cannot make the server compute and keep others. Few are made at once, and a picture that is too
//! large costs a refusal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use moka::sync::Cache;
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore};

use super::Files;
use super::digest::ContentDigest;
use super::picture::{self, PictureProblem};
use super::registry::StoredFile;
use crate::error::{Error, Result};
use crate::schema::{FieldType, ThumbSize};

/// The folder of the thumbnails in a store; no account has this name.
pub(super) const FOLDER: &str = "thumbs";
/// Upper limit of the thumbnails that are held in memory, in bytes.
const CACHE_BYTES: u64 = 32 << 20;
/// How long a request waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(15);

/// A smaller picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Its bytes.
    pub bytes: Bytes,
    /// `image/jpeg` or `image/png`.
    pub mime_type: &'static str,
}

/// Makes thumbnails and remembers some; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Thumbnails {
    recent: Cache<String, Thumbnail>,
    turns: Arc<Semaphore>,
    /// One entry for each that is being made, so that nobody makes it as well.
    under_way: Arc<Mutex<HashMap<String, Arc<AsyncMutex<()>>>>>,
}

impl Thumbnails {
    /// So many are made at once.
    pub fn new(workers: usize) -> Self {
        let weight = |key: &String, thumbnail: &Thumbnail| {
            u32::try_from(key.len() + thumbnail.bytes.len()).unwrap_or(u32::MAX)
        };
        Self {
            recent: Cache::builder()
                .weigher(weight)
                .max_capacity(CACHE_BYTES)
                .build(),
            turns: Arc::new(Semaphore::new(workers)),
            under_way: Arc::default(),
        }
    }

    /// Waits until nobody else makes this thumbnail.
    fn queue(&self, key: &str) -> Queued {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let own = under_way.entry(key.to_owned()).or_default().clone();
        Queued {
            thumbnails: self.clone(),
            key: key.to_owned(),
            own,
        }
    }
}

/// A place among those who want the same thumbnail.
struct Queued {
    thumbnails: Thumbnails,
    key: String,
    own: Arc<AsyncMutex<()>>,
}

impl Drop for Queued {
    fn drop(&mut self) {
        /// The entry of the list, and the one of the last who waits.
        const LAST: usize = 2;
        let under_way = &self.thumbnails.under_way;
        let mut under_way = under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::strong_count(&self.own) <= LAST {
            under_way.remove(&self.key);
        }
    }
}

impl Files {
    /// The sizes that there are: those of the configuration and of all file fields.
    pub fn thumb_sizes(&self) -> Vec<String> {
        let catalog = self.catalog.current();
        let of_fields = catalog
            .iter()
            .flat_map(|collection| collection.fields.iter())
            .filter(|field| field.kind == FieldType::File)
            .flat_map(|field| field.constraints.files().thumbs.iter());
        let mut sizes: Vec<String> = self
            .config
            .thumb_sizes
            .iter()
            .chain(of_fields)
            .cloned()
            .collect();
        sizes.sort();
        sizes.dedup();
        sizes
    }

    /// Whether there are thumbnails of a file.
    pub fn has_thumbnails(&self, file: &StoredFile) -> bool {
        picture::is_readable(&file.mime_type)
    }

    /// A thumbnail of a picture.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a size that nothing names, a file that is not a picture, and one that is
    /// too large or cannot be read; [`Error::Unavailable`] if too many are wanted at once.
    pub async fn thumbnail(&self, file: &StoredFile, size: &str) -> Result<Thumbnail> {
        let refuse = |code: &str, message: String| Err(Error::invalid("thumb", code, message));
        let Some(parsed) = ThumbSize::parse(size).filter(|_| self.names_size(size)) else {
            let message = format!(
                "There are no thumbnails of this size; there are {}",
                self.thumb_sizes().join(", ")
            );
            return refuse("unknown_size", message);
        };
        if !self.has_thumbnails(file) {
            let message = format!(
                "There are no thumbnails of files of type {}",
                file.mime_type
            );
            return refuse("not_a_picture", message);
        }
        let key = format!("{FOLDER}/{}/{size}", file.key());
        if let Some(recent) = self.thumbnails.recent.get(&key) {
            return Ok(recent);
        }
        // A task of its own: what was begun is kept, also if nobody waits for it any more.
        let (files, file) = (self.clone(), file.clone());
        let task = tokio::spawn(async move {
            let queued = files.thumbnails.queue(&key);
            let first = queued.own.lock().await;
            let made = files.kept_or_made(&file, parsed, &key).await?;
            files.thumbnails.recent.insert(key, made.clone());
            drop(first);
            Ok::<_, Error>(made)
        });
        task.await.map_err(Error::internal)?
    }

    fn names_size(&self, size: &str) -> bool {
        self.thumb_sizes().iter().any(|named| named == size)
    }

    async fn kept_or_made(
        &self,
        file: &StoredFile,
        size: ThumbSize,
        key: &str,
    ) -> Result<Thumbnail> {
        let store = file.store()?;
        if let Some(recent) = self.thumbnails.recent.get(key) {
            return Ok(recent);
        }
        if let Some(bytes) = self.stores.read_all(store, key).await? {
            return Ok(Thumbnail {
                mime_type: kind_of(&bytes),
                bytes,
            });
        }
        let turn =
            tokio::time::timeout(TURN_TIMEOUT, self.thumbnails.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let message = "Too many thumbnails are being made. Try again.";
            return Err(Error::Unavailable(message.into()));
        };
        let bytes = self.make(file, size, turn).await?;
        let mut writer = self.stores.create(store, key).await?;
        writer
            .write(bytes.clone(), ContentDigest::new(false))
            .await?;
        writer.finish().await?;
        // Of a file that was removed meanwhile, nothing is kept.
        if self.find(&file.path).await?.is_none() {
            self.stores.delete(store, key).await?;
        }
        Ok(Thumbnail {
            mime_type: kind_of(&bytes),
            bytes,
        })
    }

    /// Makes a thumbnail. The turn lasts until the computing ends.
    async fn make(
        &self,
        file: &StoredFile,
        size: ThumbSize,
        turn: OwnedSemaphorePermit,
    ) -> Result<Bytes> {
        let refuse = |code: &str, message: String| Err(Error::invalid("thumb", code, message));
        let (max_bytes, max_pixels) = (self.config.thumb_max_bytes, self.config.thumb_max_pixels);
        if file.bytes() > max_bytes {
            let message = format!("Thumbnails are made of files of {max_bytes} bytes at most");
            return refuse("picture_too_large", message);
        }
        let mut bytes = BytesMut::new();
        let mut blocks = self.read(file, 0..file.bytes()).await?;
        while let Some(block) = blocks.try_next().await.map_err(Error::internal)? {
            bytes.extend_from_slice(&block);
        }
        let media_type = file.mime_type.clone();
        let made = tokio::task::spawn_blocking(move || {
            let made = picture::shrink(&media_type, &bytes, size, max_pixels);
            drop(turn);
            made
        });
        match made.await.map_err(Error::internal)? {
            Ok(made) => Ok(made.bytes.into()),
            Err(PictureProblem::TooLarge) => {
                let message =
                    format!("Thumbnails are made of pictures of {max_pixels} pixels at most");
                refuse("picture_too_large", message)
            }
            Err(PictureProblem::Unreadable) => {
                refuse("picture_unreadable", "The picture cannot be read".into())
            }
        }
    }
}

/// The media type of a thumbnail, from its first bytes.
fn kind_of(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"\x89PNG") {
        "image/png"
    } else {
        "image/jpeg"
    }
}
