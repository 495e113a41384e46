//! Listing files.

use super::Files;
use super::registry::StoredFile;
use crate::auth::Caller;
use crate::db::{Sql, containing};
use crate::error::{Error, Result};
use crate::id::AccountId;

/// Which files are listed.
#[derive(Clone, Debug, Default)]
pub struct FileQuery {
    /// How many to leave out; not negative.
    pub skip: i64,
    /// How many to return, at most.
    pub limit: i64,
    /// For superadmins: the id of the account whose files are meant.
    pub account: Option<String>,
    /// Whether only those that no record names.
    pub unclaimed: bool,
    /// A part of their names, in any case.
    pub search: Option<String>,
}

/// A file and how many records name it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ListedFile {
    /// The file.
    #[sqlx(flatten)]
    pub file: StoredFile,
    /// How many records name it.
    pub uses: i64,
}

/// A page of files.
#[derive(Clone, Debug)]
pub struct FileList {
    /// The files, the newest first.
    pub items: Vec<ListedFile>,
    /// How many there are.
    pub total: i64,
    /// Bytes of all files of the account, if one is meant.
    pub used_bytes: Option<u64>,
}

impl Files {
    /// Files: of the whole server or one account for superadmins, of their account for its admins,
    /// of their own for others.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] for another account than the caller's.
    pub async fn list(&self, caller: &Caller, query: &FileQuery) -> Result<FileList> {
        let account = match &query.account {
            None if caller.is_superadmin() => None,
            None => caller.account_id(),
            Some(id) => {
                let id = AccountId::parse(id);
                let is_own = id.is_some() && id == caller.account_id();
                if !(is_own || caller.is_superadmin()) {
                    return Err(Error::Forbidden("This is another account".into()));
                }
                Some(id.ok_or_else(|| Error::not_found("The account does not exist"))?)
            }
        };
        let uploader = (!caller.is_account_admin()).then(|| caller.actor());
        let write_conditions = |sql: &mut Sql| {
            sql.push(" WHERE f.state = 'stored'");
            if let Some(account) = account {
                sql.push(" AND f.account_id = ").arg(account);
            }
            if let Some(uploader) = uploader {
                sql.push(" AND f.uploaded_by = ").arg(uploader);
            }
            if query.unclaimed {
                sql.push(" AND f.unclaimed_since IS NOT NULL");
            }
            if let Some(part) = query.search.as_deref().filter(|part| !part.is_empty()) {
                sql.push(" AND lower(f.name) LIKE ")
                    .arg(containing(part))
                    .push(" ESCAPE '\\'");
            }
        };
        let reads = self.db.reads(account.or_else(|| caller.account_id()));
        let mut page = self.db.sql();
        page.push("SELECT f.*, (SELECT count(*) FROM file_uses u WHERE u.path = f.path) AS uses FROM files f");
        write_conditions(&mut page);
        page.push(" ORDER BY f.created_at DESC, f.path DESC LIMIT ")
            .number(query.limit)
            .push(" OFFSET ")
            .number(query.skip);
        let mut count = self.db.sql();
        count.push("SELECT count(*) FROM files f");
        write_conditions(&mut count);
        Ok(FileList {
            items: reads.rows(page.build()).await?,
            total: reads.count(count.build()).await?,
            used_bytes: match account {
                Some(account) => Some(self.used_bytes(account).await?),
                None => None,
            },
        })
    }
}
