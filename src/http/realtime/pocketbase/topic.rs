//! Topics: `notes/*`, `notes/<id>`, `notes`, each with options behind a question mark.

use bytes::Bytes;
use serde_json::{Map, Value};

/// A parsed topic. Every text is a topic; most of them match no records.
#[derive(Debug)]
pub struct PocketBaseTopic<'a> {
    /// A collection's name or id.
    pub collection: &'a str,
    /// One record.
    pub record: Option<&'a str>,
    query: Map<String, Value>,
}

impl<'a> PocketBaseTopic<'a> {
    /// Parses a topic.
    pub fn parse(text: &'a str) -> Self {
        let (path, options) = text.split_once('?').unwrap_or((text, ""));
        let (collection, record) = path.split_once('/').unwrap_or((path, "*"));
        Self {
            collection,
            record: Some(record).filter(|record| *record != "*"),
            query: query(options).unwrap_or_default(),
        }
    }

    /// An option's text.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.query.get(name)?.as_str()
    }

    /// The frame with only the requested fields of the record; `None` if all are requested.
    pub fn pick_fields(&self, frame: &Bytes) -> Option<Bytes> {
        let wanted: Vec<&str> = self
            .option("fields")?
            .split(',')
            .map(str::trim)
            .filter(|field| !field.is_empty())
            .collect();
        if wanted.is_empty() || wanted.contains(&"*") {
            return None;
        }
        let mut event: Value = serde_json::from_slice(frame).ok()?;
        event.get_mut("record")?.as_object_mut()?.retain(|key, _| {
            // `expand.author.name` keeps all that is expanded.
            wanted
                .iter()
                .any(|name| name.split('.').next() == Some(key))
        });
        Some(event.to_string().into())
    }
}

/// The `query` in `options=<JSON, percent-encoded>`.
fn query(options: &str) -> Option<Map<String, Value>> {
    let (_, options) =
        form_urlencoded::parse(options.as_bytes()).find(|(key, _)| key == "options")?;
    match serde_json::from_str::<Value>(&options)
        .ok()?
        .get_mut("query")?
        .take()
    {
        Value::Object(query) => Some(query),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (&str, Option<&str>) {
        let topic = PocketBaseTopic::parse(text);
        (topic.collection, topic.record)
    }

    #[test]
    fn topics_name_a_collection_or_one_record() {
        assert_eq!(parts("notes"), ("notes", None));
        assert_eq!(parts("notes/*"), ("notes", None));
        assert_eq!(parts("notes/7"), ("notes", Some("7")));
        assert_eq!(parts("notes/7?options=%7B%7D"), ("notes", Some("7")));
        assert_eq!(parts("PB_CONNECT"), ("PB_CONNECT", None));
        assert_eq!(parts(""), ("", None));
    }

    #[test]
    fn options_are_json_or_nothing() {
        let filter = |text: &str| {
            PocketBaseTopic::parse(text)
                .option("filter")
                .map(str::to_owned)
        };
        let good = "notes/*?options=%7B%22query%22%3A%7B%22filter%22%3A%22a%20%3D%201%22%7D%7D";
        assert_eq!(filter(good).as_deref(), Some("a = 1"));
        for bad in [
            "notes?options=",
            "notes?options=x",
            "notes?options=%7B%22query%22%3A7%7D",
            "notes?x=1",
        ] {
            assert_eq!(filter(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_fields_that_are_asked_for_stay() {
        let frame = Bytes::from_static(br#"{"record":{"id":"1","a":2,"b":3},"action":"create"}"#);
        let pick = |fields: &str| {
            let options = serde_json::json!({"query": {"fields": fields}}).to_string();
            let options: String = form_urlencoded::byte_serialize(options.as_bytes()).collect();
            PocketBaseTopic::parse(&format!("notes/*?options={options}")).pick_fields(&frame)
        };
        assert_eq!(
            pick("id, b").as_deref(),
            Some(&br#"{"record":{"id":"1","b":3},"action":"create"}"#[..])
        );
        assert_eq!(pick("*"), None);
        assert_eq!(pick(" "), None);
    }
}
