//! Instants and days as clients write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// Reads an instant: ISO 8601, extended or basic, a day alone, `T` or a space, with or without an offset (UTC then).
fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let (day, rest) = split_day(text)?;
    if rest.is_empty() {
        return Some(day.and_time(NaiveTime::MIN).and_utc());
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, offset) = split_offset(rest)?;
    let time =
        ["%H:%M:%S%.f", "%H:%M", "%H%M%S%.f", "%H%M", "%H"].iter().find_map(|format| parse_clock(clock, format))?;
    let local = NaiveDateTime::new(day, time);
    local.checked_sub_signed(chrono::Duration::minutes(offset)).map(|time| time.and_utc())
}

/// Reads a day, `YYYY-MM-DD`; month and day may have one digit.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits =
        |part: &str, most: usize| !part.is_empty() && part.len() <= most && part.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || year.len() != 4 || !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// The form in which an instant is stored: as the client wrote it, if both databases read it the same way, otherwise
/// rewritten.
pub fn stored_instant(text: &str) -> Option<String> {
    if crate::expr::parse_instant(text).is_some() {
        return Some(text.to_owned());
    }
    parse_instant(text).map(crate::db::canonical_time).filter(|text| crate::expr::parse_instant(text).is_some())
}

fn split_day(text: &str) -> Option<(NaiveDate, &str)> {
    if let Some(head) = text.get(..10)
        && let Ok(day) = NaiveDate::parse_from_str(head, "%Y-%m-%d")
    {
        return Some((day, &text[10..]));
    }
    let head = text.get(..8).filter(|head| head.bytes().all(|b| b.is_ascii_digit()))?;
    Some((NaiveDate::parse_from_str(head, "%Y%m%d").ok()?, &text[8..]))
}

fn parse_clock(text: &str, format: &str) -> Option<NaiveTime> {
    if format == "%H" {
        return NaiveTime::from_hms_opt(text.parse().ok().filter(|_| text.len() == 2)?, 0, 0);
    }
    NaiveTime::parse_from_str(text, format).ok()
}

/// Splits a trailing `Z` or offset off a time of day; the offset in minutes.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(sign) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let digits = text[sign + 1..].replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<i64>().ok()?, 0),
        4 => (digits[..2].parse::<i64>().ok()?, digits[2..].parse::<i64>().ok()?),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let offset = hours * 60 + minutes;
    Some((&text[..sign], if text.as_bytes()[sign] == b'-' { -offset } else { offset }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_every_accepted_spelling() {
        for text in [
            "2025-01-02T03:04:05Z",
            "2025-01-02 03:04:05",
            "2025-01-02T03:04:05.000+00:00",
            "20250102T030405",
            "20250102T030405Z",
            "2025-01-02T05:04:05+02:00",
            "2025-01-02T05:04:05+0200",
        ] {
            let instant = parse_instant(text).map(crate::db::canonical_time);
            assert_eq!(instant.as_deref(), Some("2025-01-02T03:04:05.000Z"), "{text}");
        }
        for text in ["", "x", "2025-13-01", "2025-01-02T25:00", "2025-1-2", "2025-01-02T03:04:05+99:00", "ä2025-01-02"]
        {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }

    #[test]
    fn plain_instants_are_stored_verbatim_and_others_rewritten() {
        for text in ["2025-01-02", "2025-01-02T03:04", "2025-01-02 03:04:05.123456-01:30", "2025-01-02T03:04:05Z"] {
            assert_eq!(stored_instant(text).as_deref(), Some(text));
        }
        assert_eq!(stored_instant("20250102").as_deref(), Some("2025-01-02T00:00:00.000Z"));
    }

    #[test]
    fn days_may_be_unpadded() {
        assert!(parse_day("2025-1-5").is_some());
        for text in ["2025-02-30", "25-01-01", "2025-001-1", "2025-01-01T00:00", "+025-01-01"] {
            assert!(parse_day(text).is_none(), "{text}");
        }
    }
}
