//! Documents of the log, cut into fields whose values stay as they were written.

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of a document, in their order, each as it was written.
#[derive(Clone, Debug, Default)]
pub struct Fields<'d>(pub(crate) Vec<(String, &'d RawValue)>);

impl<'d> Fields<'d> {
    /// Reads a document; one that is not an object has no fields.
    pub fn read(document: Option<&'d str>) -> Self {
        document
            .and_then(|document| serde_json::from_str(document).ok())
            .unwrap_or_default()
    }

    /// The value of a field, if it is there.
    pub fn get(&self, name: &str) -> Option<&'d RawValue> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| *value)
    }

    /// The document with other values for some of its fields.
    pub(super) fn write_with<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> String {
        let mut text = String::with_capacity(
            self.0
                .iter()
                .map(|(name, value)| name.len() + value.get().len() + 4)
                .sum(),
        );
        text.push('{');
        for (index, (name, own)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // Writing to a String does not fail.
            let _ = write!(
                text,
                "{comma}{}:{}",
                serde_json::Value::from(name.as_str()),
                value(name).unwrap_or(own.get())
            );
        }
        text.push('}');
        text
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(field) = map.next_entry()? {
                    fields.0.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// The record before an update: `record` is the one afterwards, `difference` has the earlier values
/// of what changed. Entries of older versions have the whole record there.
pub(super) fn before_update(record: &str, difference: &str) -> String {
    let changed = Fields::read(Some(difference));
    Fields::read(Some(record)).write_with(|name| changed.get(name).map(RawValue::get))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_record_has_the_earlier_values_of_what_changed() {
        let record = r#"{"id":"1","a":"new","b":null,"c":2.50,"d":{"x":[1, 2]}}"#;
        assert_eq!(before_update(record, "{}"), record);
        assert_eq!(
            before_update(record, r#"{"a":null,"b":"old","d":"\u00e4"}"#),
            r#"{"id":"1","a":null,"b":"old","c":2.50,"d":"\u00e4"}"#
        );
        let whole = r#"{"id":"1","a":"old","b":null,"c":2.50,"d":1}"#;
        assert_eq!(before_update(record, whole), whole);
    }
}
