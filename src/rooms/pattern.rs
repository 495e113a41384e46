//! Patterns that define rooms, and the names that match them: `doc:{id}` and `doc:42`.
//!
//! Both are segments with `:` between them. A segment of a pattern is literal text, or a part in
//! braces, which stands for any segment of a name.

use serde_json::{Map, Value};

use crate::db::{ColumnKind, Ident};
use crate::expr::{Column, Columns};

/// The longest name of a room, and the longest pattern, in bytes.
pub const MAX_NAME_BYTES: usize = 200;
/// Upper limit of the segments of a pattern.
const MAX_SEGMENTS: usize = 10;

/// The parts of a room's name by the names that rules have for them: `@room.id`.
pub type RoomNameParts = Map<String, Value>;

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomPattern(Vec<PatternSegment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum PatternSegment {
    Literal(String),
    Part(PatternPart),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PatternPart {
    name: String,
    /// As rules write it.
    variable: String,
    ident: Ident,
}

impl RoomPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// A message for the administrator.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > MAX_NAME_BYTES {
            return Err(format!(
                "A pattern has 1 to {MAX_NAME_BYTES} bytes, such as doc:{{id}}"
            ));
        }
        let segments = text
            .split(':')
            .map(PatternSegment::parse)
            .collect::<Result<Vec<_>, _>>()?;
        if segments.len() > MAX_SEGMENTS {
            return Err(format!("A pattern has at most {MAX_SEGMENTS} segments"));
        }
        let pattern = Self(segments);
        let mut names: Vec<&str> = pattern.parts().map(|part| part.name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("The part {{{}}} is there twice", pair[0])),
            None => Ok(pattern),
        }
    }

    fn parts(&self) -> impl Iterator<Item = &PatternPart> {
        self.0.iter().filter_map(|segment| match segment {
            PatternSegment::Part(part) => Some(part),
            PatternSegment::Literal(_) => None,
        })
    }

    /// The pattern without the names of its parts: patterns of one shape match the same names.
    pub fn shape(&self) -> String {
        let segment = |segment: &PatternSegment| match segment {
            PatternSegment::Literal(text) => text.clone(),
            PatternSegment::Part(_) => "{}".to_owned(),
        };
        self.0.iter().map(segment).collect::<Vec<_>>().join(":")
    }

    /// The rank among patterns that match the same name: the one with the earlier literal comes
    /// first.
    pub fn rank(&self) -> Vec<bool> {
        self.0
            .iter()
            .map(|segment| matches!(segment, PatternSegment::Part(_)))
            .collect()
    }

    /// The parts of a name, or `None` if the name does not match.
    pub fn matches(&self, name: &str) -> Option<RoomNameParts> {
        if name.len() > MAX_NAME_BYTES {
            return None;
        }
        let mut parts = RoomNameParts::new();
        let mut texts = name.split(':');
        for segment in &self.0 {
            let text = texts.next()?;
            match segment {
                PatternSegment::Literal(literal) if literal == text => {}
                PatternSegment::Literal(_) => return None,
                PatternSegment::Part(_)
                    if text.is_empty() || text.chars().any(char::is_control) =>
                {
                    return None;
                }
                PatternSegment::Part(part) => {
                    parts.insert(part.variable.clone(), text.into());
                }
            }
        }
        texts.next().is_none().then_some(parts)
    }
}

impl PatternSegment {
    fn parse(text: &str) -> Result<Self, String> {
        let name = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        if let Some(name) = name {
            let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
            let ident = Ident::of(name).filter(|_| begins_well && name.len() <= 50);
            let ident = ident.ok_or_else(|| {
                format!("{text}: a part is called like a field, with letters, digits and _, a letter first")
            })?;
            return Ok(Self::Part(PatternPart {
                name: name.to_owned(),
                variable: format!("@room.{name}"),
                ident,
            }));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if text.is_empty() || !text.chars().all(is_plain) {
            return Err(format!(
                "'{text}': a segment is a {{part}}, or letters, digits, _, - and ."
            ));
        }
        Ok(Self::Literal(text.to_owned()))
    }
}

/// The variables that rules of the rooms of this pattern can read in addition to the caller.
impl Columns for RoomPattern {
    fn column(&self, name: &str) -> Option<Column> {
        let part = self.parts().find(|part| part.variable == name)?;
        Some(Column::stored(part.ident.clone(), ColumnKind::Text))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parts(pattern: &str, name: &str) -> Option<Value> {
        RoomPattern::parse(pattern)
            .unwrap()
            .matches(name)
            .map(Value::Object)
    }

    #[test]
    fn names_match_segment_by_segment() {
        assert_eq!(parts("lobby", "lobby"), Some(json!({})));
        assert_eq!(parts("doc:{id}", "doc:42"), Some(json!({"@room.id": "42"})));
        assert_eq!(
            parts("{a}:x:{b}", "1:x:ü /2"),
            Some(json!({"@room.a": "1", "@room.b": "ü /2"}))
        );
        for (pattern, name) in [
            ("lobby", "Lobby"),
            ("lobby", ""),
            ("doc:{id}", "doc"),
            ("doc:{id}", "doc:"),
            ("doc:{id}", "doc:1:2"),
            ("doc:{id}", "doc:1\n"),
            ("doc:{id}", "doc:\u{0}"),
        ] {
            assert_eq!(parts(pattern, name), None, "{pattern} {name}");
        }
        assert_eq!(parts("{a}", &"x".repeat(MAX_NAME_BYTES + 1)), None);
    }

    #[test]
    fn bad_patterns_are_refused() {
        for bad in [
            "", ":", "a:", "{}", "{1}", "{a b}", "doc{id}", "a b", "{a}:{a}", "a:{id", "ä",
        ] {
            assert!(RoomPattern::parse(bad).is_err(), "{bad}");
        }
        assert!(RoomPattern::parse(&["a"; MAX_SEGMENTS + 1].join(":")).is_err());
    }

    #[test]
    fn an_earlier_literal_comes_first() {
        let rank = |pattern: &str| RoomPattern::parse(pattern).unwrap().rank();
        let mut patterns = ["{a}:{b}", "{a}:x", "doc:{id}", "doc:x"];
        patterns.sort_by_key(|pattern| rank(pattern));
        assert_eq!(patterns, ["doc:x", "doc:{id}", "{a}:x", "{a}:{b}"]);
        assert_eq!(
            RoomPattern::parse("doc:{id}").unwrap().shape(),
            RoomPattern::parse("doc:{x}").unwrap().shape()
        );
    }
}
