//! Every error of deserializing a body or a query, not only the first.
//!
//! serde stops at the first problem. So the place of a problem gets a stand-in, which is taken for
//! any value that belongs there, and the input is read again until it fits or nothing more is found.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde_json::{Map, Value, json};
use serde_path_to_error::Segment;

use crate::error::Problem;

/// Upper limit of the problems that one response names.
const MAX_PROBLEMS: usize = 16;
/// The only key of a stand-in.
const STAND_IN_KEY: &str = "\0stand-in";

/// The problems of a body or query that does not fit. `first` is the one that serde has reported; its
/// location begins with the name of the part of the request.
pub(super) fn find_all<T: DeserializeOwned>(mut body: Value, first: Problem) -> Vec<Problem> {
    let root = first.loc.first().and_then(Value::as_str);
    let root = root.unwrap_or_default().to_owned();
    let mut problems: Vec<Problem> = Vec::new();
    let mut next = Some(first);
    while let Some(problem) = next.filter(|next| problems.iter().all(|known| known.loc != next.loc))
    {
        let replaced = replace(&mut body, &problem.loc[1..]);
        problems.push(problem);
        if !replaced || problems.len() == MAX_PROBLEMS {
            break;
        }
        next = serde_path_to_error::deserialize::<_, T>(Reader(&body))
            .err()
            .map(|error| describe(&root, &error));
    }
    problems
}

/// Puts a stand-in where a path leads; false if it leads nowhere.
fn replace(body: &mut Value, path: &[Value]) -> bool {
    let Some((last, parents)) = path.split_last() else {
        return false;
    };
    let mut place = body;
    for segment in parents {
        let inner = match segment {
            Value::String(key) => place.get_mut(key),
            other => other
                .as_u64()
                .and_then(|index| place.get_mut(usize::try_from(index).ok()?)),
        };
        let Some(inner) = inner else { return false };
        place = inner;
    }
    let stand_in = json!({ STAND_IN_KEY: null });
    match (place, last) {
        (Value::Object(members), Value::String(key)) => {
            members.insert(key.clone(), stand_in);
            true
        }
        (Value::Array(items), last) => {
            let item = last
                .as_u64()
                .and_then(|index| items.get_mut(usize::try_from(index).ok()?));
            item.is_some_and(|item| {
                *item = stand_in;
                true
            })
        }
        _ => false,
    }
}

/// An error of serde in the words that clients of this API know, located in a part of the request:
/// `body` or `query`.
pub(super) fn describe(
    root: &str,
    error: &serde_path_to_error::Error<serde_json::Error>,
) -> Problem {
    let message = error.inner().to_string();
    let mut loc: Vec<Value> = vec![root.into()];
    loc.extend(error.path().iter().filter_map(|segment| match segment {
        Segment::Map { key } => Some(Value::from(key.clone())),
        Segment::Seq { index } => Some(Value::from(*index)),
        _ => None,
    }));
    if let Some(field) = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next())
    {
        loc.push(field.into());
        return Problem::at(loc, "missing", "Field required", Value::Null);
    }
    let expected = message
        .strip_prefix("invalid type: ")
        .and_then(|rest| rest.rsplit_once(", expected "));
    let (kind, msg) = match expected.map(|(_, expected)| expected) {
        Some("a string") => ("string_type", "Input should be a valid string"),
        Some("a boolean") => ("bool_type", "Input should be a valid boolean"),
        Some("i64" | "u64" | "i32" | "u32" | "usize") => {
            ("int_type", "Input should be a valid integer")
        }
        Some("f64") => ("float_type", "Input should be a valid number"),
        Some("a sequence") => ("list_type", "Input should be a valid list"),
        Some("a map") => ("dict_type", "Input should be a valid dictionary"),
        Some(expected) if expected.starts_with("struct ") => {
            ("model_attributes_type", "Input should be a valid object")
        }
        _ if message.starts_with("unknown field") => ("extra_forbidden", message.as_str()),
        _ if message.starts_with("unknown variant") => ("enum", message.as_str()),
        _ => ("value_error", message.as_str()),
    };
    Problem::at(loc, kind, msg, Value::Null)
}

/// A body with stand-ins.
#[derive(Clone, Copy)]
struct Reader<'de>(&'de Value);

