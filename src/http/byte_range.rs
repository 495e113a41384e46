//! Which part of something a request asks for: `Range` and the conditions around it (RFC 9110,
//! sections 13 and 14).

use std::ops::Range;
use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, HeaderName, header};

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it (200).
    Whole,
    /// A part (206); not empty.
    Part(Range<u64>),
    /// No part of it is meant (416).
    Unsatisfiable,
    /// What the client has is still right (304).
    NotModified,
    /// It is not what the client wants to go on with (412).
    Failed,
}

/// What there is to be selected from.
#[derive(Clone, Copy, Debug)]
pub struct Representation<'a> {
    /// Its length in bytes.
    pub length: u64,
    /// Its strong entity tag, with quotes.
    pub etag: &'a str,
    /// When it came to be; fractions of a second do not count.
    pub modified: SystemTime,
}

impl Representation<'_> {
    /// What a GET or HEAD with these headers gets. A range means something for GET alone.
    pub fn select(&self, headers: &HeaderMap, is_get: bool) -> Selection {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(tags) = text(header::IF_MATCH) {
            if !has_tag(tags, self.etag) {
                return Selection::Failed;
            }
        } else if let Some(date) = text(header::IF_UNMODIFIED_SINCE).and_then(parse_date)
            && self.seconds() > seconds(date)
        {
            return Selection::Failed;
        }
        if let Some(tags) = text(header::IF_NONE_MATCH) {
            if has_tag(tags, self.etag) {
                return Selection::NotModified;
            }
        } else if let Some(date) = text(header::IF_MODIFIED_SINCE).and_then(parse_date)
            && self.seconds() <= seconds(date)
        {
            return Selection::NotModified;
        }
        match text(header::RANGE) {
            Some(range) if is_get && self.is_still(text(header::IF_RANGE)) => self.part(range),
            _ => Selection::Whole,
        }
    }

    /// Whether a part still goes with the one that the client has; a weak tag never says so.
    fn is_still(&self, if_range: Option<&str>) -> bool {
        match if_range.map(str::trim) {
            None => true,
            Some(tag) if tag.starts_with('"') => tag == self.etag,
            Some(date) => parse_date(date).is_some_and(|date| seconds(date) == self.seconds()),
        }
    }

    /// What cannot be read as a range, has another unit or names several is answered with all of
    /// it, as may be done.
    fn part(&self, range: &str) -> Selection {
        let Some(spec) = range.trim().strip_prefix("bytes=") else {
            return Selection::Whole;
        };
        let Some((first, last)) = spec.split_once('-') else {
            return Selection::Whole;
        };
        let (first, last) = (first.trim(), last.trim());
        let range = if first.is_empty() {
            let Some(suffix) = number(last) else {
                return Selection::Whole;
            };
            self.length.saturating_sub(suffix)..self.length
        } else {
            let Some(first) = number(first) else {
                return Selection::Whole;
            };
            let end = match number(last) {
                _ if last.is_empty() => self.length,
                Some(last) if last >= first => last.saturating_add(1).min(self.length),
                _ => return Selection::Whole,
            };
            first..end
        };
        if range.is_empty() {
            Selection::Unsatisfiable
        } else {
            Selection::Part(range)
        }
    }

    fn seconds(&self) -> u64 {
        seconds(self.modified)
    }
}

/// A decimal number; one that is too large for 64 bits is the largest.
fn number(text: &str) -> Option<u64> {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_decimal.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Whether a list of entity tags has that one; weak ones count, since the bytes never change.
fn has_tag(list: &str, etag: &str) -> bool {
    list.split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == etag)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .as_ref()
        .map_or(0, Duration::as_secs)
}

/// An instant as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http_date(time: SystemTime) -> String {
    let time = chrono::DateTime::<chrono::Utc>::from(time);
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn parse_date(text: &str) -> Option<SystemTime> {
    let read = chrono::NaiveDateTime::parse_from_str(text.trim(), "%a, %d %b %Y %H:%M:%S GMT");
    read.ok().map(|time| time.and_utc().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(headers: &[(HeaderName, &str)], length: u64) -> Selection {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name, value.parse().unwrap());
        }
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(784_111_777_500);
        let there = Representation {
            length,
            etag: "\"abc\"",
            modified,
        };
        there.select(&map, true)
    }

    #[test]
    fn one_range_is_a_part() {
        for (range, length, expected) in [
            ("bytes=0-0", 10, Selection::Part(0..1)),
            ("bytes=2-5", 10, Selection::Part(2..6)),
            ("bytes=2-", 10, Selection::Part(2..10)),
            ("bytes=2-99", 10, Selection::Part(2..10)),
            ("bytes=-3", 10, Selection::Part(7..10)),
            ("bytes=-99", 10, Selection::Part(0..10)),
            (
                "bytes=0-99999999999999999999999",
                10,
                Selection::Part(0..10),
            ),
            ("bytes=10-", 10, Selection::Unsatisfiable),
            (
                "bytes=99999999999999999999999-",
                10,
                Selection::Unsatisfiable,
            ),
            ("bytes=-0", 10, Selection::Unsatisfiable),
            ("bytes=0-", 0, Selection::Unsatisfiable),
            ("bytes=5-2", 10, Selection::Whole),
            ("bytes=0-1,3-4", 10, Selection::Whole),
            ("bytes=a-b", 10, Selection::Whole),
            ("bytes=--1", 10, Selection::Whole),
            ("bytes=", 10, Selection::Whole),
            ("lines=0-1", 10, Selection::Whole),
        ] {
            assert_eq!(
                select(&[(header::RANGE, range)], length),
                expected,
                "{range} of {length}"
            );
        }
    }

    #[test]
    fn conditions_come_first() {
        let (same, older, newer) = (
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:36 GMT",
            "Sun, 06 Nov 1994 08:49:38 GMT",
        );
        let part = Selection::Part(1..3);
        for (name, value, expected) in [
            (header::IF_RANGE, "\"abc\"", part.clone()),
            (header::IF_RANGE, "W/\"abc\"", Selection::Whole),
            (header::IF_RANGE, "\"old\"", Selection::Whole),
            (header::IF_RANGE, same, part.clone()),
            (header::IF_RANGE, older, Selection::Whole),
            (header::IF_RANGE, newer, Selection::Whole),
            (
                header::IF_NONE_MATCH,
                "\"x\", W/\"abc\"",
                Selection::NotModified,
            ),
            (header::IF_NONE_MATCH, "*", Selection::NotModified),
            (header::IF_NONE_MATCH, "\"x\"", part.clone()),
            (header::IF_MATCH, "\"x\"", Selection::Failed),
            (header::IF_MATCH, "\"abc\"", part.clone()),
            (header::IF_MODIFIED_SINCE, same, Selection::NotModified),
            (header::IF_MODIFIED_SINCE, older, part.clone()),
            (header::IF_MODIFIED_SINCE, "yesterday", part.clone()),
            (header::IF_UNMODIFIED_SINCE, older, Selection::Failed),
            (header::IF_UNMODIFIED_SINCE, same, part),
        ] {
            let headers = [(header::RANGE, "bytes=1-2"), (name, value)];
            assert_eq!(select(&headers, 10), expected, "{headers:?}");
        }
    }

    #[test]
    fn dates_are_written_as_they_are_read() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(parse_date(&http_date(time)), Some(time));
    }
}
