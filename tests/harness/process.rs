//! A server in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use super::app::{PASSWORD, SUPERADMIN};
use super::backend::Database;
use super::{Client, PATIENCE, User};

/// A running program, killed when this goes away.
pub struct Process {
    child: Child,
    pub base: String,
    lines: Arc<Lines>,
    _unread: Option<ChildStderr>,
}

/// What becomes of the log of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogReader {
    /// Whoever reads it goes before the server says anything.
    Gone,
    /// It is there, and reads nothing.
    Stuck,
}

/// What it wrote to its standard error.
#[derive(Default)]
struct Lines {
    seen: Mutex<Vec<String>>,
    more: Condvar,
}

impl Lines {
    /// Waits for a line that has this in it.
    fn wait_for(&self, part: &str) -> Result<String, Vec<String>> {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.lock().unwrap();
        loop {
            if let Some(line) = seen.iter().find(|line| line.contains(part)) {
                return Ok(line.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(seen.clone());
            }
            seen = self.more.wait_timeout(seen, left).unwrap().0;
        }
    }
}

impl Process {
    /// Starts `snackbase serve`.
    pub fn serve(database: &Database, variables: &[(&str, &str)]) -> Self {
        Self::start(
            Path::new(env!("CARGO_BIN_EXE_snackbase")),
            &["serve"],
            database,
            variables,
        )
    }

    /// Starts `snackbase serve` with a log that nobody reads.
    pub fn serve_unread(database: &Database, reader: LogReader) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_snackbase"));
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
            .to_string();
        let variables = [("PORT", port.as_str()), ("LOG_LEVEL", "debug")];
        let mut command = Self::command(program, &["serve"], database, &variables);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let unread = child.stderr.take().filter(|_| reader == LogReader::Stuck);
        Self {
            child,
            base: format!("http://127.0.0.1:{port}"),
            lines: Arc::default(),
            _unread: unread,
        }
    }

    /// Runs a command of `snackbase` whose reader goes before it prints anything, and returns its
    /// end and its errors.
    pub fn run_unread(database: &Database, args: &[&str]) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_snackbase"));
        let mut command = Self::command(program, args, database, &[]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        child.wait_with_output().unwrap()
    }

    /// How much memory it holds, in bytes, where that can be told.
    pub fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    }

    /// Starts a program of `examples/`.
    pub fn example(name: &str, database: &Database) -> Self {
        // A run of all tests has built it; a run of some has perhaps not.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let profile: &[&str] = if cfg!(debug_assertions) {
            &[]
        } else {
            &["--release"]
        };
        let mut build = Command::new(cargo);
        build
            .args(["build", "--quiet", "--example", name])
            .args(profile)
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(
            build.status().unwrap().success(),
            "the example {name} cannot be built"
        );
        let tests = std::env::current_exe().unwrap();
        let folder: PathBuf = tests
            .parent()
            .and_then(Path::parent)
            .unwrap()
            .join("examples");
        let program = folder
            .join(name)
            .with_extension(std::env::consts::EXE_EXTENSION);
        Self::start(&program, &[], database, &[])
    }

    /// Runs a command of `snackbase` to its end.
    pub fn run(database: &Database, args: &[&str]) -> Output {
        Self::run_with(database, args, &[])
    }

    /// The same with settings of its own.
    pub fn run_with(database: &Database, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_snackbase"));
        Self::command(program, args, database, variables)
            .output()
            .unwrap()
    }

    fn command(
        program: &Path,
        args: &[&str],
        database: &Database,
        variables: &[(&str, &str)],
    ) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars() {
            if name.starts_with("SNACKBASE_") {
                command.env_remove(name);
            }
        }
        let folder = database.folder();
        let url = database.url();
        let settings = [
            ("PORT", "0"),
            ("DATA_DIR", folder.to_str().unwrap()),
            ("DATABASE_URL", &url),
            ("ENVIRONMENT", "testing"),
            ("SECRET_KEY", "0123456789abcdef0123456789abcdef"),
            ("SUPERADMIN_EMAIL", SUPERADMIN),
            ("SUPERADMIN_PASSWORD", PASSWORD),
            ("ARGON2_MEMORY_KIB", "64"),
            ("ARGON2_ITERATIONS", "1"),
            ("LOG_LEVEL", "warn"),
            ("LOG_FORMAT", "text"),
        ];
        for (name, value) in settings.iter().chain(variables) {
            command.env(format!("SNACKBASE_{name}"), value);
        }
        command.args(args).current_dir(&folder).stdin(Stdio::null());
        command
    }

    fn start(
        program: &Path,
        args: &[&str],
        database: &Database,
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = Self::command(program, args, database, variables);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Lines::default());
        let (reader, sink) = (BufReader::new(child.stderr.take().unwrap()), lines.clone());
        std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                sink.seen.lock().unwrap().push(line);
                sink.more.notify_all();
            }
        });
        let mut process = Self {
            child,
            base: String::new(),
            lines,
            _unread: None,
        };
        let line = process.wait_for("http://");
        let address = line
            .split("http://")
            .nth(1)
            .unwrap_or_default()
            .split('/')
            .next()
            .unwrap_or_default();
        process.base = format!("http://{address}");
        process
    }

    /// Waits for a line on its standard error that has this in it.
    pub fn wait_for(&self, part: &str) -> String {
        self.lines
            .wait_for(part)
            .unwrap_or_else(|seen| panic!("no '{part}' in: {}", seen.join("\n")))
    }

    /// Somebody without credentials.
    pub fn anonymous(&self) -> Client {
        Client::new(reqwest::Client::new(), self.base.clone())
    }

    /// The superadmin.
    pub async fn admin(&self) -> User {
        self.anonymous().login("system", SUPERADMIN, PASSWORD).await
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and returns whether it ended well.
    pub fn terminate(&mut self) -> bool {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(Instant::now() < deadline, "the process does not end");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
