//! The process under test: found by its id or started here, with its CPU time and memory read from
//! `/proc`.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::options::Options;
use crate::report::Run;
use crate::wire::{Connection, Fallible, Target};

const EMAIL: &str = "load@example.com";
const PASSWORD: &str = "Load-Generator-1";

/// Ticks of `/proc/<pid>/stat`; Linux shows 100 to programs whatever the kernel's own rate is.
const TICKS_PER_SECOND: f64 = 100.0;

/// A server, and who may administer it.
#[derive(Debug)]
pub struct Server {
    /// Where it listens
    pub target: Target,
    /// Superadmin's address
    pub email: String,
    /// Superadmin's password
    pub password: String,
    pid: Option<u32>,
    started: Option<Started>,
}

#[derive(Debug)]
struct Started {
    child: Child,
    program: PathBuf,
    arguments: Vec<String>,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// The running server of `--url`, or a fresh one of `--spawn`.
    pub async fn of(options: &Options) -> Fallible<Self> {
        let Some(command) = &options.spawn else {
            return Ok(Self {
                target: Target::parse(&options.url)?,
                email: options
                    .email
                    .clone()
                    .ok_or("--url needs --email of a superadmin")?,
                password: options
                    .password
                    .clone()
                    .ok_or("--url needs --password of a superadmin")?,
                pid: options.pid,
                started: None,
            });
        };
        let mut words = command.split_whitespace().map(str::to_owned);
        let program = fs::canonicalize(words.next().ok_or("--spawn needs a program")?)?;
        let mut arguments: Vec<String> = words.collect();
        if arguments.is_empty() {
            arguments.push("serve".to_owned());
        }
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("snackbase-load-");
        let folder = match &options.scratch {
            Some(parent) => builder.tempdir_in(parent)?,
            None => builder.tempdir()?,
        };
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = start(&program, &arguments, folder.path(), port)?;
        let mut server = Self {
            target: Target::parse(&format!("http://127.0.0.1:{port}"))?,
            email: EMAIL.to_owned(),
            password: PASSWORD.to_owned(),
            pid: Some(child.id()),
            started: Some(Started {
                child,
                program,
                arguments,
                folder,
                port,
            }),
        };
        server.healthy().await?;
        Ok(server)
    }

    /// Waits for the first answer.
    async fn healthy(&mut self) -> Fallible<()> {
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut request = Vec::new();
        self.target.head(&mut request, "GET", "/health", None, None);
        loop {
            if let Ok(mut connection) = Connection::open(&self.target).await
                && connection
                    .exchange(&request)
                    .await
                    .is_ok_and(|status| status == 200)
            {
                return Ok(());
            }
            if let Some(started) = &mut self.started
                && let Some(status) = started.child.try_wait()?
            {
                let log = fs::read_to_string(started.folder.path().join("server.log"))
                    .unwrap_or_default();
                return Err(format!("the server ended with {status}:\n{log}").into());
            }
            if Instant::now() > deadline {
                return Err("the server does not answer /health".into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Stops and starts it on the same data; returns the time to the first answer.
    pub async fn restart(&mut self) -> Fallible<Duration> {
        self.stop();
        let started = self
            .started
            .as_mut()
            .ok_or("only a server of --spawn can be restarted")?;
        let begin = Instant::now();
        started.child = start(
            &started.program,
            &started.arguments,
            started.folder.path(),
            started.port,
        )?;
        self.pid = Some(started.child.id());
        self.healthy().await?;
        Ok(begin.elapsed())
    }

    /// Bytes of the program file.
    pub fn program_size(&self) -> Fallible<u64> {
        let started = self.started.as_ref().ok_or("only known with --spawn")?;
        Ok(fs::metadata(&started.program)?.len())
    }

    /// CPU time and memory now, where the process is known.
    pub fn usage(&self) -> Option<Usage> {
        Usage::of(&self.pid?.to_string())
    }

    /// Lets the peak of the memory begin at what is held now; without the right to do so it stays
    /// what it was.
    pub fn reset_peak(&self) {
        if let Some(pid) = self.pid {
            // 5 resets `VmHWM`, see proc_pid_clear_refs(5).
            drop(fs::write(format!("/proc/{pid}/clear_refs"), "5"));
        }
    }

    /// Ends a started server, gently at first. Nothing happens to a server that was running before.
    pub fn stop(&mut self) {
        let Some(started) = &mut self.started else {
            return;
        };
        let pid = started.child.id().to_string();
        // The standard library can only kill; a clean end is part of what is measured (and of the
        // next start).
        let asked = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .is_ok_and(|status| status.success());
        let deadline = Instant::now() + Duration::from_secs(if asked { 10 } else { 0 });
        while Instant::now() < deadline {
            if !matches!(started.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // It may have ended in between, and there is nobody left to tell.
        drop(started.child.kill());
        drop(started.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start(program: &Path, arguments: &[String], folder: &Path, port: u16) -> Fallible<Child> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("server.log"))?;
    let child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        // A variable of the Makefile, which the server would take for a misspelt setting.
        .env_remove("SNACKBASE_BIN")
        .env("SNACKBASE_HOST", "127.0.0.1")
        .env("SNACKBASE_PORT", port.to_string())
        .env("SNACKBASE_DATA_DIR", folder.join("data"))
        // All subscribers come from one address, and share a few users.
        .env("SNACKBASE_REALTIME_MAX_CONNECTIONS_PER_ADDRESS", "0")
        .env("SNACKBASE_REALTIME_MAX_CONNECTIONS_PER_USER", "0")
        .env("SNACKBASE_SUPERADMIN_EMAIL", EMAIL)
        .env("SNACKBASE_SUPERADMIN_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    Ok(child)
}

/// CPU time used so far and memory held.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// User and system time
    pub cpu_s: f64,
    /// Resident memory
    pub rss_kib: f64,
    /// The most it ever was
    pub peak_kib: f64,
}

impl Usage {
    /// Of a process id, or of `self`.
    pub fn of(pid: &str) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may itself hold spaces and parentheses.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let user: f64 = fields.next()?.parse().ok()?;
        let system: f64 = fields.next()?.parse().ok()?;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let kib = |name: &str| -> Option<f64> {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.trim().trim_end_matches("kB").trim().parse().ok()
        };
        Some(Self {
            cpu_s: (user + system) / TICKS_PER_SECOND,
            rss_kib: kib("VmRSS:")?,
            peak_kib: kib("VmHWM:")?,
        })
    }
}

/// Usage at the beginning of a run, of the server and of the generator itself: a generator that
/// used up a core was the limit, not the server.
#[derive(Debug)]
pub struct Meter {
    server: Option<Usage>,
    own: Option<Usage>,
}

impl Meter {
    /// Reads both.
    pub fn start(server: &Server) -> Self {
        Self {
            server: server.usage(),
            own: Usage::of("self"),
        }
    }

    /// Adds what was used since to a run.
    pub fn finish(self, server: &Server, run: &mut Run) {
        if let (Some(before), Some(after)) = (self.server, server.usage()) {
            run.set("server_cpu_s", after.cpu_s - before.cpu_s);
            run.set("server_rss_mib", after.rss_kib / 1024.0);
            run.set("server_peak_mib", after.peak_kib / 1024.0);
        }
        if let (Some(before), Some(after)) = (self.own, Usage::of("self")) {
            run.set("generator_cpu_s", after.cpu_s - before.cpu_s);
        }
    }
}
