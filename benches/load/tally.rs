//! Who received what and when: numbers in the records, one set of seen numbers per subscriber.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::report::Samples;

/// Digits of an event's number in its title.
const DIGITS: usize = 8;

/// Title of a numbered record. The hash signs let a subscriber find the number without parsing.
pub fn title(event: usize) -> String {
    format!("#{event:08}#")
}

/// Times of the events of one run, in nanoseconds since it began.
#[derive(Debug)]
pub struct Tally {
    origin: Instant,
    /// Number of the run's first event
    pub first: usize,
    /// Publishers; number `n` wrote the events whose number is `n` modulo this, in ascending order
    pub publishers: usize,
    events: Vec<Event>,
    delivered: AtomicU64,
    last: AtomicU64,
}

#[derive(Debug, Default)]
struct Event {
    sent: AtomicU64,
    answered: AtomicU64,
    received: AtomicU32,
    last: AtomicU64,
}

impl Tally {
    /// For `events` records numbered from `first`.
    pub fn new(first: usize, events: usize, publishers: usize) -> Self {
        Self {
            origin: Instant::now(),
            first,
            publishers,
            events: std::iter::repeat_with(Event::default)
                .take(events)
                .collect(),
            delivered: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    /// Nanoseconds since the run began.
    pub fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// A publisher sent a record, and was answered.
    pub fn answered(&self, event: usize, sent: u64) {
        if let Some(entry) = self.event(event) {
            entry.sent.store(sent, Ordering::Relaxed);
            entry.answered.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Deliveries so far.
    pub fn delivered(&self) -> usize {
        usize::try_from(self.delivered.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// From the beginning of the run to the last delivery.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.last.load(Ordering::Relaxed))
    }

    /// For every event that each of `subscribers` received: time from the response (or from the
    /// request) to the last of them. An event may be there before the response is; that counts as
    /// no time.
    pub fn spread(&self, subscribers: usize, from_request: bool) -> Samples {
        let mut samples = Samples::default();
        for event in &self.events {
            let answered = event.answered.load(Ordering::Relaxed);
            let complete = usize::try_from(event.received.load(Ordering::Relaxed))
                .is_ok_and(|n| n >= subscribers);
            if complete && answered > 0 {
                let from = if from_request {
                    event.sent.load(Ordering::Relaxed)
                } else {
                    answered
                };
                samples.add(Duration::from_nanos(
                    event.last.load(Ordering::Relaxed).saturating_sub(from),
                ));
            }
        }
        samples
    }

    fn event(&self, number: usize) -> Option<&Event> {
        self.events.get(number.checked_sub(self.first)?)
    }
}

/// What one subscriber received in one run.
#[derive(Debug, Default)]
pub struct Ledger {
    seen: Vec<u64>,
    latest: Vec<usize>,
    hint: usize,
    /// Different events
    pub received: usize,
    /// Events received again
    pub duplicates: usize,
    /// Events that came after a later one of the same publisher
    pub out_of_order: usize,
    /// Depends on the order of all events: equal for subscribers that saw the same order
    pub order: u64,
    /// The connection ended
    pub closed: bool,
}

impl Ledger {
    /// Forgets the last run.
    pub fn reset(&mut self, tally: &Tally) {
        let closed = self.closed;
        *self = Self {
            seen: vec![0; tally.events.len().div_ceil(64)],
            latest: vec![0; tally.publishers],
            hint: self.hint,
            closed,
            ..Self::default()
        };
    }

    /// Books a message that arrived at `now`; messages without a number are acknowledgements and
    /// heartbeats.
    pub fn note(&mut self, message: &[u8], now: u64, tally: &Tally) {
        let Some(number) = self.number(message) else {
            return;
        };
        let Some(event) = tally.event(number) else {
            return;
        };
        let index = number - tally.first;
        let bit = 1 << (index % 64);
        let Some(word) = self.seen.get_mut(index / 64) else {
            return;
        };
        if *word & bit != 0 {
            self.duplicates += 1;
            return;
        }
        *word |= bit;
        self.received += 1;
        self.order = self
            .order
            .wrapping_mul(0x0100_0000_01B3)
            .wrapping_add(number as u64 + 1);
        if let Some(latest) = self.latest.get_mut(number % tally.publishers.max(1)) {
            if *latest > number {
                self.out_of_order += 1;
            }
            *latest = number.max(*latest);
        }
        event.received.fetch_add(1, Ordering::Relaxed);
        event.last.fetch_max(now, Ordering::Relaxed);
        tally.delivered.fetch_add(1, Ordering::Relaxed);
        tally.last.fetch_max(now, Ordering::Relaxed);
    }

    /// Events of one collection look alike, so the number is nearly always where it was the last
    /// time.
    fn number(&mut self, message: &[u8]) -> Option<usize> {
        if let Some(number) = number_at(message, self.hint) {
            return Some(number);
        }
        let (at, number) = (0..message.len()).find_map(|at| Some((at, number_at(message, at)?)))?;
        self.hint = at;
        Some(number)
    }
}

/// The number behind a `"#` at this place.
fn number_at(message: &[u8], at: usize) -> Option<usize> {
    let digits = message.get(at..)?.strip_prefix(b"\"#")?;
    let (digits, end) = digits.split_at_checked(DIGITS)?;
    if !end.starts_with(b"#\"") {
        return None;
    }
    digits.iter().try_fold(0, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        Some(number * 10 + usize::from(digit))
    })
}
