//! Objects in a bucket of S3 or of a service that speaks its protocol.
//!
//! Small objects are put in one request, large ones in parts. Dropped before the end, the parts of
//! an upload are told to go; what a crash leaves of them the bucket's own lifecycle has to remove.

mod connector;

use std::io;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt as _, RetryConfig, WriteMultipart};

use super::digest::ContentDigest;
use super::store::{ByteStream, ListedObject};
use crate::config::FilesConfig;
use crate::error::{Error, Result};
use connector::HyperConnector;

/// Size of a part of a large object, in bytes. A bucket takes 10,000 of them, so an object is 78 GiB
/// at most.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Parts of one object that are under way at once.
const MAX_PARTS_UNDER_WAY: usize = 2;
/// How often a request is repeated that failed at the service or on the way.
const MAX_RETRIES: usize = 3;
/// How long all attempts of a request may take.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);

/// A bucket; cheap to clone.
#[derive(Clone, Debug)]
pub struct S3Store {
    bucket: std::sync::Arc<AmazonS3>,
}

impl S3Store {
    /// A client for the configured bucket; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If the settings make no client.
    pub fn new(config: &FilesConfig) -> Result<Self> {
        let retry = RetryConfig {
            max_retries: MAX_RETRIES,
            retry_timeout: RETRY_TIMEOUT,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&config.s3_bucket)
            .with_region(&config.s3_region)
            .with_access_key_id(&config.s3_access_key_id)
            .with_secret_access_key(config.s3_secret_access_key.expose())
            .with_retry(retry)
            .with_http_connector(HyperConnector);
        if config.s3_endpoint.is_empty() {
            builder = builder.with_virtual_hosted_style_request(true);
        } else {
            builder = builder
                .with_endpoint(config.s3_endpoint.trim_end_matches('/'))
                .with_allow_http(config.s3_endpoint.starts_with("http://"));
        }
        let bucket = builder.build().map_err(|error| {
            Error::internal(format!("the bucket's settings cannot be used: {error}"))
        })?;
        Ok(Self {
            bucket: bucket.into(),
        })
    }

    pub(super) fn create(&self, key: &str) -> S3Writer {
        S3Writer {
            store: self.clone(),
            key: Path::from(key),
            buffered: BytesMut::new(),
            parts: None,
        }
    }

    pub(super) async fn read(&self, key: &str, range: Range<u64>) -> Result<ByteStream> {
        // The service refuses an empty range.
        if range.is_empty() {
            return Ok(futures_util::stream::empty().boxed());
        }
        let options = GetOptions {
            range: Some(range.into()),
            ..GetOptions::default()
        };
        let found = self.bucket.get_opts(&Path::from(key), options).await;
        let found = found.map_err(failure)?;
        Ok(found.into_stream().map_err(io::Error::other).boxed())
    }

    pub(super) async fn read_all(&self, key: &str) -> Result<Option<Bytes>> {
        match self.bucket.get(&Path::from(key)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            found => Ok(Some(
                found.map_err(failure)?.bytes().await.map_err(failure)?,
            )),
        }
    }

    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        match self.bucket.delete(&Path::from(key)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            deleted => deleted.map_err(failure),
        }
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<ListedObject>> {
        let prefix = Some(Path::from(folder)).filter(|_| !folder.is_empty());
        let listed = self
            .bucket
            .list(prefix.as_ref())
            .map_ok(|object| ListedObject {
                key: object.location.to_string(),
                size: object.size,
                modified: SystemTime::from(object.last_modified),
            });
        listed.try_collect().await.map_err(failure)
    }
}

/// An object that is being sent.
#[derive(Debug)]
pub struct S3Writer {
    store: S3Store,
    key: Path,
    /// What is not sent yet: less than a part.
    buffered: BytesMut,
    parts: Option<WriteMultipart>,
}

impl S3Writer {
    pub(super) async fn write(
        &mut self,
        block: Bytes,
        mut digest: ContentDigest,
    ) -> Result<ContentDigest> {
        self.buffered.extend_from_slice(&block);
        let digest = tokio::task::spawn_blocking(move || {
            digest.update(&block);
            digest
        });
        if self.buffered.len() >= PART_BYTES {
            let mut parts = if let Some(parts) = self.parts.take() {
                parts
            } else {
                let upload = self.store.bucket.put_multipart(&self.key).await;
                WriteMultipart::new_with_chunk_size(upload.map_err(failure)?, PART_BYTES)
            };
            let waited = parts.wait_for_capacity(MAX_PARTS_UNDER_WAY - 1).await;
            parts.put(self.buffered.split().freeze());
            self.parts = Some(parts);
            waited.map_err(failure)?;
        }
        digest.await.map_err(Error::internal)
    }

    pub(super) async fn finish(mut self) -> Result<()> {
        let rest = self.buffered.split().freeze();
        match self.parts.take() {
            None => {
                let put = self.store.bucket.put(&self.key, rest.into()).await;
                put.map(drop).map_err(failure)
            }
            Some(mut parts) => {
                parts.put(rest);
                parts.finish().await.map(drop).map_err(failure)
            }
        }
    }
}

impl Drop for S3Writer {
    fn drop(&mut self) {
        if let (Some(parts), Ok(runtime)) =
            (self.parts.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(async move {
                if let Err(error) = parts.abort().await {
                    tracing::warn!(%error, "the parts of an upload could not be removed from the bucket");
                }
            });
        }
    }
}

fn failure(error: object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::not_found("File not found"),
        // The text may hold what the service said; it does not hold the key.
        error => {
            tracing::warn!(%error, "the bucket of files failed");
            Error::Unavailable("The store of files cannot be reached. Try again.".into())
        }
    }
}
