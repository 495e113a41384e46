//! The free space of the disk that an embedded database lies on. Below a watermark, what would make
//! the database larger is refused, while reads and deletes go on: a disk that is full stops
//! everything.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Time between two looks at the disk.
const CHECK_INTERVAL: Duration = Duration::from_secs(3);

/// Watches a disk; cheap to clone.
#[derive(Clone, Debug)]
pub struct DiskWatch(Option<Arc<Watched>>);

#[derive(Debug)]
struct Watched {
    folder: PathBuf,
    min_free_bytes: u64,
    is_low: AtomicBool,
}

impl DiskWatch {
    /// Watches the disk of a folder and looks at it at once; without a folder, or with 0 bytes,
    /// nothing is watched.
    pub fn new(folder: Option<PathBuf>, min_free_bytes: u64) -> Self {
        let folder = folder.filter(|_| min_free_bytes > 0);
        let is_low = AtomicBool::new(false);
        let watch = Self(folder.map(|folder| {
            Arc::new(Watched {
                folder,
                min_free_bytes,
                is_low,
            })
        }));
        watch.check();
        watch
    }

    /// Whether less is free than there should be.
    pub fn is_low(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|watched| watched.is_low.load(Ordering::Relaxed))
    }

    /// Looks at the disk every few seconds, for ever.
    pub async fn watch(self) {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            let watch = self.clone();
            // A network file system may keep its answer back. If the task panics, the next one
            // looks again.
            let _ = tokio::task::spawn_blocking(move || watch.check()).await;
        }
    }

    fn check(&self) {
        let Some(watched) = &self.0 else { return };
        let free = match fs4::available_space(&watched.folder) {
            Ok(free) => free,
            Err(error) => {
                tracing::warn!(%error, folder = %watched.folder.display(), "the free space of the disk cannot be read");
                return;
            }
        };
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        metrics::gauge!("snackbase_disk_free_bytes").set(free as f64);
        let is_low = free < watched.min_free_bytes;
        metrics::gauge!("snackbase_disk_low").set(if is_low { 1.0 } else { 0.0 });
        if watched.is_low.swap(is_low, Ordering::Relaxed) == is_low {
            return;
        }
        let min_free = watched.min_free_bytes;
        if is_low {
            tracing::error!(
                free,
                min_free,
                "the disk is nearly full: writes are refused until there is more space"
            );
        } else {
            tracing::info!(
                free,
                min_free,
                "the disk has enough space again: writes are taken"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_low_below_the_watermark_only() {
        let folder = || Some(std::env::temp_dir());
        assert!(!DiskWatch::new(folder(), 1).is_low());
        assert!(DiskWatch::new(folder(), u64::MAX).is_low());
        assert!(!DiskWatch::new(folder(), 0).is_low());
        assert!(!DiskWatch::new(None, u64::MAX).is_low());
        assert!(!DiskWatch::new(Some("/nowhere/at/all".into()), u64::MAX).is_low());
    }
}
