//! Comparing the registry with the stores, and moving files from one store to another: for the
//! command line, while the server runs or not.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt as _;

use super::Files;
use super::digest::ContentDigest;
use super::registry::{StoredFile, key_of, select_files};
use super::store::{ListedObject, StoreName};
use super::thumbnail::FOLDER;
use crate::db::{Batch, CommitError, DbError, Stmt};
use crate::error::{Error, Result};

/// Rows that are read at once.
const PAGE: i64 = 1000;
/// Objects that are younger may belong to an upload that began after the registry was read, in
/// seconds.
const MIN_ORPHAN_AGE_SECONDS: i64 = 3600;

/// What is wrong with a file or an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// The registry has a file, and its store does not have the bytes.
    Missing(String),
    /// The bytes are not as many as the registry says, or not the ones it says.
    Damaged(String),
    /// A store has bytes that the registry does not know.
    Orphan(StoreName, String),
}

/// What a check has found.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    /// Files that were looked at.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong.
    pub problems: Vec<FileProblem>,
}

/// The key of the file that an object belongs to: of a thumbnail's, its picture's.
fn original_of(key: &str) -> &str {
    let thumbnail = key
        .strip_prefix(FOLDER)
        .and_then(|key| key.strip_prefix('/'));
    let picture = thumbnail.and_then(|key| key.rsplit_once('/'));
    picture.map_or(key, |(picture, _)| picture)
}

impl Files {
    /// Compares the registry with the stores; `reads` reads every file and compares its SHA-256.
    ///
    /// # Errors
    ///
    /// If the database or a store cannot be read.
    pub async fn check(&self, reads: bool) -> Result<CheckReport> {
        // Listed first: what is added later is known when the registry is read.
        let mut objects = HashMap::new();
        for store in self.stores.names() {
            for object in self.stores.list(store, "").await? {
                objects.insert((store, object.key.clone()), object);
            }
        }
        let mut report = CheckReport::default();
        let (mut after, mut known) = (String::new(), HashSet::new());
        loop {
            let files = self.stored_after(&after).await?;
            let Some(last) = files.last() else { break };
            after.clone_from(&last.path);
            for file in &files {
                known.insert(file.key().to_owned());
                let object = objects.remove(&(file.store()?, file.key().to_owned()));
                report.files += 1;
                report.bytes += file.bytes();
                if let Some(problem) = self.problem_of(file, object.as_ref(), reads).await? {
                    report.problems.push(problem);
                }
            }
        }
        let expected = self.unfinished_keys().await?;
        let before = self.clock.now() - TimeDelta::seconds(MIN_ORPHAN_AGE_SECONDS);
        let is_old = |object: &ListedObject| DateTime::<Utc>::from(object.modified) < before;
        let mut orphans: Vec<_> = objects
            .into_iter()
            .filter(|((_, key), object)| {
                let key = original_of(key);
                is_old(object) && !expected.contains(key) && !known.contains(key)
            })
            .map(|((store, key), _)| FileProblem::Orphan(store, key))
            .collect();
        orphans.sort_by_cached_key(|orphan| format!("{orphan:?}"));
        report.problems.extend(orphans);
        Ok(report)
    }

    /// Deletes the bytes that the registry does not know.
    ///
    /// # Errors
    ///
    /// If a store fails.
    pub async fn remove_orphans(&self, report: &CheckReport) -> Result<u64> {
        let mut removed = 0;
        for problem in &report.problems {
            if let FileProblem::Orphan(store, key) = problem {
                self.stores.delete(*store, key).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Moves every file into a store, one after the other. Each can be read all the time. Returns
    /// how many were moved.
    ///
    /// # Errors
    ///
    /// If the database or a store fails; what was moved stays moved.
    pub async fn migrate(&self, to: StoreName) -> Result<u64> {
        if !self.stores.names().contains(&to) {
            return Err(Error::internal("no bucket is configured (files.s3_bucket)"));
        }
        let (mut moved, mut after) = (0, String::new());
        loop {
            let files = self.stored_after(&after).await?;
            let Some(last) = files.last() else { break };
            after.clone_from(&last.path);
            for file in &files {
                if file.store()? != to {
                    moved += u64::from(self.move_file(file, to).await?);
                }
            }
        }
        Ok(moved)
    }

    /// Returns whether the file was still there.
    async fn move_file(&self, file: &StoredFile, to: StoreName) -> Result<bool> {
        let mut blocks = self.read(file, 0..file.bytes()).await?;
        let mut writer = self.stores.create(to, file.key()).await?;
        let mut digest = ContentDigest::new(false);
        while let Some(block) = blocks.try_next().await.map_err(Error::internal)? {
            digest = writer.write(block, digest).await?;
        }
        if file
            .sha256
            .as_deref()
            .is_some_and(|hash| hash != digest.sha256())
        {
            return Err(Error::internal(format!(
                "{} is damaged and stays where it is; see `files check --read`",
                file.path
            )));
        }
        writer.finish().await?;
        let update = "UPDATE files SET store = $1 WHERE path = $2 AND store = $3";
        let from = file.store()?.as_str();
        let args = vec![to.as_str().into(), (&file.path).into(), from.into()];
        let garbage =
            "INSERT INTO file_garbage (path, store) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let batch = Batch::new()
            .require(Stmt::fixed(update, args))
            .with(Stmt::fixed(garbage, vec![(&file.path).into(), from.into()]));
        match self.db.commit(batch).await {
            Ok(_) => {
                self.collect_garbage_of(&file.path).await?;
                Ok(true)
            }
            Err(CommitError {
                source: DbError::Gone,
                ..
            }) => {
                self.stores.delete(to, file.key()).await?;
                Ok(false)
            }
            Err(error) => Err(error.source.into()),
        }
    }

    /// The next files in the order of their paths.
    async fn stored_after(&self, path: &str) -> Result<Vec<StoredFile>> {
        let page = select_files!("WHERE state = 'stored' AND path > $1 ORDER BY path LIMIT $2");
        let page = Stmt::fixed(page, vec![path.into(), PAGE.into()]);
        Ok(self.db.rows(page).await?)
    }

    /// The keys of what is being uploaded or removed.
    async fn unfinished_keys(&self) -> Result<HashSet<String>> {
        let pending = "SELECT path FROM files WHERE state = 'pending' UNION ALL SELECT path FROM file_garbage \
                       UNION ALL SELECT path FROM file_upload_parts";
        let paths: Vec<(String,)> = self.db.rows(Stmt::fixed(pending, Vec::new())).await?;
        Ok(paths
            .into_iter()
            .map(|(path,)| key_of(&path).to_owned())
            .collect())
    }

    async fn problem_of(
        &self,
        file: &StoredFile,
        object: Option<&ListedObject>,
        reads: bool,
    ) -> Result<Option<FileProblem>> {
        let Some(object) = object else {
            // It may be younger than the list, or gone by now.
            let is_there = self.find(&file.path).await?.is_some()
                && self.read(file, 0..file.bytes().min(1)).await.is_err();
            return Ok(is_there.then(|| FileProblem::Missing(file.path.clone())));
        };
        let mut is_right = object.size == file.bytes();
        if is_right && reads {
            let mut digest = ContentDigest::new(false);
            let mut blocks = self.read(file, 0..file.bytes()).await?;
            while let Some(block) = blocks.try_next().await.map_err(Error::internal)? {
                digest.update(&block);
            }
            is_right = file.sha256.as_deref() == Some(digest.sha256().as_str());
        }
        Ok((!is_right).then(|| FileProblem::Damaged(file.path.clone())))
    }
}
