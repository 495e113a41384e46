//! `[files]`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::secret::Secret;

/// What keeps the bytes of uploaded files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileStore {
    /// A folder of this machine, or one that all nodes share.
    Local,
    /// A bucket of Amazon S3 or of a service that speaks its protocol.
    S3,
}

/// Where uploaded files are kept, and what is taken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesConfig {
    /// What keeps new files; those that are there stay where they are.
    pub store: FileStore,
    /// The folder of the local store; empty for `files` in the data folder.
    pub path: PathBuf,
    /// The largest file, in bytes.
    pub max_bytes: u64,
    /// The media types that are taken: `image/png`, `image/*` or `*/*`.
    pub allowed_types: Vec<String>,
    /// Bytes of files of one account; 0 for any number.
    pub account_bytes: u64,
    /// How long the client may send nothing of a file, in seconds.
    pub idle_seconds: u64,
    /// How long an upload that no record has named is kept, in seconds; 0 for ever.
    pub unclaimed_seconds: u64,
    /// How long a file is kept that no record names any longer, in seconds.
    pub grace_seconds: u64,
    /// Sizes in which every picture is handed out, such as `100x100` or `64x64f`.
    pub thumb_sizes: Vec<String>,
    /// Pictures of which thumbnails are made at once.
    pub thumb_workers: usize,
    /// The largest file of which a thumbnail is made, in bytes.
    pub thumb_max_bytes: u64,
    /// The largest picture of which a thumbnail is made, in pixels; each takes up to 12 bytes.
    pub thumb_max_pixels: u64,
    /// The bucket.
    pub s3_bucket: String,
    /// The bucket's region.
    pub s3_region: String,
    /// The URL of a service that speaks the protocol of S3; empty for Amazon's.
    pub s3_endpoint: String,
    /// The key's id.
    pub s3_access_key_id: String,
    /// The key.
    pub s3_secret_access_key: Secret<String>,
}

impl Default for FilesConfig {
    fn default() -> Self {
        let allowed = [
            "image/jpeg",
            "image/png",
            "image/gif",
            "image/webp",
            "application/pdf",
            "text/plain",
            "text/csv",
            "application/json",
        ];
        Self {
            store: FileStore::Local,
            path: PathBuf::new(),
            max_bytes: 10 * 1024 * 1024,
            allowed_types: allowed.map(str::to_owned).to_vec(),
            account_bytes: 0,
            idle_seconds: 30,
            unclaimed_seconds: 86_400,
            grace_seconds: 3600,
            thumb_sizes: vec!["100x100".into()],
            thumb_workers: 2,
            thumb_max_bytes: 32 * 1024 * 1024,
            thumb_max_pixels: 50_000_000,
            s3_bucket: String::new(),
            s3_region: "us-east-1".into(),
            s3_endpoint: String::new(),
            s3_access_key_id: String::new(),
            s3_secret_access_key: Secret::default(),
        }
    }
}

impl FilesConfig {
    /// The folder of the local store.
    pub fn folder(&self, data_dir: &Path) -> PathBuf {
        if self.path.as_os_str().is_empty() {
            data_dir.join("files")
        } else {
            self.path.clone()
        }
    }

    /// Whether a bucket is configured; files may be in it even if new ones are kept elsewhere.
    pub fn has_bucket(&self) -> bool {
        !self.s3_bucket.is_empty()
    }

    pub(super) fn check(&self, problems: &mut super::Problems) {
        problems.range("files.max_bytes", self.max_bytes, 1..=1 << 40);
        problems.range("files.idle_seconds", self.idle_seconds, 1..=3600);
        problems.range(
            "files.unclaimed_seconds",
            self.unclaimed_seconds,
            0..=31_536_000,
        );
        problems.range("files.grace_seconds", self.grace_seconds, 0..=31_536_000);
        problems.range("files.thumb_workers", self.thumb_workers, 1..=64);
        problems.range(
            "files.thumb_max_pixels",
            self.thumb_max_pixels,
            1..=500_000_000,
        );
        problems.range("files.thumb_max_bytes", self.thumb_max_bytes, 1..=1 << 30);
        for pattern in &self.allowed_types {
            let is_pattern = pattern.split_once('/').is_some_and(|(kind, of_kind)| {
                !kind.is_empty() && !of_kind.is_empty() && !of_kind.contains('/')
            });
            if !is_pattern {
                problems.add(
                    "files.allowed_types",
                    format!(
                        "has '{pattern}'; expected media types such as image/png, image/* or */*"
                    ),
                );
            }
        }
        if self.store == FileStore::S3 && !self.has_bucket() {
            problems.add("files.s3_bucket", "must be set where files.store is s3");
        }
        if self.has_bucket()
            && (self.s3_access_key_id.is_empty() || self.s3_secret_access_key.expose().is_empty())
        {
            problems.add(
                "files.s3_access_key_id",
                "and files.s3_secret_access_key must be set with a bucket",
            );
        }
        if !self.s3_endpoint.is_empty()
            && !["http://", "https://"]
                .iter()
                .any(|scheme| self.s3_endpoint.starts_with(scheme))
        {
            problems.add(
                "files.s3_endpoint",
                "must begin with http:// or https://, or be empty",
            );
        }
    }
}
