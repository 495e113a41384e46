//! `snackbase backup` and `snackbase restore`.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::output::print_line;
use crate::changes::renew_identity;
use crate::config::{Config, DatabaseTarget};
use crate::db::{DbError, Occupied, amend_database, copy_database};
use crate::error::{Error, Result};

/// Writes a copy of the database into a file.
pub(super) async fn save(file: &Path, config: &Config) -> Result<()> {
    let database = sqlite(config, "back it up with pg_dump")?;
    if !database.is_file() {
        return Err(failed(format!(
            "There is no database at {}",
            database.display()
        )));
    }
    create(file).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => failed(format!(
            "{} exists already: name another file",
            file.display()
        )),
        _ => failed(format!("{} cannot be written: {error}", file.display())),
    })?;
    let copied = copy_database(&database, file).await;
    let size = copied
        .map_err(|error| error.to_string())
        .and_then(|()| synced(file).map_err(|error| error.to_string()));
    let size = size.map_err(|error| {
        // What is there is no backup; an error has been told already.
        let _ = fs::remove_file(file);
        failed(format!("The database could not be copied: {error}"))
    })?;
    print_line(format!(
        "Backed up {} into {}, {size} bytes.",
        database.display(),
        file.display()
    ))?;
    print_line(format!(
        "The secrets are not in it. Keep {} or the configured keys, too: without them, everybody has to sign in again, \
         and encrypted fields stay encrypted.",
        config.server.data_dir.join("secrets.toml").display()
    ))
}

/// Puts a copy of a file in the place of the database.
pub(super) async fn restore(file: &Path, force: bool, config: &Config) -> Result<()> {
    let database = sqlite(
        config,
        "restore it with pg_restore, and renew its identity as the README says",
    )?;
    if !file.is_file() {
        return Err(failed(format!("There is no file {}", file.display())));
    }
    let exists = database.exists();
    if exists && !force {
        let place = database.display();
        return Err(failed(format!(
            "There is a database at {place} already: replace it with --force"
        )));
    }
    let occupied = if exists {
        Some(occupy(&database).await?)
    } else {
        None
    };
    let new = with_suffix(&database, ".restoring");
    let prepared = prepare(file, &new).await;
    let replaced = prepared.and_then(|()| replace(&new, &database).map_err(Error::internal));
    if replaced.is_err() {
        // Perhaps it was not made at all.
        let _ = fs::remove_file(&new);
    }
    if let Some(occupied) = occupied {
        // The file that it holds is gone, or left as it was; there is nothing more to lose.
        let _ = occupied.release().await;
    }
    replaced?;
    print_line(format!(
        "Restored {} from {}.",
        database.display(),
        file.display()
    ))?;
    print_line(
        "Realtime clients will be told to fetch everything anew. Sessions are those of the time of the backup.",
    )
}

/// Takes the database that is replaced, if no server uses it.
async fn occupy(database: &Path) -> Result<Occupied> {
    Occupied::take(database).await.map_err(|error| match error {
        DbError::Busy => failed(format!(
            "{} is in use: stop the server first",
            database.display()
        )),
        error => failed(format!("{} cannot be opened: {error}", database.display())),
    })
}

/// Where the database is, or the advice for one that is no file.
fn sqlite(config: &Config, advice: &str) -> Result<PathBuf> {
    match config.database.target(&config.server.data_dir) {
        DatabaseTarget::Sqlite(options) => Ok(options.path),
        DatabaseTarget::Postgres(_) => Err(failed(format!(
            "The database is on a PostgreSQL server: {advice}"
        ))),
    }
}

/// Copies the backup next to the database, checks it, and gives it another identity.
async fn prepare(backup: &Path, new: &Path) -> Result<()> {
    if let Some(folder) = new.parent() {
        fs::create_dir_all(folder).map_err(Error::internal)?;
    }
    // Left behind by one that was interrupted.
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::internal(error));
        }
        _ => {}
    }
    let copied = create(new).and_then(|mut file| io::copy(&mut File::open(backup)?, &mut file));
    copied.map_err(|error| failed(format!("{} cannot be copied: {error}", backup.display())))?;
    match amend_database(new, vec![renew_identity()]).await {
        Ok(true) => synced(new).map(drop).map_err(Error::internal),
        Ok(false) | Err(DbError::Other(_)) => Err(failed(format!(
            "{} is no database of SnackBase, or it is damaged",
            backup.display()
        ))),
        Err(error) => Err(error.into()),
    }
}

/// Puts the file in the database's place, at once.
fn replace(new: &Path, database: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm"] {
        // Of a database that was deleted by hand, perhaps: they must not be taken for those of the
        // new one.
        match fs::remove_file(with_suffix(database, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(new, database)?;
    match database.parent() {
        // A folder cannot be opened everywhere; where it can, the new name survives a power loss.
        Some(folder) if !folder.as_os_str().is_empty() => {
            File::open(folder).map_or(Ok(()), |folder| folder.sync_all())
        }
        _ => Ok(()),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes an empty file that only its owner reads: there are password hashes in it.
fn create(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// Makes sure that a file is on the disk, and returns its size.
fn synced(file: &Path) -> io::Result<u64> {
    let file = OpenOptions::new().write(true).open(file)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn failed(message: String) -> Error {
    Error::internal(message)
}
