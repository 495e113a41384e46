//! Databases for the tests: SQLite in a temporary folder, and PostgreSQL from
//! `SNACKBASE_TEST_POSTGRES_URL` or from the machine's own programs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::db::{Db, Postgres, PostgresOptions, Sqlite, SqliteOptions, Stmt, Synchronous};

/// An open database, and what must outlive it.
pub struct Database {
    pub db: Db,
    _folder: Option<TempDir>,
    _server: Option<Server>,
}

/// SQLite, and PostgreSQL if there is one.
pub async fn all() -> Vec<Database> {
    let mut databases = vec![sqlite().await];
    match postgres().await {
        Some(database) => databases.push(database),
        None if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
            panic!("no PostgreSQL to test with")
        }
        None => eprintln!("### SKIPPED on PostgreSQL: no server, and no initdb to make one ###"),
    }
    databases
}

async fn sqlite() -> Database {
    let folder = TempDir::new().unwrap();
    let options = SqliteOptions {
        path: folder.path().join("test.db"),
        synchronous: Synchronous::Normal,
        readers: 1,
        busy_timeout: Duration::from_secs(5),
        cache_kib: 4096,
    };
    let db = Db::Sqlite(Sqlite::open(options).await.unwrap());
    Database {
        db,
        _folder: Some(folder),
        _server: None,
    }
}

async fn postgres() -> Option<Database> {
    let given = std::env::var("SNACKBASE_TEST_POSTGRES_URL").ok();
    let server = if given.is_none() {
        Some(Server::start()?)
    } else {
        None
    };
    let url = given.or_else(|| server.as_ref().map(Server::url))?;
    let options = PostgresOptions {
        url,
        max_connections: 1,
        acquire_timeout: Duration::from_mins(1),
    };
    let db = Db::Postgres(Postgres::connect(&options).await.unwrap());
    // Tests that share a server take turns; the lock is the connection's.
    db.docs(Stmt::fixed(
        "SELECT pg_advisory_lock(724573)::text",
        Vec::new(),
    ))
    .await
    .unwrap();
    Some(Database {
        db,
        _folder: None,
        _server: server,
    })
}

/// A throw-away server on a socket in its own folder.
struct Server {
    folder: TempDir,
}

impl Server {
    fn start() -> Option<Self> {
        let server = Self {
            folder: TempDir::new().unwrap(),
        };
        let path = server.folder.path().display().to_string();
        if is_root() {
            // The server refuses to run as root.
            run("chown", &["postgres", &path]);
        }
        // A collation that is not byte-wise, so that a forgotten one shows.
        let collation = "-E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US";
        if !shell(&format!(
            "initdb -D {path}/data -U postgres -A trust --no-sync {collation}"
        )) {
            return None;
        }
        let settings =
            format!("-k {path} -c listen_addresses= -c fsync=off -c timezone=Asia/Tokyo");
        let started = shell(&format!(
            "pg_ctl -D {path}/data -w -l {path}/log -o '{settings}' start"
        ));
        started.then_some(server)
    }

    fn url(&self) -> String {
        format!(
            "postgres://postgres@localhost/postgres?host={}",
            self.folder.path().display()
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        shell(&format!(
            "pg_ctl -D {}/data -m immediate stop",
            self.folder.path().display()
        ));
    }
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n")
}

/// Runs a command as a user whom the server accepts.
fn shell(command: &str) -> bool {
    let newest = "/usr/lib/postgresql";
    let bin = std::fs::read_dir(newest)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .max();
    let bin = bin.unwrap_or_else(|| Path::new(newest).into());
    let command = format!("PATH=$PATH:{} {command}", bin.display());
    if is_root() {
        run("su", &["postgres", "-c", &command])
    } else {
        run("sh", &["-c", &command])
    }
}

fn run(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
