//! Instants and days: the one reader of every spelling, for what is stored, for rules and for
//! filters.

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc,
};

use crate::db::canonical_time;

/// Digits of a second's fraction that a stored text may have; those after the third do not count.
const MAX_FRACTION: usize = 9;

/// Reads an instant, to the millisecond (further digits are dropped): ISO 8601, extended or basic,
/// a day alone, `T` or a space, with or without an offset (UTC then). The year, in UTC too, is 1 to 9999.
pub fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    // What is stored is plain, and comes here most.
    parse_plain(text).or_else(|| parse_plain(&canonical_time(parse_other(text)?)))
}

/// Reads a day, `YYYY-MM-DD` of the years 1 to 9999; month and day may have one digit.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let year = digits(year).filter(|year| *year > 0)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, digits(month)?, digits(day)?)
}

/// The form in which a day is stored: `YYYY-MM-DD`.
pub fn stored_day(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// The form in which an instant is stored: as it was written if it is plain, otherwise rewritten.
pub fn stored_instant(text: &str) -> Option<String> {
    if parse_plain(text).is_some() {
        return Some(text.to_owned());
    }
    parse_instant(text).map(canonical_time)
}

/// Reads the spellings that both databases read as the same instant:
///
/// * `YYYY-MM-DD`
/// * `YYYY-MM-DD` `T` or a space, `HH:MM` or `HH:MM:SS` or `HH:MM:SS.f` (one to nine digits), and
///   then nothing, `Z` or an offset `±HH:MM` of at most 14 hours.
fn parse_plain(text: &str) -> Option<DateTime<Utc>> {
    let date = parse_plain_day(text.get(..10)?)?;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    let (clock, zone) = split_zone(rest.strip_prefix(['T', ' '])?);
    let local = date.and_time(parse_clock(clock)?);
    let instant = local
        .and_local_timezone(parse_zone(zone)?)
        .single()?
        .to_utc();
    (1..=9999).contains(&instant.year()).then_some(instant)
}

/// Reads the other spellings.
fn parse_other(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let (day, rest) = split_day(text)?;
    if rest.is_empty() {
        return Some(day.and_time(NaiveTime::MIN).and_utc());
    }
    let (clock, offset) = split_offset(rest.strip_prefix(['T', 't', ' '])?)?;
    let formats = ["%H:%M:%S%.f", "%H:%M", "%H%M%S%.f", "%H%M"];
    let time = formats
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(clock, format).ok());
    let time = time.or_else(|| NaiveTime::from_hms_opt(two_digits(clock)?, 0, 0))?;
    let local = NaiveDateTime::new(day, time);
    local
        .checked_sub_signed(TimeDelta::minutes(offset))
        .map(|time| time.and_utc())
}

fn split_day(text: &str) -> Option<(NaiveDate, &str)> {
    if let Some(day) = text.get(..10).and_then(parse_plain_day) {
        return Some((day, &text[10..]));
    }
    let head = text.get(..8).filter(|head| digits(head).is_some())?;
    let (year, month, day) = (
        digits(&head[..4])?,
        digits(&head[4..6])?,
        digits(&head[6..])?,
    );
    Some((
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?,
        &text[8..],
    ))
}

/// Splits a trailing `Z` or offset off a time of day; the offset in minutes.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(sign) = text.rfind(['+', '-']) else {
        return Some((text, 0));
    };
    let number = text[sign + 1..].replace(':', "");
    let (hours, minutes) = match number.len() {
        2 => (two_digits(&number)?, 0),
        4 => (two_digits(number.get(..2)?)?, two_digits(number.get(2..)?)?),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let offset = i64::from(hours * 60 + minutes);
    Some((
        &text[..sign],
        if text.as_bytes()[sign] == b'-' {
            -offset
        } else {
            offset
        },
    ))
}

/// Reads a day as it is stored.
fn parse_plain_day(text: &str) -> Option<NaiveDate> {
    if text.len() == 10 {
        parse_day(text)
    } else {
        None
    }
}

fn split_zone(text: &str) -> (&str, &str) {
    text.split_at(text.find(['Z', '+', '-']).unwrap_or(text.len()))
}

fn parse_clock(text: &str) -> Option<NaiveTime> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, rest) = rest
        .split_once(':')
        .map_or((rest, None), |(minute, rest)| (minute, Some(rest)));
    let (second, fraction) = match rest {
        None => ("00", None),
        Some(rest) => rest
            .split_once('.')
            .map_or((rest, None), |(second, fraction)| (second, Some(fraction))),
    };
    let milliseconds = match fraction {
        None => 0,
        Some(fraction) => {
            let known = digits(fraction).filter(|_| fraction.len() <= MAX_FRACTION)?;
            let length = u32::try_from(fraction.len()).ok()?;
            if length <= 3 {
                known * 10_u32.pow(3 - length)
            } else {
                known / 10_u32.pow(length - 3)
            }
        }
    };
    NaiveTime::from_hms_milli_opt(
        two_digits(hour)?,
        two_digits(minute)?,
        two_digits(second)?,
        milliseconds,
    )
}

