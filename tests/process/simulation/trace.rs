//! What everybody did and heard, in the order of time.

use std::fmt::{self, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The longest text of one line, in characters.
const WIDTH: usize = 240;

/// Takes in no more than it shows: what is written may be huge.
struct Line(String);

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let left = WIDTH - self.0.chars().count();
        self.0.extend(text.chars().take(left));
        if text.len() > left {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

/// Notes of one run.
#[derive(Debug)]
pub struct Trace {
    start: Instant,
    lines: Mutex<Vec<(Duration, String, String)>>,
}

impl Trace {
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            lines: Mutex::default(),
        }
    }

    /// Notes what somebody did or heard.
    pub fn note(&self, who: &str, what: impl fmt::Display) {
        let mut line = Line(String::new());
        // It ends where the line is full.
        let _ = write!(line, "{what}");
        self.lines
            .lock()
            .unwrap()
            .push((self.start.elapsed(), who.to_owned(), line.0));
    }

    /// Writes everything to a file; returns its path.
    pub fn write(&self, name: &str, failure: &str) -> String {
        let path = format!("{}/{name}.txt", env!("CARGO_TARGET_TMPDIR"));
        let mut text = format!("{failure}\n\nmilliseconds, who, what\n");
        for (at, who, what) in self.lines.lock().unwrap().iter() {
            let _ = writeln!(text, "{:>7} {who:<22} {what}", at.as_millis());
        }
        std::fs::write(&path, text).unwrap();
        path
    }
}
