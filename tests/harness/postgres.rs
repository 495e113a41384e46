//! The PostgreSQL server: the one in `SNACKBASE_TEST_POSTGRES_URL`, or a throw-away one for this
//! process.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// A server of this process. It ends with the process: its script waits for the end of its standard
/// input.
struct Server {
    _script: Child,
    url: String,
}

/// The URL of the server's own database; `None` where there is no server and none can be made.
pub fn url() -> Option<&'static str> {
    static URL: OnceLock<Option<String>> = OnceLock::new();
    static SERVER: OnceLock<Server> = OnceLock::new();
    let url = URL.get_or_init(|| {
        if let Ok(given) = std::env::var("SNACKBASE_TEST_POSTGRES_URL") {
            return Some(given);
        }
        if let Some(server) = Server::start() {
            return Some(SERVER.get_or_init(|| server).url.clone());
        }
        assert!(std::env::var("CI").as_deref() != Ok("true"), "there is no PostgreSQL to test with");
        eprintln!("### SKIPPED: no tests on PostgreSQL, because there is no server and no initdb to make one ###");
        None
    });
    url.as_deref()
}

impl Server {
    fn start() -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/with-postgres.sh");
        let mut script = Command::new("sh")
            .args([
                script,
                "sh",
                "-c",
                "echo $SNACKBASE_TEST_POSTGRES_URL; cat >/dev/null",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut url = String::new();
        BufReader::new(script.stdout.take()?)
            .read_line(&mut url)
            .ok()?;
        let url = url.trim().to_owned();
        (!url.is_empty()).then_some(Self {
            _script: script,
            url,
        })
    }
}

/// Makes an empty database and returns its URL.
pub async fn create() -> String {
    let server = url().unwrap();
    let name = format!("snackbase_test_{}", snackbase::id::new_id().simple());
    let mut connection = PgConnection::connect(server).await.unwrap();
    connection
        .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await
        .unwrap();
    let (before, query) = server
        .split_once('?')
        .map_or((server, ""), |(before, query)| (before, query));
    let (start, _) = before.rsplit_once('/').unwrap();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{start}/{name}{mark}{query}")
}

/// Drops a database, whoever is connected. Blocks, because it runs in `Drop`.
pub fn drop_database(database: &str) {
    let database = database.to_owned();
    let drop = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let name = database
                .split('?')
                .next()
                .unwrap_or_default()
                .rsplit('/')
                .next()
                .unwrap_or_default();
            let mut connection = PgConnection::connect(url()?).await.ok()?;
            connection
                .execute(AssertSqlSafe(format!(
                    "DROP DATABASE IF EXISTS {name} WITH (FORCE)"
                )))
                .await
                .ok()
        })
    };
    // A runtime cannot block inside another one.
    let _ = std::thread::spawn(drop).join();
}
