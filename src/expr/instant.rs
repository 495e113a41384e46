//! The spellings of an instant that are stored verbatim and compared by what they mean.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, Utc};

/// Digits of a second's fraction that are accepted; those after the third do not count.
const MAX_FRACTION: usize = 9;

/// The instant that `text` names, to the millisecond (further digits are dropped), or `None` if it is not one of:
///
/// * `YYYY-MM-DD`
/// * `YYYY-MM-DD` `T` or a space, `HH:MM` or `HH:MM:SS` or `HH:MM:SS.f` (one to nine digits), and then nothing, `Z`
///   or an offset `±HH:MM` of at most 14 hours. Without a zone it is UTC.
///
/// The year, in UTC too, is 1 to 9999. Both databases read every accepted text as the same instant.
pub fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let date = parse_day(text.get(..10)?)?;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    let (clock, zone) = split_zone(rest.strip_prefix(['T', ' '])?);
    let local = date.and_time(parse_clock(clock)?);
    let instant = local.and_local_timezone(parse_zone(zone)?).single()?.to_utc();
    (1..=9999).contains(&instant.year()).then_some(instant)
}

/// The day that `text` names as `YYYY-MM-DD`, of the years 1 to 9999.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = digits(&text[..4]).filter(|year| *year > 0)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, digits(&text[5..7])?, digits(&text[8..])?)
}

fn split_zone(text: &str) -> (&str, &str) {
    text.split_at(text.find(['Z', '+', '-']).unwrap_or(text.len()))
}

fn parse_clock(text: &str) -> Option<NaiveTime> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, rest) = rest.split_once(':').map_or((rest, None), |(minute, rest)| (minute, Some(rest)));
    let (second, fraction) = match rest {
        None => ("00", None),
        Some(rest) => rest.split_once('.').map_or((rest, None), |(second, fraction)| (second, Some(fraction))),
    };
    let milliseconds = match fraction {
        None => 0,
        Some(fraction) => {
            let known = digits(fraction).filter(|_| fraction.len() <= MAX_FRACTION)?;
            let length = u32::try_from(fraction.len()).ok()?;
            if length <= 3 { known * 10_u32.pow(3 - length) } else { known / 10_u32.pow(length - 3) }
        }
    };
    NaiveTime::from_hms_milli_opt(two_digits(hour)?, two_digits(minute)?, two_digits(second)?, milliseconds)
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
    use crate::db::canonical_time;

    #[test]
    fn accepted_spellings() {
        for (text, canonical) in [
            ("2024-02-29", "2024-02-29T00:00:00.000Z"),
            ("2024-01-02T03:04", "2024-01-02T03:04:00.000Z"),
            ("2024-01-02 03:04:05", "2024-01-02T03:04:05.000Z"),
            ("2024-01-02T03:04:05.5Z", "2024-01-02T03:04:05.500Z"),
            ("2024-01-02T03:04:05.9999999Z", "2024-01-02T03:04:05.999Z"),
            ("2024-01-02T03:04+02:30", "2024-01-02T00:34:00.000Z"),
            ("2024-01-02 03:04:05.123456789-14:00", "2024-01-02T17:04:05.123Z"),
            ("0001-01-01T00:00", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999999999", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(parse_instant(text).map(canonical_time).as_deref(), Some(canonical), "{text}");
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
            "20240102",
            "2024-01-02T",
            "2024-01-02T03",
            "2024-01-02t03:04",
            "2024-01-02T24:00",
            "2024-01-02T03:60",
            "2024-01-02T03:04:60",
            "2024-01-02T03:04z",
            "2024-01-02T03:04:05.",
            "2024-01-02T03:04:05.1234567890",
            "2024-01-02Z",
            "2024-01-02T03:04 Z",
            "2024-01-02T03:04+0200",
            "2024-01-02T03:04+15:00",
            "2024-01-02T03:04+14:01",
            "2024-01-02T03:04+02:60",
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