impl Reader<'_> {
    fn stands_in(self) -> bool {
        matches!(self.0, Value::Object(members) if members.len() == 1 && members.contains_key(STAND_IN_KEY))
    }
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for Reader<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads that a stand-in answers with some value of the type.
macro_rules! stand_ins {
    ($($read:ident => $visit:ident($($value:expr)?);)*) => {$(
        fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            if self.stands_in() { visitor.$visit($($value)?) } else { self.deserialize_any(visitor) }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            _ if self.stands_in() => visitor.visit_unit(),
            Value::Object(members) => visitor.visit_map(entries(members)),
            Value::Array(items) => {
                visitor.visit_seq(SeqDeserializer::new(items.iter().map(Reader)))
            }
            plain => plain.deserialize_any(visitor),
        }
    }

    stand_ins! {
        deserialize_bool => visit_bool(false);
        deserialize_i8 => visit_i8(0);
        deserialize_i16 => visit_i16(0);
        deserialize_i32 => visit_i32(0);
        deserialize_i64 => visit_i64(0);
        deserialize_u8 => visit_u8(0);
        deserialize_u16 => visit_u16(0);
        deserialize_u32 => visit_u32(0);
        deserialize_u64 => visit_u64(0);
        deserialize_f32 => visit_f32(0.0);
        deserialize_f64 => visit_f64(0.0);
        deserialize_char => visit_char(' ');
        deserialize_str => visit_str("");
        deserialize_string => visit_str("");
        deserialize_bytes => visit_bytes(&[]);
        deserialize_byte_buf => visit_bytes(&[]);
        deserialize_unit => visit_unit();
        deserialize_identifier => visit_str("");
        deserialize_seq => visit_seq(SeqDeserializer::new(std::iter::empty::<Self>()));
        deserialize_map => visit_map(MapDeserializer::new(std::iter::empty::<(&str, Self)>()));
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.stands_in() || self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.deserialize_seq(visitor)
    }

    /// A stand-in for a structure has all of its keys.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if self.stands_in() {
            visitor.visit_map(MapDeserializer::new(keys.iter().map(|key| (*key, self))))
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match variants.first() {
            Some(variant) if self.stands_in() => visitor.visit_enum((*variant).into_deserializer()),
            _ => self.0.deserialize_enum(name, variants, visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }
}

fn entries(
    members: &Map<String, Value>,
) -> MapDeserializer<'_, impl Iterator<Item = (&str, Reader<'_>)>, serde_json::Error> {
    MapDeserializer::new(
        members
            .iter()
            .map(|(key, value)| (key.as_str(), Reader(value))),
    )
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Order {
        name: String,
        count: i64,
        #[serde(default)]
        note: Option<String>,
        size: Size,
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
        Large,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Item {
        id: u32,
        paid: bool,
    }

    fn found(body: &Value) -> Vec<String> {
        let Err(error) = serde_path_to_error::deserialize::<_, Order>(body) else {
            return Vec::new();
        };
        let problems = find_all::<Order>(body.clone(), describe("body", &error));
        problems
            .iter()
            .map(|problem| format!("{} {}", json!(problem.loc), problem.kind))
            .collect()
    }

    #[test]
    fn every_problem_is_found() {
        for (body, expected) in [
            (
                json!({"name": "n", "count": 1, "size": "small", "items": []}),
                vec![],
            ),
            (
                json!({}),
                vec![
                    r#"["body","name"] missing"#,
                    r#"["body","count"] missing"#,
                    r#"["body","size"] missing"#,
                    r#"["body","items"] missing"#,
                ],
            ),
            (
                json!({"name": 5, "count": "1", "note": [], "size": "huge", "items": {"id": 1}}),
                vec![
                    r#"["body","count"] int_type"#,
                    r#"["body","items"] list_type"#,
                    r#"["body","name"] string_type"#,
                    r#"["body","note"] string_type"#,
                    r#"["body","size"] enum"#,
                ],
            ),
            (
                json!({"name": "n", "count": 1, "size": "large", "items": [{"id": 1}, 7, {"id": -1, "paid": 1}]}),
                vec![
                    r#"["body","items",0,"paid"] missing"#,
                    r#"["body","items",1] model_attributes_type"#,
                    r#"["body","items",2,"id"] value_error"#,
                    r#"["body","items",2,"paid"] bool_type"#,
                ],
            ),
        ] {
            let found = found(&body);
            assert!(
                found.len() == expected.len()
                    && expected.iter().all(|e| found.contains(&(*e).into())),
                "{found:?}"
            );
        }
    }

    #[test]
    fn long_lists_of_problems_are_cut() {
        let items: Vec<Value> = (0..100).map(|_| json!(null)).collect();
        let body = json!({"name": "n", "count": 1, "size": "small", "items": items});
        assert_eq!(found(&body).len(), MAX_PROBLEMS);
    }

    #[test]
    fn a_stand_in_from_outside_is_a_problem_all_the_same() {
        let body = json!({"name": {STAND_IN_KEY: null}, "count": 1, "size": "small", "items": []});
        assert_eq!(found(&body), [r#"["body","name"] string_type"#]);
    }
}
