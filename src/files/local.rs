//! Objects as files of a folder. A write goes into a file of a temporary name, which is brought to
//! the disk and then renamed: what is there is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream;

use super::digest::ContentDigest;
use super::store::{BLOCK_BYTES, ByteStream, ListedObject};
use crate::error::{Error, Result};

/// The folder of unfinished writes; no key begins with it.
const UNFINISHED: &str = ".unfinished";

/// A folder of objects; cheap to clone.
#[derive(Clone, Debug)]
pub struct LocalStore {
    folder: Arc<Path>,
    is_durable: bool,
}

impl LocalStore {
    /// The objects in a folder, which is made with the first of them. Without `is_durable` nothing
    /// waits for the disk.
    pub fn new(folder: PathBuf, is_durable: bool) -> Self {
        Self {
            folder: folder.into(),
            is_durable,
        }
    }

    pub(super) async fn create(&self, key: &str) -> Result<LocalWriter> {
        let target = self.path(key)?;
        let unfinished = self.folder.join(UNFINISHED);
        let temporary = unfinished.join(crate::id::new_id().to_string());
        let is_durable = self.is_durable;
        in_background(move || {
            make_folder(&unfinished)?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&temporary)?;
            Ok(LocalWriter {
                file: Some(file),
                temporary,
                target,
                is_durable,
            })
        })
        .await
    }

    pub(super) async fn read(&self, key: &str, range: Range<u64>) -> Result<ByteStream> {
        let path = self.path(key)?;
        let opened = in_background(move || {
            let file = match File::open(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                opened => opened?,
            };
            read_block(Arc::new(file), range).map(Some)
        });
        let Some((first, rest)) = opened.await? else {
            return Err(Error::not_found("File not found"));
        };
        let rest = stream::try_unfold(rest, |(file, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let read = tokio::task::spawn_blocking(move || read_block(file, range));
            read.await.map_err(io::Error::other)?.map(Some)
        });
        Ok(stream::once(async { Ok(first) }).chain(rest).boxed())
    }

    pub(super) async fn read_all(&self, key: &str) -> Result<Option<Bytes>> {
        let path = self.path(key)?;
        in_background(move || match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(|bytes| Some(bytes.into())),
        })
        .await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        let path = self.path(key)?;
        in_background(move || match fs::remove_file(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        })
        .await
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<ListedObject>> {
        let root = self.folder.clone();
        let start = if folder.is_empty() {
            root.to_path_buf()
        } else {
            self.path(folder)?
        };
        in_background(move || {
            let mut objects = Vec::new();
            list_into(&root, &start, &mut objects)?;
            Ok(objects)
        })
        .await
    }

    pub(super) async fn sweep_unfinished(&self, before: SystemTime) {
        let folder = self.folder.join(UNFINISHED);
        let swept = in_background(move || {
            let entries = match fs::read_dir(folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                if entry.metadata()?.modified()? < before {
                    fs::remove_file(entry.path())?;
                }
            }
            Ok(())
        });
        if let Err(error) = swept.await {
            tracing::warn!(%error, "unfinished uploads could not be removed");
        }
    }

    /// Where an object is. Keys come from the registry; one that leads out of the folder is a
    /// defect.
    fn path(&self, key: &str) -> Result<PathBuf> {
        let is_plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        if key.split('/').all(is_plain) {
            Ok(self.folder.join(key))
        } else {
            Err(Error::internal(format!("'{key}' is not a key of a file")))
        }
    }
}

/// A file that is being written under a temporary name.
#[derive(Debug)]
pub struct LocalWriter {
    /// There until it is finished.
    file: Option<File>,
    temporary: PathBuf,
    target: PathBuf,
    is_durable: bool,
}

impl LocalWriter {
    pub(super) async fn write(
        &mut self,
        block: Bytes,
        mut digest: ContentDigest,
    ) -> Result<ContentDigest> {
        let Some(mut file) = self.file.take() else {
            return Err(Error::internal("an earlier block could not be written"));
        };
        let (file, digest) = in_background(move || {
            digest.update(&block);
            file.write_all(&block)?;
            Ok((file, digest))
        })
        .await?;
        self.file = Some(file);
        Ok(digest)
    }

    pub(super) async fn finish(mut self) -> Result<()> {
        let Some(file) = self.file.take() else {
            return Err(Error::internal("an earlier block could not be written"));
        };
        let (temporary, target) = (self.temporary.clone(), self.target.clone());
        let is_durable = self.is_durable;
        in_background(move || {
            if is_durable {
                file.sync_all()?;
            }
            drop(file);
            let folder = target.parent().unwrap_or(Path::new("."));
            make_folder(folder)?;
            fs::rename(&temporary, &target)?;
            if is_durable {
                sync_folder(folder)?;
            }
            Ok(())
        })
        .await
    }
}

