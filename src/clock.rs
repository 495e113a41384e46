//! The source of time. Everything that asks what time it is asks a [`Clock`], so that tests can fix
//! it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};

/// The source of time; cheap to clone.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still until it is told otherwise; milliseconds since the epoch.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The present, to the millisecond.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one place that reads the machine's clock"
            )]
            Self::System => Utc::now().trunc_subsecs(3),
            Self::Fixed(millis) => {
                DateTime::from_timestamp_millis(millis.load(Ordering::Relaxed)).unwrap_or_default()
            }
        }
    }
}

/// The one text form of an instant: RFC 3339, UTC, milliseconds, `Z`. It sorts as text the way
/// instants do.
pub fn canonical_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Writes an instant the way the whole API does: RFC 3339, UTC, milliseconds. For
/// `#[serde(serialize_with)]`.
pub fn serialize<S: serde::Serializer>(
    time: &DateTime<Utc>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&canonical_time(*time))
}

/// The same for an instant that may be missing.
pub fn serialize_option<S: serde::Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serialize(time, serializer),
        None => serializer.serialize_none(),
    }
}