fn parse_zone(text: &str) -> Option<FixedOffset> {
    if matches!(text, "" | "Z") {
        return FixedOffset::east_opt(0);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    if minutes > 59 || hours * 60 + minutes > 14 * 60 {
        return None;
    }
    let seconds = i32::try_from((hours * 60 + minutes) * 60).ok()?;
    match text.as_bytes().first()? {
        b'+' => FixedOffset::east_opt(seconds),
        b'-' => FixedOffset::west_opt(seconds),
        _ => None,
    }
}

fn two_digits(text: &str) -> Option<u32> {
    digits(text).filter(|_| text.len() == 2)
}

/// A number that is written with one to nine ASCII digits and nothing else.
fn digits(text: &str) -> Option<u32> {
    let valid = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_spellings_are_stored_as_they_are() {
        for (text, canonical) in [
            ("2024-02-29", "2024-02-29T00:00:00.000Z"),
            ("2024-01-02T03:04", "2024-01-02T03:04:00.000Z"),
            ("2024-01-02 03:04:05", "2024-01-02T03:04:05.000Z"),
            ("2024-01-02T03:04:05.5Z", "2024-01-02T03:04:05.500Z"),
            ("2024-01-02T03:04:05.9999999Z", "2024-01-02T03:04:05.999Z"),
            ("2024-01-02T03:04+02:30", "2024-01-02T00:34:00.000Z"),
            (
                "2024-01-02 03:04:05.123456789-14:00",
                "2024-01-02T17:04:05.123Z",
            ),
            ("0001-01-01T00:00", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999999999", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(
                parse_instant(text).map(canonical_time).as_deref(),
                Some(canonical),
                "{text}"
            );
            assert_eq!(stored_instant(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn other_spellings_mean_the_same_and_are_rewritten() {
        for text in [
            "20240102T030405",
            "20240102T030405Z",
            "20240102T030405.000Z",
            "20240102 03:04:05",
            "2024-01-02t03:04:05z",
            "2024-01-02T03:04:05z",
            "2024-01-02T03:04:05.0000000000Z",
            "2024-01-02T05:04:05+0200",
            "2024-01-02T05:04:05+02",
            "2024-01-02T050405+02",
            "2024-01-02T18:03:05+14:59",
        ] {
            assert_eq!(
                stored_instant(text).as_deref(),
                Some("2024-01-02T03:04:05.000Z"),
                "{text}"
            );
        }
        for (text, canonical) in [
            ("20240102", "2024-01-02T00:00:00.000Z"),
            ("2024-01-02T03", "2024-01-02T03:00:00.000Z"),
            ("2024-01-02T0304-0030", "2024-01-02T03:34:00.000Z"),
        ] {
            assert_eq!(stored_instant(text).as_deref(), Some(canonical), "{text}");
        }
    }

    #[test]
    fn days_may_be_unpadded() {
        assert_eq!(
            parse_day("2025-1-5").map(stored_day).as_deref(),
            Some("2025-01-05")
        );
        for text in [
            "",
            "2025-02-30",
            "25-01-01",
            "2025-001-1",
            "2025-01-01T00:00",
            "+025-01-01",
            "0000-01-01",
            "2025-1-",
            "2025-1-+1",
            "ä025-1-1",
        ] {
            assert!(parse_day(text).is_none(), "{text}");
        }
    }

    #[test]
    fn refused_spellings() {
        for text in [
            "",
            "now",
            "2024",
            "2024-1-2",
            "2024-02-30",
            "0000-01-01",
            "00000101",
            "2024010",
            "2024-01-02T",
            "2024-01-02T3",
            "2024-01-02T24:00",
            "2024-01-02T03:60",
            "2024-01-02T03:04:60",
            "2024-01-02T03:04:60Z",
            "2024-01-02T03:04:05.",
            "2024-01-02Z",
            "2024-01-02T03:04 Z",
            "2024-01-02T03:04+24:00",
            "2024-01-02T03:04+02:60",
            "2024-01-02T03:04+é2",
            "2024-01-02T03:04+é2é",
            "ä2024-01-02",
            "0001-01-01T00:00+01:00",
            "9999-12-31T23:59-01:00",
            "2024-01-02T03:04:05é",
            "é024-01-02",
            "+024-01-02",
            "2024-01-02T+3:04",
            "2024-01-02T03:04Z+01:00",
        ] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