impl Drop for LocalWriter {
    fn drop(&mut self) {
        // Renamed, it is not there any more.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// A file, and the part of it that is left to be read.
type UnreadPart = (Arc<File>, Range<u64>);

/// The next block of a file, and what is left to be read.
fn read_block(file: Arc<File>, range: Range<u64>) -> io::Result<(Bytes, UnreadPart)> {
    let left = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
    let mut block = BytesMut::zeroed(left.min(BLOCK_BYTES));
    read_at(&file, &mut block, range.start)?;
    let rest = range.start + block.len() as u64..range.end;
    Ok((block.freeze(), (file, rest)))
}

#[cfg(unix)]
fn read_at(file: &File, block: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, block, offset)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, block: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(block)
}

fn list_into(root: &Path, folder: &Path, objects: &mut Vec<ListedObject>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let metadata = match entry.metadata() {
            // Deleted since.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        if metadata.is_dir() {
            if entry.file_name() != UNFINISHED {
                list_into(root, &path, objects)?;
            }
        } else if let Ok(key) = path.strip_prefix(root) {
            objects.push(ListedObject {
                key: key.to_string_lossy().replace('\\', "/"),
                size: metadata.len(),
                modified: metadata.modified()?,
            });
        }
    }
    Ok(())
}

/// Makes a folder that only its owner reads.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // Its name has to survive, too.
    folder.parent().map_or(Ok(()), sync_folder)
}

/// Brings the names in a folder to the disk, where a folder can be opened.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder).map_or(Ok(()), |folder| folder.sync_all())
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(Error::internal)?
        .map_err(|error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Error::InsufficientStorage("the disk of the files is full".into())
            }
            _ => Error::internal(format!("the folder of files: {error}")),
        })
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;

    fn store() -> (tempfile::TempDir, LocalStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::new(folder.path().join("files"), true);
        (folder, store)
    }

    async fn write(store: &LocalStore, key: &str, blocks: &[&'static [u8]]) -> ContentDigest {
        let mut writer = store.create(key).await.unwrap();
        let mut digest = ContentDigest::new(false);
        for block in blocks {
            digest = writer
                .write(Bytes::from_static(block), digest)
                .await
                .unwrap();
        }
        writer.finish().await.unwrap();
        digest
    }

    async fn read(store: &LocalStore, key: &str, range: Range<u64>) -> Vec<u8> {
        let blocks: Vec<Bytes> = store
            .read(key, range)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        blocks.concat()
    }

    #[tokio::test]
    async fn what_is_written_is_read_in_parts_listed_and_deleted() {
        let (_folder, store) = store();
        let digest = write(&store, "a/b.txt", &[b"hello ", b"world"]).await;
        assert_eq!(digest.size(), 11);
        let hash = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
        assert_eq!(digest.sha256(), hash);
        assert_eq!(read(&store, "a/b.txt", 0..11).await, b"hello world");
        assert_eq!(read(&store, "a/b.txt", 4..7).await, b"o w");
        let listed = store.list("").await.unwrap();
        assert_eq!(
            (listed.len(), listed[0].key.as_str(), listed[0].size),
            (1, "a/b.txt", 11)
        );
        store.delete("a/b.txt").await.unwrap();
        store.delete("a/b.txt").await.unwrap();
        assert!(matches!(
            store.read("a/b.txt", 0..1).await,
            Err(Error::NotFound(_))
        ));
    }

    #[tokio::test]
    async fn what_is_not_finished_leaves_nothing() {
        let (folder, store) = store();
        let mut writer = store.create("a/b").await.unwrap();
        writer
            .write(Bytes::from_static(b"x"), ContentDigest::new(false))
            .await
            .unwrap();
        drop(writer);
        assert!(store.list("").await.unwrap().is_empty());
        let unfinished = folder.path().join("files").join(UNFINISHED);
        assert_eq!(fs::read_dir(&unfinished).unwrap().count(), 0);
        fs::write(unfinished.join("crashed"), "x").unwrap();
        store.sweep_unfinished(SystemTime::UNIX_EPOCH).await;
        assert_eq!(fs::read_dir(&unfinished).unwrap().count(), 1);
        store
            .sweep_unfinished(SystemTime::now() + std::time::Duration::from_mins(1))
            .await;
        assert_eq!(fs::read_dir(&unfinished).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn no_key_leads_out_of_the_folder() {
        let (_folder, store) = store();
        for key in [
            "",
            "..",
            "../x",
            "a/../../x",
            "/etc/passwd",
            "a//b",
            "a/.hidden",
            "a\\b",
            "a/b\0",
        ] {
            assert!(store.create(key).await.is_err(), "{key:?}");
            assert!(store.read(key, 0..1).await.is_err(), "{key:?}");
            assert!(store.delete(key).await.is_err(), "{key:?}");
        }
    }
}
