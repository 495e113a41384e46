//! The log: text on a terminal, JSON otherwise. It never holds a token, a password or a request's
//! body.
//!
//! Lines are written by a thread of their own, so that nobody waits for whoever reads them: if the
//! reader of the standard error stream is slow, lines are left out and counted; if it is gone, they
//! are lost. The server goes on either way.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{LogConfig, LogFormat};

/// Upper limit of the lines that wait to be written.
const MAX_WAITING_LINES: usize = 4096;
/// How long the end of the process waits for lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Where lines wait for the thread that writes them.
static LOG: OnceLock<LogQueue> = OnceLock::new();

struct LogQueue {
    entries: SyncSender<LogEntry>,
    /// Lines that were left out because too many waited.
    lost: AtomicU64,
}

enum LogEntry {
    Line(Vec<u8>),
    /// Answered once everything before it is written.
    Flush(SyncSender<()>),
}

/// Starts logging to the standard error stream. A program that logs its own way already keeps doing
/// so.
pub fn start(config: &LogConfig) {
    // Drivers and HTTP libraries tell too much of what passes through them.
    let directives = format!(
        "{},sqlx=warn,hyper=warn,tower=warn,rustls=warn",
        config.directives()
    );
    let filter = EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("info"));
    let text = match config.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(LogWriter)
        .log_internal_errors(false);
    // An error means that a subscriber is there already.
    let _ = if text {
        builder.compact().with_target(false).try_init()
    } else {
        builder.json().try_init()
    };
}

/// Writes a line for the person who started the process to the standard error stream.
pub fn tell(line: impl Display) {
    LogQueue::get().push(format!("{line}\n").into_bytes());
}

/// Waits until what was logged is written, but not for long.
pub fn flush() {
    let Some(queue) = LOG.get() else { return };
    let (done, written) = sync_channel(1);
    // If the queue is full, its reader is stuck, and there is nothing to wait for.
    if queue.entries.try_send(LogEntry::Flush(done)).is_ok() {
        let _ = written.recv_timeout(FLUSH_TIMEOUT);
    }
}

impl LogQueue {
    fn get() -> &'static Self {
        LOG.get_or_init(|| {
            let (entries, waiting) = sync_channel(MAX_WAITING_LINES);
            // Without the thread, the queue is closed and every line is lost, which is better than
            // no server.
            let _ = std::thread::Builder::new()
                .name("log".into())
                .spawn(move || write_lines(&waiting));
            Self {
                entries,
                lost: AtomicU64::new(0),
            }
        })
    }

    fn push(&self, line: Vec<u8>) {
        if self.entries.try_send(LogEntry::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_lines(waiting: &Receiver<LogEntry>) {
    let mut stream = io::stderr();
    for entry in waiting {
        match entry {
            // An error means that nobody reads: then nobody is to be told either.
            LogEntry::Line(line) => drop(stream.write_all(&line)),
            LogEntry::Flush(done) => drop(done.send(())),
        }
        let lost = LOG
            .get()
            .map_or(0, |queue| queue.lost.swap(0, Ordering::Relaxed));
        if lost > 0 {
            let _ = writeln!(
                stream,
                "{lost} lines of the log were left out: they were read too slowly"
            );
        }
    }
}

/// Hands lines to the thread that writes them.
struct LogWriter;

impl io::Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LogQueue::get().push(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}
