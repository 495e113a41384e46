//! Whether an answer has what was recorded.

use serde_json::Value;

/// What differs, and where; keys that are not expected do not matter.
pub fn compare(expected: &Value, actual: &Value, place: &str) -> Result<(), String> {
    match expected {
        Value::Null => Ok(()),
        Value::Object(members) => {
            members
                .iter()
                .try_for_each(|(key, value)| match actual.get(key) {
                    Some(found) => compare(value, found, &format!("{place}/{key}")),
                    None => Err(format!("{place}/{key} is missing")),
                })
        }
        Value::Array(items) => {
            let found = actual
                .as_array()
                .ok_or_else(|| format!("{place} is no list"))?;
            if items.len() != found.len() {
                return Err(format!(
                    "{place} has {} items, not {}",
                    found.len(),
                    items.len()
                ));
            }
            let pairs = items.iter().zip(found).enumerate();
            pairs.into_iter().try_for_each(|(index, (item, found))| {
                compare(item, found, &format!("{place}/{index}"))
            })
        }
        Value::String(pattern) if pattern.starts_with('<') => {
            let fits = match pattern.as_str() {
                "<text>" => actual.as_str().is_some_and(|text| !text.is_empty()),
                "<id>" => actual.as_str().is_some_and(is_id),
                "<time>" => actual.as_str().is_some_and(is_time),
                "<number>" => actual.is_number(),
                other => panic!("an unknown pattern: {other}"),
            };
            if fits {
                Ok(())
            } else {
                Err(format!("{place} is no {pattern}: {actual}"))
            }
        }
        Value::Number(_) if expected.as_f64() == actual.as_f64() => Ok(()),
        _ if expected == actual => Ok(()),
        _ => Err(format!("{place} is {actual}, not {expected}")),
    }
}

fn is_id(text: &str) -> bool {
    let shape = |(index, c): (usize, char)| match index {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_digit() || ('a'..='f').contains(&c),
    };
    text.len() == 36 && text.chars().enumerate().all(shape)
}

/// RFC 3339 in UTC, with `T` and `Z`.
fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z')
}
